"""What a vendor that stalls, or is slow now and then, costs the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.providers.turns import Size, Vendors, quantile, scenario
from benchmarks.vendors.faults import Fault, Kind


async def stalled(size: Size, seed: int, stage: str, healthy: Sequence[float]) -> dict[str, object]:
    """What a vendor that takes requests and never answers costs the caller, at the 95th percentile of all turns."""

    def stall(vendors: Vendors) -> None:
        vendor = {"ears": vendors.ears[0], "mind": vendors.minds[0], "mouth": vendors.mouths[0]}[stage]
        vendor.faults.inject(Fault(Kind.STALL, path={"ears": "live", "mind": "/v1/messages", "mouth": "context"}[stage]))

    run = await scenario(size, seed, stall)
    gaps = [turn.gap for turn in run.turns]
    return {
        "gap_p50_s": quantile(gaps, 0.5),
        "gap_p95_s": quantile(gaps, 0.95),
        "gap_worst_s": max(gaps),
        "cost_p95_s": round(quantile(gaps, 0.95) - quantile(healthy, 0.95), 3),
        "turns_lost": run.lost,
    }


async def hedging(size: Size, seed: int) -> dict[str, object]:
    """With 5 % of first tokens two seconds late: the p99 of the gap against a run without delays, and the price of it."""
    size = replace(size, calls=size.calls * 2)
    calm = await scenario(size, seed)

    def delay(vendors: Vendors) -> None:
        vendors.minds[0].faults.inject(Fault(Kind.SLOW, chance=0.05, seconds=2.0, path="/v1/messages"))

    late = await scenario(size, seed, delay)
    bare = await scenario(size, seed, delay, hedged=False)
    base = quantile([turn.gap for turn in calm.turns], 0.99)
    hedged = quantile([turn.gap for turn in late.turns], 0.99)
    return {
        "turns": len(late.turns),
        "p99_without_delays_s": base,
        "p99_hedged_s": hedged,
        "p99_not_hedged_s": quantile([turn.gap for turn in bare.turns], 0.99),
        "ratio": round(hedged / base, 3),
        "more_requests": round(late.requests / len(late.turns) - 1, 3),
    }
