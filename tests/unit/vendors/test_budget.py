from __future__ import annotations

from decimal import Decimal

from voice.pricing.budget import Budget, Exhausted, Limits, Scope, Warned, Within

D = Decimal


def test_without_limits_everything_is_within() -> None:
    assert Budget(Limits()).spend(D(1000), 0.0, call="c") == Within()


def test_a_call_is_warned_of_and_then_over_its_limit() -> None:
    budget = Budget(Limits({Scope.CALL: D(1)}))
    assert budget.spend(D("0.5"), 0.0, call="c") == Within()
    assert budget.spend(D("0.4"), 1.0, call="c") == Warned(Scope.CALL, D("0.9"), D(1))
    assert budget.spend(D("0.1"), 2.0, call="c") == Exhausted(Scope.CALL, D(1), D(1))
    assert budget.before_a_call(2.0) == Within()  # another call is another budget
    assert budget.call_ended("c") == D(1)
    assert budget.call_ended("c") == 0


def test_a_campaign_over_its_limit_gets_no_new_calls_and_the_others_do() -> None:
    budget = Budget(Limits({Scope.CAMPAIGN: D(1)}))
    budget.spend(D(2), 0.0, call="c", campaign="roofs")
    assert budget.before_a_call(0.0, campaign="roofs") == Exhausted(Scope.CAMPAIGN, D(2), D(1))
    assert budget.before_a_call(0.0, campaign="solar") == Within()


def test_an_hour_is_a_rolling_one() -> None:
    budget = Budget(Limits({Scope.HOUR: D(1)}))
    budget.spend(D(1), 0.0, call="c")
    assert isinstance(budget.before_a_call(3599.0), Exhausted)
    assert budget.before_a_call(3600.0) == Within()


def test_the_worst_standing_is_told() -> None:
    budget = Budget(Limits({Scope.CALL: D(1), Scope.HOUR: D(10)}))
    budget.spend(D("8.5"), 0.0, call="a")
    assert budget.spend(D("1.5"), 0.0, call="b").__class__ is Exhausted
