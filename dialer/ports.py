"""What the dialer needs from outside: somebody who dials, somebody who permits it, somewhere to keep it all.

Adapters fit by shape and import nothing here. Everything that belongs together happens within one `Work`: all of it is kept,
or none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.consent import Given
from compliance.verdict import Clearance, Verdict
from dialer.attempt import Attempt, AttemptId, CarrierEvent, Disposition
from dialer.campaign import Campaign, CampaignState, Contact, ContactState, ImportBatch, OpenContact
from dialer.pacing import Candidate
from storage.events import Event

# --- the one who dials --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placed:
    """The carrier has taken the call and named it."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class PlaceRefused:
    """The carrier said no, or the request provably never left: there is no call. `detail` holds its code and words."""

    disposition: Disposition  # FAILED when another time may do, INVALID_NUMBER or BLOCKED when none will
    detail: str


@dataclass(frozen=True, slots=True)
class PlaceUnknown:
    """No answer that says whether there is a call: a timeout, a connection broken after sending, a 5xx."""

    detail: str


Placing: TypeAlias = Placed | PlaceRefused | PlaceUnknown


class CallPlacer(Protocol):
    async def place(self, clearance: Clearance, attempt: Attempt) -> Placing:
        """Ring `clearance.number`. Sends one request, never a second: a carrier's create is not idempotent.

        The attempt's id must come back in every status callback (`CarrierEvent.attempt_id`).
        """

    async def cancel(self, call_sid: str) -> None:
        """End a call that nobody has answered yet. A call that is over, or answered meanwhile, is left alone."""


# --- the one who permits it ---------------------------------------------------------------------------------------------


class Gate(Protocol):
    async def judge(self, work: Work, campaign: Campaign, contact: Contact, attempt: AttemptId, at: datetime) -> Verdict:
        """Judge this call with fresh lists and store the receipt, all within `work`: kept only if the attempt is."""


class ConsentBook(Protocol):
    async def add(self, work: Work, given: Given, at: datetime) -> None:
        """Write a consent into the ledger within `work`."""

    async def erased(self, work: Work, numbers: Sequence[str]) -> set[str]:
        """Which of these numbers belong to somebody who asked to be forgotten: they are left out of every import."""

    async def persons(self, work: Work, numbers: Sequence[str]) -> Mapping[str, str]:
        """Who has each of these numbers, as far as that is known to be one person: a file need not say it again."""


# --- where it is kept ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """How a campaign's contacts stand."""

    states: Mapping[ContactState, int]
    dispositions: Mapping[str, int]  # of closed contacts; a contact that was called off counts under its reason
    attempts: int
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to dial: two runners on one store would keep to twice the pace."""

    holder: str
    until: datetime


class Work(Protocol):
    """One transaction's view: reads what is, writes what shall be."""

    @property
    def connection(self) -> AsyncConnection:
        """The transaction itself, for what other rooms write in it. The in-memory store has none and raises."""

    # campaigns
    async def campaign(self, campaign_id: str) -> Campaign | None: ...
    async def campaign_named(self, name: str) -> Campaign | None: ...
    async def campaigns(self, *states: CampaignState) -> list[Campaign]:
        """Those in one of `states` (all if none is given), by creation."""

    async def save_campaign(self, campaign: Campaign) -> None: ...

    # contacts
    async def contact(self, contact_id: str) -> Contact | None: ...
    async def contact_by_number(self, campaign_id: str, number: str) -> Contact | None: ...
    async def contacts(
        self, campaign_id: str, *, after: str = "", limit: int = 100, state: ContactState | None = None
    ) -> list[Contact]:
        """A page of a campaign's contacts, by id; `after` is the last id of the page before."""

    async def open_places(
        self, campaign_id: str, *, after: str = "", until: str = "", limit: int = 100
    ) -> list[OpenContact]:
        """A page of a campaign's open contacts, by id. `until` is the last id wanted; "" for all."""

    async def places_apart(self, campaign_id: str, step: int) -> list[str]:
        """Where to cut a campaign into shares of `step` contacts, the first of them shorter: ids, in order."""

    async def open_contacts(self, number: str, seller: str = "", purposes: Collection[str] = ()) -> list[Contact]:
        """The open contacts of a number in every campaign, or in those of one seller, or for these purposes alone."""

    async def save_contact(self, contact: Contact) -> None: ...
    async def add_contacts(self, new: Sequence[Contact]) -> set[str]:
        """Add those whose number the campaign does not have; the ids of those that were added."""

    async def reopen_refused(self, campaign_id: str, at: datetime, numbers: Sequence[str] | None = None) -> int:
        """Let contacts whom the gate refused for good wait again, due at `at`; of these numbers only, if any are given."""

    async def reopen_agreed(self, campaign_id: str, at: datetime, numbers: Sequence[str]) -> int:
        """Let those of these numbers wait again who were called off because they had taken their consent back, and have
        agreed anew: the gate says whether it stands. Whoever wants no calls at all stays called off."""

    async def tie_persons(self, campaign_id: str, persons: Mapping[str, str]) -> None:
        """Name the person (by number) of those contacts of whom none is known yet."""

    async def blank_contacts(self, number: str) -> None:
        """Take name, address and every other field from all contacts of a number."""

    async def save_batch(self, batch: ImportBatch) -> None: ...
    async def tally(self, campaign_id: str) -> Tally: ...
    async def has_open_contacts(self, campaign_id: str) -> bool: ...

    # whose turn it is
    async def due(self, campaign_id: str, at: datetime, limit: int) -> list[Candidate]:
        """Waiting contacts whose time has come and whose number nobody is ringing; the most urgent first."""

    async def next_due(self, campaign_ids: Sequence[str], at: datetime) -> datetime | None:
        """The first instant after `at` at which a waiting contact of these campaigns falls due."""

    # attempts
    async def attempt(self, attempt_id: str) -> Attempt | None: ...
    async def attempt_by_call(self, call_sid: str) -> Attempt | None: ...
    async def attempts_of(self, contact_id: str) -> list[Attempt]:
        """Oldest first."""

    async def active_attempts(self) -> list[Attempt]: ...
    async def has_active_attempts(self, campaign_id: str) -> bool: ...
    async def overdue_attempts(self, at: datetime) -> list[Attempt]:
        """Active ones of which nothing more is to be expected: `expires_at` has passed."""

    async def unwanted_calls(self) -> set[str]:
        """The carrier's ids of calls that are to be cancelled and have not been answered."""

    async def lines(self, at: datetime) -> Mapping[str, int]:
        """Lines in use, by campaign."""

    async def next_change(self, at: datetime) -> datetime | None:
        """The first instant after `at` at which an attempt expires, or gives its line back, if nothing more is heard."""

    async def active_attempts_to(self, number: str) -> list[Attempt]: ...
    async def add_attempt(self, attempt: Attempt) -> bool:
        """False if another attempt is active for this number: then nothing was added."""

    async def save_attempt(self, attempt: Attempt) -> None: ...

    # who dials
    async def lease(self) -> Lease | None:
        """Who holds the right to dial from this store, or held it last."""

    async def swap_lease(self, seen: Lease | None, lease: Lease) -> bool:
        """Put `lease` in the place of the one that was seen. False if there is another by now."""

    # what happened
    async def note_carrier_event(self, event: CarrierEvent, attempt_id: str) -> bool:
        """False if the carrier has told us this before."""

    async def record(self, event: Event, at: datetime, attempt_id: str = "") -> None: ...


class AttemptStore(Protocol):
    def transaction(self) -> AbstractAsyncContextManager[Work]:
        """Kept at the end of the block, forgotten if it raises."""

    def reading(self) -> AbstractAsyncContextManager[Work]:
        """One consistent picture; nothing may be written through it."""
