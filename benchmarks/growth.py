"""Whether something grows from cycle to cycle: its slope, how sure that is, and what to call it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Student's t, two-sided 95 %, by degrees of freedom (any table of it).
_T: Final = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
_T_OF_MANY: Final = 2.1


@dataclass(frozen=True, slots=True)
class Growth:
    """A slope with its 95 % interval, in units a cycle."""

    slope: float
    low: float
    high: float

    def scaled(self, by: float) -> Growth:
        return Growth(self.slope * by, self.low * by, self.high * by)

    def called(self, limit: float) -> str:
        """`flat` where it is surely under the limit, `grows` where it is surely over it; else it cannot be told."""
        if self.high <= limit:
            return "flat"
        return "grows" if self.low > limit else "not to be told from so few cycles"


def growth(values: Sequence[float]) -> Growth:
    """Least squares over the number of the cycle. Raises ValueError for fewer than three values."""
    count = len(values)
    if count < 3:
        raise ValueError("a slope with an interval needs three cycles")
    middle, mean = (count - 1) / 2, sum(values) / count
    spread = sum((number - middle) ** 2 for number in range(count))
    slope = sum((number - middle) * (value - mean) for number, value in enumerate(values)) / spread
    rest = sum((value - mean - slope * (number - middle)) ** 2 for number, value in enumerate(values))
    free = count - 2
    margin = (_T[free - 1] if free <= len(_T) else _T_OF_MANY) * math.sqrt(rest / free / spread)
    return Growth(slope, slope - margin, slope + margin)
