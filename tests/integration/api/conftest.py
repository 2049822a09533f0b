"""A server over in-memory parts that do what the ports promise, and clients that stand on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.metrics import Metrics
from api.parts import Form, Hand, Order, Parts, Refused
from api.resources import (
    AgentView,
    BadRow,
    CallState,
    CallView,
    CampaignView,
    Check,
    ConsentView,
    ContactView,
    DncAddition,
    DncLookup,
    DncStatus,
    Explanation,
    FactView,
    Finding,
    ImportReport,
    Line,
    LiveCallView,
    NewCall,
    NewCampaign,
    NewConsent,
    NewFact,
    Page,
    RevokeConsent,
    TranscriptView,
)
from api.settings import Settings
from storage.hot import Hot
from telephony.errors import ProtocolViolation
from telephony.twilio.stream import TextSocket, accept

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
LOCAL = "http://127.0.0.1:8080"
TOKEN = "the-carriers-token"


@dataclass
class FakeCarrier:
    heard: list[tuple[str, Form]] = field(default_factory=list)
    crash: bool = False

    async def on_voice(self, form: Form) -> str:
        self._take("voice", form)
        return "<Response><Hangup/></Response>"

    async def on_status(self, form: Form) -> None:
        self._take("status", form)

    async def on_amd(self, form: Form) -> None:
        self._take("amd", form)

    async def on_dial(self, form: Form) -> str:
        self._take("dial", form)
        return "<Response/>"

    async def on_stream(self, form: Form) -> None:
        self._take("stream", form)

    def _take(self, kind: str, form: Form) -> None:
        if self.crash:
            raise RuntimeError("a fault of ours about +14155550123")
        if "CallSid" not in form:
            raise ProtocolViolation("missing_parameter", "CallSid is missing")
        self.heard.append((kind, form))


@dataclass
class FakeMedia:
    """Opens the link as the real one does, then says back what it hears, until the other side is gone."""

    sockets: int = 0
    crash: bool = False

    async def __call__(self, socket: TextSocket) -> None:
        self.sockets += 1
        if self.crash:
            raise RuntimeError("boom")
        link = await accept(socket, timeout=5.0)
        await link.listen(lambda event: link.send(["heard"]))


class FakeLive:
    hands = frozenset({Hand.HANGUP, Hand.TRANSFER})

    def __init__(self) -> None:
        self.orders: list[tuple[str, Order]] = []
        self.calls = [
            LiveCallView(
                id="call-1",
                state=CallState.LIVE,
                direction="outbound",
                number="+12025550123",
                agent="renewals",
                contact_name="Ann Lee",
                campaign_id="c1",
                lines=[Line(who="agent", text="Hello, this is Ray.", at=0.2)],
            )
        ]

    def snapshot(self) -> list[LiveCallView]:
        return self.calls

    async def order(self, call_id: str, order: Order) -> bool | Refused:
        self.orders.append((call_id, order))
        if order.is_warm:
            return Refused("no_warm_transfer", "This carrier cannot.")
        return call_id == "call-1"


PAST = CallView(
    id="call-0",
    state=CallState.ENDED,
    direction="outbound",
    number="+12025550124",
    agent="renewals",
    started_at=NOW,
    duration=42.0,
    disposition="answered",
    summary="Wants a call on Friday.",
    sentiment="positive",
)


class FakeCalls:
    async def list(self, *, campaign: str | None, limit: int, after: str | None) -> Page[CallView]:
        return Page[CallView](items=[PAST] if after is None else [], next="call-0" if limit == 1 else None)

    async def get(self, call_id: str) -> CallView | None:
        return PAST if call_id == PAST.id else None

    async def transcript(self, call_id: str) -> TranscriptView | None:
        return TranscriptView(call_id=call_id, lines=[Line(who="caller", text="hi", at=1.0)]) if call_id == PAST.id else None


class FakePlacer:
    def __init__(self) -> None:
        self.placed: list[tuple[NewCall, str]] = []

    async def place(self, call: NewCall, key: str) -> CallView | Refused:
        if call.to.endswith("99"):
            rule = Finding(rule="calling_hours", detail="before 8 a.m.", source="47 CFR 64.1200(c)(1)", until=NOW)
            return Refused("refused_by_gate", "This number may not be called now.", (rule,))
        self.placed.append((call, key))
        return CallView(id="call-2", state=CallState.PLACED, direction="outbound", number=call.to, agent=call.agent)


class FakeCampaigns:
    def __init__(self) -> None:
        self.rows: dict[str, CampaignView] = {}
        self.csv: list[bytes] = []

    async def create(self, campaign: NewCampaign) -> CampaignView | Refused:
        if any(row.name == campaign.name for row in self.rows.values()):
            return Refused("name_taken", "There is a campaign of this name.")
        row = CampaignView(id=f"c{len(self.rows) + 1}", name=campaign.name, agent=campaign.agent, state="draft")
        self.rows[row.id] = row
        return row

    async def list(self) -> list[CampaignView]:
        return list(self.rows.values())

    async def get(self, campaign_id: str) -> CampaignView | None:
        return self.rows.get(campaign_id)

    async def import_contacts(self, campaign_id: str, csv: bytes, people: str = "") -> ImportReport | Refused | None:
        if campaign_id not in self.rows:
            return None
        self.csv.append(csv)
        if b"number" not in csv:
            return Refused("no_number_column", "The header has no column `number`.")
        return ImportReport(added=1, rejected=[BadRow(line=3, reason="too_short")])

    async def order(self, campaign_id: str, order: str) -> CampaignView | Refused | None:
        row = self.rows.get(campaign_id)
        return None if row is None else row.model_copy(update={"state": {"start": "running"}.get(order, order)})

    async def set_budget(self, campaign_id: str, dollars: float | None) -> CampaignView | Refused | None:
        row = self.rows.get(campaign_id)
        return None if row is None else row.model_copy(update={"budget": dollars})

    async def explain(self, campaign_id: str, contact: str) -> Explanation | None:
        if contact != "+12025550123":
            return None
        return Explanation(
            campaign_id=campaign_id, contact_id="k1", state="waiting", text="before 8 a.m. there", next_at=NOW
        )


class FakeContacts:
    async def list(self, *, campaign: str | None, limit: int, after: str | None) -> Page[ContactView]:
        return Page[ContactView](items=[ContactView(id="k1", number="+12025550123", campaign_id=campaign)])

    async def get(self, contact_id: str) -> ContactView | None:
        return ContactView(id="k1", number="+12025550123") if contact_id == "k1" else None


class FakeConsents:
    async def show(self, number: str) -> list[ConsentView]:
        return [ConsentView(number=number, seller="Acme", kind="written", given_at=NOW)]

    async def record(self, consent: NewConsent) -> ConsentView | Refused:
        return ConsentView(number=consent.number, seller=consent.seller, kind=consent.kind, given_at=consent.at or NOW)

    async def revoke(self, revocation: RevokeConsent) -> list[ConsentView]:
        return []


class FakeDnc:
    async def status(self) -> list[DncStatus]:
        return [DncStatus(name="national", numbers=3, coverage=["202"])]

    async def lookup(self, number: str) -> DncLookup:
        return DncLookup(number=number, is_listed=False)

    async def add(self, addition: DncAddition) -> DncLookup:
        return DncLookup(number=addition.number, is_listed=True, lists=["internal"])


class FakeKnowledge:
    async def add(self, fact: NewFact) -> list[FactView] | Refused:
        return [FactView(id="f1", text=fact.text)]

    async def search(self, query: str, *, number: str, campaign: str, limit: int) -> list[FactView] | Refused:
        return [FactView(id="f1", text=query, score=1.0)][:limit]


class FakeAgents:
    def list(self) -> list[AgentView]:
        return [AgentView(name="renewals", seller="Acme", persona="Ray", goal="renew")]

    def get(self, name: str) -> AgentView | None:
        return next((agent for agent in self.list() if agent.name == name), None)


@dataclass
class FakeReadiness:
    found: list[Check] = field(default_factory=lambda: [Check(part="database", ok=True, detail="secret address")])

    async def checks(self) -> list[Check]:
        return self.found


@dataclass
class House:
    """Everything behind one server, for a test to look into."""

    metrics: Metrics = field(default_factory=Metrics)
    carrier: FakeCarrier = field(default_factory=FakeCarrier)
    media: FakeMedia = field(default_factory=FakeMedia)
    live: FakeLive = field(default_factory=FakeLive)
    hot: Hot = field(default_factory=Hot)
    placer: FakePlacer = field(default_factory=FakePlacer)
    campaigns: FakeCampaigns = field(default_factory=FakeCampaigns)
    readiness: FakeReadiness = field(default_factory=FakeReadiness)

    def parts(self, **settings: Any) -> Parts:
        given = {
            "twilio_account_sid": "AC1",
            "twilio_auth_token": SecretStr(TOKEN),
            "public_url": "https://calls.example.com",
        }
        return Parts(
            settings=Settings(_env_file=None, **(given | settings)),  # type: ignore[call-arg]
            metrics=self.metrics,
            readiness=self.readiness,
            live=self.live,
            feed=self.hot,
            carrier=self.carrier,
            media=self.media,
            calls=FakeCalls(),
            placer=self.placer,
            campaigns=self.campaigns,
            contacts=FakeContacts(),
            consents=FakeConsents(),
            dnc=FakeDnc(),
            knowledge=FakeKnowledge(),
            agents=FakeAgents(),
        )


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    """A program on this machine; no keys are set."""
    with TestClient(create_app(house.parts()), base_url=LOCAL, client=("127.0.0.1", 5000)) as client:
        yield client


@pytest.fixture
def guarded(house: House) -> Iterator[TestClient]:
    """A program elsewhere, without a token; one key is set."""
    parts = house.parts(api_keys=(SecretStr("a-very-secret-key"),))
    app = create_app(parts)
    with TestClient(
        app, base_url="https://calls.example.com", client=("203.0.113.9", 5000), follow_redirects=False
    ) as client:
        yield client


@pytest.fixture
def serve() -> Callable[[Parts], TestClient]:
    """A client on this machine for parts of one's own."""

    def make(parts: Parts) -> TestClient:
        return TestClient(create_app(parts), base_url=LOCAL, client=("127.0.0.1", 5000), raise_server_exceptions=False)

    return make
