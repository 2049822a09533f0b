"""What our memory keeps of a reply that is cut, against what was heard of it: hundreds of cuts in virtual time.

The ledger, the playout clock and the pacer are the real ones, the carrier is the phone network's buffer, and the speech has
the word times of its synthesiser. What is drawn are the reply, the line (its way, its late marks, what a carrier takes to
begin), the instant of the cut, and whether we lowered our voice or paused before it.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from benchmarks.callers.speech import Recorded
from benchmarks.engines.scripted import BETWEEN_PIECES, PIECE
from telephony.audio import FRAME, SAMPLE_RATE, silence
from voice.actions import Action, ClearPlayout, Play, SetGain
from voice.delivery import Delivery
from voice.events import ReplyId, SpeechArrived, Word
from voice.pacer import Pacer
from voice.reply import Reply

TAIL: Final = silence(800)  # that a voice puts behind a sentence
_HEARD: Final = 0.6  # of a word, as where recordings are measured
_TICK: Final = FRAME / SAMPLE_RATE
_REPLY: Final = ReplyId(1)


@dataclass(frozen=True, slots=True)
class Way:
    """A line. Seconds: to the carrier, which is also the way back; what the carrier takes to begin; by how much a mark may
    be late."""

    there: float
    begins: float
    late: float


WAYS: Final = (Way(0.0, 0.0, 0.0), Way(0.02, 0.02, 0.01), Way(0.05, 0.06, 0.03), Way(0.12, 0.04, 0.08))


@dataclass(slots=True)
class _Carrier:
    """Plays what it was sent, 20 ms at a time: pieces as (first sample, samples) of all that was ever queued, and marks."""

    way: Way
    furthest: int = 0  # the last sample that was heard
    _queue: deque[tuple[int, int] | str] = field(default_factory=deque)
    _begins_at: float | None = None

    def take(self, item: tuple[int, int] | str, now: float) -> None:
        if self._begins_at is None and not isinstance(item, str):
            self._begins_at = now + self.way.begins
        self._queue.append(item)

    def clear(self) -> list[str]:
        marks = [item for item in self._queue if isinstance(item, str)]
        self._queue.clear()
        return marks

    def play(self, now: float) -> list[str]:
        """A frame; the marks behind what had been heard before it."""
        due = self._marks()
        left = FRAME if self._begins_at is not None and now >= self._begins_at else 0
        while left and self._queue:
            item = self._queue.popleft()
            assert not isinstance(item, str), "marks before it were taken"
            first, length = item
            taken = min(left, length)
            left -= taken
            self.furthest = max(self.furthest, first + taken)
            if taken < length:
                self._queue.appendleft((first + taken, length - taken))
            else:
                due += self._marks()
        if not self._queue:
            self._begins_at = None
        return due

    def _marks(self) -> list[str]:
        due = []
        while self._queue and isinstance(self._queue[0], str):
            due.append(str(self._queue.popleft()))
        return due


class _Line:
    """One call's delivery, from the mouth to the ear."""

    def __init__(self, way: Way, rng: random.Random) -> None:
        self.delivery = Delivery(0.3)
        self.carrier = _Carrier(way)
        self.now = 0.0
        self.is_cut = False  # what the voice makes from then on is nobody's
        self._pacer = Pacer()
        self._places: deque[tuple[int, int]] = deque()  # of what waits in the pacer
        self._rng = rng
        self._heap: list[tuple[float, int, Callable[[float], object]]] = []
        self._count = 0
        self.do([self.delivery.probe(0.0)])

    def at(self, instant: float, what: Callable[[float], object]) -> None:
        """Let something happen at `instant`, which it is told."""
        self._count += 1
        heapq.heappush(self._heap, (instant, self._count, what))

    def run(self, until: float) -> None:
        """Let time pass, frame by frame."""
        while self.now < until - 1e-9:
            self.now = round(self.now + _TICK, 6)
            while self._heap and self._heap[0][0] <= self.now:
                instant, _, what = heapq.heappop(self._heap)
                what(instant)
            self._send()
            self._back(self.carrier.play(self.now))

    def play(self, reply: Reply, event: SpeechArrived, now: float) -> None:
        """The voice has made something."""
        if not self.is_cut:
            self.do(self.delivery.play(reply, event, now))

    def complete(self, segment: int) -> None:
        if not self.is_cut:
            self.delivery.playout.complete(_REPLY, segment)

    def do(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Play(audio, marks):
                    if audio and marks:
                        offset, name = marks[-1]
                        first = int(name.split("/")[1]) - offset
                        self._places.append((first, len(audio)))
                    self._pacer.put(audio, marks)
                case ClearPlayout():
                    self._pacer.clear()
                    self._places.clear()
                    self.at(self.now + self.carrier.way.there, lambda now: self._back(self.carrier.clear()))
                case SetGain(gain):
                    self._pacer.set_gain(gain)
        self._send()

    def _send(self) -> None:
        arrives = self.now + self.carrier.way.there
        for item in self._pacer.due(self.now):
            if isinstance(item, str):
                self.at(arrives, partial(self.carrier.take, item))
                continue
            left = len(item)
            while left:
                first, length = self._places.popleft()
                taken = min(left, length)
                self.at(arrives, partial(self.carrier.take, (first, taken)))
                left -= taken
                if taken < length:
                    self._places.appendleft((first + taken, length - taken))

    def _back(self, marks: Sequence[str]) -> None:
        for name in marks:
            late = self._rng.uniform(0.0, self.carrier.way.late)
            self.at(self.now + self.carrier.way.there + late, partial(self.delivery.returned, name))


def errors(replies: Sequence[Sequence[tuple[str, Recorded]]], cuts: int, seed: int, *, has_word_times: bool) -> list[float]:
    """So many replies, cut: by how many words our memory of each differs from what was heard."""
    rng = random.Random(f"cuts {seed} {has_word_times}")
    return [_error(rng.choice(replies), rng, has_word_times=has_word_times) for _ in range(cuts)]


def _error(sentences: Sequence[tuple[str, Recorded]], rng: random.Random, *, has_word_times: bool) -> float:
    line, reply = _Line(rng.choice(WAYS), rng), Reply(_REPLY)
    instant = 0.5
    for number, (text, spoken) in enumerate(sentences):
        reply.speak(text)
        instant = _spoken(line, reply, number, spoken, instant + rng.uniform(0.1, 0.3), has_word_times=has_word_times)
    length = sum(len(spoken.audio) + len(TAIL) for _, spoken in sentences) / SAMPLE_RATE
    line.run(0.9 + rng.uniform(0.3, length - 0.4))
    _cut(line, rng)
    line.run(line.now + 0.6)
    kept = len(line.delivery.playout.heard_text(_REPLY).split())
    return float(abs(kept - _heard(sentences, line.carrier.furthest)))


def _spoken(line: _Line, reply: Reply, number: int, spoken: Recorded, instant: float, *, has_word_times: bool) -> float:
    """A voice makes a sentence, piece by piece, much faster than it sounds; when it has."""
    audio = spoken.audio + TAIL
    for first in range(0, len(audio), PIECE):
        piece = audio[first : first + PIECE]
        begins, ends = first / SAMPLE_RATE, (first + len(piece)) / SAMPLE_RATE
        words = [
            Word(text, max(0.0, start - begins), end - begins) for text, start, end in spoken.words if begins < end <= ends
        ]
        event = SpeechArrived(_REPLY, number, piece, tuple(words) if has_word_times else ())
        line.at(instant, partial(line.play, reply, event))
        instant += BETWEEN_PIECES
    line.at(instant, lambda now: line.complete(number))
    return instant


def _cut(line: _Line, rng: random.Random) -> None:
    """A caller takes the floor: mostly after a lower voice, or a pause."""
    if rng.random() < 0.8:
        line.do(line.delivery.duck(line.now))
        line.run(line.now + rng.uniform(0.04, 0.2))
    if rng.random() < 0.5:
        line.do(line.delivery.pause(line.now))
        line.run(line.now + rng.uniform(0.04, 0.25))
    line.do(line.delivery.hold(line.now))
    line.delivery.let_go()
    line.is_cut = True


def _heard(sentences: Sequence[tuple[str, Recorded]], furthest: int) -> int:
    heard, start = 0, 0
    for _, spoken in sentences:
        ends = (start + (begins + _HEARD * (end - begins)) * SAMPLE_RATE for _, begins, end in spoken.words)
        heard += sum(1 for end in ends if end <= furthest)
        start += len(spoken.audio) + len(TAIL)
    return heard
