from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from structlog.testing import capture_logs

from voice.pricing.budget import Exhausted, Limits, Scope, Within
from voice.pricing.consumption import Account, Consumption, Stage, bill, bill_to
from voice.pricing.meter import Meter
from voice.pricing.table import published

SPOKEN = Consumption(Stage.MOUTH, "elevenlabs", "eleven_flash_v2_5", characters=1000)  # two cents
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


class Hands:
    """Clocks moved by hand."""

    now = 0.0


def meter(hands: Hands | None = None, **dollars: str) -> Meter:
    limits = Limits({Scope(name): Decimal(amount) for name, amount in dollars.items()})
    at = hands or Hands()
    return Meter(published(), limits, clock=lambda: at.now, at=lambda: NOW + timedelta(seconds=at.now))


def test_a_campaigns_budget_warns_once_and_then_stops_new_calls_of_it_alone() -> None:
    purse = meter(campaign="0.07")
    with capture_logs() as lines, purse.watch(), bill_to(Account(call="c", campaign="roofs")):
        for _ in range(4):
            bill(SPOKEN)
            purse.before_a_call("roofs")
    assert [(line["event"], line["scope"], line["of"]) for line in lines] == [
        ("budget_close", "campaign", "roofs"),
        ("budget_spent", "campaign", "roofs"),
    ]
    assert isinstance(purse.before_a_call("roofs"), Exhausted)
    assert purse.before_a_call("roofs", limit=Decimal(1)) == Within()
    assert purse.before_a_call("solar") == Within()
    purse.call_over("c")
    assert purse.call_ended("c") == Decimal("0.08")


def test_a_call_that_cost_too_much_stops_its_campaign_until_somebody_has_looked() -> None:
    hands = Hands()
    purse = meter(hands, call="0.05")
    with capture_logs() as lines, purse.watch():
        with bill_to(Account(call="c", campaign="roofs")):
            for _ in range(4):
                bill(SPOKEN)
        with bill_to(Account(call="d", campaign="solar", budget=Decimal(1))):  # its agent's calls may cost more
            for _ in range(4):
                bill(SPOKEN)
    assert [(line["event"], line["of"]) for line in lines] == [("budget_close", "c"), ("budget_spent", "c")]
    standing = purse.before_a_call("roofs", since=NOW - timedelta(hours=1))
    assert isinstance(standing, Exhausted)
    assert standing.scope is Scope.CALL
    assert purse.before_a_call("solar") == Within()
    assert purse.before_a_call("roofs", since=NOW + timedelta(seconds=1)) == Within()
    assert purse.before_a_call("roofs") == Within()


def test_an_hours_budget_is_told_again_when_it_is_spent_again() -> None:
    hands = Hands()
    purse = meter(hands, hour="0.02")
    with capture_logs() as lines:
        purse.take(SPOKEN, None)
        assert isinstance(purse.before_a_call(), Exhausted)
        hands.now = 3600.0
        assert purse.before_a_call() == Within()
        purse.take(Consumption(Stage.MOUTH, "elevenlabs", "eleven_flash_v2_5", characters=1), None)
        purse.take(SPOKEN, None)
    assert [line["event"] for line in lines] == ["budget_spent", "budget_spent"]


def test_what_has_no_price_is_named_once() -> None:
    purse = meter()
    with capture_logs() as lines:
        for _ in range(3):
            purse.take(Consumption(Stage.MIND, "somebody", "model", tokens_in=1), None)
        purse.take(SPOKEN, None)
    assert [(line["event"], line["provider"]) for line in lines] == [("unpriced", "somebody")]


def test_nothing_is_counted_outside_of_its_watch() -> None:
    purse = meter(hour="0.01")
    bill(SPOKEN)
    assert purse.before_a_call() == Within()
