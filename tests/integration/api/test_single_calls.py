"""One call at somebody's wish, over the real gate and database; the carrier is played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api import single_calls
from api.gatekeeping import DialGate
from api.ledgers import StoredConsents, StoredDnc
from api.parts import Refused
from api.records import StoredCalls
from api.resources import CallView, DncAddition, NewCall, NewConsent
from api.single_calls import SingleCalls
from api.suppression import Suppressor
from compliance.proposals import DncRequest
from compliance.scope import Scopes
from compliance.store import ComplianceStore
from compliance.verdict import Clearance
from dialer.attempt import Attempt, ConversationEnded, Disposition, Phase
from dialer.campaign import CampaignState, Contact, ContactState, Hold
from dialer.pacing import Limit
from dialer.ports import Placed, PlaceRefused, Placing
from dialer.run import Runner
from dialer.settle import defer
from dialer.stores.sql import SqlStore
from storage.database import Database
from storage.hot import Hot
from storage.log import follow
from voice.agent_file import AgentFolder

AGENTS = Path(__file__).parents[3] / "agents"
OURS, ANN, BOB = "+13025550100", "+16145550123", "+16145550124"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, ten in the morning in Ohio
CALL = NewCall(to=ANN, agent="solar", contact_name="Ann Lee", fields={"note": "tea"})


class Clock:
    """Goes on by a second whenever it is read, so that no two things happen at one instant."""

    def __init__(self) -> None:
        self.read = 0

    def now(self) -> float:
        self.read += 1
        return float(self.read)

    def at(self) -> datetime:
        return NOW + timedelta(milliseconds=self.now())


@dataclass
class Carrier:
    """Fits `dialer.ports.CallPlacer`: takes every call, or refuses all."""

    refusal: PlaceRefused | None = None
    attempts: list[Attempt] = field(default_factory=list)

    async def place(self, clearance: Clearance, attempt: Attempt) -> Placing:
        self.attempts.append(attempt)
        return self.refusal or Placed(f"CA{len(self.attempts)}")

    async def cancel(self, call_sid: str) -> None: ...


@dataclass
class Desk:
    """The desk with a real dialer behind it."""

    database: Database
    compliance: ComplianceStore
    carrier: Carrier = field(default_factory=Carrier)
    hot: Hot = field(default_factory=Hot)
    clock: Clock = field(default_factory=Clock)
    hold: Hold | None = None

    def __post_init__(self) -> None:
        self.store = SqlStore(self.database)
        self.suppressor = Suppressor(self.compliance, Scopes())
        self.lists = StoredDnc(self.database, self.compliance, self.suppressor, self.clock.at)
        gate = DialGate(self.compliance, (OURS,))
        self.runner = Runner(self.store, gate, self.carrier, Limit(10, 100.0), clock=self.clock)
        self.placer = SingleCalls(
            self.store,
            self.compliance,
            AgentFolder(AGENTS),
            self.hot,
            StoredCalls(self.database),
            (OURS,),
            self.clock.at,
            self.runner.wake,
            lambda _: self.hold,
        )

    async def show_the_log(self) -> None:
        async for recorded in follow(self.database):
            self.hot.publish(recorded)

    async def consent(self, *numbers: str) -> None:
        for number in numbers or (ANN,):
            given = NewConsent(
                number=number,
                seller=AgentFolder(AGENTS).get("solar").seller,
                wording="I agree to calls by an artificial voice; this is no condition of buying.",
                signature="Ann Lee",
                names_artificial_voice=True,
                says_not_a_condition=True,
            )
            await StoredConsents(self.database, self.compliance, self.suppressor, self.clock.at).record(given)

    async def contact(self, number: str = ANN) -> Contact | None:
        async with self.store.reading() as work:
            campaign = await work.campaign_named("Single calls by solar")
            return await work.contact_by_number(campaign.id, number) if campaign else None

    async def waiting(self) -> Contact:
        """The contact, once it is in the queue."""
        async with self.hot.subscribe() as news:
            while (contact := await self.contact()) is None:
                await anext(aiter(news))
        return contact

    async def hang_up(self) -> None:
        """The latest call is over."""
        attempt = self.carrier.attempts[-1]
        over = replace(attempt, progress=attempt.after(ConversationEnded(Disposition.ANSWERED, NOW)).progress)
        ended = replace(over.progress, phase=Phase.ENDED, carrier_outcome=Disposition.ANSWERED, call_sid="CA1")
        contact = await self.contact()
        assert contact is not None
        async with self.store.transaction() as work:
            await work.save_attempt(replace(over, progress=ended))
            closed = replace(contact, state=ContactState.CLOSED, due_at=None, disposition=Disposition.ANSWERED, tries=1)
            await work.save_contact(closed)

    async def placed(self, call: NewCall = CALL, key: str = "") -> CallView:
        placed = await self.placer.place(call, key)
        assert isinstance(placed, CallView), placed
        return placed

    async def refused(self, call: NewCall = CALL, key: str = "") -> Refused:
        refused = await self.placer.place(call, key)
        assert isinstance(refused, Refused), refused
        return refused


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose dialer does not run."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/offhook.db")
    await database.create_all()
    desk = Desk(database, ComplianceStore.open(tmp_path))
    showing = asyncio.create_task(desk.show_the_log())
    yield desk
    showing.cancel()
    await asyncio.wait([showing])
    await database.close()


@pytest.fixture
async def desk(idle: Desk) -> AsyncIterator[Desk]:
    dialling = asyncio.create_task(idle.runner.run())
    yield idle
    idle.runner.close()
    await dialling


async def test_a_call_the_gate_allows_is_dialled(desk: Desk) -> None:
    await desk.consent()
    call = await desk.placed()
    (attempt,) = desk.carrier.attempts
    assert (call.id, call.number, call.contact_name) == (f"ca_{attempt.id.removeprefix('at_')}", ANN, "Ann Lee")
    contact = await desk.contact()
    assert contact is not None
    assert (contact.first_name, dict(contact.fields), contact.state) == ("Ann", {"note": "tea"}, ContactState.ATTEMPTING)
    assert attempt.receipt_id


async def test_a_second_call_waits_for_the_end_of_the_first(desk: Desk) -> None:
    await desk.consent()
    first = await desk.placed()
    assert (await desk.refused()).code == "in_progress"
    await desk.hang_up()
    assert (await desk.placed()).id != first.id


async def test_what_the_gate_refuses_is_refused_with_every_rule(desk: Desk) -> None:
    refused = await desk.refused()
    assert refused.code == "refused_by_gate"
    assert "CONSENT_MISSING" in [finding.rule for finding in refused.findings]
    assert all(finding.detail and finding.source for finding in refused.findings)
    assert await desk.contact() is None
    assert not desk.carrier.attempts


async def test_a_gate_that_says_no_at_the_last_moment_is_believed_and_nothing_is_dialled_later(idle: Desk) -> None:
    await idle.consent()
    placing = asyncio.create_task(idle.placer.place(CALL, ""))
    await idle.waiting()
    async with idle.database.transaction() as connection:
        await idle.compliance.opt_out(connection, DncRequest(ANN, NOW, "letter", "Acme Solar"), NOW)
    await idle.runner.turn()
    refused = await placing
    assert isinstance(refused, Refused)
    assert refused.code == "refused_by_gate"
    assert "DNC_INTERNAL" in [finding.rule for finding in refused.findings]
    contact = await idle.contact()
    assert contact is not None
    assert contact.state is ContactState.CLOSED


async def test_a_gate_that_puts_it_off_at_the_last_moment_is_not_asked_again_tomorrow(idle: Desk) -> None:
    await idle.consent()
    placing = asyncio.create_task(idle.placer.place(CALL, ""))
    contact = await idle.waiting()
    async with idle.store.transaction() as work:
        await defer(
            work, replace(contact, reason="It is early there.", rules=("WINDOW_FEDERAL",)), NOW + timedelta(hours=20), NOW
        )
    refused = await placing
    assert isinstance(refused, Refused)
    assert (refused.code, refused.detail) == ("refused_by_gate", "It is early there.")
    contact = await idle.contact()
    assert contact is not None
    assert contact.state is ContactState.CLOSED


async def test_who_wants_no_calls_is_not_called(desk: Desk) -> None:
    await desk.consent()
    await desk.placed()
    await desk.hang_up()
    contact = await desk.contact()
    assert contact is not None
    async with desk.store.transaction() as work:
        await work.save_contact(replace(contact, state=ContactState.CALLED_OFF))
    assert (await desk.refused()).code == "called_off"
    await desk.lists.add(DncAddition(number=ANN))
    listed = await desk.refused()
    assert listed.code == "refused_by_gate"
    assert "DNC_INTERNAL" in [finding.rule for finding in listed.findings]


async def test_the_same_key_dials_once_even_after_the_end(desk: Desk) -> None:
    await desk.consent(ANN, BOB)
    first, again = await asyncio.gather(desk.placed(key="order-1"), desk.placed(key="order-1"))
    assert first.id == again.id
    await desk.hang_up()
    other = await desk.placed(key="order-2")
    assert (await desk.placed(key="order-1")).id == first.id
    assert (await desk.placed(key="order-2")).id == other.id
    assert (await desk.placed(CALL.model_copy(update={"to": BOB}), key="order-1")).number == BOB
    assert len(desk.carrier.attempts) == 3


async def test_a_line_that_does_not_come_free_is_not_waited_for_for_ever(
    idle: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await idle.consent()
    monkeypatch.setattr(single_calls, "DIALLED_WITHIN", 0.0)
    assert (await idle.refused()).code == "no_line"
    contact = await idle.contact()
    assert contact is not None
    assert contact.state is ContactState.CLOSED


async def test_a_carrier_that_refuses_says_why(desk: Desk) -> None:
    await desk.consent()
    desk.carrier.refusal = PlaceRefused(Disposition.INVALID_NUMBER, "21217: not a valid number")
    refused = await desk.refused()
    assert (refused.code, refused.detail) == ("carrier_refused", "21217: not a valid number")


async def test_what_was_not_dialled_before_the_process_ended_is_put_away(idle: Desk) -> None:
    await idle.consent()
    placing = asyncio.create_task(idle.placer.place(CALL, ""))
    await idle.waiting()
    placing.cancel()
    await idle.placer.put_away()
    contact = await idle.contact()
    assert contact is not None
    assert contact.state is ContactState.CLOSED


async def test_a_desk_that_is_closed_or_paused_takes_nobody(desk: Desk) -> None:
    await desk.consent()
    await desk.placed()
    await desk.hang_up()
    async with desk.store.transaction() as work:
        campaign = await work.campaign_named("Single calls by solar")
        assert campaign is not None
        await work.save_campaign(replace(campaign, state=CampaignState.PAUSED))
    assert (await desk.refused()).code == "campaign_paused"
    desk.placer.is_closed = True
    assert (await desk.refused()).code == "shutting_down"


async def test_what_cannot_be_called_at_all(desk: Desk) -> None:
    for call, code in (
        (CALL.model_copy(update={"agent": "nobody"}), "no_such_agent"),
        (CALL.model_copy(update={"to": "+1911"}), "number_"),
        (CALL.model_copy(update={"to": "+442079460958"}), "number_foreign"),
    ):
        assert (await desk.refused(call)).code.startswith(code)


async def test_what_holds_the_dialer_is_said_at_once(idle: Desk) -> None:
    await idle.consent()
    idle.hold = Hold("budget_hour_spent", "the budget of an hour is spent")
    refused = await idle.refused()
    assert (refused.code, refused.detail) == ("budget_hour_spent", "The budget of an hour is spent.")
    assert await idle.contact() is None
