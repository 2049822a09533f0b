"""What the ears of one call have in common, whoever listens: what was heard waits to be read, a final that was asked for has
a timer, a failure is told where the words are, and a close may come twice."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable

from voice.errors import ProviderError
from voice.events import Transcribed


class CallEars(ABC):
    """Subclasses take the audio, say what they heard with `_tell`, and end in `_end`."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[Transcribed | ProviderError | None] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def events(self) -> AsyncIterator[Transcribed]:
        """What is heard, until `close`. Raises `ProviderError` when the ears have failed."""
        while (heard := await self._heard.get()) is not None:
            if isinstance(heard, ProviderError):
                raise heard
            yield heard

    async def close(self) -> None:
        """Close. Twice is allowed."""
        if self._is_closed:
            return
        self._is_closed = True
        self._stop_timer()
        try:
            await self._end()
        finally:
            self._heard.put_nowait(None)

    @abstractmethod
    async def _end(self) -> None:
        """Stop listening, let go of everything, and account for it. Called once."""

    def _tell(self, heard: Transcribed | ProviderError) -> None:
        self._heard.put_nowait(heard)

    def _start_timer(self, seconds: float, then: Callable[[], None]) -> None:
        """Have `then` called, which begins by setting `_timer` to None; a timer that runs is stopped."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
