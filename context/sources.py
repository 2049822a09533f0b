"""Where a briefing comes from: the contact record, the campaign's rules, our history, what we know, what was found.

Each is a `context.gather.Source`. None writes; all read one consistent picture of the database each, so none waits for a
writer or for another source.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from context.assemble import ContactFound, Found, HistoryFound, KnowledgeFound, RulesFound
from context.briefing import CampaignRules, ContactCard
from context.facts import Scope
from context.gather import CallAhead, Source
from context.knowledge.base import KnowledgeBase
from context.knowledge.ledger import facts_about
from context.store import past_calls
from storage.database import Database
from storage.tables.dialing import campaigns, contacts

AT_ONCE: Final = 4  # readings: two cores gain nothing from more, and the pool keeps eight connections open
WITHIN: Final = 0.2  # seconds a source has: the whole is to be there 0.3 s after dialling, ten times faster than a pick-up


@dataclass(frozen=True, slots=True)
class Lookup:
    """Any coroutine function as a source (a CRM, say)."""

    name: str
    look: Callable[[CallAhead], Awaitable[Found | None]]
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        return await self.look(ahead)


class Readings:
    """A few readings of the database at a time; the others wait their turn.

    A dialer may place ten calls in one instant, which is forty readings. Each alone takes a millisecond; all at once they
    would have the pool open connections by the dozen, and everybody would be late.
    """

    def __init__(self, database: Database, at_once: int = AT_ONCE) -> None:
        self._database = database
        self._turn = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._turn, self._database.reading() as connection:
            yield connection


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """Who this is: the contact that is being dialled, or for a call that came in the last one imported with its number."""

    database: Readings
    name: str = "contact"
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        this = contacts.c.id == ahead.contact_id if ahead.contact_id else contacts.c.number == ahead.number
        query = select(contacts).where(this).order_by(contacts.c.created_at.desc()).limit(1)
        async with self.database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        extra = {str(name): str(value) for name, value in (row.fields or {}).items()}
        return ContactFound(ContactCard(row.id, row.number, row.name, row.first_name, row.address_state, extra))


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """What the campaign wants said and asked."""

    database: Readings
    name: str = "rules"
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        if not ahead.campaign_id:
            return None
        async with self.database.reading() as connection:
            query = select(campaigns).where(campaigns.c.id == ahead.campaign_id)
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        return RulesFound(CampaignRules(row.id, row.name, row.seller, row.agent, row.purpose, row.instructions))


@dataclass(frozen=True, slots=True)
class PastCalls:
    """Our history with this person."""

    database: Readings
    limit: int = 5
    name: str = "history"
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        async with self.database.reading() as connection:
            return HistoryFound(await past_calls(connection, ahead.number, limit=self.limit, besides=ahead.call_id))


@dataclass(frozen=True, slots=True)
class Known:
    """What we were told by this person, or noted about them, whatever the call is about."""

    database: Readings
    limit: int = 20
    name: str = "known"
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        async with self.database.reading() as connection:
            facts = await facts_about(connection, ahead.number, self.limit)
        return KnowledgeFound(tuple(fact.known() for fact in facts))


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a search finds for the purpose of the call, about this person or in general."""

    base: KnowledgeBase
    limit: int = 5
    name: str = "knowledge"
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        hits = await self.base.search(ahead.purpose, Scope(ahead.number, ahead.campaign_id), self.limit)
        return KnowledgeFound(tuple(hit.fact.known(hit.score) for hit in hits))


def usual_sources(database: Database, base: KnowledgeBase) -> tuple[Source, ...]:
    """The five that every call asks. Make them once and share them: that is what keeps the readings few."""
    few = Readings(database)
    return (ContactRecord(few), CampaignRecord(few), PastCalls(few), Known(few), Knowledge(base))
