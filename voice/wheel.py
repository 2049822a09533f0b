"""One ticker for every call of a process: a timer per call and frame would cost more than the frames do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from math import ceil
from typing import Final, TypeAlias

TICK: Final = 0.02  # seconds; a carrier's frame

Pump: TypeAlias = Callable[[], float | None]  # sends what is due; in how many seconds there is more, None for nothing left


class Wheel:
    """Calls every pump when it has something to send, to the next tick, and nobody in between."""

    def __init__(self) -> None:
        self._slots: defaultdict[int, list[Pump]] = defaultdict(list)  # by the tick, counted from the loop's own zero
        self._due: dict[Pump, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._turned = 0  # the last tick done

    def start(self, pump: Pump) -> None:
        """Call `pump` now, and again whenever it asks to be called, until it does not ask any more."""
        delay = pump()
        self._due.pop(pump, None)
        if delay is None:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._timer is None:
            self._turned = int(now / TICK)
            self._timer = loop.call_at((self._turned + 1) * TICK, self._turn)
        self._put(pump, now, delay)

    def forget(self, pump: Pump) -> None:
        self._due.pop(pump, None)

    def _put(self, pump: Pump, now: float, delay: float) -> None:
        tick = max(self._turned + 1, ceil((now + delay) / TICK))
        self._due[pump] = tick
        self._slots[tick].append(pump)

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        began, self._turned = self._turned, int(now / TICK)
        for tick in range(began + 1, self._turned + 1):  # late ticks are not made up for: pumps send what is due by now
            for pump in self._slots.pop(tick, ()):
                if self._due.get(pump) != tick:
                    continue  # forgotten, or put elsewhere since
                delay = pump()
                self._due.pop(pump, None)
                if delay is not None:
                    self._put(pump, now, delay)
        if self._due:
            self._timer = loop.call_at((self._turned + 1) * TICK, self._turn)
        else:
            self._slots.clear()
            self._timer = None
