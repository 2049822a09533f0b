"""What the adapters add, what a failing vendor costs the caller, and what a barge-in wastes: measured against the stand-ins.

Everything goes over real sockets on this machine, with the published delays, through the adapters and the fallbacks exactly
as a call uses them. `providers()` returns the figures; it prints and asserts nothing. Their targets stand beside all others,
in `benchmarks/report/targets.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from benchmarks.providers.barge_in import barge_in
from benchmarks.providers.connections import connections
from benchmarks.providers.failing import cost, hedging, stalled
from benchmarks.providers.overhead import overhead
from benchmarks.providers.turns import SHORT, Size, quantile, scenario
from benchmarks.vendors.presets import PUBLISHED
from voice.collector import settle

T = TypeVar("T")

STAGES: Final = ("ears", "mind", "mouth")


async def providers(size: Size | None = None, seed: int = 1) -> dict[str, object]:
    """All figures, in seconds, milliseconds or counts as their names say."""
    size = size or Size()
    added = await overhead(size.exchanges, seed, size.preset)  # by itself: it is about milliseconds
    settle()  # as a server does before its first call
    room = asyncio.Semaphore(size.at_once)
    hedged, (healthy, *troubled), opened, wasted = await asyncio.gather(
        _in(room, hedging(size, seed)),  # the longest of them: three runs, one after the other
        asyncio.gather(
            *(_in(room, run) for run in (scenario(size, seed), *(stalled(size, seed, stage) for stage in STAGES)))
        ),
        _in(room, connections(seed)),
        _in(room, barge_in(seed)),
    )
    gaps = healthy.gaps
    return {
        "preset": PUBLISHED.name,
        "calls": size.calls,
        "turns": size.calls * size.turns,
        "healthy_gap_p50_s": quantile(gaps, 0.5),
        "healthy_gap_p95_s": quantile(gaps, 0.95),
        "adapter": added,
        "connections": opened,
        "stalled": {stage: cost(run, healthy) for stage, run in zip(STAGES, troubled, strict=True)},
        "hedging": hedged,
        "barge_in": wasted,
    }


async def _in(room: asyncio.Semaphore, part: Awaitable[T]) -> T:
    """One part of it, when there is room."""
    async with room:
        return await part


__all__ = ["SHORT", "Size", "providers"]
