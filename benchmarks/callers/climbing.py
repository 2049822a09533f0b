"""Which number of calls to try next: every one that was asked for, or up by leaps to the break and back by halves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from benchmarks.callers.step import Step, verdict

PATIENCE: Final = 6  # steps thrown away because the callers were late, after which a machine is too busy to climb on


class Way(Protocol):
    """How an engine's limit is looked for."""

    def next(self, holds: int, breaks: int | None) -> int | None:
        """The next number to try, knowing the most calls that held (0: none yet) and the fewest that broke it."""


@dataclass(frozen=True, slots=True)
class Stairs:
    """One number after the other, until one breaks."""

    steps: Sequence[int]

    def next(self, holds: int, breaks: int | None) -> int | None:
        return next((step for step in self.steps if step > holds), None) if breaks is None else None


@dataclass(frozen=True, slots=True)
class Search:
    """Leaps of `leap` from `first`, at most to `most`; then halves, until the limit is known to `fine`, a share of it."""

    first: int = 20
    most: int = 640
    leap: float = 2.0
    fine: float = 0.1

    def next(self, holds: int, breaks: int | None) -> int | None:
        if breaks is None:
            return (min(self.most, round(holds * self.leap)) if holds < self.most else None) if holds else self.first
        if breaks - holds <= max(1.0, self.fine * holds) or breaks == 1:
            return None
        return (holds + breaks) // 2


def read_way(text: str) -> Way:
    """`10,20,40`, or `20..640*2~0.1`: from, to, leap, fineness. Raises ValueError."""
    if ".." not in text:
        return Stairs(tuple(int(step) for step in text.split(",")))
    first, _, rest = text.partition("..")
    most, _, rest = rest.partition("*")
    leap, _, fine = rest.partition("~")
    return Search(int(first), int(most), float(leap), float(fine))


@dataclass(slots=True)
class Ascent:
    """One engine's climb. What was measured while the callers themselves were late is measured once more; a second time
    it is their limit that was reached, not the engine's, and the way goes on below it."""

    way: Way
    steps: list[tuple[Step, str]] = field(default_factory=list)  # with why it broke, if it did
    thrown_away: list[int] = field(default_factory=list)
    is_over: bool = False
    _base: float | None = None
    _holds: int = 0
    _breaks: int | None = None

    def next(self) -> int | None:
        """How many calls are to be tried now; None when nothing is left to try."""
        return None if self.is_over else self.way.next(self._holds, self._breaks)

    def take(self, step: Step) -> str:
        """What came of it: empty where the engine held."""
        if step.is_ours:
            if step.calls in self.thrown_away:
                self._breaks = step.calls
            self.thrown_away.append(step.calls)
            self.is_over = len(self.thrown_away) >= PATIENCE
            return "thrown away: the callers were late"
        why = verdict(step, self._base)
        self._base = step.gap_p95 if self._base is None else self._base
        self.steps.append((step, why))
        if why:
            self._breaks = step.calls
        else:
            self._holds = step.calls
        return why

    @property
    def holds(self) -> int:
        """The most calls that held; 0: none."""
        return self._holds
