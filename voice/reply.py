"""One reply on its way from mind to ear: what was written, spoken, and what happens once it has been heard. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.actions import Speak
from voice.events import ReplyId
from voice.sentences import SentenceSplitter


@dataclass(frozen=True, slots=True)
class LeaveByHangup:
    reason: str


@dataclass(frozen=True, slots=True)
class LeaveByTransfer:
    call: str  # the tool call that asked for it
    to: str


Departure = LeaveByHangup | LeaveByTransfer


@dataclass(slots=True)
class Reply:
    id: ReplyId
    is_protected: bool = False
    is_opening: bool = False
    is_opt_out: bool = False  # it confirms that the person will not be called again
    leave: Departure | None = None
    segments: list[str] = field(default_factory=list)  # given to the mouth, in order
    spoken: int = 0  # segments whose audio has all arrived
    is_written: bool = False
    fillers: int = 0  # of the segments, those that only bridge a wait
    tools: int = 0
    is_tool_failed: bool = False
    audible_at: float | None = None
    is_resting: bool = False  # it was audible, and waits in silence for a tool
    excuses: int = 0  # times it has said that a tool takes long
    tells: frozenset[str] = frozenset()  # tool calls whose late results it was started to speak about
    splitter: SentenceSplitter = field(default_factory=SentenceSplitter)

    def speak(self, sentence: str) -> Speak:
        """Give the mouth one more segment."""
        self.segments.append(sentence)
        return Speak(self.id, len(self.segments) - 1, sentence, self.is_protected)

    @property
    def text(self) -> str:
        return " ".join(self.segments)

    @property
    def is_spoken(self) -> bool:
        """Whether all of its audio has arrived from the mouth."""
        return self.is_written and self.spoken == len(self.segments)

    @property
    def has_words(self) -> bool:
        """Whether the mind itself has said something."""
        return len(self.segments) > self.fillers

    @property
    def needs_another(self) -> bool:
        """Whether the mind must go on: its tools' results were not spoken about, or a tool failed."""
        return self.leave is None and self.tools > 0 and (self.is_tool_failed or not self.has_words)
