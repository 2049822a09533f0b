"""Calls, campaigns and contacts as `/v1` shows them, read from the rooms that keep them. Fits the ports of `api/parts.py`.

Writes only through those rooms' own doors (`dialer.orders`, `dialer.intake`).
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import Text, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.parts import Refused
from api.resources import (
    BadRow,
    CallState,
    CallView,
    CampaignView,
    ContactView,
    Explanation,
    Finding,
    ImportReport,
    Line,
    NewCampaign,
    Page,
    TranscriptView,
)
from context import calls as kept
from context import store as call_store
from context.calls import Effect
from context.transcript import Turn
from dialer import orders
from dialer.campaign import Campaign, CampaignState, Contact, ContactState, OrderRefused
from dialer.campaign import Order as CampaignOrder
from dialer.contact_file import FileRefused
from dialer.explain import explain_contact
from dialer.intake import import_contacts
from dialer.pacing import Limit
from dialer.ports import AttemptStore, ConsentBook, Work
from storage.database import Database
from storage.tables.calls import answers as answer_rows
from storage.tables.compliance import receipts
from storage.tables.dialing import attempts as attempt_rows
from storage.tables.dialing import contacts as contact_rows
from telephony.number import PhoneNumber, parse_number
from voice.agent import AgentDefinition
from voice.agent_file import AgentFolder

_STATES: Final = {
    kept.CallState.DIALLING: CallState.RINGING,
    kept.CallState.ANSWERED: CallState.LIVE,
    kept.CallState.ENDED: CallState.ENDED,
}
_LARGEST_PIECE: Final = 1024 * 1024  # bytes of a file handed on at once


class StoredCalls:
    """Fits `api.parts.Calls`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, *, campaign: str | None, limit: int, after: str | None) -> Page[CallView]:
        """Newest first; `after` is the id of the last call seen. One that does not exist begins anew."""
        async with self._database.reading() as connection:
            last = await call_store.get_call(connection, after) if after else None
            found = await call_store.list_calls(
                connection, campaign_id=campaign, after=(last.started_at, last.id) if last else None, limit=limit + 1
            )
            shown = found[:limit]
            views = await _views(connection, shown)
        return Page[CallView](items=views, next=shown[-1].id if len(found) > limit else None)

    async def get(self, call_id: str) -> CallView | None:
        async with self._database.reading() as connection:
            call = await call_store.get_call(connection, call_id)
            return (await _views(connection, (call,)))[0] if call else None

    async def transcript(self, call_id: str) -> TranscriptView | None:
        async with self._database.reading() as connection:
            call = await call_store.get_call(connection, call_id)
            if call is None:
                return None
            turns = await call_store.transcript(connection, call_id)
            effects = await call_store.effects_of(connection, call_id)
        lines = [_turn(turn) for turn in turns] + [_tool(effect, call.answered_at) for effect in effects]
        return TranscriptView(call_id=call_id, lines=sorted(lines, key=lambda line: line.at))


async def _views(connection: AsyncConnection, calls: Sequence[kept.Call]) -> list[CallView]:
    names = await _names(connection, calls)
    answers = await _answers(connection, [call.id for call in calls])
    return [_call(call, names.get(call.contact_id or call.person, ""), answers.get(call.id, {})) for call in calls]


async def _names(connection: AsyncConnection, calls: Sequence[kept.Call]) -> dict[str, str]:
    """Names by contact; for those who rang us by number, as the newest contact of that number has it."""
    ids = {call.contact_id for call in calls if call.contact_id}
    numbers = {call.person for call in calls if not call.contact_id}
    wanted = select(contact_rows.c.id, contact_rows.c.number, contact_rows.c.name)
    wanted = wanted.where(or_(contact_rows.c.id.in_(ids), contact_rows.c.number.in_(numbers)))
    names: dict[str, str] = {}
    for row in await connection.execute(wanted.order_by(contact_rows.c.created_at)) if calls else ():
        names |= {row.id: row.name, row.number: row.name}
    return names


async def _answers(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    wanted = select(answer_rows.c.call_id, answer_rows.c.question, answer_rows.c.value).where(answer_rows.c.call_id.in_(ids))
    found: dict[str, dict[str, str]] = {}
    for row in await connection.execute(wanted) if ids else ():
        found.setdefault(row.call_id, {})[row.question] = row.value
    return found


def _call(call: kept.Call, name: str, answers: dict[str, str]) -> CallView:
    detail, unheard = call.metrics.get("detail"), call.metrics.get("unheard")
    return CallView(
        id=call.id,
        state=_STATES[call.state],
        direction="inbound" if call.direction == "inbound" else "outbound",
        number=call.person,
        agent=call.agent,
        contact_id=call.contact_id,
        contact_name=name,
        campaign_id=call.campaign_id,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        duration=call.talked if call.ended_at else None,
        answered_by=call.answered_by,
        disposition=call.disposition,
        reason=detail if isinstance(detail, str) else "",
        summary=call.summary,
        sentiment=call.sentiment,
        answers=answers,
        figures=dict(_figures(call.metrics)),
        unheard=unheard if isinstance(unheard, str) else "",
        encounters=_told(call.metrics.get("encounters")),
        oddities=_counted(call.metrics.get("oddities")),
        recording=call.recording_path or None,
        journal=call.journal_path or None,
    )


def _figures(metrics: Mapping[str, object], before: str = "") -> Iterable[tuple[str, float]]:
    """Everything measured in seconds (kept as floats), nested names joined by a dot."""
    for name, value in metrics.items():
        if isinstance(value, float):
            yield before + name, value
        elif isinstance(value, Mapping):
            yield from _figures(value, f"{before}{name}.")


def _told(kept: object) -> list[str]:
    return [each for each in kept if isinstance(each, str)] if isinstance(kept, list) else []


def _counted(kept: object) -> dict[str, int]:
    return {str(what): count for what, count in kept.items() if isinstance(count, int)} if isinstance(kept, dict) else {}


def _turn(turn: Turn) -> Line:
    return Line(who=turn.speaker.value, text=turn.text, at=turn.started, is_cut=turn.is_cut)


def _tool(effect: Effect, answered_at: datetime | None) -> Line:
    at = max(0.0, (effect.at - answered_at).total_seconds()) if answered_at else 0.0
    failed = "" if effect.ok else " (not done)"
    return Line(who="tool", text=f"{effect.name}{failed}: {effect.result}".rstrip(": "), at=at)


# --- campaigns --------------------------------------------------------------------------------------------------------


class StoredCampaigns:
    """Fits `api.parts.Campaigns`. `book` takes the consents that an imported file tells of."""

    def __init__(
        self,
        database: Database,
        attempts: AttemptStore,
        agents: AgentFolder,
        book: ConsentBook | None,
        at: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._agents = agents
        self._book = book
        self._at = at

    async def create(self, campaign: NewCampaign) -> CampaignView | Refused:
        agent = self._agents.all().get(campaign.agent)
        if agent is None:
            return Refused("no_such_agent", f"There is no agent named {campaign.agent}.")
        try:
            made = _campaign(campaign, agent, self._at())
        except ValueError as error:
            return Refused("campaign_impossible", f"{error}.".capitalize())
        async with self._attempts.transaction() as work:
            outcome = await orders.create(work, made, self._at())
        return _refused(outcome) if isinstance(outcome, OrderRefused) else await self._view(outcome)

    async def list(self) -> list[CampaignView]:
        async with self._attempts.reading() as work:
            found = await work.campaigns()
        return [await self._view(campaign) for campaign in reversed(found)]

    async def get(self, campaign_id: str) -> CampaignView | None:
        async with self._attempts.reading() as work:
            campaign = await work.campaign(campaign_id)
        return await self._view(campaign) if campaign else None

    async def import_contacts(self, campaign_id: str, csv: bytes, people: str = "") -> ImportReport | Refused | None:
        async with self._attempts.reading() as work:
            campaign = await work.campaign(campaign_id)
        if campaign is None:
            return None
        pieces = (csv[start : start + _LARGEST_PIECE] for start in range(0, len(csv), _LARGEST_PIECE))
        report = await import_contacts(
            self._attempts, campaign, pieces, self._at(), source="api", book=self._book, people=people
        )
        if isinstance(report, FileRefused):
            return Refused(report.code, f"{report.why}.".capitalize())
        rejected = [BadRow(line=row.line, reason=f"{row.code}: {row.why}") for row in report.problems]
        return ImportReport(added=report.batch.kept, doubled=report.batch.duplicates, rejected=rejected)

    async def order(self, campaign_id: str, order: str) -> CampaignView | Refused | None:
        async with self._attempts.transaction() as work:
            campaign = await work.campaign(campaign_id)
            if campaign is None:
                return None
            outcome = await orders.give(work, campaign, CampaignOrder(order), self._at())
        return _refused(outcome) if isinstance(outcome, OrderRefused) else await self._view(outcome)

    async def set_budget(self, campaign_id: str, dollars: float | None) -> CampaignView | Refused | None:
        async with self._attempts.transaction() as work:
            campaign = await work.campaign(campaign_id)
            if campaign is None:
                return None
            outcome = await orders.set_budget(work, campaign, _dollars(dollars), self._at())
        return _refused(outcome) if isinstance(outcome, OrderRefused) else await self._view(outcome)

    async def explain(self, campaign_id: str, contact: str) -> Explanation | None:
        async with self._attempts.reading() as work:
            campaign = await work.campaign(campaign_id)
            found = await _contact_named(work, campaign_id, contact) if campaign else None
            if campaign is None or found is None:
                return None
            told = await explain_contact(work, campaign, found, self._at())
        return Explanation(
            campaign_id=campaign_id,
            contact_id=found.id,
            state=told.code,
            text=told.why,
            findings=list(await self._findings(found)),
            next_at=told.next_at,
        )

    async def _findings(self, contact: Contact) -> tuple[Finding, ...]:
        """What the gate's last receipt says; without one that can be read, the codes alone."""
        async with self._database.reading() as connection:
            body = await connection.scalar(select(receipts.c.body).where(receipts.c.id == contact.receipt_id))
        try:
            return tuple(each.view() for each in msgspec.json.decode(body or "", type=_Body).findings)
        except msgspec.MsgspecError:
            return tuple(Finding(rule=code) for code in contact.rules)

    async def _view(self, campaign: Campaign) -> CampaignView:
        async with self._attempts.reading() as work:
            tally = await work.tally(campaign.id)
        async with self._database.reading() as connection:
            refusals, live = await _refusals(connection, campaign.id), await _live(connection, campaign.id)
            spent = await call_store.spent(connection, [campaign.id])
        still_open = {state.value: n for state, n in tally.states.items() if state in (_WAITING, _ATTEMPTING) and n}
        return CampaignView(
            id=campaign.id,
            name=campaign.name,
            agent=campaign.agent,
            state=campaign.state.value,
            seller=campaign.seller,
            purpose=campaign.purpose,
            created_at=campaign.created_at,
            contacts=sum(tally.states.values()),
            attempts=tally.attempts,
            live=live,
            outcomes={**tally.dispositions, **still_open},
            refusals=refusals,
            hold=campaign.hold.code if campaign.hold else "",
            hold_why=campaign.hold.why if campaign.hold else "",
            spent=round(spent.get(campaign.id, 0.0), 4),
            budget=float(campaign.budget) if campaign.budget is not None else None,
        )


_WAITING: Final = ContactState.WAITING
_ATTEMPTING: Final = ContactState.ATTEMPTING


class _Said(msgspec.Struct):
    rule: str
    says: str = ""
    source: str = ""
    until: datetime | None = None

    def view(self) -> Finding:
        return Finding(rule=self.rule, detail=self.says, source=self.source, until=self.until)


class _Body(msgspec.Struct):
    """Of a verdict's receipt, what is shown."""

    findings: list[_Said] = []


def _campaign(wanted: NewCampaign, agent: AgentDefinition, at: datetime) -> Campaign:
    return Campaign(
        id=f"cp_{secrets.token_hex(6)}",
        name=wanted.name,
        seller=wanted.seller or agent.seller,
        agent=agent.name,
        created_at=at,
        purpose=wanted.purpose,
        instructions=wanted.instructions,
        state=CampaignState.DRAFT,
        limit=Limit(concurrency=wanted.concurrency, calls_per_second=wanted.calls_per_second),
        budget=_dollars(wanted.budget),
    )


def _dollars(given: float | None) -> Decimal | None:
    return None if given is None else Decimal(str(given))


def _refused(refusal: OrderRefused) -> Refused:
    return Refused(refusal.code, f"{refusal.why}.".capitalize())


async def _contact_named(work: Work, campaign_id: str, name: str) -> Contact | None:
    contact = await work.contact(name)
    if contact is not None:
        return contact if contact.campaign_id == campaign_id else None
    number = parse_number(name)
    return await work.contact_by_number(campaign_id, number.e164) if isinstance(number, PhoneNumber) else None


async def _refusals(connection: AsyncConnection, campaign_id: str) -> dict[str, int]:
    """How many contacts each rule keeps from being called now, or kept for good."""
    rules = cast(contact_rows.c.rules, Text)
    is_refused = or_(
        contact_rows.c.disposition == "refused", and_(contact_rows.c.state == "waiting", contact_rows.c.receipt_id != "")
    )
    grouped = select(rules.label("rules"), func.count().label("n")).where(
        contact_rows.c.campaign_id == campaign_id, is_refused
    )
    found: Counter[str] = Counter()
    for row in await connection.execute(grouped.group_by(rules)):
        for rule in json.loads(row.rules or "[]"):
            found[str(rule)] += row.n
    return dict(found)


async def _live(connection: AsyncConnection, campaign_id: str) -> int:
    active = select(func.count()).where(attempt_rows.c.campaign_id == campaign_id, attempt_rows.c.is_active)
    return int(await connection.scalar(active) or 0)


# --- contacts ---------------------------------------------------------------------------------------------------------


class StoredContacts:
    """Fits `api.parts.Contacts`."""

    def __init__(self, attempts: AttemptStore) -> None:
        self._attempts = attempts

    async def list(self, *, campaign: str | None, limit: int, after: str | None) -> Page[ContactView]:
        """By id, campaign by campaign (the oldest first); `after` is the last id seen."""
        found: list[Contact] = []
        async with self._attempts.reading() as work:
            last = await work.contact(after) if after else None
            ids = [campaign] if campaign else [each.id for each in await work.campaigns()]
            if last is not None and last.campaign_id in ids:
                ids = ids[ids.index(last.campaign_id) :]
            for campaign_id in ids:
                start = last.id if last is not None and last.campaign_id == campaign_id else ""
                found += await work.contacts(campaign_id, after=start, limit=limit + 1 - len(found))
                if len(found) > limit:
                    break
        shown = found[:limit]
        return Page[ContactView](items=[_contact(each) for each in shown], next=shown[-1].id if len(found) > limit else None)

    async def get(self, contact_id: str) -> ContactView | None:
        async with self._attempts.reading() as work:
            contact = await work.contact(contact_id)
        return _contact(contact) if contact else None


def _contact(contact: Contact) -> ContactView:
    ended = contact.disposition.value if contact.disposition else ""
    return ContactView(
        id=contact.id,
        number=contact.number,
        name=contact.name,
        person=contact.person,
        campaign_id=contact.campaign_id,
        outcome=ended if contact.state is ContactState.CLOSED else contact.state.value,
        reason=contact.reason,
        attempts=contact.tries,
        next_at=contact.due_at,
        fields=dict(contact.fields),
    )
