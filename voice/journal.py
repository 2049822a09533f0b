"""A call's journal: every `(now, event, actions)` in order: enough to run the call through the core again.

A JSON line an event, but for windows that changed nothing: thirty a second, they share a line (`WINDOWS`) and are read back
as what they were. Audio is written as its length only: no decision depends on what it sounds like. The first line describes
the call.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args

import msgspec

from voice.actions import Action, Play
from voice.agent import AgentDefinition
from voice.conversation import Conversation
from voice.errors import JournalError
from voice.events import (
    CallId,
    Direction,
    Event,
    MarkReturned,
    ReplyText,
    Samples,
    SegmentSpoken,
    SpeechArrived,
    Transcribed,
    VoiceEvidence,
)
from voice.policy import Policy

VERSION: Final = 5
READABLE: Final = (1, 2, 3, 4, VERSION)  # version 1 gave every window a line of its own
WINDOWS: Final = "Windows"  # the name of a line that holds several, where an event's would stand
MOST_WINDOWS: Final = 31  # a line: a second of call, which is what a crash may cost
_EVENTS: Final[dict[str, type[Any]]] = {shape.__name__: shape for shape in get_args(Event)}
SILENCE: Final = b"\xff"
_ENCODER: Final = msgspec.json.Encoder()
_MAY_WAIT: Final = (VoiceEvidence, SpeechArrived, SegmentSpoken, MarkReturned, ReplyText)  # to be on disk, at most a second

_FIRST, _NEXT = f'[%b,"{WINDOWS}",['.encode(), b","  # how a line of windows begins and goes on
# Of one window: when, and the fields of its evidence in order.
_Window: TypeAlias = tuple[float, int, float, float, float, tuple[tuple[str, float], ...]]


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
    values = msgspec.to_builtins(thing, builtin_types=(bytes,))
    if "audio" in values:
        values["audio"] = len(values["audio"])
    return [type(thing).__name__, values]


def _written(thing: Event | Action) -> list[Any]:
    """What is written as `plain` would be, with as little work as can be: the encoder knows their classes."""
    return plain(thing) if isinstance(thing, SpeechArrived | Play) else [type(thing).__name__, thing]


def since(version: int) -> str:
    """What has been decided otherwise ever since a journal of this version was written, in words; empty for today's."""
    if version == VERSION:
        return ""
    if version == 4:
        return (
            "written as journal version 4: since version 5 a goodbye ends a turn soon and is acknowledged, final words are"
            " believed after an unsure interim, nothing is prepared for words that end in a comma, and who seems to take the"
            " floor makes us pause before we stop: differences begin with the first doubt"
        )
    if version == 3:
        return (
            "written as journal version 3: since version 4 final words are asked for sooner, a late reply is bridged when"
            " the turn is over and its first clause is spoken by itself: differences begin with the first pause"
        )
    return (
        f"written as journal version {version}: since version 3 a lower voice is sent again from where the ear is, a wrong"
        " stop is taken back and the lead follows the line: differences begin with the first mark, or the first doubt"
    )


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
        self._windows = bytearray()  # a line of them, as far as it has come
        self._count = 0
        self._line(header)

    def write(self, now: float, event: Event, actions: list[Action]) -> None:
        if isinstance(event, VoiceEvidence) and not actions:
            self._add_window(now, event)
            return
        if self._count:
            self._write_windows()
        line = [now, *_written(event)]
        if actions:
            line.append([_written(action) for action in actions])
        self._line(line)
        if not _may_wait(event):
            self._file.flush()

    def close(self) -> None:
        if self._count:
            self._write_windows()
        self._file.close()

    def _add_window(self, now: float, event: VoiceEvidence) -> None:
        """Written out at once: what is kept until a line is full is memory that no call finds in the cache again."""
        line = self._windows
        line += _NEXT if self._count else _FIRST % _ENCODER.encode(now)
        window: _Window = (now, event.position, event.speech, event.level, event.echo, event.features)
        _ENCODER.encode_into(window, line, -1)
        self._count += 1
        if self._count >= MOST_WINDOWS:
            self._write_windows()
            self._file.flush()

    def _write_windows(self) -> None:
        self._windows += b"]]\n"
        self._file.write(self._windows)
        self._windows.clear()
        self._count = 0

    def _line(self, content: object) -> None:
        self._file.write(_ENCODER.encode(content) + b"\n")


def _may_wait(event: Event) -> bool:
    return isinstance(event, _MAY_WAIT) or (isinstance(event, Transcribed) and not event.is_final)


def read(path: Path) -> tuple[JournalHeader, Iterator[Entry]]:
    """Open a journal. Raises JournalError, also while iterating; a last line cut short by a crash is left out."""
    try:
        lines = path.read_bytes().split(b"\n")
        header = msgspec.json.decode(lines[0], type=JournalHeader)
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise JournalError(f"{path}: not a journal: {error}") from error
    if header.version not in READABLE:
        raise JournalError(f"{path}: journal version {header.version}, this offhook reads {READABLE[0]} to {VERSION}")
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
        if name == WINDOWS:
            yield from _windows(path, number, values)
        else:
            yield Entry(now, read_event(name, values), rest[0] if rest else [])


def _windows(path: Path, number: int, values: object) -> Iterator[Entry]:
    try:
        windows = msgspec.convert(values, list[_Window])
    except msgspec.ValidationError as error:
        raise JournalError(f"{path}:{number}: {error}") from error
    for now, position, speech, level, echo, features in windows:
        yield Entry(now, VoiceEvidence(Samples(position), speech, level, echo, features), [])
