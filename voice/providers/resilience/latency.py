"""How long a provider takes, from its own recent past, and the deadlines that follow from it. Pure; seconds throughout."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

_WINDOW: Final = 100  # samples: about what 20 calls do in a minute
_ENOUGH: Final = 10  # samples before the past is believed over the published figure
_ENOUGH_FOR_TAIL: Final = 40  # samples before its own tail is: the p95 of twenty is the slowest of them
_FAR_OUT: Final = 4.0  # times the median: a stall, not a slow answer; it must not teach us to wait for stalls


@dataclass(frozen=True, slots=True)
class Expected:
    """What is published about a provider, until it has a past of its own."""

    p50: float
    p95: float


class RecentLatency:
    """The last hundred delays of one kind."""

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        self._samples: deque[float] = deque(maxlen=_WINDOW)

    def add(self, seconds: float) -> None:
        self._samples.append(seconds)

    @property
    def p50(self) -> float:
        return self._quantile(0.5)

    @property
    def p95(self) -> float:
        """The 95th percentile of the delays that were answers at all; of few of them, the median and the published spread
        say more than the slowest."""
        if _ENOUGH <= len(self._samples) < _ENOUGH_FOR_TAIL:
            return self.p50 * self.expected.p95 / self.expected.p50
        return self._quantile(0.95)

    def _quantile(self, share: float) -> float:
        if len(self._samples) < _ENOUGH:
            return self.expected.p50 if share == 0.5 else self.expected.p95
        ordered = sorted(self._samples)
        limit = ordered[len(ordered) // 2] * _FAR_OUT
        answers = [sample for sample in ordered if sample <= limit]
        return answers[min(int(share * len(answers)), len(answers) - 1)]


@dataclass(frozen=True, slots=True)
class DeadlinePolicy:
    """How p95s become deadlines. Each is `times` the p95, within bounds."""

    hedge_times: float = 1.08
    hedge_bounds: tuple[float, float] = (0.15, 2.0)
    give_up_times: float = 4.0
    give_up_bounds: tuple[float, float] = (1.0, 6.0)
    connect_times: float = 3.0
    connect_bounds: tuple[float, float] = (1.0, 4.0)
    connect_patience: float = 15.0  # while it rings, or with nobody else to connect to
    stall_times: float = 8.0  # of the longest pause within an answer
    stall_bounds: tuple[float, float] = (0.5, 2.0)
    final_times: float = 4.0  # for the final that the ears were asked for
    final_bounds: tuple[float, float] = (1.2, 3.0)  # other ears must hear it all again: that is not done in haste


def bounded(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])


def hedge_after(latency: RecentLatency, policy: DeadlinePolicy) -> float:
    """When a second provider is asked: a little after the first one's p95."""
    return bounded(latency.p95 * policy.hedge_times, policy.hedge_bounds)


def give_up_after(latency: RecentLatency, policy: DeadlinePolicy) -> float:
    """When the first one is not waited for any longer."""
    return bounded(latency.p95 * policy.give_up_times, policy.give_up_bounds)


def stall_within(pauses: RecentLatency, policy: DeadlinePolicy) -> float:
    """How long an answer that has begun may pause; `pauses` are the longest ones of earlier answers."""
    return bounded(pauses.p95 * policy.stall_times, policy.stall_bounds)


def final_within(latency: RecentLatency, policy: DeadlinePolicy) -> float:
    """How long the ears may take for the final they were asked for; `latency` is how long they took before."""
    return bounded(latency.p95 * policy.final_times, policy.final_bounds)


def connect_within(latency: RecentLatency, policy: DeadlinePolicy, *, is_pressed: bool = True) -> float:
    """How long a connection may take. Not pressed: while it rings, or when there is nobody else to connect to."""
    if not is_pressed:
        return policy.connect_patience
    return bounded(latency.p95 * policy.connect_times, policy.connect_bounds)
