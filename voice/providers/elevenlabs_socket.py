"""The multi-context socket of ElevenLabs: contexts by id, late frames dropped, characters with times made into words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from voice.errors import ProviderError, ProviderUnavailable
from voice.events import Word
from voice.providers.parting import part
from voice.providers.trouble import from_transport, from_words

_PROVIDER: Final = "elevenlabs"
MAX_CONTEXTS: Final = 5  # at once; a sixth kills the socket, and a closing one holds its place until it is final
KEEP_ALIVE_EVERY: Final = 15.0  # seconds; without a word the vendor closes after `inactivity_timeout`

log = structlog.get_logger()


class Alignment(msgspec.Struct):
    chars: list[str]
    starts: list[float] = msgspec.field(name="charStartTimesMs")
    durations: list[float] = msgspec.field(name="charDurationsMs")


class Message(msgspec.Struct, rename="camel"):
    """What the socket says. Unknown fields are ignored, as vendors add some every month."""

    audio: bytes | None = None  # base64 on the wire
    is_final: bool | None = None
    context_id: str = ""
    alignment: Alignment | None = None
    error: str | None = None
    message: str | None = None


_DECODER: Final = msgspec.json.Decoder(Message)


@dataclass(slots=True)
class WordClock:
    """Makes words of timed characters. A word that begins in one piece of audio and ends in the next belongs to the
    next: a word that was not said to its end was not heard."""

    _carry: str = ""
    _since: float = 0.0

    def words(self, chars: Sequence[str], starts: Sequence[float], ends: Sequence[float]) -> tuple[Word, ...]:
        """The words that end within this piece; times in seconds from its start, never below zero."""
        found: list[Word] = []
        until = 0.0
        for char, start, end in zip(chars, starts, ends, strict=False):
            if char.isspace():
                found += self._flush(until)
                continue
            if not self._carry:
                self._since = start
            self._carry += char
            until = end
        return tuple(found)

    def rest(self) -> tuple[Word, ...]:
        """The last word, when nothing follows that would end it."""
        return tuple(self._flush(0.0))

    def next_piece(self) -> None:
        """The word under way began before the piece that comes now."""
        self._since = 0.0

    def _flush(self, until: float) -> list[Word]:
        if not self._carry:
            return []
        word = Word(self._carry, round(max(self._since, 0.0), 3), round(max(until, self._since, 0.0), 3))
        self._carry = ""
        return [word]


class Socket:
    """One WebSocket and the contexts under way on it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._contexts: dict[str, asyncio.Queue[Message | ProviderError]] = {}
        self._dropped: set[str] = set()  # cut off by us, not final yet: still holding a place
        self.failure: ProviderError | None = None
        self.late_frames = 0
        self._garbled = 0
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive())]

    @property
    def is_usable(self) -> bool:
        return self.failure is None and len(self._contexts) + len(self._dropped) < MAX_CONTEXTS

    async def begin(self, name: str, messages: Sequence[Mapping[str, object]]) -> asyncio.Queue[Message | ProviderError]:
        """Open a context, give it all it is to say, and close it. Returns where its messages arrive."""
        queue: asyncio.Queue[Message | ProviderError] = asyncio.Queue()
        self._contexts[name] = queue
        for message in messages:
            await self._connection.send(json.dumps({**message, "context_id": name}))
        return queue

    def end(self, name: str, *, is_final: bool) -> None:
        """Nobody listens to this context any more."""
        if self._contexts.pop(name, None) is not None and not is_final and self.failure is None:
            self._dropped.add(name)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await part(self._connection, lambda: self._connection.send('{"close_socket": true}'))

    async def _read(self) -> None:
        try:
            async for text in self._connection:
                self._take(text)
            self._fail(ProviderUnavailable(_PROVIDER, "dropped", "the socket was closed"))
        except WebSocketException as error:
            self._fail(from_transport(_PROVIDER, error))

    def _take(self, text: str | bytes) -> None:
        try:
            message = _DECODER.decode(text)
        except msgspec.MsgspecError as error:
            self._garbled += 1
            if self._garbled == 1:  # one line a socket, not one a frame
                log.warning("malformed_message", provider=_PROVIDER, error=str(error))
            return
        if message.error:
            self._fail(from_words(_PROVIDER, message.error, message.message or ""))
            return
        queue = self._contexts.get(message.context_id)
        if queue is not None:
            queue.put_nowait(message)
        elif message.is_final:
            self._dropped.discard(message.context_id)
        else:
            self.late_frames += 1

    def _fail(self, error: ProviderError) -> None:
        self.failure = self.failure or error
        for queue in self._contexts.values():
            queue.put_nowait(self.failure)

    async def _keep_alive(self) -> None:
        with suppress(WebSocketException):
            while True:
                await asyncio.sleep(KEEP_ALIVE_EVERY)
                await self._connection.send('{"text": ""}')


def timed(clock: WordClock, alignment: Alignment | None) -> tuple[Word, ...]:
    """The words of one message: its times count from its own start."""
    clock.next_piece()
    if alignment is None:
        return ()
    starts = [start / 1000 for start in alignment.starts]
    ends = [(start + length) / 1000 for start, length in zip(alignment.starts, alignment.durations, strict=False)]
    return clock.words(alignment.chars, starts, ends)


def timed_by_http(clock: WordClock, times: Any) -> tuple[Word, ...]:
    """The same over HTTP, where the names and the units are others."""
    clock.next_piece()
    if times is None:
        return ()
    return clock.words(times.characters, times.character_start_times_seconds, times.character_end_times_seconds)
