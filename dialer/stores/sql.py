"""The dialer's store in the database: rows to values and back, and the few questions whose answer must be quick.

Decides nothing. The one rule kept here is the database's own: one active attempt a number, by a unique index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import starmap
from typing import Any, Final, TypeVar

from sqlalchemy import Insert, Row, Table, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from dialer.attempt import Attempt, CarrierEvent, Disposition, Phase
from dialer.campaign import AGREED_AGAIN, TOOK_BACK, Campaign, CampaignState, Contact, ContactState, ImportBatch, OpenContact
from dialer.pacing import Candidate
from dialer.ports import Lease, Tally, Work
from dialer.stores.rows import attempt_of, attempt_row, campaign_of, campaign_row, contact_of, contact_row
from storage.database import Database
from storage.events import Event
from storage.log import append
from storage.tables.dialing import attempts, campaigns, carrier_events, contacts, import_batches, leases

T = TypeVar("T")

_DIALER: Final = "dialer"
_OPEN: Final = (ContactState.WAITING.value, ContactState.ATTEMPTING.value)


class SqlStore:
    """Campaigns, contacts and attempts in `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Work]:
        async with self._database.transaction() as connection:
            yield SqlWork(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Work]:
        async with self._database.reading() as connection:
            yield SqlWork(connection)


class SqlWork:
    """The dialer's view of one transaction, whoever began it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def connection(self) -> AsyncConnection:
        return self._connection

    # --- campaigns ------------------------------------------------------------------------------------------------------

    async def campaign(self, campaign_id: str) -> Campaign | None:
        return _first(campaign_of, await self._rows(select(campaigns).where(campaigns.c.id == campaign_id)))

    async def campaign_named(self, name: str) -> Campaign | None:
        return _first(campaign_of, await self._rows(select(campaigns).where(campaigns.c.name == name)))

    async def campaigns(self, *states: CampaignState) -> list[Campaign]:
        wanted = select(campaigns).order_by(campaigns.c.created_at, campaigns.c.id)
        if states:
            wanted = wanted.where(campaigns.c.state.in_([state.value for state in states]))
        return [campaign_of(row) for row in await self._rows(wanted)]

    async def save_campaign(self, campaign: Campaign) -> None:
        await self._save(campaigns, campaign_row(campaign))

    # --- contacts -------------------------------------------------------------------------------------------------------

    async def contact(self, contact_id: str) -> Contact | None:
        return _first(contact_of, await self._rows(select(contacts).where(contacts.c.id == contact_id)))

    async def contact_by_number(self, campaign_id: str, number: str) -> Contact | None:
        wanted = select(contacts).where(contacts.c.campaign_id == campaign_id, contacts.c.number == number)
        return _first(contact_of, await self._rows(wanted))

    async def contacts(
        self, campaign_id: str, *, after: str = "", limit: int = 100, state: ContactState | None = None
    ) -> list[Contact]:
        wanted = select(contacts).where(contacts.c.campaign_id == campaign_id, contacts.c.id > after)
        if state is not None:
            wanted = wanted.where(contacts.c.state == state.value)
        return [contact_of(row) for row in await self._rows(wanted.order_by(contacts.c.id).limit(limit))]

    async def open_places(
        self, campaign_id: str, *, after: str = "", until: str = "", limit: int = 100
    ) -> list[OpenContact]:
        columns = (contacts.c.id, contacts.c.number, contacts.c.person, contacts.c.address_state, contacts.c.zip)
        wanted = select(*columns).where(contacts.c.campaign_id == campaign_id)
        # The state is hidden from the planner: by its index it would sort the whole campaign anew for every page.
        is_open = (contacts.c.state + "").in_(_OPEN)
        wanted = wanted.where(contacts.c.id > after, is_open).order_by(contacts.c.id).limit(limit)
        rows = await self._rows(wanted.where(contacts.c.id <= until) if until else wanted)
        return list(starmap(OpenContact, rows))

    async def places_apart(self, campaign_id: str, step: int) -> list[str]:
        place = func.row_number().over(order_by=contacts.c.id.desc()) - 1  # from the end: a short share comes first
        counted = select(contacts.c.id, place.label("place")).where(contacts.c.campaign_id == campaign_id).subquery()
        edges = select(counted.c.id).where(counted.c.place > 0, counted.c.place % step == 0).order_by(counted.c.id)
        return [row.id for row in await self._rows(edges)]

    async def open_contacts(self, number: str, seller: str = "", purposes: Collection[str] = ()) -> list[Contact]:
        wanted = select(contacts).where(contacts.c.number == number, contacts.c.state.in_(_OPEN)).order_by(contacts.c.id)
        if seller or purposes:
            wanted = wanted.join(campaigns, campaigns.c.id == contacts.c.campaign_id)
        if seller:
            wanted = wanted.where(campaigns.c.seller == seller)
        if purposes:
            wanted = wanted.where(campaigns.c.purpose.in_(sorted(purposes)))
        return [contact_of(row) for row in await self._rows(wanted)]

    async def save_contact(self, contact: Contact) -> None:
        await self._save(contacts, contact_row(contact))

    async def add_contacts(self, new: Sequence[Contact]) -> set[str]:
        if not new:
            return set()
        statement = self._insert_new(contacts).returning(contacts.c.id)
        added = await self._connection.execute(statement, [contact_row(contact) for contact in new])
        return set(added.scalars())

    async def reopen_refused(self, campaign_id: str, at: datetime, numbers: Sequence[str] | None = None) -> int:
        waiting = (
            update(contacts)
            .where(contacts.c.campaign_id == campaign_id, contacts.c.state == ContactState.CLOSED.value)
            .where(contacts.c.disposition == Disposition.REFUSED.value)
            .values(state=ContactState.WAITING.value, due_at=at, changed_at=at)
        )
        if numbers is not None:
            waiting = waiting.where(contacts.c.number.in_(numbers))
        return (await self._connection.execute(waiting)).rowcount

    async def reopen_agreed(self, campaign_id: str, at: datetime, numbers: Sequence[str]) -> int:
        waiting = (
            update(contacts)
            .where(contacts.c.campaign_id == campaign_id, contacts.c.number.in_(numbers))
            .where(contacts.c.state == ContactState.CALLED_OFF.value, contacts.c.reason == TOOK_BACK)
            .values(state=ContactState.WAITING.value, reason=AGREED_AGAIN, due_at=at, changed_at=at)
        )
        return (await self._connection.execute(waiting)).rowcount

    async def tie_persons(self, campaign_id: str, persons: Mapping[str, str]) -> None:
        for number, person in persons.items():
            of_nobody = (contacts.c.campaign_id == campaign_id, contacts.c.number == number, contacts.c.person == "")
            await self._connection.execute(update(contacts).where(*of_nobody).values(person=person))

    async def blank_contacts(self, number: str) -> None:
        blank = {"name": "", "first_name": "", "address_state": "", "zip": "", "person": "", "fields": {}}
        await self._connection.execute(update(contacts).where(contacts.c.number == number).values(**blank))

    async def save_batch(self, batch: ImportBatch) -> None:
        await self._save(import_batches, asdict(batch))

    async def tally(self, campaign_id: str) -> Tally:
        grouped = (
            select(contacts.c.state, contacts.c.disposition, contacts.c.reason, func.count().label("contacts"))
            .where(contacts.c.campaign_id == campaign_id)
            .group_by(contacts.c.state, contacts.c.disposition, contacts.c.reason)
        )
        states: Counter[ContactState] = Counter()
        dispositions: Counter[str] = Counter()
        for row in await self._rows(grouped):
            states[ContactState(row.state)] += row.contacts
            if row.state not in _OPEN:
                dispositions[row.disposition or row.reason] += row.contacts
        made = select(func.count()).select_from(attempts).where(attempts.c.campaign_id == campaign_id)
        due = select(func.min(contacts.c.due_at)).where(contacts.c.campaign_id == campaign_id, contacts.c.state == "waiting")
        return Tally(
            states, dispositions, (await self._connection.execute(made)).scalar_one(), await self._connection.scalar(due)
        )

    async def has_open_contacts(self, campaign_id: str) -> bool:
        wanted = select(exists().where(contacts.c.campaign_id == campaign_id, contacts.c.state.in_(_OPEN)))
        return bool(await self._connection.scalar(wanted))

    # --- whose turn it is -----------------------------------------------------------------------------------------------

    async def due(self, campaign_id: str, at: datetime, limit: int) -> list[Candidate]:
        found: list[Candidate] = []
        rank = await self._next_rank(campaign_id)
        while rank is not None and len(found) < limit:
            # Rank by rank, each is one range of the index: neither those who are due nor those who are not are sorted.
            found += await self._due_of_rank(campaign_id, rank, at, limit - len(found))
            rank = await self._next_rank(campaign_id, after=rank)
        return found

    async def _next_rank(self, campaign_id: str, after: int | None = None) -> int | None:
        wanted = select(func.min(contacts.c.rank)).where(
            contacts.c.campaign_id == campaign_id, contacts.c.state == ContactState.WAITING.value
        )
        lowest: int | None = await self._connection.scalar(
            wanted if after is None else wanted.where(contacts.c.rank > after)
        )
        return lowest

    async def _due_of_rank(self, campaign_id: str, rank: int, at: datetime, limit: int) -> list[Candidate]:
        is_ringing = exists().where(attempts.c.number == contacts.c.number, attempts.c.is_active)
        wanted = (
            select(contacts.c.id, contacts.c.due_at)
            .where(contacts.c.campaign_id == campaign_id, contacts.c.state == ContactState.WAITING.value)
            .where(contacts.c.rank == rank, contacts.c.due_at <= at, ~is_ringing)
            .order_by(contacts.c.due_at, contacts.c.id)
            .limit(limit)
        )
        return [Candidate(row.id, campaign_id, -rank, row.due_at) for row in await self._rows(wanted)]

    async def next_due(self, campaign_ids: Sequence[str], at: datetime) -> datetime | None:
        found: list[datetime] = []
        for campaign_id in campaign_ids:  # one by one: each is a single step into the index
            wanted = select(func.min(contacts.c.due_at)).where(
                contacts.c.campaign_id == campaign_id, contacts.c.state == ContactState.WAITING.value, contacts.c.due_at > at
            )
            due = await self._connection.scalar(wanted)
            found += [due] if due is not None else []
        return min(found, default=None)

    # --- attempts -------------------------------------------------------------------------------------------------------

    async def attempt(self, attempt_id: str) -> Attempt | None:
        return _first(attempt_of, await self._rows(select(attempts).where(attempts.c.id == attempt_id)))

    async def attempt_by_call(self, call_sid: str) -> Attempt | None:
        return _first(attempt_of, await self._rows(select(attempts).where(attempts.c.call_sid == call_sid)))

    async def attempts_of(self, contact_id: str) -> list[Attempt]:
        wanted = select(attempts).where(attempts.c.contact_id == contact_id).order_by(attempts.c.ordinal)
        return [attempt_of(row) for row in await self._rows(wanted)]

    async def active_attempts(self) -> list[Attempt]:
        return [attempt_of(row) for row in await self._rows(select(attempts).where(attempts.c.is_active))]

    async def has_active_attempts(self, campaign_id: str) -> bool:
        wanted = select(exists().where(attempts.c.is_active, attempts.c.campaign_id == campaign_id))
        return bool(await self._connection.scalar(wanted))

    async def overdue_attempts(self, at: datetime) -> list[Attempt]:
        wanted = select(attempts).where(attempts.c.is_active, attempts.c.expires_at <= at)
        return [attempt_of(row) for row in await self._rows(wanted)]

    async def unwanted_calls(self) -> set[str]:
        wanted = select(attempts.c.call_sid).where(
            attempts.c.is_active,
            attempts.c.is_cancel_wanted,
            attempts.c.call_sid != "",
            attempts.c.phase != Phase.ANSWERED.value,
        )
        return {row.call_sid for row in await self._rows(wanted)}

    async def lines(self, at: datetime) -> Mapping[str, int]:
        counted = (
            select(attempts.c.campaign_id, func.count().label("lines"))
            .where(attempts.c.is_active, attempts.c.line_free_at > at)
            .group_by(attempts.c.campaign_id)
        )
        return {row.campaign_id: row.lines for row in await self._rows(counted)}

    async def next_change(self, at: datetime) -> datetime | None:
        expiring = select(func.min(attempts.c.expires_at)).where(attempts.c.is_active, attempts.c.expires_at > at)
        freeing = select(func.min(attempts.c.line_free_at)).where(attempts.c.is_active, attempts.c.line_free_at > at)
        changes = [await self._connection.scalar(expiring), await self._connection.scalar(freeing)]
        return min((change for change in changes if change is not None), default=None)

    async def active_attempts_to(self, number: str) -> list[Attempt]:
        wanted = select(attempts).where(attempts.c.is_active, attempts.c.number == number)
        return [attempt_of(row) for row in await self._rows(wanted)]

    async def add_attempt(self, attempt: Attempt) -> bool:
        statement = self._insert_new(attempts).values(attempt_row(attempt)).returning(attempts.c.id)
        return (await self._connection.execute(statement)).first() is not None

    async def save_attempt(self, attempt: Attempt) -> None:
        await self._save(attempts, attempt_row(attempt))

    # --- who dials ------------------------------------------------------------------------------------------------------

    async def lease(self) -> Lease | None:
        row = (await self._connection.execute(select(leases).where(leases.c.name == _DIALER))).first()
        return Lease(row.holder, row.until) if row is not None else None

    async def swap_lease(self, seen: Lease | None, lease: Lease) -> bool:
        row = {"name": _DIALER, "holder": lease.holder, "until": lease.until}
        if seen is None:
            added = await self._connection.execute(self._insert_new(leases).values(row).returning(leases.c.name))
            return added.first() is not None
        is_seen = (leases.c.name == _DIALER) & (leases.c.holder == seen.holder) & (leases.c.until == seen.until)
        return (await self._connection.execute(update(leases).where(is_seen).values(row))).rowcount == 1

    # --- what happened --------------------------------------------------------------------------------------------------

    async def note_carrier_event(self, event: CarrierEvent, attempt_id: str) -> bool:
        told = {
            "call_sid": event.call_sid,
            "sequence": event.sequence,
            "status": event.status.value,
            "attempt_id": attempt_id,
            "at": event.at,
            "detail": " ".join(filter(None, (str(event.sip_code or ""), event.error_code, event.answered_by))),
        }
        statement = self._insert_new(carrier_events).values(told).returning(carrier_events.c.id)
        return (await self._connection.execute(statement)).first() is not None

    async def record(self, event: Event, at: datetime, attempt_id: str = "") -> None:
        await append(self._connection, event, at, attempt_id=attempt_id)

    # --- how ------------------------------------------------------------------------------------------------------------

    async def _rows(self, statement: Any) -> Sequence[Row[Any]]:
        return (await self._connection.execute(statement)).all()

    def _insert_new(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insert that leaves out what a unique index forbids; both databases say it alike, SQLAlchemy does not."""
        if self._connection.dialect.name == "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing()
        return postgresql.insert(table).on_conflict_do_nothing()

    async def _save(self, table: Table, row: Mapping[str, Any]) -> None:
        changed = await self._connection.execute(update(table).where(table.c.id == row["id"]).values(row))
        if changed.rowcount == 0:
            await self._connection.execute(Insert(table).values(row))


def _first(read: Callable[[Row[Any]], T], rows: Sequence[Row[Any]]) -> T | None:
    return read(rows[0]) if rows else None
