"""What replies that nobody hears may cost, and whose they were."""

from __future__ import annotations

from voice.pricing.consumption import Account, Consumption, Stage, bill, bill_for, bill_to
from voice.pricing.thrift import Thrift


def test_an_hours_waste_is_limited_and_forgiven_after_it() -> None:
    thrift = Thrift(1000)
    assert thrift.may_prepare(0.0)
    thrift.waste(600, 10.0)
    assert thrift.may_prepare(20.0)
    thrift.waste(600, 30.0)
    assert not thrift.may_prepare(40.0)
    assert thrift.may_prepare(3611.0)
    assert not Thrift(0).may_prepare(0.0)


def test_what_a_dropped_reply_used_was_wasted_though_it_was_finished() -> None:
    with bill_to(Account("CA1")) as account:
        bill(Consumption(Stage.EARS, "ears", seconds=1.0))
        for reply in (1, 2):
            with bill_for(reply):
                bill(Consumption(Stage.MIND, "mind", tokens_out=10))
    account.waste((2,))
    assert [(entry.reply, entry.is_wasted) for entry in account.entries] == [(0, False), (1, False), (2, True)]
