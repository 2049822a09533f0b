"""A share of a core, saved and spent."""

from __future__ import annotations

from voice.detectors.budget import Budget


def test_a_new_budget_is_full_and_what_is_owed_is_waited_for() -> None:
    budget = Budget(share=0.1, most=0.5)
    assert budget.has_some(100.0)
    budget.spend(0.7)
    assert not budget.has_some(101.0)
    assert not budget.has_some(101.9)
    assert budget.has_some(102.1)


def test_no_more_than_so_much_is_saved() -> None:
    budget = Budget(share=0.1, most=0.5)
    assert budget.has_some(0.0)
    assert budget.has_some(1000.0)
    budget.spend(0.5)
    assert not budget.has_some(1000.0)


def test_over_a_long_time_it_is_the_share_that_is_spent() -> None:
    budget, spent = Budget(share=0.1, most=0.5), 0.0
    for tick in range(10_000):
        if budget.has_some(tick / 100):
            budget.spend(0.025)
            spent += 0.025
    assert 0.1 * 100 <= spent <= 0.1 * 100 + 0.5 + 0.025


def test_a_clock_that_runs_back_earns_nothing() -> None:
    budget = Budget(share=0.1, most=0.5)
    assert budget.has_some(10.0)
    budget.spend(0.5)
    assert not budget.has_some(5.0)
