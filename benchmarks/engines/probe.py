"""What an engine under test tells about itself: loop lag, CPU, memory; and the faults the harness injects. Standard library.

Started by every launcher on the loop that carries the media, whatever the engine: the same probe for all.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Final

TICK: Final = 0.02  # seconds between two looks at the loop
EVERY: Final = 1.0  # seconds between two lines of the file
_SMALL_OBJECT: Final = 80  # bytes, on the average of a process that carries calls
_PUT_AWAY: Final = 3  # lines without a call after which everything has been put away


class Probe:
    """Writes a JSON line a second: when, loop lag, CPU used, memory, what `count` says are live calls."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._lags: list[float] = []
        self._due = 0.0
        self._told = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._idle = _PUT_AWAY  # lines since the last call ended
        self.calls = 0

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = self._told = loop.time()
        self._timer = loop.call_later(TICK, self._look)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._file.close()

    def note(self, what: dict[str, object]) -> None:
        """Something of one call, written at once."""
        self._file.write(json.dumps(what) + "\n")

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._lags.append(max(0.0, now - self._due - TICK))
        self._due = now
        if now - self._told >= EVERY:
            self._tell()
            self._told = now
        self._timer = loop.call_later(TICK, self._look)

    def _put_away(self) -> None:
        """When the last call has ended, give back what is only kept for later: else memory tells of the allocator."""
        self._idle = 0 if self.calls else self._idle + 1
        if 0 < self._idle <= _PUT_AWAY:
            gc.collect()
            _trim()

    def _tell(self) -> None:
        self._put_away()
        lags, self._lags = sorted(self._lags), []
        usage = resource.getrusage(resource.RUSAGE_SELF)
        line = {
            "at": time.time(),
            "cpu": usage.ru_utime + usage.ru_stime,
            "rss": _resident(),
            "in_use": _in_use(),
            "calls": self.calls,
            "tasks": len(asyncio.all_tasks()),
            "files": len(os.listdir("/proc/self/fd")),
            "lag_p50": lags[len(lags) // 2],
            "lag_p99": lags[min(len(lags) - 1, int(len(lags) * 0.99))],
            "lag_max": lags[-1],
        }
        self._file.write(json.dumps(line) + "\n")


def stall_every(seconds: float, for_seconds: float) -> None:
    """Hold the running loop up for so long, again and again: a garbage collection, a slow disk, a greedy neighbour."""
    loop = asyncio.get_running_loop()

    def stall() -> None:
        time.sleep(for_seconds)
        loop.call_later(seconds, stall)

    loop.call_later(seconds, stall)


def pin(core: int) -> None:
    """Stay on one core (-1: anywhere)."""
    if core >= 0:
        os.sched_setaffinity(0, {core})


def _trim() -> None:
    """Have the C library return free memory to the system, where it is glibc (others keep none for long)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class _MallocInfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


_MALLINFO: Final = getattr(ctypes.CDLL(None), "mallinfo2", None)  # glibc from 2.33 on
if _MALLINFO is not None:
    _MALLINFO.restype = _MallocInfo


def _in_use() -> int:
    """Bytes that somebody holds: what the C library has given out, and Python's small objects at their usual size.
    Resident memory, where the C library cannot be asked."""
    if _MALLINFO is None:
        return _resident()
    info = _MALLINFO()
    return int(info.uordblks + info.hblkhd + sys.getallocatedblocks() * _SMALL_OBJECT)


def _resident() -> int:
    """Bytes of memory of this process that are in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
