"""Sends our audio a little ahead of real time: far enough that a stalled loop is never heard, near enough to be taken back.

Pure: `due(now)` returns what to put on the wire. It models the carrier's buffer as running dry at `dry_at`; audio goes out
whenever less than `lead` seconds are ahead of the ear.
"""

from __future__ import annotations

import math
from collections import deque
from functools import cache
from typing import Final

from telephony.audio import scale
from voice.events import SAMPLE_RATE

LEAD: Final = 0.3  # seconds; covers loop stalls of 100 ms three times over
CHUNK: Final = 800  # bytes (100 ms): few messages, yet fine enough to duck and to drop


class Pacer:
    """One call's outgoing audio, waiting for its time."""

    def __init__(self, lead: float = LEAD) -> None:
        self.lead = lead
        self.underruns = 0  # times the carrier's buffer ran dry in the middle of queued audio
        self._queue: deque[bytes | str] = deque()
        self._dry_at = 0.0
        self._table: bytes | None = None
        self._is_flowing = False

    def put(self, audio: bytes, marks: tuple[tuple[int, str], ...]) -> None:
        """Queue audio (mu-law 8 kHz), cut where its marks belong."""
        done = 0
        for offset, name in marks:
            if offset > done:
                self._queue.append(audio[done:offset])
                done = offset
            self._queue.append(name)
        if done < len(audio):
            self._queue.append(audio[done:])

    def clear(self) -> None:
        """Drop what waits; what the carrier holds is dropped by its own `clear`."""
        self._queue.clear()
        self._dry_at = 0.0
        self._is_flowing = False

    def set_gain(self, gain: float) -> None:
        """Play what has not been sent yet at this gain."""
        self._table = None if gain == 1.0 else _gain_table(gain)

    def due(self, now: float) -> list[bytes | str]:
        """What must go out now, in order: audio (bytes) and mark names (str)."""
        out: list[bytes | str] = []
        while self._queue:
            item = self._queue[0]
            if isinstance(item, str):
                self._queue.popleft()
                out.append(item)
                continue
            if self._dry_at - now >= self.lead - 1e-6:  # a microsecond of float dust is not another chunk
                break
            if self._dry_at < now:
                self.underruns += self._is_flowing
                self._dry_at = now
            chunk, rest = item[:CHUNK], item[CHUNK:]
            self._queue.popleft()
            if rest:
                self._queue.appendleft(rest)
            out.append(chunk.translate(self._table) if self._table else chunk)
            self._dry_at += len(chunk) / SAMPLE_RATE
            self._is_flowing = True
        if not self._queue:
            self._is_flowing = False
        return out

    @property
    def next_due(self) -> float | None:
        """When `due` will have something again; None if nothing waits."""
        return self._dry_at - self.lead if self._queue else None


@cache
def _gain_table(gain: float) -> bytes:
    """mu-law in, mu-law out: a translation table makes ducking one pass over the bytes."""
    return scale(bytes(range(256)), 20 * math.log10(gain))
