"""Several providers at the same thing: whom to ask now, whom to ask as well, whom to stop waiting for. Pure.

One is asked, or several `together`. When they are later than the p95, the next is asked too (a hedge), if the budget allows;
the first to answer wins and the others are called off. One that fails, or is known to be down by now, is replaced at once,
which is no hedge and costs no budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Entrant:
    """One provider in a race. `is_probe`: it may be down, so another starts together with it."""

    hedge_after: float
    give_up_after: float
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    entrant: int


@dataclass(frozen=True, slots=True)
class Late:
    """This one is later than its own p95; told once. It may still win."""

    entrant: int


@dataclass(frozen=True, slots=True)
class CallOff:
    """Stop this one: another won, or it was given up."""

    entrant: int


@dataclass(frozen=True, slots=True)
class Won:
    entrant: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody is left to ask."""


Move: TypeAlias = Start | Late | CallOff | Won | Lost


class HedgeBudget:
    """How many second requests there may be: a share of all requests, and a few at once."""

    def __init__(self, share: float = 0.085, burst: float = 6.0) -> None:
        self.share = share
        self.burst = burst
        self._left = burst
        self.requests = 0
        self.hedges = 0
        self.twins = 0  # asked together with another from the beginning: no hedges, and not of this budget

    def requested(self) -> None:
        """A request that is not a hedge goes out."""
        self.requests += 1
        self._left = min(self._left + self.share, self.burst)

    def take(self) -> bool:
        """Whether one more hedge is within the budget; if so it is spent."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        self.hedges += 1
        return True


@dataclass(slots=True)
class _Running:
    hedge_at: float
    give_up_at: float


@dataclass(slots=True)
class Race:
    """Feed it what happens; it says what to do. `deadline` is the next instant at which it wants `passed`."""

    entrants: Sequence[Entrant]
    budget: HedgeBudget
    together: int = 1  # so many of the first are asked at once
    _next: int = 0
    _running: dict[int, _Running] = field(default_factory=dict)
    _is_over: bool = False

    @property
    def deadline(self) -> float | None:
        if self._is_over:
            return None
        return min((min(runner.hedge_at, runner.give_up_at) for runner in self._running.values()), default=None)

    def begin(self, now: float) -> list[Move]:
        """Ask the first, its twins, and those after them as long as all before them are probes."""
        moves = self._start(now)
        while self._next < min(self.together, len(self.entrants)):
            moves += self._start(now, is_twin=True)
        while moves and self._next < len(self.entrants) and all(entrant.is_probe for entrant in self.entrants[: self._next]):
            moves += self._start(now)
        return moves or self._lose()

    def answered(self, entrant: int) -> list[Move]:
        """One has given its first word or byte."""
        if self._is_over or entrant not in self._running:
            return []
        self._is_over = True
        del self._running[entrant]
        others = sorted(self._running)
        self._running.clear()
        return [*(CallOff(other) for other in others), Won(entrant)]

    def failed(self, entrant: int, now: float) -> list[Move]:
        """One has failed before its first word or byte."""
        if self._is_over or self._running.pop(entrant, None) is None:
            return []
        if self._running:
            return []
        return self._start(now) or self._lose()

    def distrusted(self, entrant: int, now: float) -> list[Move]:
        """Meanwhile this one is known to be down: do not wait for its deadline, and spare the budget."""
        runner = self._running.get(entrant)
        if self._is_over or runner is None or len(self._running) > self.together:
            return []
        runner.hedge_at = float("inf")
        return self._start(now)

    def passed(self, now: float) -> list[Move]:
        """The deadline has come: hedge, or stop waiting for somebody."""
        moves: list[Move] = []
        for entrant, runner in sorted(self._running.items()):
            if now >= runner.give_up_at:
                del self._running[entrant]
                moves.append(CallOff(entrant))
            elif now >= runner.hedge_at:
                runner.hedge_at = float("inf")
                moves += [Late(entrant), *self._hedge(now)]
        if not self._running and not self._is_over:
            moves += self._start(now) or self._lose()
        return moves

    def _hedge(self, now: float) -> list[Move]:
        if len(self._running) > self.together or self._next >= len(self.entrants) or not self.budget.take():
            return []
        return self._start(now, is_hedge=True)

    def _start(self, now: float, *, is_hedge: bool = False, is_twin: bool = False) -> list[Move]:
        if self._next >= len(self.entrants):
            return []
        entrant = self._next
        self._next += 1
        rules = self.entrants[entrant]
        self._running[entrant] = _Running(now + rules.hedge_after, now + rules.give_up_after)
        if is_twin:
            self.budget.twins += 1
            self._running[entrant].hedge_at = float("inf")  # the first of them says for all that they are late
        elif not is_hedge:
            self.budget.requested()
        return [Start(entrant)]

    def _lose(self) -> list[Move]:
        self._is_over = True
        return [Lost()]
