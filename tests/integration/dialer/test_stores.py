"""The contract of a store: what every one of them keeps, forgets and finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dialer.attempt import (
    Attempt,
    AttemptId,
    CancelWanted,
    CarrierAccepted,
    CarrierEvent,
    CarrierStatus,
    ConversationEnded,
    DispatchBegan,
    Disposition,
)
from dialer.campaign import Campaign, CampaignState, Contact, ContactState, ImportBatch
from dialer.pacing import Candidate, Limit
from dialer.ports import AttemptStore, Lease
from dialer.retry import RetryPolicy
from dialer.stores.memory import MemoryStore
from dialer.stores.sql import SqlStore
from storage.database import Database
from storage.errors import TransactionMisused
from storage.events import AttemptChanged
from storage.log import read

T0 = datetime(2026, 11, 20, 15, tzinfo=UTC)
ANN, BOB, CYD = "+16145550101", "+16145550102", "+16145550103"


def campaign(campaign_id: str = "c1", **changes: object) -> Campaign:
    return replace(Campaign(campaign_id, f"Campaign {campaign_id}", "Acme", "solar", T0), **changes)  # type: ignore[arg-type]


def contact(number: str, campaign_id: str = "c1", due: float = 0, **changes: object) -> Contact:
    plain = Contact(f"{campaign_id}-{number[-3:]}", campaign_id, number, T0, due_at=after(due), changed_at=T0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def attempt(name: str, number: str = ANN, contact_id: str = "c1-101", ordinal: int = 1) -> Attempt:
    return Attempt(AttemptId(name), "c1", contact_id, number, ordinal, "r1", T0)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


async def fill(store: AttemptStore, *contacts: Contact, **changes: object) -> None:
    async with store.transaction() as work:
        await work.save_campaign(campaign(**changes))
        await work.add_contacts(contacts)


async def test_values_come_back_as_they_went(store: AttemptStore) -> None:
    full = campaign(
        purpose="survey",
        instructions="Be brief.",
        from_number="+16145550199",
        state=CampaignState.RUNNING,
        priority=3,
        limit=Limit(7, 2.5),
        ring_timeout=30.0,
        longest_call=90.0,
        retry=RetryPolicy(scale=0.5, most_tries=2),
        started_at=after(1),
        finished_at=after(2),
    )
    ann = contact(
        ANN,
        name="Ann Lee",
        first_name="Ann",
        address_state="OH",
        zip="43004",
        fields={"plan": "Gold", "ü": "ñ"},
        batch_id="in_1",
        line=2,
        priority=4,
        tries=1,
        disposition=Disposition.BUSY,
        reason="busy",
        rules=("WINDOW_FEDERAL",),
        receipt_id="r9",
        changed_at=after(3),
    )
    ended = attempt("a1").after(DispatchBegan(after(1))).after(CarrierAccepted("CA1", after(2)))
    ended = ended.after(ConversationEnded(Disposition.TRANSFERRED, after(30))).after(CancelWanted("x", after(31)))
    ended = ended.after(CarrierEvent("CA1", CarrierStatus.COMPLETED, after(60), answered_by="human"))
    async with store.transaction() as work:
        await work.save_campaign(full)
        assert await work.add_contacts([ann]) == {ann.id}
        assert await work.add_attempt(ended)
    async with store.reading() as work:
        assert await work.campaign("c1") == full
        assert await work.campaign_named("Campaign c1") == full
        assert await work.contact(ann.id) == ann
        assert await work.contact_by_number("c1", ANN) == ann
        assert await work.attempt("a1") == ended
        assert await work.attempt_by_call("CA1") == ended
        assert await work.attempts_of(ann.id) == [ended]


async def test_what_is_not_there_is_not_found(store: AttemptStore) -> None:
    async with store.reading() as work:
        assert await work.campaign("x") is None
        assert await work.campaign_named("x") is None
        assert await work.contact("x") is None
        assert await work.contact_by_number("x", ANN) is None
        assert await work.attempt("x") is None
        assert await work.attempt_by_call("x") is None
        assert await work.attempts_of("x") == []
        assert await work.contacts("x") == []
        assert not await work.has_open_contacts("x")
        assert await work.next_due([], T0) is None


async def test_a_work_that_fails_leaves_nothing(store: AttemptStore) -> None:
    async def fail() -> None:
        async with store.transaction() as work:
            await work.save_campaign(campaign())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.reading() as work:
        assert await work.campaigns() == []


async def test_what_is_saved_again_replaces(store: AttemptStore) -> None:
    await fill(store, contact(ANN))
    async with store.transaction() as work:
        await work.save_campaign(campaign(state=CampaignState.PAUSED))
        await work.save_contact(contact(ANN, state=ContactState.CLOSED, due_at=None))
        await work.add_attempt(attempt("a1"))
        await work.save_attempt(attempt("a1").after(DispatchBegan(after(1))))
        await work.save_batch(ImportBatch("in_1", "c1", "a.csv", T0))
        await work.save_batch(ImportBatch("in_1", "c1", "a.csv", T0, after(1), 2, 1, 1, 0))
    async with store.reading() as work:
        assert [each.state for each in await work.campaigns()] == [CampaignState.PAUSED]
        assert [each.state for each in await work.contacts("c1")] == [ContactState.CLOSED]
        assert [each.progress.dispatching_at for each in await work.active_attempts()] == [after(1)]


async def test_campaigns_by_state_in_the_order_of_their_creation(store: AttemptStore) -> None:
    async with store.transaction() as work:
        await work.save_campaign(campaign("new", created_at=after(1), state=CampaignState.RUNNING))
        await work.save_campaign(campaign("old"))
    async with store.reading() as work:
        assert [each.id for each in await work.campaigns()] == ["old", "new"]
        assert [each.id for each in await work.campaigns(CampaignState.RUNNING, CampaignState.PAUSED)] == ["new"]


async def test_a_campaign_has_a_number_once(store: AttemptStore) -> None:
    await fill(store, contact(ANN))
    async with store.transaction() as work:
        again = [replace(contact(ANN), id="again"), contact(BOB), replace(contact(BOB), id="twice")]
        assert await work.add_contacts(again) == {"c1-102"}
        assert await work.add_contacts([]) == set()
        await work.save_campaign(campaign("c2"))
        assert await work.add_contacts([contact(ANN, "c2")]) == {"c2-101"}


async def test_contacts_page_by_page(store: AttemptStore) -> None:
    await fill(store, contact(ANN), contact(BOB, state=ContactState.CLOSED), contact(CYD))
    async with store.reading() as work:
        assert [each.number for each in await work.contacts("c1", limit=2)] == [ANN, BOB]
        assert [each.number for each in await work.contacts("c1", after="c1-102")] == [CYD]
        assert [each.number for each in await work.contacts("c1", state=ContactState.WAITING)] == [ANN, CYD]


async def test_open_contacts_of_a_number_by_seller(store: AttemptStore) -> None:
    await fill(store, contact(ANN))
    async with store.transaction() as work:
        await work.save_campaign(campaign("c2", seller="Other"))
        await work.save_campaign(campaign("c3", seller="Other"))
        await work.add_contacts([contact(ANN, "c2"), contact(ANN, "c3", state=ContactState.CLOSED)])
    async with store.reading() as work:
        assert [each.campaign_id for each in await work.open_contacts(ANN)] == ["c1", "c2"]
        assert [each.campaign_id for each in await work.open_contacts(ANN, "Other")] == ["c2"]
        assert [each.campaign_id for each in await work.open_contacts(ANN, "", ["telemarketing"])] == ["c1", "c2"]
        assert await work.open_contacts(ANN, "Other", ["survey"]) == []


async def test_open_contacts_in_pages_and_shares(store: AttemptStore) -> None:
    await fill(store)
    people = [contact(f"+1614555{place:04}") for place in range(100, 107)]
    async with store.transaction() as work:
        await work.add_contacts([*people, contact(ANN, state=ContactState.CLOSED)])
    async with store.reading() as work:
        ids = [each.id for each in await work.contacts("c1", limit=99)]
        assert await work.places_apart("c1", 99) == []
        (first, second) = edges = await work.places_apart("c1", 3)
        assert [ids.index(edge) for edge in edges] == [len(ids) - 7, len(ids) - 4]
        middle = await work.open_places("c1", after=first, until=second, limit=99)
        assert [each.id for each in middle] == ids[ids.index(first) + 1 : ids.index(second) + 1]
        everybody = await work.open_places("c1", limit=99)
        assert len(everybody) == 7
        assert await work.open_places("c1", after=everybody[0].id, limit=2) == everybody[1:3]
        assert everybody[0].address_state == people[0].address_state


async def test_whose_turn_it_is(store: AttemptStore) -> None:
    await fill(
        store,
        contact(ANN, due=-5),
        contact(BOB, due=-9),
        contact(CYD, due=-1, priority=1),
        contact("+16145550104", due=60),
        contact("+16145550105", state=ContactState.CLOSED, due_at=None),
        contact("+16145550106", due=-99),
    )
    async with store.transaction() as work:
        await work.add_attempt(attempt("a1", "+16145550106", "c1-106"))
    async with store.reading() as work:
        due = await work.due("c1", T0, 10)
        assert [each.contact_id for each in due] == ["c1-103", "c1-102", "c1-101"]
        assert due[0] == Candidate("c1-103", "c1", 1, after(-1))
        assert len(await work.due("c1", T0, 1)) == 1
        assert await work.due("c2", T0, 10) == []
        assert await work.next_due(["c1", "c2"], T0) == after(60)
        assert await work.next_due(["c1"], after(60)) is None


async def test_one_active_attempt_a_number_and_no_more(store: AttemptStore) -> None:
    await fill(store, contact(ANN), contact(BOB))
    async with store.transaction() as work:
        assert await work.add_attempt(attempt("a1"))
        assert not await work.add_attempt(attempt("a2"))
        assert await work.add_attempt(attempt("b1", BOB, "c1-102"))
        assert [each.id for each in await work.active_attempts_to(ANN)] == ["a1"]
        await work.save_attempt(attempt("a1").after(CancelWanted("x", T0)))
        assert await work.add_attempt(attempt("a3", ordinal=2))
    async with store.reading() as work:
        assert [each.id for each in await work.attempts_of("c1-101")] == ["a1", "a3"]
        assert {each.id for each in await work.active_attempts()} == {"a3", "b1"}


async def test_the_carrier_is_heard_once(store: AttemptStore) -> None:
    event = CarrierEvent("CA1", CarrierStatus.RINGING, T0, sequence=1)
    async with store.transaction() as work:
        assert await work.note_carrier_event(event, "a1")
        assert not await work.note_carrier_event(replace(event, at=after(9)), "a1")
        assert await work.note_carrier_event(replace(event, sequence=2), "a1")
        assert await work.note_carrier_event(replace(event, status=CarrierStatus.BUSY), "")


async def test_a_lease_changes_hands_only_if_it_is_the_one_that_was_seen(store: AttemptStore) -> None:
    first, second = Lease("a/1/x", after(15)), Lease("b/2/y", after(30))
    async with store.transaction() as work:
        assert await work.lease() is None
        assert await work.swap_lease(None, first)
        assert not await work.swap_lease(None, second)
        assert not await work.swap_lease(second, second)
        assert await work.lease() == first
        assert await work.swap_lease(first, second)
    async with store.reading() as work:
        assert await work.lease() == second


async def test_how_a_campaign_stands(store: AttemptStore) -> None:
    closed = {"state": ContactState.CLOSED, "due_at": None}
    await fill(
        store,
        contact(ANN, due=30),
        contact(BOB, disposition=Disposition.BUSY, **closed),
        contact(CYD, disposition=Disposition.BUSY, **closed),
        contact("+16145550104", state=ContactState.CALLED_OFF, due_at=None, reason="opted_out"),
    )
    async with store.transaction() as work:
        await work.add_attempt(attempt("a1"))
    async with store.reading() as work:
        tally = await work.tally("c1")
        assert dict(tally.states) == {ContactState.WAITING: 1, ContactState.CLOSED: 2, ContactState.CALLED_OFF: 1}
        assert dict(tally.dispositions) == {"busy": 2, "opted_out": 1}
        assert (tally.attempts, tally.next_due) == (1, after(30))
        assert await work.has_open_contacts("c1")
        empty = await work.tally("c2")
        assert (dict(empty.states), empty.attempts, empty.next_due) == ({}, 0, None)


CHANGED = AttemptChanged(campaign_id="c1", contact_id="c1-101", number="•••", phase="intent")


async def test_events_are_kept_with_what_they_tell_of(database: Database) -> None:
    async with SqlStore(database).transaction() as work:
        await work.record(CHANGED, T0, attempt_id="a1")
        (kept,) = await read(work.connection, attempt_id="a1")
        assert kept.event == CHANGED


async def test_memory_keeps_events_too_and_has_no_connection() -> None:
    store = MemoryStore()
    async with store.transaction() as work:
        await work.record(CHANGED, T0, attempt_id="a1")
        with pytest.raises(LookupError):
            work.connection  # noqa: B018
    assert [(each.id, each.event, each.attempt_id) for each in store.events] == [(1, CHANGED, "a1")]


async def test_a_work_within_a_work_is_refused(database: Database) -> None:
    store: Any = SqlStore(database)
    with pytest.raises(TransactionMisused):
        async with store.transaction(), store.transaction():
            pass
