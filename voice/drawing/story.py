"""What the picture of a call shows, as values. All instants are seconds since the media link opened, by the core's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Windows:
    """An unbroken run of detector windows. `speech` and `echo` are probabilities, `level` dBFS, one each per window."""

    began: float
    step: float  # seconds
    speech: tuple[float, ...]
    level: tuple[float, ...]
    echo: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """Words as they came from the recogniser: what is new since the words before, and all there is now."""

    at: float
    text: str
    whole: str
    is_final: bool
    is_revised: bool  # words shown before were taken back
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One of the agent's words. `ended` is when its receipt came back, or would have."""

    text: str
    began: float
    ended: float
    is_heard: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """What was synthesised at once, and what became of it. `length` and `heard` in seconds of audio."""

    reply: int
    number: int
    text: str
    is_protected: bool
    ordered: float
    arrived: float | None  # its first audio
    complete: float | None  # all of its audio
    began: float | None  # at the ear
    ended: float | None
    length: float
    heard: float
    cut: float | None  # when what was not heard of it was thrown away
    words: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with a name: a belief that held, a wait, a doubt."""

    row: str
    name: str
    began: float
    ended: float
    detail: str = ""


class Time(StrEnum):
    """When a decision was taken: in the call, in the replay, or in both alike."""

    SAME = "same"
    THEN = "then"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Decision:
    """An order of the core's, and the event that led to it."""

    at: float
    kind: str
    label: str
    detail: str
    cause: str
    time: Time = Time.SAME


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a response gap, in seconds."""

    name: str
    length: float


@dataclass(frozen=True, slots=True)
class Gap:
    """From the caller's last sound to our first, and where the time went."""

    began: float
    ended: float
    stages: tuple[Stage, ...]

    @property
    def length(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Turn:
    """One party's hold of the floor. For the caller `why` says why it was taken for finished, `closed` when."""

    speaker: str  # caller | agent
    text: str
    began: float
    ended: float
    closed: float
    why: str = ""
    thrown_away: str = ""  # of the agent's words: written, synthesised perhaps, and not heard
    confidence: float | None = None
    is_over_us: bool = False
    is_taken_back: bool = False  # the caller went on: the turn after it holds these words too
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller took the floor while we spoke: when their voice began, and when our voice was thrown away."""

    began: float
    stopped: float
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """An event that leads to something else now than it did then."""

    at: float
    cause: str
    then: tuple[str, ...]
    now: tuple[str, ...]
    broke: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands at the head of the page."""

    call: str
    agent: str
    seller: str
    persona: str
    direction: str
    at: datetime
    ending: str
    detail: str
    party: str
    duration: float
    events: int


@dataclass(frozen=True, slots=True)
class Story:
    facts: Facts
    length: float
    windows: tuple[Windows, ...]
    understood: tuple[Understood, ...]
    segments: tuple[Segment, ...]
    receipts: tuple[tuple[str, float, bool], ...]  # every mark that came back: name, when, whether it meant "heard"
    spans: tuple[Span, ...]
    endings: tuple[tuple[float, float], ...]  # (instant, probability that the caller's turn is over), where it changed
    decisions: tuple[Decision, ...]
    turns: tuple[Turn, ...]
    barge_ins: tuple[BargeIn, ...]
    differences: tuple[Difference, ...]

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(turn.gap for turn in self.turns if turn.gap is not None)
