"""Turns the pool of detectors some sixty times a second while there is anything to judge, the model in a thread of its own.

No inference on the media loop: the loop gathers windows and asks, the thread thinks, the loop takes the answer and tells all
calls in one go. Nothing else is done in the thread. Each time it needs Python's lock it has to be let in by a loop that
hardly ever rests: a turn with sixty calls into numpy was late by seconds where one with a single call is not
(docs/performance.md). Windows wait for company, in a crowd up to `GATHER`; their place in media time (`position`) is what it
would have been at once.
"""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue
from typing import Final

import structlog

from voice.detectors.call import CallDetectors
from voice.detectors.pool import Batch, DetectorPool
from voice.events import SAMPLE_RATE

GATHER: Final = 0.016  # seconds: half of what lies between two windows of a call
# Whoever waits is late by that, and in the end the answer is. A turn of the pool costs half a millisecond to one and a half
# whatever is in it: up to 40 calls there is time for twice as many of them, and from 80 on for none more.
SOON: Final = 0.008  # seconds that a window waits at least ...
A_CALL: Final = 0.000_2  # ... and that a crowd has it wait, for each call
# A process that is overrun would carry its windows further and further behind the voices they are of. What is older than
# this is passed over: whoever is late had better hear the present.
MOST_BEHIND: Final = SAMPLE_RATE  # samples

log = structlog.get_logger()


class Pulse:
    """The thread, for the event loop that makes it. Windows must be fed on that loop; they wait at most `gather` seconds."""

    def __init__(self, pool: DetectorPool, gather: float = GATHER) -> None:
        self._pool = pool
        self._gather = gather
        self._loop = asyncio.get_running_loop()
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._is_ordered = False
        self._is_thinking = False
        self._asked_at = 0.0
        self._is_due = False  # a turn, as soon as the thread is done with the one before
        pool.on_waiting = self._order
        pool.most_behind = MOST_BEHIND
        threading.Thread(target=self._work, name="detectors", daemon=True).start()

    def enter(self) -> CallDetectors:
        """The detectors of one more call."""
        return self._pool.enter()

    @property
    def patience(self) -> float:
        """Seconds that a window waits for company, with so many calls."""
        return min(self._gather, max(SOON, A_CALL * self._pool.calls))

    def lag(self) -> float:
        """Seconds for which the model has been thinking about what it was asked last; 0 when it is done."""
        return self._loop.time() - self._asked_at if self._is_thinking else 0.0

    def close(self) -> None:
        """Let the thread end. What waits is not judged any more."""
        self._pool.on_waiting = None
        self._batches.put(None)

    # --- on the loop --------------------------------------------------------------------------------------------------

    def _order(self) -> None:
        if not self._is_ordered:
            self._is_ordered = True
            self._loop.call_later(self.patience, self._turn)

    def _turn(self) -> None:
        self._is_ordered = False
        if self._is_thinking:
            self._is_due = True
            return
        self._is_due = False
        batch = self._pool.next()
        if batch is not None:
            self._is_thinking, self._asked_at = True, self._loop.time()
            self._batches.put(batch)

    def _thought(self, batch: Batch) -> None:
        self._is_thinking = False
        try:
            found = self._pool.finish(batch)
        except Exception:
            log.exception("detectors_failed")
            found = []
        if self._is_due:
            self._turn()  # the thread has work while the calls are told
        elif self._pool.is_waiting:
            self._order()  # more than are judged at once
        for call, evidence in found:
            call.tell(evidence)

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                batch.question.think()
            except Exception:
                log.exception("detectors_failed")
                then = self._given_up
            else:
                then = self._thought
            try:
                self._loop.call_soon_threadsafe(then, batch)
            except RuntimeError:  # the loop is closed: the process is going down, and nobody listens
                return

    def _given_up(self, batch: Batch) -> None:
        """Its windows are lost, and nothing else."""
        self._is_thinking = False
        self._order()
