"""One ticker for every call of a process: a timer per call and frame would cost more than the frames do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

TICK: Final = 0.02  # seconds; a carrier's frame


class Wheel:
    """Calls every registered pump each tick while there is one; a pump returns False when it has nothing left."""

    def __init__(self) -> None:
        self._pumps: dict[Callable[[], bool], None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    def turn_for(self, pump: Callable[[], bool]) -> None:
        """Call `pump` each tick until it returns False."""
        self._pumps[pump] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._next = loop.time() + TICK
            self._timer = loop.call_at(self._next, self._turn)

    def forget(self, pump: Callable[[], bool]) -> None:
        self._pumps.pop(pump, None)

    def _turn(self) -> None:
        for pump in list(self._pumps):
            if not pump():
                self._pumps.pop(pump, None)
        if not self._pumps:
            self._timer = None
            return
        loop = asyncio.get_running_loop()
        # A late tick is not made up for: pumps send whatever is due by then.
        self._next = max(self._next + TICK, loop.time())
        self._timer = loop.call_at(self._next, self._turn)
