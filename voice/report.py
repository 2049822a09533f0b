"""What is left of a call when it is over: values, no rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from voice.actions import Message
from voice.events import CallId, Party, ReplyId


class Ending(StrEnum):
    """How a conversation ended, as the core sees it."""

    COMPLETED = "completed"
    CALLER_LEFT = "caller_left"
    OPTED_OUT = "opted_out"
    TRANSFERRED = "transferred"
    MACHINE = "machine"
    SILENCE = "silence"
    TIME_UP = "time_up"
    TROUBLE = "trouble"
    AWAY = "away"  # we were asked to wait, and nobody came back
    STOPPED = "stopped"  # by a supervisor or a shutdown


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript. Times in seconds since the media link opened."""

    speaker: str  # caller | agent
    text: str
    started: float
    ended: float
    is_cut: bool = False
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class CallReport:
    """`duration` in seconds since the media link opened."""

    call: CallId
    ending: Ending
    detail: str
    transcript: tuple[Line, ...]
    messages: tuple[Message, ...]
    party: Party
    transferred_to: str
    duration: float
    speculated: int = 0  # replies begun before the turn was over
    dropped: tuple[ReplyId, ...] = ()  # of those, the ones that were thrown away
    wasted_tokens: int = 0  # read and written for them
    mind_took: float = 0.0  # seconds to a reply's first word, at the median; 0 when there was none
    mouth_took: float = 0.0  # and from there to its first sound
    oddities: Mapping[str, int] = field(default_factory=dict)  # what parts should not do and did, how often
    unheard: str = ""  # the opening, or what was left of it, where a person has not heard it to its end
    encounters: tuple[str, ...] = ()  # what was recognised at the other end, with the evidence

    @property
    def wasted(self) -> int:
        return len(self.dropped)
