"""One call at somebody's wish, over the real gate and database; the dialer is played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api import single_calls
from api.ledgers import StoredConsents, StoredDnc
from api.parts import Placer, Refused
from api.resources import CallView, DncAddition, NewCall, NewConsent
from api.single_calls import SingleCalls
from compliance.store import ComplianceStore
from dialer.attempt import Disposition
from dialer.campaign import CampaignState, Contact, ContactState
from dialer.stores.sql import SqlStore
from storage.database import Database
from storage.events import AttemptChanged, ContactClosed, Event, Recorded
from storage.hot import Hot, Missed
from voice.agent_file import AgentFolder

AGENTS = Path(__file__).parents[3] / "agents"
OURS, ANN = "+13025550100", "+16145550123"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, ten in the morning in Ohio
CALL = NewCall(to=ANN, agent="solar", contact_name="Ann Lee", fields={"note": "tea"})


@dataclass
class Desk:
    database: Database
    compliance: ComplianceStore
    hot: Hot

    @property
    def store(self) -> SqlStore:
        return SqlStore(self.database)

    def placer(self) -> Placer:
        return SingleCalls(self.store, self.compliance, AgentFolder(AGENTS), self.hot, (OURS,), lambda: NOW)

    async def consent(self) -> None:
        given = NewConsent(
            number=ANN,
            seller=AgentFolder(AGENTS).get("solar").seller,
            wording="I agree to calls by an artificial voice; this is no condition of buying.",
            signature="Ann Lee",
            names_artificial_voice=True,
            says_not_a_condition=True,
        )
        await StoredConsents(self.database, self.compliance, lambda: NOW).record(given)

    async def contact(self) -> Contact | None:
        async with self.store.reading() as work:
            campaign = await work.campaign_named("Single calls by solar")
            return await work.contact_by_number(campaign.id, ANN) if campaign else None

    async def waiting(self) -> Contact:
        """The contact, once it is in the queue."""
        while True:
            contact = await self.contact()
            if contact is not None and contact.state is ContactState.WAITING:
                return contact
            await asyncio.sleep(0)

    def tell(self, event: Event, attempt: str = "") -> None:
        self.hot.publish(Recorded(1, NOW, event, attempt_id=attempt))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/offhook.db")
    await database.create_all()
    yield Desk(database, ComplianceStore.open(tmp_path), Hot())
    await database.close()


async def dialled(desk: Desk, attempt: str, key: str = "") -> CallView | Refused:
    placing = asyncio.create_task(desk.placer().place(CALL, key))
    contact = await desk.waiting()
    desk.tell(AttemptChanged(campaign_id="other", contact_id="other", number="", phase="intent"), "at_0")
    desk.tell(AttemptChanged(campaign_id=contact.campaign_id, contact_id=contact.id, number="", phase="intent"), attempt)
    return await placing


async def close(desk: Desk, state: ContactState = ContactState.CLOSED) -> None:
    contact = await desk.contact()
    assert contact is not None
    async with desk.store.transaction() as work:
        await work.save_contact(replace(contact, state=state, due_at=None, disposition=Disposition.ANSWERED, tries=1))


async def test_a_call_the_gate_allows_is_dialled(desk: Desk) -> None:
    await desk.consent()
    call = await dialled(desk, "at_7")
    assert isinstance(call, CallView)
    assert (call.id, call.number, call.contact_name) == ("ca_7", ANN, "Ann Lee")
    contact = await desk.contact()
    assert contact is not None
    assert (contact.first_name, dict(contact.fields), contact.due_at) == ("Ann", {"note": "tea"}, NOW)
    async with desk.store.reading() as work:
        campaign = await work.campaign(contact.campaign_id)
    assert campaign is not None
    assert (campaign.state, campaign.retry.most_tries) == (CampaignState.RUNNING, 1)


async def test_a_second_call_waits_for_the_end_of_the_first(desk: Desk) -> None:
    await desk.consent()
    await dialled(desk, "at_7")
    again = await desk.placer().place(CALL, "")
    assert isinstance(again, Refused)
    assert again.code == "in_progress"
    await close(desk)
    third = await dialled(desk, "at_8")
    assert isinstance(third, CallView)
    assert third.id == "ca_8"


async def test_what_the_gate_refuses_is_refused_with_every_rule(desk: Desk) -> None:
    refused = await desk.placer().place(CALL, "")
    assert isinstance(refused, Refused)
    assert refused.code == "refused_by_gate"
    assert "CONSENT_MISSING" in [finding.rule for finding in refused.findings]
    assert all(finding.detail and finding.source for finding in refused.findings)
    assert await desk.contact() is None


async def test_a_gate_that_says_no_at_the_last_moment_is_believed(desk: Desk) -> None:
    await desk.consent()
    placing = asyncio.create_task(desk.placer().place(CALL, ""))
    contact = await desk.waiting()
    closed = ContactClosed(
        campaign_id=contact.campaign_id,
        contact_id=contact.id,
        number="",
        disposition="refused",
        reason="taken back",
        rules=("CONSENT_REVOKED",),
    )
    desk.tell(closed)
    refused = await placing
    assert isinstance(refused, Refused)
    assert [finding.rule for finding in refused.findings] == ["CONSENT_REVOKED"]


async def test_who_wants_no_calls_is_not_called(desk: Desk) -> None:
    await desk.consent()
    await dialled(desk, "at_7")
    await close(desk, ContactState.CALLED_OFF)
    refused = await desk.placer().place(CALL, "")
    assert isinstance(refused, Refused)
    assert refused.code == "called_off"

    async def call_off(number: str, reason: str, seller: str) -> None: ...

    await StoredDnc(desk.database, desk.compliance, call_off, lambda: NOW).add(DncAddition(number=ANN))
    await close(desk)
    listed = await desk.placer().place(CALL, "")
    assert isinstance(listed, Refused)
    assert "DNC_INTERNAL" in [finding.rule for finding in listed.findings]


async def test_the_same_key_dials_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.consent()
    await dialled(desk, "at_7", key="order-1")
    monkeypatch.setattr(single_calls, "DIALLED_WITHIN", 0.0)
    twice = await desk.placer().place(CALL, "order-1")
    assert isinstance(twice, Refused)  # no line yet, and still one contact in the queue
    assert twice.code == "waiting_for_line"
    other = await desk.placer().place(CALL, "order-2")
    assert isinstance(other, Refused)
    assert other.code == "in_progress"


async def test_what_cannot_be_called_at_all(desk: Desk) -> None:
    for call, code in (
        (CALL.model_copy(update={"agent": "nobody"}), "no_such_agent"),
        (CALL.model_copy(update={"to": "+1911"}), "number_"),
        (CALL.model_copy(update={"to": "+442079460958"}), "number_foreign"),
    ):
        refused = await desk.placer().place(call, "")
        assert isinstance(refused, Refused)
        assert refused.code.startswith(code)


def test_missed_news_are_no_answer() -> None:
    contact = Contact(id="k", campaign_id="c", number=ANN, created_at=NOW)
    assert single_calls._outcome(Missed(3), CALL, contact) is None
