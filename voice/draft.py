"""A reply prepared before the caller's turn is over: what it answers, and what waits until it is committed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from voice.events import (
    ReplyFailed,
    ReplyText,
    ReplyWritten,
    SegmentSpoken,
    SpeechArrived,
    SpeechFailed,
    ToolCalled,
)
from voice.phrases import normalise
from voice.reply import Reply

FromMind: TypeAlias = ReplyText | ReplyWritten | ReplyFailed | ToolCalled
FromMouth: TypeAlias = SpeechArrived | SegmentSpoken | SpeechFailed


@dataclass(slots=True)
class Draft:
    """`held` are the events that have an effect only once the draft is the reply: tools, the end of writing, audio."""

    reply: Reply
    text: str  # what the caller seemed to have said
    tokens: int = 0  # read and written for it, as far as is known
    held: list[FromMind | FromMouth] = field(default_factory=list)

    def answers(self, text: str) -> bool:
        """Whether these words mean what the draft was made for: the same but for case, punctuation and spacing."""
        return normalise(self.text) == normalise(text)
