"""A speaker that is asked for the next segment only when the caller is about to need it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from voice.events import SAMPLE_RATE
from voice.ports import Speaker, SpokenAudio
from voice.providers.resilience.lookahead import Lookahead


class PacedSpeaker:
    """A `Speaker` that asks the one behind it for the next segment only when the caller is about to need it.

    Put it around the speaker of a live call, not around one that prepares an opening while it rings.
    """

    def __init__(self, behind: Speaker, lead: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._behind = behind
        self._lookahead = Lookahead(lead)
        self._clock = clock

    async def speak(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        """Stream one segment. Raises `ProviderError`."""
        is_whole = False
        try:
            await asyncio.sleep(self._lookahead.hold(self._clock()))
            async with aclosing(_closable(self._behind.speak(text))) as pieces:
                async for piece in pieces:
                    self._lookahead.arrived(len(piece.audio) / SAMPLE_RATE, self._clock())
                    yield piece
            is_whole = True
        finally:
            if is_whole:
                self._lookahead.ended(self._clock())
            else:
                self._lookahead.cut()

    async def close(self) -> None:
        await self._behind.close()


async def _closable(pieces: AsyncIterator[SpokenAudio]) -> AsyncGenerator[SpokenAudio, None]:
    """Any iterator as a generator, so that closing it reaches the speaker behind."""
    try:
        async for piece in pieces:
            yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
