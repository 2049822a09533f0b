"""What a vendor that stalls, or is slow now and then, costs the caller."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.providers.turns import Run, Size, Vendors, quantile, scenario
from benchmarks.vendors.faults import Fault, Kind


async def stalled(size: Size, seed: int, stage: str) -> Run:
    """A vendor takes requests and never answers."""

    def stall(vendors: Vendors) -> None:
        vendor = {"ears": vendors.ears[0], "mind": vendors.minds[0], "mouth": vendors.mouths[0]}[stage]
        vendor.faults.inject(Fault(Kind.STALL, path={"ears": "live", "mind": "/v1/messages", "mouth": "context"}[stage]))

    return await scenario(size, seed, stall)


def cost(run: Run, healthy: Run) -> dict[str, object]:
    """What a stall costs the caller, at the 95th percentile of all turns."""
    return {
        "gap_p50_s": quantile(run.gaps, 0.5),
        "gap_p95_s": quantile(run.gaps, 0.95),
        "gap_worst_s": max(run.gaps),
        "cost_p95_s": round(quantile(run.gaps, 0.95) - quantile(healthy.gaps, 0.95), 3),
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
    base, hedged = quantile(calm.gaps, 0.99), quantile(late.gaps, 0.99)
    return {
        "turns": len(late.turns),
        "p99_without_delays_s": base,
        "p99_hedged_s": hedged,
        "p99_not_hedged_s": quantile(bare.gaps, 0.99),
        "ratio": round(hedged / base, 3),
        "more_requests": round(late.requests / len(late.turns) - 1, 3),
    }
