"""Silero for all calls of a process at once: one thread gathers the windows of some milliseconds and judges them together.

A window judged in company costs a third of one judged alone, and none of it is spent on the event loop. A call's evidence
comes back with its next frame: up to 30 ms late, exactly as placed in media time (`position`) as if it had come at once.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from telephony.audio import decode
from voice.events import Samples, VoiceEvidence
from voice.providers.silero import (
    _CONTEXT,
    _FORGET_AFTER,
    _NO_SPEECH,
    _QUIET,
    _QUIETEST,
    WINDOW,
    SileroBatch,
    shared_batch,
)

Floats = NDArray[np.float32]

GATHER: Final = 0.008  # seconds a batch waits for company: windows come every 32 ms a call
_RESTS: Final = 50  # looks without a window after which there are no calls
LARGEST: Final = 256  # windows a batch
_FIRST_SLOTS: Final = 64
_TABLE: Final[Floats] = decode(bytes(range(256))).astype(np.float32) / np.float32(32768)


class SharedActivity:
    """One call's detector (`ports.VoiceActivity`): hands windows to the shared thread, hands out what has come back."""

    def __init__(self, shared: SharedSilero | None = None) -> None:
        self._shared = shared or shared_silero()
        self.slot = self._shared.enter(self)
        self._pending = b""
        self._ready: deque[VoiceEvidence] = deque()
        self.position = 0  # end of the last window judged

    def feed(self, audio: bytes) -> list[VoiceEvidence]:
        """Take caller audio (mu-law, any length, in order); return the evidence that is there by now, in order."""
        pending = self._pending + audio
        while len(pending) >= WINDOW:
            self._shared.put(self, pending[:WINDOW])
            pending = pending[WINDOW:]
        self._pending = pending
        ready = self._ready
        return [ready.popleft() for _ in range(len(ready))]

    def played(self, audio: bytes) -> None:
        """The model alone does not know an echo."""

    def cleared(self) -> None:
        """Nothing was remembered of what was played."""

    def take(self, speech: float, level: float) -> None:
        """The thread's answer to this call's next window."""
        self.position += WINDOW
        self._ready.append(VoiceEvidence(Samples(self.position), speech, level))


class SharedSilero:
    """The thread, and what the model must remember of every call, a row each."""

    def __init__(self, batch: SileroBatch | None = None, gather: float = GATHER, *, starts: bool = True) -> None:
        self._session = (batch or shared_batch())._session
        self._gather = gather
        self._rate = np.array(8000, np.int64)
        self._lock = threading.Lock()
        self._free = list(range(_FIRST_SLOTS))
        self._state: Floats = np.zeros((2, _FIRST_SLOTS, 128), np.float32)
        self._context: Floats = np.zeros((_FIRST_SLOTS, _CONTEXT), np.float32)
        self._quiet = np.zeros(_FIRST_SLOTS, np.int32)  # windows since the last speech
        self._waiting: deque[tuple[SharedActivity, bytes]] = deque()
        self._wake = threading.Event()
        self._is_idle = False
        if starts:  # a test turns it by hand
            threading.Thread(target=self._work, name="silero", daemon=True).start()

    def enter(self, activity: SharedActivity) -> int:
        """A row for one more call, given back when the call is forgotten."""
        with self._lock:
            if not self._free:
                self._free.extend(self._more_rows())
            slot = self._free.pop()
            self._state[:, slot] = 0
            self._context[slot] = 0
            self._quiet[slot] = 0
        weakref.finalize(activity, self._free.append, slot)
        return slot

    def put(self, activity: SharedActivity, window: bytes) -> None:
        """A window to be judged. Never blocks."""
        self._waiting.append((activity, window))
        if self._is_idle:  # while there are calls the thread looks by itself: waking it for each window costs the loop more
            self._wake.set()

    def _more_rows(self) -> range:
        rows = len(self._quiet)
        self._state = np.concatenate([self._state, np.zeros_like(self._state)], axis=1)
        self._context = np.concatenate([self._context, np.zeros_like(self._context)])
        self._quiet = np.concatenate([self._quiet, np.zeros_like(self._quiet)])
        return range(rows, 2 * rows)

    def _work(self) -> None:
        rests = 0
        while True:
            time.sleep(self._gather)
            rests = 0 if self._waiting else rests + 1
            self.turn()
            if rests > _RESTS:
                self._sleep()

    def _sleep(self) -> None:
        """Until there is a window again. It is said before it is looked: a window that comes between the two wakes us."""
        self._wake.clear()
        self._is_idle = True
        if not self._waiting:
            self._wake.wait()
        self._is_idle = False

    def turn(self) -> None:
        """Judge everything that waits."""
        while self._waiting:
            self._judge(self._next_batch())

    def _next_batch(self) -> list[tuple[SharedActivity, bytes]]:
        """At most one window of each call: the next one needs the state that this one leaves."""
        batch: list[tuple[SharedActivity, bytes]] = []
        again: list[tuple[SharedActivity, bytes]] = []
        seen: set[int] = set()
        while self._waiting and len(batch) < LARGEST:
            item = self._waiting.popleft()
            slot = item[0].slot
            (again if slot in seen else batch).append(item)
            seen.add(slot)
        self._waiting.extendleft(reversed(again))
        return batch

    def _judge(self, batch: list[tuple[SharedActivity, bytes]]) -> None:
        """One run of the model over windows of different calls."""
        rows = np.array([activity.slot for activity, _ in batch], np.intp)
        samples = _TABLE[np.frombuffer(b"".join([window for _, window in batch]), np.uint8)].reshape(-1, WINDOW)
        with self._lock:
            heard = np.concatenate([self._context[rows], samples], axis=1)
            state = self._state[:, rows]
        speech, after = self._session.run(None, {"input": heard, "state": state, "sr": self._rate})
        speech = speech[:, 0]
        power = np.einsum("ij,ij->i", samples, samples, dtype=np.float64) / WINDOW
        levels = np.maximum(_QUIETEST, 10 * np.log10(np.maximum(power, 1e-12)))
        with self._lock:
            quiet = np.where((speech < _NO_SPEECH) & (levels < _QUIET), self._quiet[rows] + 1, 0)
            forgotten = quiet >= _FORGET_AFTER
            after[:, forgotten] = 0
            self._state[:, rows] = after
            self._context[rows] = np.where(forgotten[:, None], 0, samples[:, -_CONTEXT:])
            self._quiet[rows] = np.where(forgotten, 0, quiet)
        for (activity, _), probability, level in zip(batch, speech.tolist(), levels.tolist(), strict=True):
            activity.take(probability, level)


@cache
def shared_silero() -> SharedSilero:
    """The one thread of this process."""
    return SharedSilero()
