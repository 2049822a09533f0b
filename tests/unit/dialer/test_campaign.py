from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dialer.campaign import Campaign, CampaignState, Contact, ContactState, Order, OrderRefused, obey

T0 = datetime(2026, 11, 20, 15, tzinfo=UTC)
CAMPAIGN = Campaign("c1", "Autumn", "Acme Solar", "solar", T0)


@pytest.mark.parametrize(
    ("orders", "state"),
    [
        ([Order.START], CampaignState.RUNNING),
        ([Order.START, Order.START], CampaignState.RUNNING),
        ([Order.START, Order.PAUSE, Order.PAUSE], CampaignState.PAUSED),
        ([Order.START, Order.PAUSE, Order.RESUME, Order.RESUME], CampaignState.RUNNING),
        ([Order.START, Order.PAUSE, Order.START], CampaignState.RUNNING),
        ([Order.START, Order.PAUSE, Order.STOP, Order.STOP], CampaignState.STOPPED),
        ([Order.STOP], CampaignState.STOPPED),
    ],
)
def test_orders_are_obeyed_and_may_be_given_twice(orders: list[Order], state: CampaignState) -> None:
    now = CampaignState.DRAFT
    for order in orders:
        after = obey(now, order)
        assert isinstance(after, CampaignState)
        now = after
    assert now is state


@pytest.mark.parametrize(
    ("state", "order", "code"),
    [
        (CampaignState.DRAFT, Order.PAUSE, "campaign_not_running"),
        (CampaignState.DRAFT, Order.RESUME, "campaign_not_running"),
        (CampaignState.STOPPED, Order.START, "campaign_stopped"),
        (CampaignState.STOPPED, Order.RESUME, "campaign_stopped"),
        (CampaignState.FINISHED, Order.PAUSE, "campaign_finished"),
    ],
)
def test_an_order_that_cannot_be_given_says_what_to_do(state: CampaignState, order: Order, code: str) -> None:
    refused = obey(state, order)
    assert isinstance(refused, OrderRefused)
    assert refused.code == code
    assert refused.why


def test_a_finished_campaign_can_run_again_and_be_stopped() -> None:
    assert obey(CampaignState.FINISHED, Order.START) is CampaignState.RUNNING
    assert obey(CampaignState.FINISHED, Order.STOP) is CampaignState.STOPPED
    assert obey(CampaignState.RUNNING, Order.STOP) is CampaignState.STOPPED


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"seller": ""},
        {"agent": ""},
        {"ring_timeout": 14.9},
        {"ring_timeout": 601.0},
        {"longest_call": 0.0},
        {"budget": Decimal(0)},
    ],
)
def test_a_campaign_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(CAMPAIGN, **wrong)  # type: ignore[arg-type]


def test_which_contacts_are_open() -> None:
    contact = Contact("k1", "c1", "+16145550123", T0)
    states = {state: replace(contact, state=state).is_open for state in ContactState}
    assert [state for state, is_open in states.items() if is_open] == [ContactState.WAITING, ContactState.ATTEMPTING]
    assert "555" not in repr(contact)
