"""What keeps a running campaign from dialling although the gate would permit it: told once, written down, lifted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from structlog.testing import capture_logs

from dialer import orders
from dialer.campaign import Campaign, Hold, Order, OrderRefused
from dialer.explain import Explanation, explain_contact

ANN, BOB = "+16145550101", "+16145550102"
World = Any


async def explained(world: World, number: str) -> Explanation:
    async with world.store.reading() as work:
        campaign = await work.campaign("c1")
        contact = await work.contact_by_number("c1", number)
        return await explain_contact(work, campaign, contact, world.clock.at())


async def test_nobody_is_rung_while_there_is_nobody_to_talk_with(world: World) -> None:
    await world.campaign(ANN)
    is_up = False
    down = Hold("providers_down", "the mouth is down")
    world.runner._hold_of = lambda _: None if is_up else down
    with capture_logs() as lines:
        for _ in range(3):
            turn = await world.runner.turn()
            assert turn.to_dial is None
            assert 0 < turn.wake_in <= 10
    assert [(line["event"], line["code"]) for line in lines] == [("nobody_dialled", "providers_down")]
    assert world.carrier.placed == []
    assert (await explained(world, ANN)).code == "providers_down"
    is_up = True
    assert (await world.runner.turn()).to_dial is not None
    async with world.store.reading() as work:
        campaign = await work.campaign("c1")
    assert campaign is not None
    assert campaign.hold is None


async def test_one_campaign_is_held_and_the_others_dial_on(world: World) -> None:
    await world.campaign(ANN)
    await world.campaign(BOB, campaign_id="c2")
    world.runner._hold_of = lambda campaign: Hold("budget_campaign_spent", "spent") if campaign.id == "c1" else None
    turn = await world.runner.turn()
    assert turn.to_dial is not None
    assert turn.to_dial.attempt.campaign_id == "c2"
    assert turn.wake_in <= 10
    assert (await world.runner.turn()).to_dial is None


async def test_an_order_to_go_on_lifts_a_hold_and_remembers_when(world: World) -> None:
    await world.campaign(ANN)
    world.runner._hold_of = lambda _: Hold("budget_call_spent", "a call cost too much")
    await world.runner.turn()
    async with world.store.transaction() as work:
        held = await work.campaign("c1")
        assert held is not None
        assert held.hold is not None
        given = await orders.give(work, held, Order.RESUME, world.clock.at())
        assert isinstance(given, Campaign)
        assert (given.hold, given.allowed_at) == (None, world.clock.at())
        assert await orders.give(work, given, Order.RESUME, world.clock.at()) is given
        raised = await orders.set_budget(work, given, Decimal(5), world.clock.at())
        assert isinstance(raised, Campaign)
        assert (await work.campaign("c1")) == raised
        assert isinstance(await orders.set_budget(work, given, Decimal(0), world.clock.at()), OrderRefused)
