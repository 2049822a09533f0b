"""When a process has enough calls."""

from __future__ import annotations

from api.crowding import Lateness


def after(lateness: Lateness, lag: float, looks: int) -> bool:
    for _ in range(looks):
        lateness.saw(lag)
    return lateness.is_too_late


def test_a_loop_that_stays_late_is_full_until_it_has_kept_up_for_a_while() -> None:
    lateness = Lateness(0.1)
    assert lateness.lag == 0.0
    assert not after(lateness, 0.12, 59), "too few looks to know"
    assert after(lateness, 0.12, 1)
    assert after(lateness, 0.07, 60), "not yet well below the limit"
    assert not after(lateness, 0.01, 60)
    assert not after(lateness, 0.09, 60)


def test_one_long_pause_is_no_crowd() -> None:
    lateness = Lateness(0.1)
    after(lateness, 0.001, 60)
    assert not after(lateness, 3.0, 1)
    assert not after(lateness, -0.001, 5)


def test_without_a_limit_nothing_is_too_late() -> None:
    assert not after(Lateness(0.0), 5.0, 100)
