"""What happened, typed: facts in the past tense that outlive the process and that people watch live.

Each class is one kind of event; its tag is the `kind` in the log and on the wire. Numbers stand here masked: the log is
read by more people than the contacts are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias, get_args

import msgspec


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Happening(msgspec.Struct, frozen=True, tag_field="kind", tag=_snake, kw_only=True):
    """The parent of every event in the log. Which call and attempt it belongs to stands beside it, in `Recorded`."""

    @classmethod
    def kind(cls) -> str:
        return str(cls.__struct_config__.tag)


# --- campaigns and their contacts --------------------------------------------------------------------------------------


class CampaignChanged(Happening, frozen=True):
    """A campaign was created, started, paused, resumed, stopped, or has finished; or it runs and dials nobody, and why."""

    campaign_id: str
    state: str
    reason: str = ""


class ContactsImported(Happening, frozen=True):
    """A file, or a part of it, was taken in."""

    campaign_id: str
    batch_id: str
    kept: int
    bad: int
    duplicates: int


class ContactDeferred(Happening, frozen=True):
    """The gate refused for now, or an attempt is to be repeated: this contact is due again at `until`."""

    campaign_id: str
    contact_id: str
    number: str
    until: datetime
    reason: str
    rules: tuple[str, ...] = ()
    receipt_id: str = ""


class ContactClosed(Happening, frozen=True):
    """Nothing more will be tried with this contact."""

    campaign_id: str
    contact_id: str
    number: str
    disposition: str
    reason: str
    rules: tuple[str, ...] = ()
    receipt_id: str = ""


class AttemptChanged(Happening, frozen=True):
    """An attempt moved on; `disposition` is empty until it has ended."""

    campaign_id: str
    contact_id: str
    number: str
    phase: str
    disposition: str = ""
    detail: str = ""
    receipt_id: str = ""


class NumberCancelled(Happening, frozen=True):
    """All that waited for this number was called off (an opt-out, a revocation)."""

    number: str
    reason: str
    attempts: int
    contacts: int


# --- calls --------------------------------------------------------------------------------------------------------------


class CallStarted(Happening, frozen=True):
    """A call exists: ours is being dialled, or somebody rings us."""

    direction: str
    number: str
    agent: str


class CallAnswered(Happening, frozen=True):
    """Both sides can hear each other."""


class CallNoted(Happening, frozen=True):
    """Something worth showing while the call is live: a line of the transcript, a decision and why."""

    note: str  # caller_interim | caller | agent | decision | tool | party
    text: str
    detail: tuple[tuple[str, str], ...] = ()


class CallEnded(Happening, frozen=True):
    disposition: str
    seconds: float = 0.0
    reason: str = ""


class CallLearned(Happening, frozen=True):
    """What the call taught is in the knowledge base."""

    facts: int
    seconds: float  # since the hang-up


class OptedOut(Happening, frozen=True):
    """A person does not want to be called again, and the do-not-call list says so."""

    number: str
    seller: str
    source: str


Event: TypeAlias = (
    CampaignChanged
    | ContactsImported
    | ContactDeferred
    | ContactClosed
    | AttemptChanged
    | NumberCancelled
    | CallStarted
    | CallAnswered
    | CallNoted
    | CallEnded
    | CallLearned
    | OptedOut
)


@dataclass(frozen=True, slots=True)
class Foreign:
    """An event of a kind this version does not know: another version wrote it, and it is kept as it is."""

    name: str
    payload: Mapping[str, Any]

    def kind(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in its place. `id` grows with time and has no two meanings; 0 for one that is shown live but not kept."""

    id: int
    at: datetime
    event: Event | Foreign
    call_id: str = ""
    attempt_id: str = ""


KINDS: Final = frozenset(kind.kind() for kind in get_args(Event))


def to_payload(event: Event) -> dict[str, Any]:
    """The JSON object that is kept; the kind stands in its own column."""
    payload: dict[str, Any] = msgspec.to_builtins(event)
    del payload["kind"]
    return payload


def from_payload(kind: str, payload: Mapping[str, Any]) -> Event | Foreign:
    """The event again; `Foreign` if this version cannot read it. Never raises: one odd row must not hide the others."""
    try:
        event: Event = msgspec.convert({**payload, "kind": kind}, type=Event)
    except msgspec.ValidationError:
        return Foreign(kind, payload)
    return event


def to_wire(recorded: Recorded) -> bytes:
    """One line of JSON for a live watcher: the event's own fields, with `id`, `at`, `kind` and whose it is."""
    event = recorded.event
    payload = dict(event.payload) if isinstance(event, Foreign) else to_payload(event)
    where = {"id": recorded.id, "at": recorded.at, "kind": event.kind()}
    return msgspec.json.encode({**payload, **where, "call_id": recorded.call_id, "attempt_id": recorded.attempt_id})
