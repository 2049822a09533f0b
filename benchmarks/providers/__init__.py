"""What the adapters add, what a failing vendor costs the caller, and what a barge-in wastes: measured against the stand-ins.

Everything goes over real sockets on this machine, with the published delays, through the adapters and the fallbacks exactly
as a call uses them. `providers()` returns the figures; it prints and asserts nothing. Their targets stand beside all others,
in `benchmarks/report/targets.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
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
    added = await overhead(size.exchanges, seed)  # by itself: it is about milliseconds
    settle()  # as a server does before its first call
    healthy, *troubled = await _run([scenario(size, seed), *(stalled(size, seed, stage) for stage in STAGES)], size.at_once)
    gaps = healthy.gaps
    rest: list[Awaitable[dict[str, object]]] = [hedging(size, seed), connections(seed), barge_in(seed)]
    hedged, opened, wasted = await _run(rest, size.at_once)
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


async def _run(parts: Sequence[Awaitable[T]], at_once: int) -> list[T]:
    """All of them, so many at the same time, each begun when there is room for it."""
    room = asyncio.Semaphore(at_once)

    async def one(part: Awaitable[T]) -> T:
        async with room:
            return await part

    return await asyncio.gather(*map(one, parts))


__all__ = ["SHORT", "Size", "providers"]
