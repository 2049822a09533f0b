"""The dialer's store in memory: for tests of others and for a demonstration that leaves nothing behind.

A work is a copy that replaces the original when its block ends well, so it forgets as a database does.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, NoReturn

from dialer.attempt import Attempt, CarrierEvent, Disposition, Phase
from dialer.campaign import AGREED_AGAIN, TOOK_BACK, Campaign, CampaignState, Contact, ContactState, ImportBatch, OpenContact
from dialer.pacing import Candidate
from dialer.ports import Lease, Tally, Work
from storage.events import Event, Recorded

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Kept:
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    batches: dict[str, ImportBatch] = field(default_factory=dict)
    told: dict[tuple[str, int, str], str] = field(default_factory=dict)
    events: list[Recorded] = field(default_factory=list)
    lease: Lease | None = None

    def copy(self) -> _Kept:
        return _Kept(
            dict(self.campaigns),
            dict(self.contacts),
            dict(self.attempts),
            dict(self.batches),
            dict(self.told),
            list(self.events),
            self.lease,
        )


class MemoryStore:
    """Keeps everything until the process ends."""

    def __init__(self) -> None:
        self._kept = _Kept()
        self._writer = asyncio.Lock()

    @property
    def events(self) -> list[Recorded]:
        """What happened, in order."""
        return self._kept.events

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Work]:
        async with self._writer:
            draft = self._kept.copy()
            yield _MemoryWork(draft)
            self._kept = draft

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Work]:
        yield _MemoryWork(self._kept.copy())


class _MemoryWork:
    def __init__(self, kept: _Kept) -> None:
        self._kept = kept

    @property
    def connection(self) -> NoReturn:
        raise LookupError("a store in memory has no database connection")

    # --- campaigns ------------------------------------------------------------------------------------------------------

    async def campaign(self, campaign_id: str) -> Campaign | None:
        return self._kept.campaigns.get(campaign_id)

    async def campaign_named(self, name: str) -> Campaign | None:
        return next((each for each in self._kept.campaigns.values() if each.name == name), None)

    async def campaigns(self, *states: CampaignState) -> list[Campaign]:
        chosen = [each for each in self._kept.campaigns.values() if not states or each.state in states]
        return sorted(chosen, key=lambda each: (each.created_at, each.id))

    async def save_campaign(self, campaign: Campaign) -> None:
        self._kept.campaigns[campaign.id] = campaign

    # --- contacts -------------------------------------------------------------------------------------------------------

    async def contact(self, contact_id: str) -> Contact | None:
        return self._kept.contacts.get(contact_id)

    async def contact_by_number(self, campaign_id: str, number: str) -> Contact | None:
        return next((each for each in self._of(campaign_id) if each.number == number), None)

    async def contacts(
        self, campaign_id: str, *, after: str = "", limit: int = 100, state: ContactState | None = None
    ) -> list[Contact]:
        chosen = [each for each in self._of(campaign_id) if each.id > after and state in (None, each.state)]
        return sorted(chosen, key=lambda each: each.id)[:limit]

    async def open_places(
        self, campaign_id: str, *, after: str = "", until: str = "", limit: int = 100
    ) -> list[OpenContact]:
        chosen = [each for each in self._of(campaign_id) if each.id > after and each.is_open]
        wanted = sorted((each for each in chosen if not until or each.id <= until), key=lambda each: each.id)[:limit]
        return [OpenContact(each.id, each.number, each.person, each.address_state, each.zip) for each in wanted]

    async def places_apart(self, campaign_id: str, step: int) -> list[str]:
        ids = sorted((each.id for each in self._of(campaign_id)), reverse=True)
        return sorted(each for place, each in enumerate(ids) if place and place % step == 0)

    async def open_contacts(self, number: str, seller: str = "", purposes: Collection[str] = ()) -> list[Contact]:
        campaigns = self._kept.campaigns
        mine = [each for each in self._kept.contacts.values() if each.number == number and each.is_open]
        chosen = [each for each in mine if not seller or campaigns[each.campaign_id].seller == seller]
        bound = [each for each in chosen if not purposes or campaigns[each.campaign_id].purpose in purposes]
        return sorted(bound, key=lambda each: each.id)

    async def save_contact(self, contact: Contact) -> None:
        self._kept.contacts[contact.id] = contact

    async def add_contacts(self, new: Sequence[Contact]) -> set[str]:
        there = {(each.campaign_id, each.number) for each in self._kept.contacts.values()}
        added = set()
        for contact in new:
            if (contact.campaign_id, contact.number) not in there:
                there.add((contact.campaign_id, contact.number))
                self._kept.contacts[contact.id] = contact
                added.add(contact.id)
        return added

    async def reopen_refused(self, campaign_id: str, at: datetime, numbers: Sequence[str] | None = None) -> int:
        refused = [
            each
            for each in self._of(campaign_id)
            if each.state is ContactState.CLOSED
            and each.disposition is Disposition.REFUSED
            and (numbers is None or each.number in numbers)
        ]
        for each in refused:
            self._kept.contacts[each.id] = replace(each, state=ContactState.WAITING, due_at=at, changed_at=at)
        return len(refused)

    async def reopen_agreed(self, campaign_id: str, at: datetime, numbers: Sequence[str]) -> int:
        off = [each for each in self._of(campaign_id) if each.state is ContactState.CALLED_OFF and each.reason == TOOK_BACK]
        agreed = [each for each in off if each.number in numbers]
        for each in agreed:
            waiting = replace(each, state=ContactState.WAITING, reason=AGREED_AGAIN, due_at=at, changed_at=at)
            self._kept.contacts[each.id] = waiting
        return len(agreed)

    async def tie_persons(self, campaign_id: str, persons: Mapping[str, str]) -> None:
        for contact in self._of(campaign_id):
            if contact.number in persons and not contact.person:
                self._kept.contacts[contact.id] = replace(contact, person=persons[contact.number])

    async def blank_contacts(self, number: str) -> None:
        for contact in [each for each in self._kept.contacts.values() if each.number == number]:
            blank = replace(contact, name="", first_name="", address_state="", zip="", person="", fields={})
            self._kept.contacts[contact.id] = blank

    async def save_batch(self, batch: ImportBatch) -> None:
        self._kept.batches[batch.id] = batch

    async def tally(self, campaign_id: str) -> Tally:
        mine = self._of(campaign_id)
        done = [each for each in mine if not each.is_open]
        return Tally(
            states=Counter(each.state for each in mine),
            dispositions=Counter(each.disposition or each.reason for each in done),
            attempts=sum(each.campaign_id == campaign_id for each in self._kept.attempts.values()),
            next_due=min((each.due_at for each in mine if each.due_at is not None), default=None),
        )

    async def has_open_contacts(self, campaign_id: str) -> bool:
        return any(each.is_open for each in self._of(campaign_id))

    def _of(self, campaign_id: str) -> list[Contact]:
        return [each for each in self._kept.contacts.values() if each.campaign_id == campaign_id]

    # --- whose turn it is -----------------------------------------------------------------------------------------------

    async def due(self, campaign_id: str, at: datetime, limit: int) -> list[Candidate]:
        busy = {each.number for each in await self.active_attempts()}
        mine = [each for each in self._of(campaign_id) if each.state is ContactState.WAITING and each.number not in busy]
        due = [
            Candidate(each.id, campaign_id, each.priority, each.due_at) for each in mine if each.due_at and each.due_at <= at
        ]
        return sorted(due, key=lambda each: (-each.priority, each.due_at, each.contact_id))[:limit]

    async def next_due(self, campaign_ids: Sequence[str], at: datetime) -> datetime | None:
        mine = [each.due_at or _NEVER for campaign_id in campaign_ids for each in self._of(campaign_id)]
        return min((due for due in mine if at < due < _NEVER), default=None)

    # --- attempts -------------------------------------------------------------------------------------------------------

    async def attempt(self, attempt_id: str) -> Attempt | None:
        return self._kept.attempts.get(attempt_id)

    async def attempt_by_call(self, call_sid: str) -> Attempt | None:
        return next((each for each in self._kept.attempts.values() if each.progress.call_sid == call_sid), None)

    async def attempts_of(self, contact_id: str) -> list[Attempt]:
        mine = [each for each in self._kept.attempts.values() if each.contact_id == contact_id]
        return sorted(mine, key=lambda each: each.ordinal)

    async def active_attempts(self) -> list[Attempt]:
        return [each for each in self._kept.attempts.values() if each.progress.is_active]

    async def has_active_attempts(self, campaign_id: str) -> bool:
        return any(each.campaign_id == campaign_id for each in await self.active_attempts())

    async def overdue_attempts(self, at: datetime) -> list[Attempt]:
        return [each for each in await self.active_attempts() if (each.expires_at or _NEVER) <= at]

    async def unwanted_calls(self) -> set[str]:
        wanted = [each for each in await self.active_attempts() if each.progress.is_cancel_wanted]
        return {each.progress.call_sid for each in wanted if each.phase is not Phase.ANSWERED} - {""}

    async def lines(self, at: datetime) -> Mapping[str, int]:
        return Counter(each.campaign_id for each in await self.active_attempts() if each.is_on_line(at))

    async def next_change(self, at: datetime) -> datetime | None:
        active = await self.active_attempts()
        changes = [each.expires_at or _NEVER for each in active] + [each.line_free_at() or _NEVER for each in active]
        return min((each for each in changes if at < each < _NEVER), default=None)

    async def active_attempts_to(self, number: str) -> list[Attempt]:
        return [each for each in await self.active_attempts() if each.number == number]

    async def add_attempt(self, attempt: Attempt) -> bool:
        if await self.active_attempts_to(attempt.number):
            return False
        self._kept.attempts[attempt.id] = attempt
        return True

    async def save_attempt(self, attempt: Attempt) -> None:
        self._kept.attempts[attempt.id] = attempt

    # --- who dials -------------------------------------------------------------------------------------------------------

    async def lease(self) -> Lease | None:
        return self._kept.lease

    async def swap_lease(self, seen: Lease | None, lease: Lease) -> bool:
        if self._kept.lease != seen:
            return False
        self._kept.lease = lease
        return True

    # --- what happened --------------------------------------------------------------------------------------------------

    async def note_carrier_event(self, event: CarrierEvent, attempt_id: str) -> bool:
        key = (event.call_sid, event.sequence, event.status.value)
        if key in self._kept.told:
            return False
        self._kept.told[key] = attempt_id
        return True

    async def record(self, event: Event, at: datetime, attempt_id: str = "") -> None:
        self._kept.events.append(Recorded(len(self._kept.events) + 1, at, event, attempt_id=attempt_id))
