"""Whether this process can carry one more call: it can while its event loop and its detectors come in time.

A loop that comes late makes every call's audio late, detectors that come late make every answer late, and one more call
makes both later: so the calls there are go before new ones. Nobody is dialled, and whoever rings is told that we are busy,
until both have kept up again for a while.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from dialer.campaign import Hold

CROWDED: Final = "too_busy"
LOOK_EVERY: Final = 0.05  # seconds
_LOOKS: Final = 60  # three seconds
_TAIL: Final = 0.9  # the quantile of the last looks that is judged: one long pause is no crowd
_RELIEF: Final = 0.5  # of the limit: below it there is room again

log = structlog.get_logger()


class Lateness:
    """How late the last looks came, and what follows. Pure."""

    def __init__(self, most: float) -> None:
        """`most` in seconds; 0: never too late."""
        self._most = most
        self._lags: deque[float] = deque(maxlen=_LOOKS)
        self.is_too_late = False

    @property
    def lag(self) -> float:
        """Seconds, of which the last looks came less late, nine in ten of them."""
        return sorted(self._lags)[int(_TAIL * len(self._lags))] if self._lags else 0.0

    def saw(self, lag: float) -> None:
        """One more look. Nothing is decided before there have been enough."""
        self._lags.append(max(0.0, lag))
        if self._most <= 0 or len(self._lags) < _LOOKS:
            return
        self.is_too_late = self.lag > self._most * (_RELIEF if self.is_too_late else 1.0)


class Crowding:
    """Looks at the running loop until it is closed."""

    def __init__(self, most: float, detectors: Callable[[], float] = float) -> None:
        """`detectors` tells by how many seconds they are late just now."""
        self._lateness = Lateness(most)
        self._detectors = detectors
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + LOOK_EVERY
        self._timer = self._loop.call_at(self._due, self._look)

    def close(self) -> None:
        self._timer.cancel()

    @property
    def is_full(self) -> bool:
        """Whether one more call would be one too many."""
        return self._lateness.is_too_late

    def hold(self) -> Hold | None:
        """Why nobody is to be dialled now; None: there is room."""
        if not self.is_full:
            return None
        return Hold(CROWDED, f"this process is {1000 * self._lateness.lag:.0f} ms late for the calls it carries already")

    def _look(self) -> None:
        now, was_full = self._loop.time(), self.is_full
        self._lateness.saw(max(now - self._due, self._detectors()))
        if self.is_full != was_full:
            log.warning("too_busy" if self.is_full else "room_again", lag=round(self._lateness.lag, 3))
        self._due = now + LOOK_EVERY
        self._timer = self._loop.call_at(self._due, self._look)
