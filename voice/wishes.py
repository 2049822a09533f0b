"""What a part of the conversation wants of the whole call: values that `Conversation` carries out, in order. No rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from voice.actions import Action
from voice.reply import Departure
from voice.report import Ending


@dataclass(frozen=True, slots=True)
class Say:
    """Say fixed words, without asking the mind; `leave` once they have been heard."""

    text: str
    is_protected: bool = False
    leave: Departure | None = None


@dataclass(frozen=True, slots=True)
class FallSilent:
    """Stop whatever is being said."""


@dataclass(frozen=True, slots=True)
class Introduce:
    """Say the whole opening."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Let the mind reply."""


@dataclass(frozen=True, slots=True)
class LeaveNow:
    """End without another word."""

    ending: Ending
    reason: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """Connect the caller to somebody: announced, and once that has been heard, done."""

    to: str


@dataclass(frozen=True, slots=True)
class CloseTurn:
    """The caller's turn is over and its words are in: answer it."""


@dataclass(frozen=True, slots=True)
class Meet:
    """See by these words who is at the other end; nothing more, where that is a person we can talk with."""

    text: str
    language: str


Wish: TypeAlias = Say | FallSilent | Introduce | Answer | LeaveNow | HandOver | CloseTurn | Meet
Step: TypeAlias = Action | Wish
