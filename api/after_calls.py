"""The books of calls that are over, a few at a time: hundreds that end at once must not keep the next caller waiting.

Whoever hangs up does not wait for what is written of the call; whoever rings does. So the closing of books has few places,
and while the process is late for the calls it carries, whoever has a place rests before it works.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

AT_ONCE: Final = 2  # a database writes one transaction after the other anyway; while one waits for it, another may think
REST: Final = 0.05  # seconds


class AfterCalls:
    """The places. `is_late`: whether this process is late for live calls."""

    def __init__(self, is_late: Callable[[], bool], at_once: int = AT_ONCE, rest: float = REST) -> None:
        self._is_late = is_late
        self._rest = rest
        self._places = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a place, first come first served, and keep it for the block."""
        async with self._places:
            if self._is_late():
                await asyncio.sleep(self._rest)
            yield
