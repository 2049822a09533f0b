"""Two results side by side: what changed, how sure that is, and whether it is a regression. Pure.

Differences of percentiles have no simple distribution, so their confidence comes from resampling (bootstrap): both samples
are drawn again with replacement a thousand times, from a fixed seed, and the middle 95 % of the differences is the interval.
A figure regressed when it got worse by more than the margin and the whole interval says worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.report.model import Figure, Result, Run, Share

RESAMPLES: Final = 1000
_SEED: Final = 20261120
FEWEST: Final = 5  # values on each side below which nothing is said about percentiles
SHOWN: Final = (50, 95)

# Figures for which more is not worse or better, or that only describe.
DESCRIPTIVE: Final = frozenset({"lead", "claimed_gap"})
# Numbers compared by themselves, with no sample behind them: less is better in all of them.
NUMBERS: Final = ("cpu_ms_per_call_second", "bytes_per_call", "lag_p99_median_ms")
# ... unless the samples are there too: then those are compared.
_SAMPLED: Final = {"cpu_ms_per_call_second": "cpu", "lag_p99_median_ms": "loop_lag"}
MORE_IS_BETTER: Final = ("calls_per_core", "times_the_better_other", "events_per_second")


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both results. `low` and `high` bound the difference (after minus before) with 95 % confidence."""

    suite: str
    engine: str
    figure: str
    before: float
    after: float
    low: float | None = None
    high: float | None = None
    is_regression: bool = False
    is_improvement: bool = False


def changes(before: Result, after: Result, margin: float) -> list[Change]:
    """Every figure that both results have. `margin` is a share: 0.1 forgives ten per cent."""
    found: list[Change] = []
    ones = {(run.suite, run.engine): run for run in before.runs}
    for run in after.runs:
        one = ones.get((run.suite, run.engine))
        if one is not None:
            found += _of_runs(one, run, margin)
    return found


def _of_runs(before: Run, after: Run, margin: float) -> Iterator[Change]:
    for name in sorted(before.figures.keys() & after.figures.keys() - DESCRIPTIVE):
        if name.startswith("stage: "):
            continue
        for percentile in SHOWN:
            change = _percentile(before, name, before.figures[name], after.figures[name], percentile, margin)
            if change is not None:
                yield change
    for name in sorted(before.shares.keys() & after.shares.keys()):
        change = _share(before, name, before.shares[name], after.shares[name], margin)
        if change is not None:
            yield change
    for name in sorted(before.numbers.keys() & after.numbers.keys()):
        has_interval = _SAMPLED.get(name, name) in before.figures.keys() & after.figures.keys()
        if (name in NUMBERS or name in MORE_IS_BETTER) and not has_interval:
            yield _number(before, name, before.numbers[name], after.numbers[name], margin)


def _percentile(run: Run, name: str, before: Figure, after: Figure, percentile: int, margin: float) -> Change | None:
    if before.n < FEWEST or after.n < FEWEST:
        return None
    rng = np.random.default_rng(_SEED)
    ones, others = np.array(before.values), np.array(after.values)
    differences = _resampled(rng, others, percentile) - _resampled(rng, ones, percentile)
    low, high = (float(each) for each in np.percentile(differences, (2.5, 97.5)))
    was, now = float(np.percentile(ones, percentile)), float(np.percentile(others, percentile))
    worse, better = (low > 0, high < 0) if before.is_less_better else (high < 0, low > 0)
    is_far = abs(now - was) > margin * abs(was)
    return Change(run.suite, run.engine, f"{name} p{percentile}", was, now, low, high, worse and is_far, better and is_far)


def _resampled(rng: np.random.Generator, values: NDArray[np.float64], percentile: int) -> NDArray[np.float64]:
    drawn = rng.choice(values, size=(RESAMPLES, len(values)))
    return np.asarray(np.percentile(drawn, percentile, axis=1), dtype=np.float64)


def _share(run: Run, name: str, before: Share, after: Share, margin: float) -> Change | None:
    if not before.of or not after.of:
        return None
    rng = np.random.default_rng(_SEED)
    was, now = before.hits / before.of, after.hits / after.of
    # Half an occasion each way keeps a share of nothing or of everything from being certain.
    ones = rng.beta(before.hits + 0.5, before.of - before.hits + 0.5, RESAMPLES)
    others = rng.beta(after.hits + 0.5, after.of - after.hits + 0.5, RESAMPLES)
    low, high = (float(each) for each in np.percentile(others - ones, (2.5, 97.5)))
    worse, better = (low > 0, high < 0) if before.is_less_better else (high < 0, low > 0)
    is_far = abs(now - was) > margin * max(was, 0.01)
    return Change(run.suite, run.engine, name, was, now, low, high, worse and is_far, better and is_far)


def _number(run: Run, name: str, was: float, now: float, margin: float) -> Change:
    rise = now - was if name not in MORE_IS_BETTER else was - now
    is_far = abs(rise) > margin * abs(was)
    return Change(run.suite, run.engine, name, was, now, None, None, rise > 0 and is_far, rise < 0 and is_far)
