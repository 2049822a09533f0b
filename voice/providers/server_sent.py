"""Server-sent events out of a byte stream: the data of each, whole, in whatever pieces the bytes come. Pure.

Only what the minds' streams use of the format (html.spec.whatwg.org, "Server-sent events"): `data` fields joined by line
feeds, comments and other fields passed over, an event that the end of the stream cuts short dropped. A body that is no
stream but one JSON object is given at its end: some servers send an error so, with status 200.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

LARGEST: Final = 4 * 1024 * 1024  # bytes of one event; nothing a phone call says is a thousandth of it


class EventTooLarge(Exception):
    """An event of a stream does not end."""


@dataclass(slots=True)
class ServerSent:
    """Feed it bytes; it gives the data of the events they complete."""

    _rest: bytes = b""
    _data: list[bytes] = field(default_factory=list)
    _size: int = 0
    _is_json: bool = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that this piece completes. Raises `EventTooLarge`."""
        if self._is_json or (self._rest + chunk).lstrip().startswith(b"{"):
            self._is_json = True
            self._rest += chunk
            return self._within(found=[])
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        found: list[bytes] = []
        for line in lines:
            if line.endswith(b"\r"):
                line = line[:-1]
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._size += len(line)
            elif not line and self._data:
                found.append(b"\n".join(self._data))
                self._data.clear()
                self._size = 0
        return self._within(found)

    def end(self) -> list[bytes]:
        """The body, if it was no stream of events."""
        return [self._rest] if self._is_json else []

    def _within(self, found: list[bytes]) -> list[bytes]:
        if self._size + len(self._rest) > LARGEST:
            raise EventTooLarge
        return found
