"""Live events from those who know to those who watch, within one process. Nothing is kept; the log does that.

A watcher who cannot keep up loses the oldest of what waits for it and is told how many: it never slows a call down.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol

from storage.events import Recorded

CAPACITY: Final = 1000  # events that may wait for one watcher


@dataclass(frozen=True, slots=True)
class Missed:
    """This watcher was too slow: `count` events before the next one are lost to it (the log still has those it kept)."""

    count: int


class Subscription(Protocol):
    """One watcher's place: `async with` it, then `async for` what comes. Leaving the block gives the place up."""

    async def __aenter__(self) -> Subscription: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> Subscription: ...

    async def __anext__(self) -> Recorded | Missed: ...


class LiveFeed(Protocol):
    """What publishers and watchers share, in one process or between several."""

    def publish(self, recorded: Recorded) -> None:
        """Hand an event to every watcher who wants it. Never blocks, never raises."""

    def subscribe(self, wants: Callable[[Recorded], bool] | None = None, capacity: int = CAPACITY) -> Subscription:
        """A place for one watcher; it counts from the moment its block is entered."""


class Hot:
    """The feed of one process. To be used from its event loop only."""

    def __init__(self) -> None:
        self._places: set[Place] = set()

    def publish(self, recorded: Recorded) -> None:
        for place in tuple(self._places):
            place.offer(recorded)

    def subscribe(self, wants: Callable[[Recorded], bool] | None = None, capacity: int = CAPACITY) -> Place:
        return Place(self._places, wants or _everything, capacity)

    def close(self) -> None:
        """Send every watcher home: their iterations end once they have read what waits for them."""
        for place in tuple(self._places):
            place.close()


class Place:
    """A watcher's queue. It belongs to one task."""

    def __init__(self, places: set[Place], wants: Callable[[Recorded], bool], capacity: int) -> None:
        self._places = places
        self._wants = wants
        self._waiting: deque[Recorded] = deque(maxlen=capacity)
        self._missed = 0
        self._is_closed = False
        self._news = asyncio.Event()

    def offer(self, recorded: Recorded) -> None:
        if not self._wants(recorded):
            return
        self._missed += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(recorded)
        self._news.set()

    def close(self) -> None:
        self._is_closed = True
        self._places.discard(self)
        self._news.set()

    async def __aenter__(self) -> Place:
        self._places.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Place:
        return self

    async def __anext__(self) -> Recorded | Missed:
        while not self._waiting:
            if self._is_closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        if self._missed:
            count, self._missed = self._missed, 0
            return Missed(count)
        return self._waiting.popleft()


def _everything(recorded: Recorded) -> bool:
    return True
