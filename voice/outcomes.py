"""What a reply's progress means for the call as a whole: returned by `Speaking` among its actions, in order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from voice.actions import Action
from voice.reply import Reply


@dataclass(frozen=True, slots=True)
class Audible:
    """The caller hears us from now on; or what they hear is protected from now on."""

    is_protected: bool


@dataclass(frozen=True, slots=True)
class Silenced:
    """A reply was stopped before its end: we are silent."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A reply is written to its end: what it asks decides what to listen for."""

    text: str


@dataclass(frozen=True, slots=True)
class HeardOut:
    """A reply was heard to its end and is history."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class OptOutWritten:
    """The mind has written that this person is not to be called again."""


@dataclass(frozen=True, slots=True)
class MindFailed:
    """No words, for good."""

    reason: str


@dataclass(frozen=True, slots=True)
class MouthFailed:
    """No voice, for good."""

    reason: str


Outcome: TypeAlias = Audible | Silenced | Asked | HeardOut | OptOutWritten | MindFailed | MouthFailed
Spoken: TypeAlias = list[Action | Outcome]
