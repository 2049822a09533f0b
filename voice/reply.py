"""One reply on its way from mind to ear: what was written, spoken, and what happens once it has been heard. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.actions import Speak
from voice.events import ReplyId
from voice.phrases import is_led, without_lead
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
    is_again: bool = False  # the rest of an opening whose voice stalled
    is_opt_out: bool = False  # it confirms that the person will not be called again
    leave: Departure | None = None
    segments: list[str] = field(default_factory=list)  # given to the mouth, in order
    bridges: list[str] = field(default_factory=list)  # words in between, said before its own; numbered -1, -2
    bridged_until: float = 0.0  # when the last of them will have sounded
    is_acknowledged: bool = False  # one of them says that the caller was understood
    is_lead_dropped: bool = False  # the reply's own acknowledgement was left out: it had been said
    spoken: int = 0  # segments whose audio has all arrived
    is_written: bool = False
    fillers: int = 0  # of the segments, those that only explain a wait
    tools: int = 0
    is_tool_failed: bool = False
    audible_at: float | None = None
    told_at: float | None = None  # when its own words began to be heard, no word in between
    is_resting: bool = False  # it was audible, and waits in silence for a tool
    excuses: int = 0  # times it has said that a tool takes long
    tells: frozenset[str] = frozenset()  # tool calls whose late results it was started to speak about
    splitter: SentenceSplitter = field(default_factory=SentenceSplitter)

    def speak(self, sentence: str) -> Speak:
        """Give the mouth one more segment."""
        self.segments.append(sentence)
        return Speak(self.id, len(self.segments) - 1, sentence, self.is_protected)

    def write(self, text: str) -> list[Speak]:
        """The mind has written some more: what of it the mouth can begin with."""
        sentences = self.splitter.feed(text)
        return self._spoken(sentences if sentences or self.segments else self.splitter.first_clause())

    def finish(self) -> list[Speak]:
        """The mind has written all: the rest."""
        return self._spoken(self.splitter.flush())

    def _spoken(self, sentences: list[str]) -> list[Speak]:
        return [self.speak(words) for sentence in sentences if (words := self._unsaid(sentence))]

    def _unsaid(self, sentence: str) -> str:
        """The sentence; what it begins with is left out where a word in between has said it already."""
        if not self.is_acknowledged or self.segments or not is_led(sentence):
            return sentence
        self.is_lead_dropped = True
        return without_lead(sentence)

    @property
    def is_leading(self) -> bool:
        """Whether it begins with an acknowledgement of its own."""
        return bool(self.segments) and is_led(self.segments[0])

    def bridge(self, words: str) -> Speak:
        """A word in between: spoken ahead of time, it is said before whatever the mouth is making now."""
        self.bridges.append(words)
        return Speak(self.id, -len(self.bridges), words, self.is_protected, is_ready=True)

    def words(self, segment: int) -> str:
        """What a segment says."""
        return self.segments[segment] if segment >= 0 else self.bridges[-segment - 1]

    @property
    def text(self) -> str:
        return " ".join((*self.bridges, *self.segments))

    @property
    def is_spoken(self) -> bool:
        """Whether all of its audio has arrived from the mouth."""
        return self.is_written and self.spoken == len(self.segments)

    @property
    def has_words(self) -> bool:
        """Whether the mind itself has said something."""
        return len(self.segments) > self.fillers or self.is_lead_dropped

    @property
    def needs_another(self) -> bool:
        """Whether the mind must go on: its tools' results were not spoken about, or a tool failed."""
        return self.leave is None and self.tools > 0 and (self.is_tool_failed or not self.has_words)
