"""What is shown of calls and campaigns while they go on: the JSON of `WS /v1/events`.

Each message is an object with `type` (the struct's name in snake case), `at` (RFC 3339) and, for those of a call, `call`.
They are made from what is recorded (`storage.events`), which holds numbers masked. `docs/api.md` describes them for people;
a test keeps the two in step.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from storage import events as recorded_events
from storage.events import CallNoted, Recorded

VERSION: Final = 1


def _tag(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Shown(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=_tag):
    """The parent of every message."""

    at: datetime


class OfCall(Shown, frozen=True, kw_only=True, tag=_tag):
    call: str


class CallStarted(OfCall, frozen=True, kw_only=True, tag=_tag):
    """Dialled, or come in. `number` is masked; `contact` is a name, `campaign` an id, each empty if there is none."""

    direction: str
    number: str
    agent: str = ""
    contact: str = ""
    campaign: str = ""


class CallAnswered(OfCall, frozen=True, kw_only=True, tag=_tag):
    """Somebody, or something, picked up, and both sides can hear each other."""


class Interim(OfCall, frozen=True, kw_only=True, tag=_tag):
    """What the caller seems to be saying; replaces the interim before it, and is replaced by `caller`."""

    text: str


class Caller(OfCall, frozen=True, kw_only=True, tag=_tag):
    """The caller said this."""

    text: str


class Agent(OfCall, frozen=True, kw_only=True, tag=_tag):
    """The agent says this: its sound begins. `is_cut` if the caller took the floor before its end, where that is known."""

    text: str
    is_cut: bool = False


class Decision(OfCall, frozen=True, kw_only=True, tag=_tag):
    """The conversation decided something, and why."""

    text: str
    detail: dict[str, str] = {}


class Tool(OfCall, frozen=True, kw_only=True, tag=_tag):
    """A tool was used."""

    text: str
    detail: dict[str, str] = {}


class Party(OfCall, frozen=True, kw_only=True, tag=_tag):
    """Who picked up, as far as is known: human, machine, fax, unknown."""

    text: str


class CallEnded(OfCall, frozen=True, kw_only=True, tag=_tag):
    """It is over. `duration` is seconds from the answer, 0 if there was none."""

    disposition: str
    reason: str = ""
    duration: float = 0.0


class CallLearned(OfCall, frozen=True, kw_only=True, tag=_tag):
    """The work after the call is done: `GET /v1/calls/{id}` now has its summary. `seconds` since the hang-up."""

    facts: int
    seconds: float = 0.0


class CampaignProgress(Shown, frozen=True, kw_only=True, tag=_tag):
    """How far a campaign is: its contacts by outcome, the refused ones by rule, the calls going on, and what holds it.

    Sent when something changed, at most twice a second for each campaign.
    """

    campaign: str
    name: str
    state: str
    contacts: int
    live: int = 0
    outcomes: dict[str, int] = {}
    refusals: dict[str, int] = {}
    hold: str = ""
    hold_why: str = ""


class Missed(Shown, frozen=True, kw_only=True, tag=_tag):
    """This reader was too slow: `count` messages before the next one are lost to it."""

    count: int


class Snapshot(Shown, frozen=True, kw_only=True, tag=_tag):
    """The first message on every connection: what is going on now. `calls` as `GET /v1/calls/live`, `campaigns` as
    `GET /v1/campaigns`; `hands`: what can be done to a live call here (`POST /v1/calls/{id}/...`)."""

    version: int = VERSION
    hands: tuple[str, ...] = ()
    calls: msgspec.Raw = msgspec.Raw(b"[]")
    campaigns: msgspec.Raw = msgspec.Raw(b"[]")


LiveEvent: TypeAlias = (
    CallStarted
    | CallAnswered
    | Interim
    | Caller
    | Agent
    | Decision
    | Tool
    | Party
    | CallEnded
    | CallLearned
    | CampaignProgress
    | Missed
    | Snapshot
)

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(LiveEvent)


def encode(event: LiveEvent) -> str:
    return _encoder.encode(event).decode()


def decode(text: str | bytes) -> LiveEvent:
    """Raises `msgspec.MsgspecError` on anything that is no live event."""
    event: LiveEvent = _decoder.decode(text)
    return event


def shown(recorded: Recorded) -> LiveEvent | None:
    """What is shown of a recorded event of a call; None for those that only tell how a campaign goes."""
    at, call = recorded.at, recorded.call_id
    match recorded.event:
        case recorded_events.CallStarted(direction=direction, number=number, agent=agent):
            return CallStarted(at=at, call=call, direction=direction, number=number, agent=agent)
        case recorded_events.CallAnswered():
            return CallAnswered(at=at, call=call)
        case CallNoted() as noted:
            return _note(call, noted, at)
        case recorded_events.CallEnded(disposition=disposition, seconds=seconds, reason=reason):
            return CallEnded(at=at, call=call, disposition=disposition, reason=reason, duration=seconds)
        case recorded_events.CallLearned(facts=facts, seconds=seconds):
            return CallLearned(at=at, call=call, facts=facts, seconds=seconds)
        case _:
            return None


def campaign_of(recorded: Recorded) -> str | None:
    """The campaign whose progress this event changes, if any."""
    match recorded.event:
        case (
            recorded_events.CampaignChanged(campaign_id=campaign)
            | recorded_events.ContactsImported(campaign_id=campaign)
            | recorded_events.ContactDeferred(campaign_id=campaign)
            | recorded_events.ContactClosed(campaign_id=campaign)
            | recorded_events.AttemptChanged(campaign_id=campaign)
        ):
            return campaign
        case _:
            return None


def _note(call: str, noted: CallNoted, at: datetime) -> LiveEvent:
    """A conversation's note; one of a kind we do not know is shown as a decision."""
    detail = dict(noted.detail)
    match noted.note:
        case "caller_interim":
            return Interim(at=at, call=call, text=noted.text)
        case "caller":
            return Caller(at=at, call=call, text=noted.text)
        case "agent":
            return Agent(at=at, call=call, text=noted.text, is_cut=detail.get("is_cut", "").lower() in ("true", "yes", "1"))
        case "tool":
            return Tool(at=at, call=call, text=noted.text, detail=detail)
        case "party":
            return Party(at=at, call=call, text=noted.text)
        case _:
            return Decision(at=at, call=call, text=noted.text, detail=detail)
