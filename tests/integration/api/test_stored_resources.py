"""The resources of /v1 over the real rooms and a real database."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.gatekeeping import DialGate
from api.ledgers import AgentShelf, StoredConsents, StoredDnc, StoredKnowledge
from api.parts import Agents, Calls, Campaigns, Consents, Contacts, DoNotCall, Knowledge, Refused
from api.records import StoredCalls, StoredCampaigns, StoredContacts
from api.resources import (
    Attachment,
    CampaignView,
    ConsentView,
    DncAddition,
    ImportReport,
    NewCampaign,
    NewConsent,
    NewFact,
    RevokeConsent,
    WrittenMessage,
)
from api.suppression import Suppressor
from compliance.attachments import place_of
from compliance.scope import Scopes
from compliance.store import ComplianceStore
from context import store as call_store
from context.calls import Call, Effect, SavedAnswer
from context.knowledge.base import KnowledgeBase, open_knowledge
from context.transcript import Speaker, Turn
from dialer.campaign import Hold
from dialer.settle import hold as write_hold
from dialer.stores.sql import SqlStore
from storage.database import Database
from voice.agent_file import AgentFolder

AGENTS = Path(__file__).parents[3] / "agents"
ANN, BOB = "+16145550123", "+16145550124"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CSV = f"number,name,note\n{ANN},Ann Lee,likes tea\nnonsense,Nobody,\n{BOB},Bob,\n{ANN},Ann again,\n".encode()


@dataclass
class Rooms:
    database: Database
    compliance: ComplianceStore
    knowledge: KnowledgeBase
    agents: AgentFolder

    @property
    def store(self) -> SqlStore:
        return SqlStore(self.database)

    def campaigns(self) -> Campaigns:
        return StoredCampaigns(self.database, self.store, self.agents, DialGate(self.compliance, ()), lambda: NOW)

    def contacts(self) -> Contacts:
        return StoredContacts(self.store)

    def calls(self) -> Calls:
        return StoredCalls(self.database)

    def consents(self) -> Consents:
        return StoredConsents(self.database, self.compliance, Suppressor(self.compliance, Scopes()), lambda: NOW)

    def dnc(self) -> DoNotCall:
        return StoredDnc(self.database, self.compliance, Suppressor(self.compliance, Scopes()), lambda: NOW)

    def facts(self) -> Knowledge:
        return StoredKnowledge(self.knowledge, lambda: NOW)

    def shelf(self) -> Agents:
        return AgentShelf(self.agents)


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/offhook.db")
    await database.create_all()
    knowledge = await open_knowledge(database, tmp_path, embedder=None)
    yield Rooms(database, ComplianceStore.open(tmp_path), knowledge, AgentFolder(AGENTS))
    await knowledge.close()
    await database.close()


async def made(rooms: Rooms, name: str = "Autumn") -> CampaignView:
    agent = rooms.shelf().list()[0].name
    campaign = await rooms.campaigns().create(NewCampaign(name=name, agent=agent))
    assert isinstance(campaign, CampaignView)
    return campaign


async def test_a_campaign_is_made_once_for_an_agent_there_is(rooms: Rooms) -> None:
    campaign = await made(rooms)
    assert campaign.state == "draft"
    assert campaign.seller == rooms.shelf().list()[0].seller
    again = await rooms.campaigns().create(NewCampaign(name="Autumn", agent=campaign.agent))
    assert isinstance(again, Refused)
    assert again.code == "campaign_exists"
    nobody = await rooms.campaigns().create(NewCampaign(name="Winter", agent="nobody"))
    assert isinstance(nobody, Refused)
    assert nobody.code == "no_such_agent"


async def test_a_campaign_has_a_budget_and_tells_what_holds_it(rooms: Rooms) -> None:
    campaign = await made(rooms)
    changed = await rooms.campaigns().set_budget(campaign.id, 12.5)
    assert isinstance(changed, CampaignView)
    assert (changed.budget, changed.spent, changed.hold) == (12.5, 0.0, "")
    async with rooms.store.transaction() as work:
        kept = await work.campaign(campaign.id)
        assert kept is not None
        await write_hold(work, kept, Hold("budget_campaign_spent", "its budget is spent"), NOW)
    held = await rooms.campaigns().get(campaign.id)
    assert held is not None
    assert (held.hold, held.hold_why) == ("budget_campaign_spent", "its budget is spent")
    assert await rooms.campaigns().set_budget("none", 1.0) is None


async def test_contacts_are_imported_and_counted(rooms: Rooms) -> None:
    campaign = await made(rooms)
    report = await rooms.campaigns().import_contacts(campaign.id, CSV)
    assert isinstance(report, ImportReport)
    assert (report.added, report.doubled) == (2, 1)
    assert {row.line for row in report.rejected} == {3, 5}
    seen = await rooms.campaigns().get(campaign.id)
    assert seen is not None
    assert (seen.contacts, seen.outcomes, seen.live, seen.refusals) == (2, {"waiting": 2}, 0, {})
    assert await rooms.campaigns().import_contacts("none", CSV) is None
    empty = await rooms.campaigns().import_contacts(campaign.id, b"")
    assert isinstance(empty, Refused)
    assert empty.code == "empty_file"


async def test_orders_are_obeyed_or_refused(rooms: Rooms) -> None:
    campaign = await made(rooms)
    nobody = await rooms.campaigns().order(campaign.id, "start")
    assert isinstance(nobody, Refused)
    assert nobody.code == "no_contacts"
    await rooms.campaigns().import_contacts(campaign.id, CSV)
    started = await rooms.campaigns().order(campaign.id, "start")
    assert isinstance(started, CampaignView)
    assert started.state == "running"
    assert [each.state for each in await rooms.campaigns().list()] == ["running"]
    assert await rooms.campaigns().order("none", "start") is None


async def test_a_contact_is_explained_by_number_or_id(rooms: Rooms) -> None:
    campaign = await made(rooms)
    await rooms.campaigns().import_contacts(campaign.id, CSV)
    by_number = await rooms.campaigns().explain(campaign.id, ANN)
    assert by_number is not None
    assert by_number.state == "campaign_draft"
    assert await rooms.campaigns().explain(campaign.id, by_number.contact_id) == by_number
    assert await rooms.campaigns().explain(campaign.id, "+16145550199") is None
    assert await rooms.campaigns().explain(campaign.id, "what?") is None
    assert await rooms.campaigns().explain("none", ANN) is None


async def test_a_refusal_is_counted_by_rule_and_explained_by_its_receipt(rooms: Rooms) -> None:
    from dataclasses import replace

    campaign = await made(rooms)
    await rooms.campaigns().import_contacts(campaign.id, CSV)
    gate = DialGate(rooms.compliance, ())
    async with rooms.store.transaction() as work:
        (kept,) = [each for each in await work.campaigns() if each.id == campaign.id]
        contact = await work.contact_by_number(campaign.id, ANN)
        assert contact is not None
        verdict = await gate.judge(work, kept, contact, "at_1", NOW)  # type: ignore[arg-type]
        rules = tuple(finding.rule.value for finding in verdict.findings)  # type: ignore[union-attr]
        await work.save_contact(replace(contact, rules=rules, receipt_id=verdict.receipt, due_at=NOW + timedelta(hours=1)))
    told = await rooms.campaigns().explain(campaign.id, ANN)
    assert told is not None
    assert "CONSENT_MISSING" in [finding.rule for finding in told.findings]
    assert all(finding.detail and finding.source for finding in told.findings)
    seen = await rooms.campaigns().get(campaign.id)
    assert seen is not None
    assert seen.refusals["CONSENT_MISSING"] == 1


async def test_contacts_come_in_pages(rooms: Rooms) -> None:
    first, second = await made(rooms, "One"), await made(rooms, "Two")
    await rooms.campaigns().import_contacts(first.id, CSV)
    await rooms.campaigns().import_contacts(second.id, CSV)
    numbers: list[str] = []
    after: str | None = None
    for _ in range(5):
        page = await rooms.contacts().list(campaign=None, limit=1, after=after)
        numbers += [contact.number for contact in page.items]
        after = page.next
        if after is None:
            break
    assert sorted(numbers) == [ANN, ANN, BOB, BOB]
    page = await rooms.contacts().list(campaign=second.id, limit=10, after=None)
    assert {contact.campaign_id for contact in page.items} == {second.id}
    contact = await rooms.contacts().get(page.items[0].id)
    assert contact is not None
    assert (contact.name, contact.fields, contact.outcome) == ("Ann Lee", {"note": "likes tea"}, "waiting")
    assert await rooms.contacts().get("none") is None


async def rang(rooms: Rooms, call_id: str, minutes: int, contact_id: str | None = None) -> None:
    started = NOW + timedelta(minutes=minutes)
    call = Call(call_id, "outbound", "+12025550100", ANN, ANN, started, agent="solar", contact_id=contact_id)
    async with rooms.database.transaction() as connection:
        await call_store.create_call(connection, call)
        await call_store.answer_call(connection, call_id, started + timedelta(seconds=5))
        await call_store.end_call(
            connection,
            call_id,
            started + timedelta(seconds=65),
            "answered",
            metrics={"detail": "goodbye", "talked": 60.0, "underruns": 2, "context": {"total": 0.04}},
        )


async def test_calls_with_all_that_came_of_them(rooms: Rooms) -> None:
    campaign = await made(rooms)
    await rooms.campaigns().import_contacts(campaign.id, CSV)
    ann = (await rooms.contacts().list(campaign=campaign.id, limit=10, after=None)).items[0]
    await rang(rooms, "ca_1", 0, ann.id)
    answered = NOW + timedelta(seconds=5)
    async with rooms.database.transaction() as connection:
        turns = [
            Turn(Speaker.AGENT, "Hello, this is", 0.2, 1.5, is_cut=True),
            Turn(Speaker.CALLER, "yes friday", 2.0, 3.0),
        ]
        await call_store.write_turns(connection, "ca_1", turns)
        await call_store.save_answer(connection, "ca_1", SavedAnswer("owns_home", "yes", "yes i do", NOW))
        done_at = answered + timedelta(seconds=3.5)
        effect = Effect("k", "ca_1", "book_appointment", "{}", done_at, ok=True, result="booked for Friday")
        await call_store.record_effect(connection, effect)
    call = await rooms.calls().get("ca_1")
    assert call is not None
    assert (call.state, call.contact_name, call.duration, call.reason) == ("ended", "Ann Lee", 60.0, "goodbye")
    assert call.answers == {"owns_home": "yes"}
    assert call.figures == {"talked": 60.0, "context.total": 0.04}
    transcript = await rooms.calls().transcript("ca_1")
    assert transcript is not None
    assert [(line.who, line.text, line.is_cut) for line in transcript.lines] == [
        ("agent", "Hello, this is", True),
        ("caller", "yes friday", False),
        ("tool", "book_appointment: booked for Friday", False),
    ]
    assert await rooms.calls().get("none") is None
    assert await rooms.calls().transcript("none") is None


async def test_who_rings_us_is_named_as_the_newest_contact_of_that_number(rooms: Rooms) -> None:
    await rang(rooms, "ca_1", 0)
    call = await rooms.calls().get("ca_1")
    assert call is not None
    assert call.contact_name == ""
    campaign = await made(rooms)
    await rooms.campaigns().import_contacts(campaign.id, CSV)
    call = await rooms.calls().get("ca_1")
    assert call is not None
    assert (call.contact_name, call.contact_id) == ("Ann Lee", None)


async def test_calls_come_in_pages_newest_first(rooms: Rooms) -> None:
    for number in range(3):
        await rang(rooms, f"ca_{number}", number)
    page = await rooms.calls().list(campaign=None, limit=2, after=None)
    assert ([call.id for call in page.items], page.next) == (["ca_2", "ca_1"], "ca_1")
    rest = await rooms.calls().list(campaign=None, limit=2, after=page.next)
    assert ([call.id for call in rest.items], rest.next) == (["ca_0"], None)
    assert (await rooms.calls().list(campaign="none", limit=2, after=None)).items == []


async def test_consents_are_kept_and_taken_back(rooms: Rooms) -> None:
    given = NewConsent(
        number=ANN, seller="Acme", wording="I agree to calls by an artificial voice.", signature="Ann Lee", source="web form"
    )
    kept = await rooms.consents().record(given)
    assert isinstance(kept, ConsentView)
    assert (kept.is_signed, kept.revoked_at) == (True, None)
    proof = Attachment(name="../cert.pdf", content=base64.b64encode(b"%PDF"))
    attached = await rooms.consents().record(given.model_copy(update={"attachments": (proof,), "person": "crm/7"}))
    assert isinstance(attached, ConsentView)
    async with rooms.database.reading() as connection:
        event = (await rooms.compliance.ledger(connection, ANN))[-1]
    assert (event.person, event.evidence.attachments[:16]) == ("crm/7", "cert.pdf sha256:")
    digest = event.evidence.attachments.partition(":")[2]
    assert place_of(rooms.compliance.home, digest).read_bytes() == b"%PDF"
    future = await rooms.consents().record(given.model_copy(update={"at": NOW + timedelta(days=1)}))
    assert isinstance(future, Refused)
    (unmoved, _) = await rooms.consents().revoke(RevokeConsent(number=ANN, seller="Other"))
    assert unmoved.revoked_at is None
    (revoked, _) = await rooms.consents().revoke(RevokeConsent(number=ANN, words="stop"))
    assert revoked.revoked_at == NOW
    assert await rooms.consents().show(BOB) == []


async def test_a_number_on_our_list_is_called_off(rooms: Rooms) -> None:
    campaign = await made(rooms)
    await rooms.campaigns().import_contacts(campaign.id, CSV)
    assert (await rooms.dnc().lookup(ANN)).is_listed is False
    listed = await rooms.dnc().add(DncAddition(number=ANN, reason="asked by letter"))
    assert (listed.is_listed, listed.lists) == (True, ["internal"])
    contacts = (await rooms.contacts().list(campaign=campaign.id, limit=10, after=None)).items
    assert [(each.name, each.outcome, each.reason) for each in contacts] == [
        ("Ann Lee", "called_off", "opted_out"),
        ("Bob", "waiting", ""),
    ]
    assert await rooms.dnc().status() == []


async def test_a_message_that_asks_to_be_left_alone_is_obeyed(rooms: Rooms) -> None:
    assert (await rooms.dnc().hear(WrittenMessage(number=ANN, text="when do you come?"))).asks_to_stop is False
    heard = await rooms.dnc().hear(WrittenMessage(number=ANN, text="STOP", seller="Acme", channel="sms"))
    assert (heard.asks_to_stop, heard.lists) == (True, ["internal (Acme)"])


async def test_a_loaded_list_is_shown_with_its_age(rooms: Rooms, tmp_path: Path) -> None:
    from compliance.dnc_load import LoadOrder, load

    file = tmp_path / "national.txt"
    file.write_text("6145550123\n6145550150\n")
    load(tmp_path, LoadOrder("national", file, NOW.date() - timedelta(days=3), loaded_by="test", loaded_at=NOW))
    (status,) = await rooms.dnc().status()
    assert (status.name, status.numbers, status.age_days, status.coverage) == ("national", 2, 3.0, ["614"])
    assert (await rooms.dnc().lookup(ANN)).lists == ["national"]


async def test_facts_are_added_and_found(rooms: Rooms) -> None:
    added = await rooms.facts().add(NewFact(text="The office closes at six.\n\nThe inspection is free."))
    assert not isinstance(added, Refused)
    assert len(added) == 2
    found = await rooms.facts().search("inspection free", number="", campaign="", limit=1)
    assert not isinstance(found, Refused)
    assert [fact.text for fact in found] == ["The inspection is free."]
    assert isinstance(await rooms.facts().add(NewFact(text="\u200b")), Refused)


async def test_agents_are_those_of_the_folder(rooms: Rooms) -> None:
    names = [agent.name for agent in rooms.shelf().list()]
    assert names
    first = rooms.shelf().get(names[0])
    assert first is not None
    assert first.questions
    assert rooms.shelf().get("nobody") is None
