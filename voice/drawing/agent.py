"""The agent's lane: what was synthesised, sent, heard and thrown away, to the word. Pure.

It follows the orders that were given then, not those of a replay: a mark was heard when it came back while its audio was
still queued (`voice/playout.py` says why), and everything between two marks lies evenly between their instants.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from voice.drawing.orders import Order
from voice.drawing.story import Said, Segment
from voice.events import SAMPLE_RATE, MarkReturned, SegmentSpoken, SpeechArrived


@dataclass(slots=True)
class _Part:
    """A segment while it is put together. `pieces` are where its audio lies: (outgoing position, offset in it, samples)."""

    reply: int
    number: int
    text: str
    is_protected: bool
    ordered: float
    arrived: float | None = None
    complete: float | None = None
    made: int = 0  # samples synthesised
    words: list[tuple[str, int]] = field(default_factory=list)  # and the sample of the segment each ends at
    pieces: list[tuple[int, int, int]] = field(default_factory=list)
    queued: int = 0
    cut: float | None = None
    limit: int | None = None  # outgoing position from which on it was thrown away

    def position(self, sample: int) -> int:
        """Where a sample of it lies in the outgoing stream."""
        for start, offset, length in self.pieces:
            if offset <= sample <= offset + length:
                return start + sample - offset
        last = self.pieces[-1]
        return last[0] + sample - last[1]


class Mouth:
    """Follows our voice from the order to speak to the caller's ear."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str, float, bool]] = []
        self._parts: dict[tuple[int, int], _Part] = {}
        self._waiting: dict[int, deque[list[int]]] = {}  # reply -> [segment, samples] that arrived and are not queued yet
        self._marks: deque[tuple[str, int]] = deque()
        self._heard: list[tuple[int, float]] = []  # (position, instant), both rising
        self._queued = 0

    def take(self, at: float, event: object, orders: Iterable[Order]) -> None:
        """One event and the orders that it led to."""
        match event:
            case SpeechArrived():
                self._arrived(at, event)
            case SegmentSpoken(reply, segment):
                part = self._parts.get((reply, segment))
                if part is not None:
                    part.complete = at
            case MarkReturned(name):
                self._returned(at, name)
        for order in orders:
            match order.name:
                case "Speak":
                    key = (order.whole("reply"), order.whole("segment"))
                    self._parts.setdefault(key, _Part(*key, order.text("text"), order.is_set("is_protected"), at))
                case "Play":
                    self._play(order)
                case "StopReply":
                    self._stop(at, order.whole("reply"))
                case "ClearPlayout":
                    self._clear(at)

    def _arrived(self, at: float, event: SpeechArrived) -> None:
        part = self._parts.get((event.reply, event.segment))
        if part is None:
            return
        part.arrived = at if part.arrived is None else part.arrived
        part.words += [(word.text, part.made + round(word.end * SAMPLE_RATE)) for word in event.words]
        part.made += len(event.audio)
        if event.audio:
            self._waiting.setdefault(event.reply, deque()).append([event.segment, len(event.audio)])

    def _play(self, order: Order) -> None:
        again = self._sent_again_from(order)
        start = self._queued if again is None else again
        marks = [(str(name), start + int(offset)) for offset, name in order.pairs("marks") if isinstance(offset, int)]
        self._marks.extend(marks)
        if again is not None:
            self._sounds_again(again)
        length = start + order.whole("audio") - self._queued  # the rest was sent before; all but what came while we paused
        if length > 0:
            self._queue(length, marks[-1][0].partition("/")[0] if marks else "")

    def _queue(self, length: int, reply: str) -> None:
        """Audio that is sent for the first time."""
        waiting = self._waiting.get(int(reply) if reply.isdecimal() else 0, deque())
        while length > 0 and waiting:
            segment, samples = waiting[0]
            taken = min(samples, length)
            part = self._parts[(int(reply), segment)]
            part.pieces.append((self._queued, part.queued, taken))
            part.queued += taken
            self._queued += taken
            length -= taken
            waiting[0][1] -= taken
            if not waiting[0][1]:
                waiting.popleft()
        self._queued += length

    def _sent_again_from(self, order: Order) -> int | None:
        """Where audio lies that was queued before and is sent again: its marks say so in their names."""
        for offset, name in order.pairs("marks"):
            _, _, place = str(name).partition("/")
            position, _, sending = place.partition("/")
            if isinstance(offset, int) and sending and position.isdecimal() and int(position) - offset < self._queued:
                return int(position) - offset
        return None

    def _sounds_again(self, start: int) -> None:
        """In another voice, or after a pause or a wrong stop: nothing of it was thrown away after all."""
        for part in self._parts.values():
            if part.limit is not None and part.pieces and part.pieces[-1][0] + part.pieces[-1][2] > start:
                part.limit = part.cut = None

    def _returned(self, at: float, name: str) -> None:
        is_heard = any(name == queued for queued, _ in self._marks)
        self.receipts.append((name, at, is_heard))
        if not is_heard:
            return
        queued, position = self._marks.popleft()
        while queued != name:  # marks return in order: an earlier one still queued was lost on the way, not unplayed
            queued, position = self._marks.popleft()
        if position > self.position:  # what is said again was heard before
            self._heard.append((position, at))

    def _stop(self, at: float, reply: int) -> None:
        self._waiting.pop(reply, None)
        for part in self._parts.values():
            if part.reply == reply and part.cut is None:
                part.cut = at

    def _clear(self, at: float) -> None:
        self._marks.clear()
        for part in self._parts.values():
            if part.limit is None and part.pieces and part.pieces[-1][0] + part.pieces[-1][2] > self.position:
                part.limit = self.position
                part.cut = at if part.cut is None else part.cut

    @property
    def position(self) -> int:
        """The outgoing position up to which the caller has certainly heard."""
        return self._heard[-1][0] if self._heard else 0

    def _ear(self, position: int, limit: int, *, is_start: bool = False) -> float:
        """When this sample was at the ear: as long before a receipt as it lies before its mark. What comes to lie behind
        `limit` never was: then it is when it would have been. A start belongs to the mark after it, an end to its own."""
        if not self._heard:
            return 0.0
        find = bisect_right if is_start else bisect_left
        last = max(0, bisect_right(self._heard, limit, key=itemgetter(0)) - 1)
        mark, instant = self._heard[min(find(self._heard, position, key=itemgetter(0)), last)]
        return instant - (mark - position) / SAMPLE_RATE

    def segments(self) -> tuple[Segment, ...]:
        return tuple(self._segment(part) for part in self._parts.values())

    def _segment(self, part: _Part) -> Segment:
        limit = self.position if part.limit is None else part.limit
        heard = [(start, max(0, min(length, limit - start))) for start, _, length in part.pieces]
        samples = sum(length for _, length in heard)
        ended = max((start + length for start, length in heard if length), default=None)
        is_whole = part.made > 0 and samples >= part.made and part.complete is not None
        return Segment(
            reply=part.reply,
            number=part.number,
            text=part.text,
            is_protected=part.is_protected,
            ordered=part.ordered,
            arrived=part.arrived,
            complete=part.complete,
            began=self._ear(part.pieces[0][0], limit, is_start=True) if samples else None,
            ended=self._ear(ended, limit) if ended is not None else None,
            length=part.made / SAMPLE_RATE,
            heard=samples / SAMPLE_RATE,
            cut=None if is_whole else part.cut,
            words=self._words(part, limit) if part.pieces else (),
        )

    def _words(self, part: _Part, limit: int) -> tuple[Said, ...]:
        words = part.words or _spread(part.text, part.made)
        said, began = [], self._ear(part.pieces[0][0], limit, is_start=True)
        for text, end in words:
            position = part.position(end)
            ended = self._ear(position, limit)
            said.append(Said(text, began, max(began, ended), position <= limit))
            began = ended
        return tuple(said)


def _spread(text: str, length: int) -> list[tuple[str, int]]:
    """Where words end in audio without word times: in proportion to letters, as the ledger estimates it."""
    words = text.split()
    total, so_far = sum(len(word) + 1 for word in words), 0
    spread = []
    for word in words:
        so_far += len(word) + 1
        spread.append((word, length * so_far // total))
    return spread
