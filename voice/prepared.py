"""Parts made ready while the phone rings, so that the first frame finds ears that hear and an opening that is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence

from voice.errors import ProviderError
from voice.events import Transcribed
from voice.ports import Speaker, SpokenAudio, Transcriber
from voice.sentences import SentenceSplitter


class PreparedSpeaker:
    """A `Speaker` that has some segments ready, and asks the one behind it for everything else."""

    def __init__(self, behind: Speaker) -> None:
        self._behind = behind
        self._ready: dict[str, tuple[SpokenAudio, ...]] = {}

    async def prepare(self, text: str) -> None:
        """Synthesise `text` now, cut into the segments the conversation will ask for. Raises `ProviderError`."""
        splitter = SentenceSplitter()
        for segment in (*splitter.feed(text), *splitter.flush()):
            if segment not in self._ready:
                self._ready[segment] = tuple([piece async for piece in self._behind.speak(segment)])

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        ready = self._ready.get(text)
        if ready is not None:
            for piece in ready:
                yield piece
            return
        async for piece in self._behind.speak(text):
            yield piece

    async def close(self) -> None:
        await self._behind.close()


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
