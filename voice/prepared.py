"""Speech made before it is needed: the opening is synthesised while the phone rings and starts with the first frame."""

from __future__ import annotations

from collections.abc import AsyncIterator

from voice.ports import Speaker, SpokenAudio
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
