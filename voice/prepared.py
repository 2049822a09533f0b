"""Parts made ready while the phone rings, so that the first frame finds ears that hear and an opening that is spoken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Sequence

import structlog

from voice.errors import ProviderError
from voice.events import Transcribed
from voice.ports import Speaker, SpokenAudio, Transcriber
from voice.sentences import SentenceSplitter

log = structlog.get_logger()


class PreparedSpeaker:
    """A `Speaker` that makes some segments ahead of their time, in order, and asks the one behind it for the rest.

    A segment that is asked for while it is still being made is waited for, not made twice.
    """

    def __init__(self, behind: Speaker) -> None:
        self._behind = behind
        self._segments: dict[str, asyncio.Future[tuple[SpokenAudio, ...]]] = {}
        self._waiting: deque[str] = deque()
        self._making: asyncio.Task[None] | None = None

    def prepare(self, *texts: str) -> None:
        """Begin to synthesise these texts, cut into the segments the conversation will ask for. Returns at once."""
        for text in texts:
            splitter = SentenceSplitter()
            for segment in (*splitter.feed(text), *splitter.flush()):
                if segment not in self._segments:
                    self._segments[segment] = asyncio.get_running_loop().create_future()
                    self._waiting.append(segment)
        if self._waiting and (self._making is None or self._making.done()):
            self._making = asyncio.create_task(self._make())

    async def prepared(self) -> None:
        """Return once nothing is being made any more."""
        if self._making is not None:
            await asyncio.wait([self._making])

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        """Raises `ProviderError`, for a prepared segment only if it cannot be made now either."""
        made = self._segments.get(text)
        pieces = await asyncio.shield(made) if made is not None else ()
        for piece in pieces:
            yield piece
        if not pieces:
            async for piece in self._behind.speak(text):
                yield piece

    async def close(self) -> None:
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait([self._making])
        for made in self._segments.values():
            if not made.done():
                made.set_result(())
        await self._behind.close()

    async def _make(self) -> None:
        while self._waiting:
            segment = self._waiting.popleft()
            try:
                pieces = tuple([piece async for piece in self._behind.speak(segment)])
            except ProviderError as error:
                log.warning("segment_not_prepared", provider=error.provider, code=error.code)
                pieces = ()  # it will be asked for again when it is needed
            if not self._segments[segment].done():
                self._segments[segment].set_result(pieces)


class EarsAhead:
    """A `Transcriber` that may still be opening: what it hears meanwhile is kept, in order, and told to it first."""

    def __init__(self, opening: Awaitable[Transcriber]) -> None:
        self._opening = asyncio.ensure_future(opening)
        self._ears: Transcriber | None = None
        self._waiting: list[tuple[str, object]] = []
        self._opening.add_done_callback(self._opened)

    def hear(self, audio: bytes) -> None:
        if self._ears is not None:
            self._ears.hear(audio)
        else:
            self._waiting.append(("hear", audio))

    def finish_utterance(self) -> None:
        if self._ears is not None:
            self._ears.finish_utterance()
        else:
            self._waiting.append(("finish", None))

    def expect(self, phrases: Sequence[str]) -> None:
        if self._ears is not None:
            self._ears.expect(phrases)
        else:
            self._waiting.append(("expect", tuple(phrases)))

    async def events(self) -> AsyncIterator[Transcribed]:
        ears = await self._opening
        async for event in ears.events():
            yield event

    async def close(self) -> None:
        if not self._opening.done():
            self._opening.cancel()
        await asyncio.wait([self._opening])
        if self._ears is not None:
            await self._ears.close()

    def _opened(self, opening: asyncio.Future[Transcriber]) -> None:
        if opening.cancelled() or isinstance(opening.exception(), ProviderError):
            return  # `events` tells it
        ears = self._ears = opening.result()
        for what, value in self._waiting:
            match what, value:
                case "hear", bytes(audio):
                    ears.hear(audio)
                case "expect", tuple(phrases):
                    ears.expect(phrases)
                case _:
                    ears.finish_utterance()
        self._waiting.clear()
