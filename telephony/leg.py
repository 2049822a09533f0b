"""What a carrier's leg tells us, whoever the carrier is: the vocabulary every media link speaks.

A *leg* is one party's side of a call; a *media link* its two-way audio. Audio is mu-law, 8 kHz, mono.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import msgspec


class AudioReceived(msgspec.Struct, frozen=True, gc=False):
    """Caller audio, in order. `position` is its first sample's media time (samples at 8 kHz since the link opened).

    Usually 160 bytes (20 ms); a link fills a gap in the carrier's timestamps with silence, so positions never jump.
    """

    position: int
    audio: bytes

    def __repr__(self) -> str:
        return f"AudioReceived(position={self.position}, {len(self.audio)} bytes)"


class MarkReceived(msgspec.Struct, frozen=True, gc=False):
    name: str


@dataclass(frozen=True, slots=True)
class KeyReceived:
    digit: str


@dataclass(frozen=True, slots=True)
class LegStopped:
    """The link is over; nothing follows. `reason` is a stable word: hangup, closed, dropped, violation."""

    reason: str


LegEvent: TypeAlias = AudioReceived | MarkReceived | KeyReceived | LegStopped


@dataclass(frozen=True, slots=True)
class LinkStart:
    """Who is on the link, as the carrier says when it opens."""

    stream_sid: str
    call_sid: str
    parameters: dict[str, str]


class MediaLink(Protocol):
    """The two-way audio of one leg, open. Sending never blocks: what the socket cannot take is queued."""

    start: LinkStart

    async def listen(self, tell: Callable[[LegEvent], None]) -> None:
        """Hand everything the leg tells us to `tell`, as it comes, ending with exactly one `LegStopped`. Call it once."""

    def send(self, items: Sequence[bytes | str]) -> None:
        """In this order: append audio to the carrier's playout buffer; ask for a name back (a mark) when all audio that was
        sent before it has been played, or cleared."""

    def clear(self) -> None:
        """Empty the carrier's playout buffer; it returns every pending mark."""

    async def close(self) -> None: ...
