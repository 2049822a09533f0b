"""One timer of the event loop, for whoever's next deadline changes seldom and is asked about often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls `ring` once the deadline it was last set to has come; `clock` is the one the deadline is told by."""

    def __init__(self, ring: Callable[[], None], clock: Callable[[], float]) -> None:
        self._ring = ring
        self._clock = clock
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, deadline: float | None) -> None:
        """Ring at `deadline` instead of what was set before; None: not at all."""
        if deadline == self._deadline:
            return  # most events change no deadline, and a timer costs more than the event did
        self._deadline = deadline
        self._start()

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._deadline is not None:
            delay = max(0.0, self._deadline - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._deadline is not None and self._deadline > self._clock():
            self._start()  # a timer may fire a hair early, and a deadline that has not passed is not to be told of
            return
        self._deadline = None
        self._ring()
