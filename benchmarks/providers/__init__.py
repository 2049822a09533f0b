"""What the adapters add, what a failing vendor costs the caller, and what a barge-in wastes: measured against the stand-ins.

Everything goes over real sockets on this machine, with the published delays, through the adapters and the fallbacks exactly
as a call uses them. `providers()` returns the figures; it prints and asserts nothing. Their targets stand beside all others,
in `benchmarks/report/targets.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Final

from benchmarks.providers.barge_in import barge_in
from benchmarks.providers.connections import connections
from benchmarks.providers.failing import hedging, stalled
from benchmarks.providers.overhead import overhead
from benchmarks.providers.turns import SHORT, Size, quantile, scenario
from benchmarks.vendors.presets import PUBLISHED

STAGES: Final = ("ears", "mind", "mouth")


async def providers(size: Size | None = None, seed: int = 1) -> dict[str, object]:
    """All figures, in seconds, milliseconds or counts as their names say."""
    size = size or Size()
    added = await overhead(size.exchanges, seed)
    healthy = await scenario(size, seed)
    gaps = [turn.gap for turn in healthy.turns]
    parts: dict[str, Awaitable[object]] = {
        "connections": connections(seed),
        **{stage: stalled(size, seed, stage, gaps) for stage in STAGES},
        "hedging": hedging(size, seed),
        "barge_in": barge_in(seed),
    }
    found = await _all(parts, together=size.together)
    return {
        "preset": PUBLISHED.name,
        "calls": size.calls,
        "turns": size.calls * size.turns,
        "healthy_gap_p50_s": quantile(gaps, 0.5),
        "healthy_gap_p95_s": quantile(gaps, 0.95),
        "adapter": added,
        "connections": found["connections"],
        "stalled": {stage: found[stage] for stage in STAGES},
        "hedging": found["hedging"],
        "barge_in": found["barge_in"],
    }


async def _all(parts: Mapping[str, Awaitable[object]], *, together: bool) -> dict[str, object]:
    if together:
        return dict(zip(parts, await asyncio.gather(*parts.values()), strict=True))
    return {name: await part for name, part in parts.items()}


__all__ = ["SHORT", "Size", "providers"]
