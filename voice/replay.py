"""Runs a journal through the conversation core again: the same events must lead to the same actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from voice.events import VoiceEvidence
from voice.journal import Entry, plain, read


@dataclass(frozen=True, slots=True)
class Step:
    """One event that led to something, now or then. `differs` when the core decided otherwise this time."""

    at: float  # seconds since the first event
    entry: Entry
    actions: list[Any]

    @property
    def differs(self) -> bool:
        return self.actions != self.entry.actions


@dataclass(frozen=True, slots=True)
class Replay:
    events: int
    steps: tuple[Step, ...]
    differences: tuple[Step, ...]


def replay(path: Path) -> Replay:
    """Replay a whole journal. Raises JournalError."""
    events = 0
    steps = []
    for step in walk(path):
        events += 1
        if step.actions or step.entry.actions:
            steps.append(step)
    return Replay(events, tuple(steps), tuple(step for step in steps if step.differs))


def walk(path: Path) -> Iterator[Step]:
    """Step through a journal event by event. Raises JournalError."""
    header, entries = read(path)
    conversation = header.conversation()
    began: float | None = None
    for entry in entries:
        began = entry.now if began is None else began
        actions = [plain(action) for action in conversation.handle(entry.event, entry.now)]
        yield Step(entry.now - began, entry, msgspec.json.decode(msgspec.json.encode(actions)))


def describe(step: Step) -> Iterator[str]:
    """A step in lines for people: what happened, and what was decided."""
    if not isinstance(step.entry.event, VoiceEvidence):
        yield f"{step.at:8.3f}  {_brief(plain(step.entry.event))}"
    for action in step.actions:
        yield f"{step.at:8.3f}      → {_brief(action)}"
    if step.differs:
        for action in step.entry.actions:
            yield f"{step.at:8.3f}      ≠ then: {_brief(action)}"


def _brief(thing: list[Any]) -> str:
    name, values = thing
    shown = {key: value for key, value in values.items() if key not in ("messages", "words", "marks", "phrases", "detail")}
    return f"{name} " + " ".join(f"{key}={value!r}" for key, value in shown.items())
