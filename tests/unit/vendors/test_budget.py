from __future__ import annotations

from decimal import Decimal

from voice.pricing.budget import Budget, Exhausted, Limits, Scope, Warned, Within, worst

D = Decimal


def test_without_limits_everything_is_within() -> None:
    budget = Budget(Limits())
    budget.spend(D(1000), 0.0, call="c", campaign="roofs")
    assert worst(budget.of_call("c"), budget.of_campaign("roofs"), budget.of_hour(0.0)) == Within()


def test_a_call_is_warned_of_and_then_over_its_limit() -> None:
    budget = Budget(Limits({Scope.CALL: D(1)}))
    budget.spend(D("0.5"), 0.0, call="c")
    assert budget.of_call("c") == Within()
    budget.spend(D("0.4"), 1.0, call="c")
    assert budget.of_call("c") == Warned(Scope.CALL, D("0.9"), D(1))
    assert budget.of_call("c", own=D(5)) == Within()
    budget.spend(D("0.1"), 2.0, call="c")
    assert budget.of_call("c") == Exhausted(Scope.CALL, D(1), D(1))
    assert budget.of_call("d") == Within()  # another call is another budget
    assert budget.call_ended("c") == D(1)
    assert budget.call_ended("c") == 0


def test_a_campaign_over_its_limit_is_so_and_the_others_are_not() -> None:
    budget = Budget(Limits({Scope.CAMPAIGN: D(1)}))
    budget.spend(D(2), 0.0, call="c", campaign="roofs")
    assert budget.of_campaign("roofs") == Exhausted(Scope.CAMPAIGN, D(2), D(1))
    assert budget.of_campaign("roofs", own=D(3)) == Within()
    assert budget.of_campaign("solar") == Within()


def test_what_was_spent_before_counts() -> None:
    budget = Budget(Limits({Scope.CAMPAIGN: D(1), Scope.HOUR: D(1)}))
    budget.recall("roofs", D("0.9"))
    budget.recall_hour(D(1), -3000.0)
    assert isinstance(budget.of_campaign("roofs"), Warned)
    assert isinstance(budget.of_hour(599.0), Exhausted)
    assert budget.of_hour(600.0) == Within()


def test_an_hour_is_a_rolling_one() -> None:
    budget = Budget(Limits({Scope.HOUR: D(1)}))
    budget.spend(D(1), 0.0, call="c")
    assert isinstance(budget.of_hour(3599.0), Exhausted)
    assert budget.of_hour(3600.0) == Within()


def test_what_calls_under_way_will_cost_is_kept_for_them_once_it_is_known_what_calls_cost() -> None:
    budget = Budget(Limits({Scope.CAMPAIGN: D(10), Scope.HOUR: D(20)}))
    for call in ("a", "b"):
        budget.spend(D(2), 0.0, call=call, campaign="roofs")
    assert budget.promised("roofs") == 0  # nobody knows yet
    budget.call_ended("a")
    for call in ("c", "d"):
        budget.spend(D("0.5"), 1.0, call=call, campaign="roofs")
    budget.spend(D("0.5"), 1.0, call="e", campaign="solar")
    assert (budget.promised("roofs"), budget.promised()) == (D(3), D("4.5"))  # b has had its share
    assert budget.of_campaign("roofs", promised=D(3)) == Within()
    assert budget.of_campaign("roofs", own=D(8), promised=D(3)) == Exhausted(Scope.CAMPAIGN, D(5), D(8), D(3))
    assert isinstance(budget.of_hour(2.0, promised=D(15)), Exhausted)
    budget.call_over("c")
    budget.spend(D("0.1"), 2.0, call="c", campaign="roofs")  # a bill that comes late
    assert budget.promised("roofs") == D("1.5")
    budget.call_ended("never seen")
    assert budget.promised("roofs") == D("1.5")


def test_the_worst_standing_counts() -> None:
    near, gone = Warned(Scope.HOUR, D(9), D(10)), Exhausted(Scope.CALL, D(2), D(1))
    assert worst(Within(), near) == near
    assert worst(near, gone, Within()) == gone
