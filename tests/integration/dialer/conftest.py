"""A world for the dialer: a clock that is set by hand, a gate with a list of verdicts, a carrier that counts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from compliance.verdict import _SEAL, Clearance, Finding, Refused, Rule, Verdict
from dialer.attempt import Attempt, AttemptId, CarrierEvent, CarrierStatus, Disposition
from dialer.campaign import Campaign, CampaignState, Contact
from dialer.pacing import Limit
from dialer.ports import AttemptStore, Placed, Placing, Work
from dialer.retry import RetryPolicy
from dialer.run import Runner, Turn
from dialer.settle import Uncount
from dialer.stores.memory import MemoryStore
from dialer.stores.sql import SqlStore
from storage.database import Database

# Where there is a PostgreSQL for tests (its database is emptied for each), the store is tried on it as well.
POSTGRES = os.environ.get("OFFHOOK_TEST_POSTGRES", "")
START = datetime(2026, 11, 20, 15, tzinfo=UTC)


@dataclass
class HandClock:
    """Both clocks, moved by hand and together."""

    seconds: float = 0.0

    def now(self) -> float:
        return 1000.0 + self.seconds

    def at(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


def clear(number: str, attempt: str, contact: str, at: datetime) -> Clearance:
    """A clearance as the gate makes them; only tests may forge one."""
    return Clearance(number, attempt, contact, f"receipt-{attempt}", at, at + timedelta(seconds=60), "test", seal=_SEAL)


def refuse(contact: Contact, at: datetime, *rules: Rule, until: datetime | None = None) -> Refused:
    findings = tuple(Finding(rule, f"{rule.value} says no.", "a book", until) for rule in rules)
    return Refused(contact.number, "", contact.id, "receipt-no", at, findings, until, "test")


@dataclass
class ListGate:
    """Clears everybody, except as `answers` says by number; counts how often it was asked."""

    answers: dict[str, Callable[[Contact, datetime], Verdict] | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def judge(self, work: Work, campaign: Campaign, contact: Contact, attempt: AttemptId, at: datetime) -> Verdict:
        self.asked.append(contact.number)
        answer = self.answers.get(contact.number)
        if isinstance(answer, Exception):
            raise answer
        return answer(contact, at) if answer else clear(contact.number, attempt, contact.id, at)


@dataclass
class CountingCarrier:
    """Takes every call at once and remembers it; `answers` by number: another answer, an error, or an event to wait for."""

    placed: list[tuple[str, str]] = field(default_factory=list)  # (number, attempt)
    cancelled: list[str] = field(default_factory=list)
    answers: dict[str, Placing | Exception | asyncio.Event] = field(default_factory=dict)
    fail_cancel: bool = False
    taken: asyncio.Event = field(default_factory=asyncio.Event)  # a call has come in

    async def place(self, clearance: Clearance, attempt: Attempt) -> Placing:
        assert clearance.attempt == attempt.id
        self.placed.append((clearance.number, attempt.id))
        self.taken.set()
        answer = self.answers.get(clearance.number)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = None
        return answer or Placed(f"CA-{attempt.id}")

    async def cancel(self, call_sid: str) -> None:
        if self.fail_cancel:
            raise ConnectionError
        self.cancelled.append(call_sid)


@dataclass
class World:
    store: AttemptStore
    clock: HandClock = field(default_factory=HandClock)
    gate: ListGate = field(default_factory=ListGate)
    carrier: CountingCarrier = field(default_factory=CountingCarrier)
    house: Limit = field(default_factory=lambda: Limit(100, 1000.0))
    place_timeout: float = 30.0
    uncount: Uncount | None = None

    def __post_init__(self) -> None:
        self.runner = self.new_runner()

    def new_runner(self) -> Runner:
        return Runner(
            self.store,
            self.gate,
            self.carrier,
            self.house,
            clock=self.clock,
            draw=lambda: 0.0,
            uncount=self.uncount,
            place_timeout=self.place_timeout,
        )

    async def campaign(self, *numbers: str, campaign_id: str = "c1", **changes: object) -> Campaign:
        campaign = Campaign(
            campaign_id,
            f"Campaign {campaign_id}",
            "Acme Solar",
            "solar",
            self.clock.at(),
            state=CampaignState.RUNNING,
            limit=Limit(10, 1000.0),
            retry=RetryPolicy(is_by_day_part=False),
        )
        campaign = replace(campaign, **changes)  # type: ignore[arg-type]
        contacts = [contact(number, campaign_id, self.clock.at()) for number in numbers]
        async with self.store.transaction() as work:
            await work.save_campaign(campaign)
            await work.add_contacts(contacts)
        return campaign

    async def turn(self) -> Turn:
        """One turn, and the dial it asks for."""
        turn = await self.runner.turn()
        if turn.to_dial is not None:
            await self.runner.dispatch(turn.to_dial)
        for call_sid in turn.to_cancel:
            await self.carrier.cancel(call_sid)
        return turn

    async def turns(self, most: int = 50) -> float:
        """Turns until there is nothing left to do now; how long the runner would sleep then."""
        for _ in range(most):
            turn = await self.turn()
            if turn.wake_in > 0.01:
                return turn.wake_in
            self.clock.seconds += max(turn.wake_in, 0.0)
        raise AssertionError("the runner never comes to rest")

    async def told(self, attempt_id: str, status: CarrierStatus, sequence: int = -1, **more: object) -> Attempt | None:
        sid = f"CA-{attempt_id}"
        event = CarrierEvent(sid, status, self.clock.at(), attempt_id, sequence, **more)  # type: ignore[arg-type]
        return await self.runner.on_carrier_event(event)

    async def contact(self, number: str, campaign_id: str = "c1") -> Contact:
        async with self.store.reading() as work:
            found = await work.contact_by_number(campaign_id, number)
        assert found is not None
        return found

    async def attempts(self, number: str, campaign_id: str = "c1") -> list[Attempt]:
        found = await self.contact(number, campaign_id)
        async with self.store.reading() as work:
            return await work.attempts_of(found.id)

    async def last(self, number: str, campaign_id: str = "c1") -> Attempt:
        return (await self.attempts(number, campaign_id))[-1]

    async def state(self, campaign_id: str = "c1") -> CampaignState:
        async with self.store.reading() as work:
            campaign = await work.campaign(campaign_id)
        assert campaign is not None
        return campaign.state

    async def end(self, number: str, status: CarrierStatus = CarrierStatus.COMPLETED) -> None:
        attempt = await self.last(number)
        await self.told(attempt.id, status, 9)

    async def conversed(self, number: str, disposition: Disposition) -> None:
        await self.runner.on_conversation_ended((await self.last(number)).id, disposition)


def contact(number: str, campaign_id: str, at: datetime, **changes: object) -> Contact:
    plain = Contact(f"{campaign_id}-{number[-4:]}", campaign_id, number, at, due_at=at, changed_at=at)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/offhook.db")
    await database.create_all()
    yield database
    await database.close()


@pytest.fixture(params=["memory", "sqlite", *(["postgres"] if POSTGRES else [])])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AttemptStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    database = Database(POSTGRES if request.param == "postgres" else f"sqlite:///{tmp_path}/offhook.db")
    if request.param == "postgres":
        async with database.transaction() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
    await database.create_all()
    yield SqlStore(database)
    await database.close()


@pytest.fixture
def world(store: AttemptStore) -> World:
    return World(store)


@pytest.fixture
def new_contact() -> Callable[..., Contact]:
    return contact


@pytest.fixture
def refusal() -> Callable[..., Refused]:
    return refuse


@pytest.fixture
def make_world() -> Callable[..., World]:
    return World


@pytest.fixture
def clearance() -> Callable[..., Clearance]:
    return clear
