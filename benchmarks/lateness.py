"""What our engine added to an answer: that part of the wait which neither a provider took nor a rule of talking asked for.

Whatever happens in a call is due at an instant: a window of caller audio when its last frame arrives, a provider's piece so
long after it was ordered as that provider takes, a deadline when it is set for. From the first sound of an answer back to
the caller's last, cause by cause, every delay beyond that is ours: of the detectors, of the loop, of the way to the wire.
What is left of the gap are providers and policy, so the account is complete by construction. The call's own journal tells
what caused what; the caller tells when each frame left and when the answer came (both clocks are the machine's monotonic
one). Needs scripted providers of a fixed pace, whose delays are known to the millisecond. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import Any, Final

from benchmarks.callers.step import FRAME_SECONDS, Turn
from benchmarks.engines.scripted import BETWEEN_PIECES, PACES, TOKENS_AT_ONCE, Delay, Pace
from telephony.audio import FRAME
from voice.detectors.pauses import ASK_AT, UNVOICED, VOICED, WINDOW
from voice.events import (
    SAMPLE_RATE,
    DeadlinePassed,
    ReplyText,
    ReplyWritten,
    SegmentSpoken,
    SpeechArrived,
    Transcribed,
    VoiceEvidence,
)
from voice.journal import Entry, JournalHeader, read
from voice.waits import Wait

_WINDOW_SECONDS: Final = WINDOW / SAMPLE_RATE
_JUDGED_AT: Final = ASK_AT + 1  # windows of silence after which a turn model that is not late has answered

Told = Sequence[tuple[int, bool]]  # of each event of the ears: samples heard by then, and whether it was asked for


class Part(StrEnum):
    """Whose delay it is."""

    EVIDENCE = "detectors"  # from the arrival of a frame until what it sounds like is known
    JUDGED = "turn model"  # of windows that passed until it answered, where that answer ended the turn
    WORDS = "words"  # from the recogniser's last frame until the core has its words
    DEADLINE = "deadlines"
    PROVIDER = "pieces"  # from the instant a provider has something until the core has it
    LINE = "line"  # from the core's order to the caller's socket


@dataclass(frozen=True, slots=True)
class Added:
    """What one answer took longer than providers and policy wanted, in seconds, part by part."""

    parts: Mapping[Part, float]

    @property
    def total(self) -> float:
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why an event came when it did: `after` seconds past another (`event`, its place in the journal), or, where there is
    none, with the frame that brought the caller's audio up to `position`; `late` of itself."""

    part: Part
    event: int = -1
    after: float = 0.0
    position: int = -1
    late: float = 0.0


def is_steady(pace: str) -> bool:
    """Whether every provider of this pace takes the same time each time."""

    def is_fixed(delay: Delay) -> bool:
        return delay.p50 == delay.p95

    known = PACES.get(pace)
    return known is not None and is_fixed(known.final) and is_fixed(known.token) and is_fixed(known.audio)


def accounts(journal: Path, told: Told, turns: Iterable[Turn], pace: Pace) -> list[Added | None]:
    """Of every answer in one call, what was ours; None where its first sound has no cause that the journal tells.

    Raises `JournalError`.
    """
    header, found = read(journal)
    entries = list(found)
    causes = list(_causes(header, entries, told, pace))
    return [_account(turn, entries, causes) for turn in turns]


def _account(turn: Turn, entries: Sequence[Entry], causes: Sequence[_Cause | None]) -> Added | None:
    heard_at = turn.ended_at + turn.gap
    at = next((number for number, entry in enumerate(entries) if entry.now >= turn.ended_at and _plays(entry)), None)
    if at is None or entries[at].now > heard_at:
        return None
    parts = dict.fromkeys(Part, 0.0) | {Part.LINE: heard_at - entries[at].now}
    while (cause := causes[at]) is not None:
        due = arrival(turn, cause.position) if cause.event < 0 else entries[cause.event].now + cause.after
        parts[cause.part] += entries[at].now - due
        parts[Part.JUDGED] += cause.late
        if cause.event < 0:
            return Added(parts)
        at = cause.event
    return None


def _plays(entry: Entry) -> bool:
    return any(name == "Play" for name, _ in entry.actions)


def arrival(turn: Turn, position: int) -> float:
    """When the caller sent the frame that completes its audio up to `position` (samples), monotonic seconds."""
    frame = ceil(position / FRAME) - turn.position // FRAME  # 0: the line's last
    if 0 <= frame < len(turn.sent):
        return turn.sent[frame]
    near = 0 if frame < 0 else len(turn.sent) - 1
    return turn.sent[near] + (frame - near) * FRAME_SECONDS


def _causes(header: JournalHeader, entries: Iterable[Entry], told: Told, pace: Pace) -> Iterator[_Cause | None]:
    """Of every event its cause. The core is run once more, since it alone knows what its deadlines were set by."""
    conversation, book = header.conversation(), _Book(told, pace)
    for number, entry in enumerate(entries):
        yield book.cause(entry)
        conversation.handle(entry.event, entry.now)
        book.waits(number, entry.now, conversation.waits)
        book.ordered(number, entry.actions)


class _Book:
    """Who was asked for what, and how much of it has come."""

    def __init__(self, told: Told, pace: Pace) -> None:
        self._waits: dict[Wait, tuple[float, int, float]] = {}  # until when, by which event, and when that was
        self._told = iter(told)
        self._pace = pace
        self._finish = -1
        self._replies: dict[int, int] = {}
        self._segments: dict[tuple[int, int], tuple[int, bool]] = {}
        self._come: Counter[object] = Counter()
        self._is_voiced = False
        self._rest = 0  # windows since the last voiced one

    def waits(self, number: int, now: float, instants: Mapping[Wait, float]) -> None:
        """What is waited for after the event of this number."""
        self._waits = {
            wait: known if (known := self._waits.get(wait)) is not None and known[0] == due else (due, number, now)
            for wait, due in instants.items()
        }

    def ordered(self, number: int, actions: Iterable[Sequence[Any]]) -> None:
        """What the event of this number led to."""
        for name, fields in actions:
            match name:
                case "FinishUtterance":
                    self._finish = number
                case "StartReply":
                    self._replies[fields["reply"]] = number
                case "Speak":
                    self._segments[fields["reply"], fields["segment"]] = number, bool(fields.get("is_ready"))
                case _:
                    pass

    def cause(self, entry: Entry) -> _Cause | None:
        match entry.event:
            case VoiceEvidence() as event:
                return _Cause(Part.EVIDENCE, position=event.position, late=self._judged(event))
            case Transcribed():
                return self._words()
            case ReplyText(reply) | ReplyWritten(reply):
                return self._piece(self._replies.get(reply), reply, self._pace.token.p50, self._between_tokens)
            case SpeechArrived(reply, segment) | SegmentSpoken(reply, segment):
                order, is_ready = self._segments.get((reply, segment), (None, False))
                first, between = (0.0, 0.0) if is_ready else (self._pace.audio.p50, BETWEEN_PIECES)
                return self._piece(order, (reply, segment), first, between)
            case DeadlinePassed() if self._waits:
                due, number, at = min(self._waits.values())
                return _Cause(Part.DEADLINE, number, due - at)
            case _:
                return None

    @property
    def _between_tokens(self) -> float:
        return TOKENS_AT_ONCE / self._pace.tokens_per_second

    def _words(self) -> _Cause | None:
        position, is_asked = next(self._told, (-1, False))
        if is_asked:
            return _Cause(Part.WORDS, self._finish) if self._finish >= 0 else None
        return _Cause(Part.WORDS, position=position) if position >= 0 else None

    def _piece(self, order: int | None, key: object, first: float, between: float) -> _Cause | None:
        """One more piece of what was ordered then."""
        self._come[key] += 1
        return None if order is None else _Cause(Part.PROVIDER, order, first + (self._come[key] - 1) * between)

    def _judged(self, event: VoiceEvidence) -> float:
        """By how much the turn model's answer came late, where this window brings it."""
        self._is_voiced = event.speech >= (UNVOICED if self._is_voiced else VOICED)
        self._rest = 0 if self._is_voiced else self._rest + 1
        is_told = any(name == "complete" for name, _ in event.features)
        return max(0, self._rest - _JUDGED_AT) * _WINDOW_SECONDS if is_told else 0.0
