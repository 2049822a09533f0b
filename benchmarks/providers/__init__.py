"""What the adapters add, what a failing vendor costs the caller, and what a barge-in wastes: measured against the stand-ins.

Everything goes over real sockets on this machine, with the published delays, through the adapters and the fallbacks exactly
as a call uses them. `providers()` returns the figures; it prints and asserts nothing. Their targets stand beside all others,
in `benchmarks/report/targets.py`.
"""

from __future__ import annotations

from benchmarks.providers.barge_in import barge_in
from benchmarks.providers.connections import connections
from benchmarks.providers.failing import hedging, stalled
from benchmarks.providers.overhead import overhead
from benchmarks.providers.turns import SHORT, Size, quantile, scenario
from benchmarks.vendors.presets import PUBLISHED


async def providers(size: Size | None = None, seed: int = 1) -> dict[str, object]:
    """All figures, in seconds, milliseconds or counts as their names say."""
    size = size or Size()
    added = await overhead(2 * size.calls, seed)
    healthy = await scenario(size, seed)
    gaps = [turn.gap for turn in healthy.turns]
    return {
        "preset": PUBLISHED.name,
        "calls": size.calls,
        "turns": size.calls * size.turns,
        "healthy_gap_p50_s": quantile(gaps, 0.5),
        "healthy_gap_p95_s": quantile(gaps, 0.95),
        "adapter": added,
        "connections": await connections(seed),
        "stalled": {stage: await stalled(size, seed, stage, gaps) for stage in ("ears", "mind", "mouth")},
        "hedging": await hedging(size, seed),
        "barge_in": await barge_in(seed),
    }


__all__ = ["SHORT", "Size", "providers"]
