"""What the routes need from the rest of the house: narrow ports, and the one value that holds them all.

`api/compose.py` fills a `Parts`; a port left None takes its routes away, so that nothing is listed that does not work.
A thing that is not there is None; a rule that says no is a `Refused`; anything else that goes wrong is an exception.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from api.resources import (
    AgentView,
    Alive,
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
    LiveCallView,
    MessageHeard,
    NewCall,
    NewCampaign,
    NewConsent,
    NewFact,
    Page,
    RevokeConsent,
    TranscriptView,
    WrittenMessage,
)
from storage.hot import LiveFeed
from telephony.twilio.stream import TextSocket

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.metrics import Metrics
    from api.settings import Settings


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule says no. `code` is stable; `findings` name every rule that spoke, when it was the gate."""

    code: str
    detail: str = ""
    findings: tuple[Finding, ...] = ()


# --- the carrier's side -----------------------------------------------------------------------------------------------

Form: TypeAlias = Mapping[str, str]  # a webhook's fields; of a repeated one the last


class CarrierDoor(Protocol):
    """What the carrier's webhooks lead to. Every request that gets here has a valid signature; none is ever unique:
    callbacks come late, doubled and out of order."""

    async def on_voice(self, form: Form) -> str:
        """A call wants its instructions: TwiML."""

    async def on_status(self, form: Form) -> None: ...

    async def on_amd(self, form: Form) -> None: ...

    async def on_dial(self, form: Form) -> str:
        """A `<Dial>` is over: TwiML for what comes after."""

    async def on_stream(self, form: Form) -> None: ...


MediaDoor: TypeAlias = Callable[[TextSocket], Awaitable[None]]

# --- live calls -------------------------------------------------------------------------------------------------------


class Hand(StrEnum):
    """What a supervisor can do to a live call."""

    HANGUP = "hangup"
    SAY = "say"
    WHISPER = "whisper"
    TRANSFER = "transfer"
    TAKEOVER = "takeover"


@dataclass(frozen=True, slots=True)
class Order:
    """A supervisor's order for one live call. `text` for say and whisper, `to` and `is_warm` for transfer."""

    hand: Hand
    text: str = ""
    to: str = ""
    is_warm: bool = False


class LiveCalls(Protocol):
    """The calls that are going on now, in this process or another."""

    @property
    def hands(self) -> frozenset[Hand]:
        """What can be done to a live call here; nothing else is listed."""

    def snapshot(self) -> list[LiveCallView]:
        """Every live call with what has been said so far, the longest first."""

    async def order(self, call_id: str, order: Order) -> bool | Refused:
        """Do it. False: there is no such live call."""


# --- resources --------------------------------------------------------------------------------------------------------


class Calls(Protocol):
    async def list(self, *, campaign: str | None, limit: int, after: str | None) -> Page[CallView]: ...

    async def get(self, call_id: str) -> CallView | None: ...

    async def transcript(self, call_id: str) -> TranscriptView | None: ...


class Placer(Protocol):
    async def place(self, call: NewCall, key: str) -> CallView | Refused:
        """Check and dial one call; the same non-empty `key` twice dials once and gives the same call."""


class Campaigns(Protocol):
    async def create(self, campaign: NewCampaign) -> CampaignView | Refused: ...

    async def list(self) -> list[CampaignView]: ...

    async def get(self, campaign_id: str) -> CampaignView | None: ...

    async def import_contacts(self, campaign_id: str, csv: bytes, people: str = "") -> ImportReport | Refused | None: ...

    async def order(self, campaign_id: str, order: str) -> CampaignView | Refused | None:
        """`order` is start, pause, resume or stop."""

    async def set_budget(self, campaign_id: str, dollars: float | None) -> CampaignView | Refused | None: ...

    async def explain(self, campaign_id: str, contact: str) -> Explanation | None:
        """`contact` is an id or a number."""


class Contacts(Protocol):
    async def list(self, *, campaign: str | None, limit: int, after: str | None) -> Page[ContactView]: ...

    async def get(self, contact_id: str) -> ContactView | None: ...


class Consents(Protocol):
    async def show(self, number: str) -> list[ConsentView]: ...

    async def record(self, consent: NewConsent) -> ConsentView | Refused: ...

    async def revoke(self, revocation: RevokeConsent) -> list[ConsentView]: ...


class DoNotCall(Protocol):
    async def status(self) -> list[DncStatus]: ...

    async def lookup(self, number: str) -> DncLookup: ...

    async def add(self, addition: DncAddition) -> DncLookup: ...

    async def hear(self, message: WrittenMessage) -> MessageHeard:
        """Read what somebody wrote; if it asks to be left alone, they are."""


class Knowledge(Protocol):
    async def add(self, fact: NewFact) -> list[FactView] | Refused:
        """A fact for each paragraph."""

    async def search(self, query: str, *, number: str, campaign: str, limit: int) -> list[FactView] | Refused:
        """The nearest of those that hold for everybody, for this number and in this campaign."""


class Agents(Protocol):
    def list(self) -> list[AgentView]: ...

    def get(self, name: str) -> AgentView | None: ...


class Readiness(Protocol):
    async def checks(self) -> list[Check]:
        """Every part a call needs, tried now; quick, and never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything the server's routes stand on."""

    settings: Settings
    metrics: Metrics
    readiness: Readiness | None = None
    standing: Callable[[], Alive] | None = None
    live: LiveCalls | None = None
    feed: LiveFeed | None = None
    carrier: CarrierDoor | None = None
    media: MediaDoor | None = None
    calls: Calls | None = None
    placer: Placer | None = None
    campaigns: Campaigns | None = None
    contacts: Contacts | None = None
    consents: Consents | None = None
    dnc: DoNotCall | None = None
    knowledge: Knowledge | None = None
    agents: Agents | None = None
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = field(default=None)
