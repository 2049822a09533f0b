"""A call's journal: every `(now, event, actions)` in order, a JSON line each: enough to run the call through the core again.

Audio is written as its length only: no decision depends on what it sounds like. The first line describes the call.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from voice.actions import Action
from voice.agent import AgentDefinition
from voice.conversation import Conversation
from voice.errors import JournalError
from voice.events import CallId, Direction, Event, VoiceEvidence
from voice.policy import Policy

VERSION: Final = 1
_EVENTS: Final[dict[str, type[Any]]] = {shape.__name__: shape for shape in get_args(Event)}
SILENCE: Final = b"\xff"


@dataclass(frozen=True, slots=True)
class JournalHeader:
    """What a conversation was built from."""

    version: int
    call: CallId
    agent: AgentDefinition
    direction: Direction
    opening: str
    policy: Policy
    at: datetime

    def conversation(self) -> Conversation:
        return Conversation(self.call, self.agent, self.direction, self.opening, self.policy)


@dataclass(frozen=True, slots=True)
class Entry:
    now: float
    event: Event
    actions: list[Any]  # as written: [name, fields] pairs


def plain(thing: Event | Action) -> list[Any]:
    """An event or action as `[name, fields]`, audio as its length."""
    values = {field.name: getattr(thing, field.name) for field in fields(thing)}
    if "audio" in values:
        values["audio"] = len(values["audio"])
    return [type(thing).__name__, msgspec.to_builtins(values)]


def read_event(name: str, values: dict[str, Any]) -> Event:
    """The event that was written; its audio is silence of the same length. Raises JournalError."""
    shape = _EVENTS.get(name)
    if shape is None:
        raise JournalError(f"there is no event named {name!r}: written by another version?")
    if "audio" in values:
        values = {**values, "audio": SILENCE * int(values["audio"])}
    try:
        event: Event = msgspec.convert(values, shape)
    except msgspec.ValidationError as error:
        raise JournalError(f"{name} cannot be read: {error}") from error
    return event


class JournalWriter:
    """Writes one call's journal; the file is readable by its owner alone, since it holds what people said."""

    def __init__(self, path: Path, header: JournalHeader) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._encoder = msgspec.json.Encoder()
        self._file.write(self._encoder.encode(header) + b"\n")

    def write(self, now: float, event: Event, actions: list[Action]) -> None:
        line = [now, *plain(event)]
        if actions:
            line.append([plain(action) for action in actions])
        self._file.write(self._encoder.encode(line) + b"\n")
        if not isinstance(event, VoiceEvidence):  # thirty a second: they may wait for the next event of weight
            self._file.flush()

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> tuple[JournalHeader, Iterator[Entry]]:
    """Open a journal. Raises JournalError, also while iterating; a last line cut short by a crash is left out."""
    try:
        lines = path.read_bytes().split(b"\n")
        header = msgspec.json.decode(lines[0], type=JournalHeader)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise JournalError(f"{path}: not a journal: {error}") from error
    if header.version != VERSION:
        raise JournalError(f"{path}: journal version {header.version}, this offhook reads {VERSION}")
    return header, _entries(path, lines[1:])


def _entries(path: Path, lines: list[bytes]) -> Iterator[Entry]:
    for number, line in enumerate(lines, 2):
        if not line:
            continue
        try:
            now, name, values, *rest = msgspec.json.decode(line)
        except (msgspec.MsgspecError, ValueError) as error:
            if number == len(lines) + 1:
                return
            raise JournalError(f"{path}:{number}: {error}") from error
        yield Entry(now, read_event(name, values), rest[0] if rest else [])
