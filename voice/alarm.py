"""One timer of the event loop, for whoever's next deadline is asked about often and mostly put off.

Most deadlines are put off long before they come. A timer that is armed too early finds that out when it fires, once; to arm
it anew each time costs more than the events do.
"""

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
        self._armed_for = 0.0  # the deadline that the timer is for, where there is one: never later than the one that is set

    def set(self, deadline: float | None) -> None:
        """Ring at `deadline` instead of what was set before; None: not at all."""
        if deadline == self._deadline:
            return
        self._deadline = deadline
        if self._timer is None:
            self._start()
        elif deadline is None or deadline < self._armed_for:
            self._timer.cancel()
            self._start()

    def close(self) -> None:
        """Never ring again, and let go of whoever was to be woken: the two hold each other, and garbage goes late."""
        self.set(None)
        self._ring = _nobody

    def _start(self) -> None:
        self._timer = None
        if self._deadline is not None:
            self._armed_for = self._deadline
            delay = max(0.0, self._deadline - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._deadline is not None and self._deadline > self._clock():
            self._start()  # put off meanwhile; or the timer fired a hair early
            return
        self._deadline = None
        self._ring()


def _nobody() -> None:
    """The call is over."""
