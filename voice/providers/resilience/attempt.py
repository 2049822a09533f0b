"""Runs a race of streams: carries out what `race.Race` says, and hands over the stream that won. A thin shell."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from voice.errors import ProviderError, ProviderUnavailable
from voice.providers.resilience.breaker import Admission
from voice.providers.resilience.health import Health, Record
from voice.providers.resilience.latency import give_up_after, hedge_after
from voice.providers.resilience.race import CallOff, Entrant, HedgeBudget, Late, Lost, Race, Start, Won

T = TypeVar("T")

_LINGERING: Final[set[asyncio.Task[None]]] = set()  # called off, not yet gone: the loop keeps only weak references


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """A provider that may be asked, and how to ask it."""

    record: Record
    admission: Admission
    ask: Callable[[], AsyncIterator[T]]


class Attempt(Generic[T]):
    """One provider's stream, read ahead so that several can be waited for at once."""

    def __init__(self, candidate: Candidate[T], news: asyncio.Event, clock: Callable[[], float]) -> None:
        self.record = candidate.record
        self.started = clock()
        self.first_at = 0.0
        self.error: ProviderError | None = None
        self.is_over = False
        self.is_late = False
        self._items: deque[T] = deque()
        self._news = news
        self._clock = clock
        self._task = asyncio.create_task(self._read(candidate.ask()))

    @property
    def has_begun(self) -> bool:
        """Whether it has given something, or ended without an error."""
        return bool(self._items) or (self.is_over and self.error is None)

    async def _read(self, stream: AsyncIterator[T]) -> None:
        longest = last = 0.0
        try:
            async for item in stream:
                now = self._clock()
                self.first_at = self.first_at or now
                longest, last = max(longest, now - (last or now)), now
                self._items.append(item)
                self._news.set()
            if longest:
                self.record.pauses.add(longest)
        except ProviderError as error:
            self.error = error
        finally:
            self.is_over = True
            self.first_at = self.first_at or self._clock()
            self._news.set()

    async def next(self, within: float) -> T | None:
        """The next item, None at the end. Raises `ProviderError` when it failed, or was silent for longer than `within`."""
        try:
            async with asyncio.timeout(within):
                while not self._items:
                    if self.is_over:
                        if self.error is not None:
                            raise self.error
                        return None
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise ProviderUnavailable(self.record.provider, "stalled", f"nothing for {within:.1f} s") from None
        return self._items.popleft()

    def call_off(self) -> None:
        """Stop it, here and at the far end; does not wait for that. Twice is allowed."""
        if not self._task.done():
            _LINGERING.add(self._task)
            self._task.add_done_callback(_LINGERING.discard)
            self._task.cancel()


async def race(
    candidates: Sequence[Candidate[T]], health: Health, budget: HedgeBudget | None = None, together: int = 1
) -> Attempt[T]:
    """Ask, `together` of the first at once, hedge, replace, and return the first to begin.

    Raises the last `ProviderError` when nobody is left.

    Being late is held against a provider only where there is another: the only one is as fast as it is.
    """
    has_others = len({candidate.record.provider for candidate in candidates}) > 1
    entrants = [_entrant(one, health, is_last=one is candidates[-1], has_others=has_others) for one in candidates]
    core = Race(entrants, budget or HedgeBudget(0.0, 0.0), together)
    news = asyncio.Event()
    running: dict[int, Attempt[T]] = {}
    failure: ProviderError = ProviderUnavailable("all", "all_down", "no provider may be asked now")
    moves = deque(core.begin(health.clock()))
    for candidate in candidates:
        candidate.record.on_doubt.add(news.set)
    try:
        while True:
            while moves:
                match moves.popleft():
                    case Start(entrant):
                        running[entrant] = Attempt(candidates[entrant], news, health.clock)
                    case Late(entrant):
                        if has_others:
                            _late(running[entrant], health)
                    case CallOff(entrant):
                        lost = running.pop(entrant)
                        if has_others and candidates[entrant].admission is Admission.YES and _is_beaten(lost, health):
                            _late(lost, health)
                        failure = _call_off(lost, health)
                    case Won(entrant):
                        won = running.pop(entrant)
                        won.record.succeeded(won.first_at - won.started)
                        return won
                    case Lost():
                        raise failure
            for entrant, attempt in list(running.items()):
                if attempt.has_begun:
                    moves += core.answered(entrant)
                elif attempt.error is not None:
                    failure = attempt.error
                    attempt.record.failed(failure, health.clock())
                    del running[entrant]
                    moves += core.failed(entrant, health.clock())
                elif attempt.record.breaker.is_doubted(health.clock()):
                    moves += core.distrusted(entrant, health.clock())
            if not moves and not await _told(news, core.deadline, health):
                moves += core.passed(health.clock())
    finally:
        for attempt in running.values():
            attempt.record.called_off()
            attempt.call_off()
        for candidate in candidates:
            candidate.record.on_doubt.discard(news.set)
            if candidate.admission is Admission.PROBE:
                candidate.record.breaker.released()


def _entrant(candidate: Candidate[T], health: Health, *, is_last: bool, has_others: bool) -> Entrant:
    """The last one is waited for as long as anybody ever is: nobody is left to ask instead."""
    is_doubted = has_others and candidate.record.breaker.is_doubted(health.clock())
    first, policy = candidate.record.first, health.deadlines
    patience = policy.give_up_bounds[1] if is_last else give_up_after(first, policy)
    return Entrant(hedge_after(first, policy), patience, is_doubted or candidate.admission is Admission.PROBE)


def _late(attempt: Attempt[T], health: Health) -> None:
    attempt.is_late = True
    attempt.record.late(health.clock() - attempt.started, health.clock())


def _is_beaten(attempt: Attempt[T], health: Health) -> bool:
    """Of a provider that is doubted, being beaten is being late once more: or it is asked beside another for ever."""
    return not attempt.is_late and not attempt.has_begun and attempt.record.breaker.is_doubted(health.clock())


def _call_off(attempt: Attempt[T], health: Health) -> ProviderError:
    attempt.record.called_off()
    attempt.call_off()
    waited = health.clock() - attempt.started
    return ProviderUnavailable(attempt.record.provider, "timeout", f"no answer in {waited:.2f} s")


async def _told(news: asyncio.Event, deadline: float | None, health: Health) -> bool:
    """Wait for news until the deadline; whether there was any."""
    if deadline is None:
        await news.wait()
        news.clear()
        return True
    try:
        async with asyncio.timeout(max(deadline - health.clock(), 0.0)):
            await news.wait()
    except TimeoutError:
        return False
    news.clear()
    return True
