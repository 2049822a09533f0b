from __future__ import annotations

import pytest

from voice.providers.resilience.latency import (
    DeadlinePolicy,
    Expected,
    RecentLatency,
    connect_within,
    final_within,
    give_up_after,
    hedge_after,
    stall_within,
)

POLICY = DeadlinePolicy()


def of(*samples: float) -> RecentLatency:
    latency = RecentLatency(Expected(0.5, 1.1))
    for sample in samples:
        latency.add(sample)
    return latency


def test_until_it_has_a_past_the_published_figures_count() -> None:
    latency = of(*[0.1] * 9)
    assert (latency.p50, latency.p95) == (0.5, 1.1)
    latency.add(0.1)
    assert (latency.p50, latency.p95) == (0.1, pytest.approx(0.22))


def test_a_tail_is_believed_once_there_are_answers_enough_to_have_one() -> None:
    few = [0.5] * 18 + [1.9]
    assert of(*few).p95 == pytest.approx(1.1)
    assert of(*few, *[0.5] * 21).p95 == 0.5


def test_stalls_do_not_teach_it_to_wait_for_stalls() -> None:
    latency = of(*[0.5] * 90, *[2.5] * 10)
    assert latency.p95 == 0.5


def test_a_provider_that_has_become_slower_is_waited_for_longer() -> None:
    assert of(*[0.5] * 100, *[0.9] * 100).p95 == 0.9


def test_deadlines_follow_the_p95_within_bounds() -> None:
    assert hedge_after(of(), POLICY) == pytest.approx(1.1 * 1.08)
    assert hedge_after(of(*[0.01] * 20), POLICY) == 0.15
    assert give_up_after(of(*[0.01] * 20), POLICY) == 1.0
    assert give_up_after(of(*[9.0] * 20), POLICY) == 6.0
    assert connect_within(of(*[0.4] * 40), POLICY) == pytest.approx(1.2)
    assert connect_within(of(*[0.4] * 20), POLICY, is_pressed=False) == 15.0
    assert final_within(of(*[0.4] * 40), POLICY) == pytest.approx(1.6)
    assert final_within(of(*[0.01] * 20), POLICY) == 1.2
    assert stall_within(of(*[0.1] * 40), POLICY) == pytest.approx(0.8)
    assert stall_within(of(*[0.9] * 20), POLICY) == 2.0
