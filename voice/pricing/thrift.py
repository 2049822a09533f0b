"""How much may be spent in an hour on replies that nobody will hear: prepared too early, thrown away. Pure.

One for the process: every call's waste comes out of the same pocket. When the hour's allowance is gone nothing is prepared
in advance until enough of it is past; calls go on, some hundred milliseconds slower.
"""

from __future__ import annotations

from collections import deque
from typing import Final

ALLOWED: Final = 2_000_000  # tokens an hour
_HOUR: Final = 3600.0


class Thrift:
    """`now` is monotonic seconds. An allowance of 0 prepares nothing."""

    def __init__(self, allowed: int = ALLOWED) -> None:
        self.allowed = allowed
        self._wasted: deque[tuple[float, int]] = deque()
        self._sum = 0

    def waste(self, tokens: int, now: float) -> None:
        """A prepared reply was thrown away that had read and written so much."""
        self._wasted.append((now, tokens))
        self._sum += tokens

    def may_prepare(self, now: float) -> bool:
        while self._wasted and self._wasted[0][0] <= now - _HOUR:
            self._sum -= self._wasted.popleft()[1]
        return self._sum < self.allowed
