"""From the moment of dialling: ask every source at once, wait for none longer than its own deadline, raise for none.

A phone rings for seconds and a briefing takes a fraction of one, so it is ready before the hello. A source that hangs,
fails or is late becomes an honest `Absence`; it never delays another. Sources must not block the event loop: nothing here
could stop one that does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import structlog

from context.assemble import Found, Told, assemble
from context.briefing import Absence, Briefing, Missing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CallAhead:
    """The call that is being dialled (or is coming in): all that a source is told."""

    number: str  # E.164, the other side's
    call_id: str = ""
    contact_id: str = ""
    campaign_id: str = ""
    purpose: str = ""  # what the call is about, in words: what knowledge is searched with


class Source(Protocol):
    """Something that may know about the call ahead. `within` is its deadline in seconds from the start."""

    @property
    def name(self) -> str: ...
    @property
    def within(self) -> float: ...

    async def find(self, ahead: CallAhead) -> Found | None:
        """What it knows; None for nothing. May raise anything and be cancelled at any time."""


class Gathering:
    """The sources of one call, being asked. Made by `start`; `close` it when the call is over."""

    def __init__(self, ahead: CallAhead, sources: Sequence[Source], clock: Callable[[], float]) -> None:
        self._ahead = ahead
        self._sources = tuple(sources)
        self._clock = clock
        self._started = clock()
        self._told: dict[str, Told] = {}
        self._settled = asyncio.Event()
        self._finished: float | None = None  # seconds from the start until the last source had settled
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def start(cls, ahead: CallAhead, sources: Sequence[Source], clock: Callable[[], float] = time.monotonic) -> Self:
        """Ask all sources now. Needs a running loop; returns at once. Sources' names must differ."""
        gathering = cls(ahead, sources, clock)
        if len({source.name for source in sources}) != len(sources):
            raise ValueError("two sources of one name: their times and absences could not be told apart")
        gathering._ask_all()
        return gathering

    async def briefing(self, by: float | None = None) -> Briefing:
        """What is there when every source has settled, or at `by` (the clock's seconds), whichever is first.

        Never raises for a source's sake. Asked again later it may hold more: a source cut off by `by` was not stopped.
        """
        try:
            async with asyncio.timeout(None if by is None else max(0.0, by - self._clock())):
                await self._settled.wait()
        except TimeoutError:
            log.info(
                "briefing_cut_short", missing=[source.name for source in self._sources if source.name not in self._told]
            )
        return self.so_far()

    def so_far(self) -> Briefing:
        """What is there now; sources that have not settled are too late for it."""
        elapsed = self._clock() - self._started
        told = [self._told.get(source.name) or _too_late(source.name, elapsed) for source in self._sources]
        return assemble(told, elapsed if self._finished is None else self._finished)

    def close(self) -> None:
        """Stop asking. What was found stays readable."""
        for task in self._tasks:
            task.cancel()

    def _ask_all(self) -> None:
        loop = asyncio.get_running_loop()
        for source in self._sources:
            task = loop.create_task(self._ask(source), name=f"gather {source.name}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # Not `asyncio.timeout` inside the task: that waits for the source to honour its cancellation, and one that does
            # not would hold up the rest.
            loop.call_later(source.within, self._give_up, source, task)
        if not self._sources:
            self._settle()

    async def _ask(self, source: Source) -> None:
        try:
            found: Found | Absence | None = await source.find(self._ahead)
        except Exception as error:
            found = Absence(source.name, Missing.FAILED, type(error).__name__)
            log.warning("source_failed", source=source.name, error=type(error).__name__)
        self._tell(Told(source.name, found, self._clock() - self._started))

    def _give_up(self, source: Source, task: asyncio.Task[None]) -> None:
        if source.name not in self._told:
            self._tell(_too_late(source.name, self._clock() - self._started))
            log.warning("source_too_late", source=source.name, within=source.within)
            task.cancel()

    def _tell(self, told: Told) -> None:
        if told.source in self._told:
            return  # it was given up: what comes after the deadline does not count
        self._told[told.source] = told
        if len(self._told) == len(self._sources):
            self._settle()

    def _settle(self) -> None:
        self._finished = self._clock() - self._started
        self._settled.set()


def _too_late(source: str, took: float) -> Told:
    return Told(source, Absence(source, Missing.TOO_LATE), took)
