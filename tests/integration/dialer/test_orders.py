from __future__ import annotations

from datetime import timedelta
from typing import Any

from compliance.verdict import Rule
from dialer import orders
from dialer.attempt import CarrierStatus, Disposition
from dialer.campaign import Campaign, CampaignState, Order, OrderRefused
from dialer.explain import Explanation, explain_contact
from dialer.pacing import Limit
from dialer.ports import PlaceUnknown

ANN, BOB = "+16145550101", "+16145550102"
World = Any


async def give(world: World, order: Order) -> Campaign | OrderRefused:
    async with world.store.transaction() as work:
        campaign = await orders.find(work, "Campaign c1")
        assert isinstance(campaign, Campaign)
        return await orders.give(work, campaign, order, world.clock.at())


async def why(world: World, number: str = ANN, campaign_id: str = "c1") -> Explanation:
    async with world.store.reading() as work:
        campaign, contact = await work.campaign(campaign_id), await work.contact_by_number(campaign_id, number)
        return await explain_contact(work, campaign, contact, world.clock.at())


async def test_a_campaign_is_created_once_and_found_by_name_or_id(world: World) -> None:
    new = Campaign("c1", "Autumn", "Acme", "solar", world.clock.at())
    async with world.store.transaction() as work:
        assert await orders.create(work, new, world.clock.at()) == new
        again = await orders.create(work, new, world.clock.at())
        assert isinstance(again, OrderRefused)
        assert again.code == "campaign_exists"
        assert await orders.find(work, "c1") == await orders.find(work, "Autumn") == new
        missing = await orders.find(work, "Spring")
        assert isinstance(missing, OrderRefused)
        assert missing.code == "no_such_campaign"


async def test_nobody_starts_a_campaign_with_nobody_in_it(world: World) -> None:
    await world.campaign(state=CampaignState.DRAFT)
    refused = await give(world, Order.START)
    assert isinstance(refused, OrderRefused)
    assert refused.code == "no_contacts"


async def test_orders_are_kept_with_their_instants(world: World) -> None:
    await world.campaign(ANN, state=CampaignState.DRAFT)
    started = await give(world, Order.START)
    assert isinstance(started, Campaign)
    assert (started.state, started.started_at) == (CampaignState.RUNNING, world.clock.at())
    assert await give(world, Order.START) == started
    world.clock.seconds += 9
    await give(world, Order.PAUSE)
    resumed = await give(world, Order.RESUME)
    assert isinstance(resumed, Campaign)
    assert resumed.started_at == started.started_at
    stopped = await give(world, Order.STOP)
    assert isinstance(stopped, Campaign)
    assert stopped.finished_at == world.clock.at()
    assert isinstance(await give(world, Order.START), OrderRefused)


async def test_why_nobody_has_rung_yet(world: World, refusal: Any) -> None:
    await world.campaign(ANN, BOB, limit=Limit(1, 1000.0), state=CampaignState.DRAFT)
    assert (await why(world)).code == "campaign_draft"
    await give(world, Order.START)
    assert (await why(world)).code == "waiting_for_line"
    opens = world.clock.at() + timedelta(hours=2)
    world.gate.answers[ANN] = lambda contact, at: refusal(contact, at, Rule.WINDOW_FEDERAL, Rule.CLOSED_SUNDAY, until=opens)
    await world.turns()
    told = await why(world)
    assert (told.code, told.next_at, told.rules) == ("refused_for_now", opens, ("WINDOW_FEDERAL", "CLOSED_SUNDAY"))
    assert told.why == "Not now: WINDOW_FEDERAL says no. (a book)"
    assert told.contact.receipt_id == "receipt-no"
    bob = await why(world, BOB)
    assert (bob.code, len(bob.attempts)) == ("in_progress", 1)
    assert "dispatched" in bob.why


async def test_why_somebody_is_rung_again_or_never(world: World, refusal: Any) -> None:
    world.gate.answers[BOB] = lambda contact, at: refusal(contact, at, Rule.DNC_INTERNAL)
    await world.campaign(ANN, BOB)
    await world.turns()
    await world.end(ANN, CarrierStatus.BUSY)
    again = await why(world)
    assert (again.code, again.next_at) == ("retry", world.clock.at() + timedelta(minutes=15))
    assert (await why(world, BOB)).why == "Refused for good: DNC_INTERNAL says no. (a book)"
    world.clock.seconds += 900
    await world.turns()
    await world.end(ANN)
    assert (await why(world)).why == "Done: answered."
    assert len((await why(world)).attempts) == 2


async def test_why_a_number_waits_for_another_campaign(world: World) -> None:
    await world.campaign(ANN)
    await world.turns()
    await world.campaign(ANN, campaign_id="c2")
    assert (await why(world, campaign_id="c2")).code == "number_in_use"
    await world.runner.cancel_number(ANN)
    assert (await why(world, campaign_id="c2")).code == "called_off"


async def test_why_an_unknown_outcome_is_left_alone(world: World) -> None:
    world.carrier.answers[ANN] = PlaceUnknown("timeout")
    await world.campaign(ANN)
    await world.turns()
    world.clock.seconds += 3600
    await world.turns()
    told = await why(world)
    assert told.code == "closed"
    assert "never dialled again" in told.why
    assert told.contact.disposition is Disposition.UNKNOWN


async def test_why_a_contact_that_has_not_been_asked_for_waits(world: World, new_contact: Any) -> None:
    await world.campaign()
    later = world.clock.at() + timedelta(minutes=5)
    async with world.store.transaction() as work:
        await work.add_contacts([new_contact(ANN, "c1", world.clock.at(), due_at=later)])
    assert (await why(world)).code == "not_due"
    assert (await why(world)).next_at == later
    async with world.store.transaction() as work:
        contact = await work.contact_by_number("c1", ANN)
    assert contact.is_open
