"""Turns the pool of detectors in a thread of its own, some sixty times a second while there is anything to judge.

No inference on the media loop: a window is put into the pool by the loop and judged by the thread, and what was found for
all calls comes back to the loop in one go. Windows wait up to `GATHER` for company; their place in media time (`position`)
is what it would have been at once.
"""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue
from typing import Final

import structlog

from voice.detectors.call import CallDetectors, Found
from voice.detectors.pool import DetectorPool
from voice.events import SAMPLE_RATE

GATHER: Final = 0.016  # seconds: half of what lies between two windows of a call
# A process that is overrun would carry its windows further and further behind the voices they are of. What is older than
# this is passed over: whoever is late had better hear the present.
MOST_BEHIND: Final = SAMPLE_RATE  # samples

log = structlog.get_logger()


class Pulse:
    """The thread, for the event loop that makes it. Windows must be fed on that loop."""

    def __init__(self, pool: DetectorPool, gather: float = GATHER) -> None:
        self._pool = pool
        self._gather = gather
        self._loop = asyncio.get_running_loop()
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._is_ordered = False
        pool.on_waiting = self._order
        pool.most_behind = MOST_BEHIND
        threading.Thread(target=self._work, name="detectors", daemon=True).start()

    def enter(self) -> CallDetectors:
        """The detectors of one more call."""
        return self._pool.enter()

    def close(self) -> None:
        """Let the thread end. What waits is not judged any more."""
        self._pool.on_waiting = None
        self._orders.put(False)

    def _order(self) -> None:
        if not self._is_ordered:
            self._is_ordered = True
            self._loop.call_later(self._gather, self._release)

    def _release(self) -> None:
        self._is_ordered = False
        self._orders.put(True)

    def _work(self) -> None:
        while self._orders.get():
            try:
                found = self._pool.turn()
                self._loop.call_soon_threadsafe(_tell, found)
            except Exception:
                if self._loop.is_closed():  # the process is going down, and nobody listens
                    return
                log.exception("detectors_failed")


def _tell(found: list[tuple[CallDetectors, Found]]) -> None:
    for call, evidence in found:
        call.tell(evidence)
