"""Where a playbook stands and what it says next, as values, and the small rules about them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from voice.agent import Then
from voice.language.times import SpokenTime
from voice.language.words import words

_SLACK: Final = 2  # words of something else allowed in between


@dataclass(frozen=True, slots=True)
class ToolUse:
    name: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the playbook stands. `asked` is the open question's id ('' for the opening's own), None when nothing is open."""

    answers: Mapping[str, str] = field(default_factory=dict)
    given_up: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()  # known slots that were mentioned
    asked: str | None = None
    is_confirming: bool = False  # the open question was put as what we know already
    half: SpokenTime | None = None
    misses: int = 0
    silences: int = 0
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say and do. `question` is the wording that must be heard for `stand.asked` to be open afterwards."""

    sentences: tuple[str, ...]
    tools: tuple[ToolUse, ...]
    stand: Stand
    question: str = ""

    @property
    def text(self) -> str:
        return " ".join(sentence for sentence in self.sentences if sentence)


def stronger(one: Then, other: Then) -> Then:
    """Of two ways to go on, the one that leads further away."""
    order = (Then.GO_ON, Then.ASK_AGAIN, Then.BOOK, Then.TRANSFER, Then.END, Then.OPT_OUT)
    return max(one, other, key=order.index)


def share_heard(wording: str, heard: str) -> float:
    """How much of a wording was heard: its words in order, within a stretch hardly longer than itself."""
    expected, said = words(wording), words(heard)
    if not expected:
        return 0.0
    stretch = len(expected) + _SLACK
    return max((_in_order(expected, said[start : start + stretch]) for start in range(len(said) or 1)), default=0) / len(
        expected
    )


def _in_order(expected: Sequence[str], said: Sequence[str]) -> int:
    at = found = 0
    for word in expected:
        if word in said[at:]:
            at = said.index(word, at) + 1
            found += 1
    return found


def encoded(tool: ToolUse) -> str:
    """A tool's arguments as JSON text, always the same for the same arguments."""
    return msgspec.json.encode(dict(tool.arguments)).decode()
