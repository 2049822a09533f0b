"""Where a briefing comes from: the contact record, the campaign's rules, our history, what we know, what was found.

Each is a `context.gather.Source`. None writes; all read one consistent picture of the database each, so none waits for a
writer or for another source.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from context.assemble import ContactFound, Found, HistoryFound, KnowledgeFound, RulesFound
from context.briefing import CampaignRules, ContactCard
from context.facts import Scope
from context.gather import CallAhead, Source
from context.knowledge.base import KnowledgeBase
from context.store import past_calls
from storage.database import Database
from storage.tables.dialing import campaigns, contacts

WITHIN: Final = 0.2  # seconds a source has: the whole is to be there 0.3 s after dialling, ten times faster than a pick-up


@dataclass(frozen=True, slots=True)
class Lookup:
    """Any coroutine function as a source (a CRM, say)."""

    name: str
    look: Callable[[CallAhead], Awaitable[Found | None]]
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        return await self.look(ahead)


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """Who this is: the contact that is being dialled, or for a call that came in the last one imported with its number."""

    database: Database
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

    database: Database
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

    database: Database
    limit: int = 5
    name: str = "history"
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        async with self.database.reading() as connection:
            return HistoryFound(await past_calls(connection, ahead.number, limit=self.limit, besides=ahead.call_id))


@dataclass(frozen=True, slots=True)
class Known:
    """What we were told by this person, or noted about them, whatever the call is about."""

    base: KnowledgeBase
    limit: int = 20
    name: str = "known"
    within: float = WITHIN

    async def find(self, ahead: CallAhead) -> Found | None:
        return KnowledgeFound(await self.base.for_person(ahead.number, self.limit))


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
    """The five that every call asks."""
    return (ContactRecord(database), CampaignRecord(database), PastCalls(database), Known(base), Knowledge(base))
