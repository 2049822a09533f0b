from __future__ import annotations

import datetime
from decimal import Decimal

from structlog.testing import capture_logs

from voice.pricing.budget import Exhausted, Limits, Scope, Within
from voice.pricing.consumption import Account, Consumption, Stage, bill, bill_to
from voice.pricing.meter import Meter
from voice.pricing.table import published

SPOKEN = Consumption(Stage.MOUTH, "elevenlabs", "eleven_flash_v2_5", characters=1000)  # two cents


def meter(**dollars: str) -> Meter:
    limits = Limits({Scope(name): Decimal(amount) for name, amount in dollars.items()})
    return Meter(published(), limits, clock=lambda: 0.0, today=lambda: datetime.date(2026, 11, 20))


def test_a_campaigns_budget_warns_once_and_then_stops_new_calls_of_it_alone() -> None:
    purse = meter(campaign="0.07")
    with capture_logs() as lines, purse.watch(), bill_to(Account(call="c", campaign="roofs")):
        for _ in range(4):
            bill(SPOKEN)
    assert [line["standing"] for line in lines] == ["Warned", "Exhausted"]
    assert isinstance(purse.before_a_call("roofs"), Exhausted)
    assert purse.before_a_call("solar") == Within()
    assert purse.call_ended("c") == Decimal("0.08")


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
