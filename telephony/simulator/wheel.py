"""The clock of all lines: one timer turns, every line goes on by 20 ms, and nobody drifts.

Lines are spread over the 20 ms in slots, so that a hundred calls do not all send in the same millisecond. A late turn is
caught up with at once and never accumulates: due times are counted from the start, not from the last turn.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

log = structlog.get_logger()

TICK: Final = 0.020  # seconds
SLOTS: Final = 4
LONGEST_CATCH_UP: Final = 2.0  # seconds; a process that slept longer (a laptop lid) starts afresh instead


class Turning(Protocol):
    def tick(self, late_ms: float) -> None: ...


@dataclass(slots=True)
class WheelCounters:
    turns: int = 0
    late_turns: int = 0  # more than half a tick late
    latest_ms: float = 0.0
    restarts: int = 0


class Wheel:
    """Turns while anybody is on it. `join` and `leave` may be called from within a tick."""

    def __init__(self) -> None:
        self.counters = WheelCounters()
        self._slots: list[dict[Turning, None]] = [{} for _ in range(SLOTS)]
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._turn = 0  # turns done since `_began`; turn n belongs to slot n mod SLOTS

    def join(self, line: Turning) -> None:
        min(self._slots, key=len)[line] = None
        if self._timer is None:
            self._restart()

    def leave(self, line: Turning) -> None:
        for slot in self._slots:
            slot.pop(line, None)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._slots = [{} for _ in range(SLOTS)]

    def _restart(self) -> None:
        loop = asyncio.get_running_loop()
        self._began, self._turn = loop.time(), 0
        self._timer = loop.call_at(self._due(), self._run)

    def _due(self) -> float:
        return self._began + (self._turn + 1) * (TICK / SLOTS)

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self._due() > LONGEST_CATCH_UP:
            self.counters.restarts += 1
            self._restart()
            return
        while (late := loop.time() - self._due()) >= 0:
            self._turn_once(late * 1000)
        if any(self._slots):
            self._timer = loop.call_at(self._due(), self._run)
        else:
            self._timer = None

    def _turn_once(self, late_ms: float) -> None:
        slot = self._slots[self._turn % SLOTS]
        self._turn += 1
        self.counters.turns += 1
        self.counters.latest_ms = max(self.counters.latest_ms, late_ms)
        self.counters.late_turns += late_ms > TICK * 500
        for line in tuple(slot):
            line.tick(late_ms)
