"""Consents, do-not-call lists, knowledge and agents as `/v1` shows them. Fits the ports of `api/parts.py`.

Writes only through the rooms' own doors: the ledger, the lists and the knowledge base keep their own rules.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import select

from api.parts import Refused
from api.resources import (
    AgentView,
    ConsentView,
    DncAddition,
    DncLookup,
    DncStatus,
    FactView,
    MessageHeard,
    NewConsent,
    NewFact,
    RevokeConsent,
    WrittenMessage,
)
from api.suppression import Suppressor
from compliance.attachments import keep, noted
from compliance.consent import Evidence, Given, TakenBack
from compliance.errors import ListDamaged
from compliance.optout import asks_to_stop
from compliance.record import Consent, ConsentKind, Revocation
from compliance.store import ComplianceStore, DncRequest
from context.errors import KnowledgeError
from context.facts import Fact, Hit, Scope, operator_facts
from context.knowledge.base import KnowledgeBase
from storage.database import Database
from storage.tables.compliance import consent_events, internal_dnc
from voice.agent import AgentDefinition
from voice.agent_file import AgentFolder

_CHANNEL = "api"
MOST_WORDS = 500  # letters kept of what somebody wrote


class StoredConsents:
    """Fits `api.parts.Consents`."""

    def __init__(
        self, database: Database, compliance: ComplianceStore, suppressor: Suppressor, at: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._compliance = compliance
        self._suppressor = suppressor
        self._at = at

    async def show(self, number: str) -> list[ConsentView]:
        wanted = select(consent_events.c.what, consent_events.c.body).where(consent_events.c.number == number)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.order_by(consent_events.c.seq))).all()
        given = [msgspec.json.decode(row.body, type=Given) for row in rows if row.what == "given"]
        taken = [msgspec.json.decode(row.body, type=TakenBack).revocation for row in rows if row.what == "taken_back"]
        return [_consent(each, taken) for each in given]

    async def record(self, consent: NewConsent) -> ConsentView | Refused:
        at = self._at()
        obtained = consent.at or at
        if obtained > at:
            return Refused("consent_in_future", "A consent cannot have been given in the future.")
        home = self._compliance.home
        kept = [(each.name, await asyncio.to_thread(keep, home, each.content)) for each in consent.attachments]
        given = _given(consent, obtained, noted(kept))
        async with self._database.transaction() as connection:
            await self._compliance.record_consent(connection, given, at)
        return _consent(given, [])

    async def revoke(self, revocation: RevokeConsent) -> list[ConsentView]:
        at = self._at()
        request = DncRequest(revocation.number, at, _CHANNEL, revocation.seller, words=revocation.words)
        async with self._database.transaction() as connection:
            await self._suppressor.revoke(connection, request, at)
        return await self.show(revocation.number)


def _given(consent: NewConsent, at: datetime, attachments: str) -> Given:
    consent_id = f"co_{uuid.uuid4().hex}"
    return Given(
        consent_id,
        Consent(
            id=consent_id,
            kind=ConsentKind.WRITTEN if consent.kind == "written" else ConsentKind.EXPRESS,
            number=consent.number,
            sellers=frozenset({consent.seller}),
            obtained_at=at,
            wording=consent.wording,
            is_signed=bool(consent.signature),
            names_artificial_voice=consent.names_artificial_voice,
            says_not_a_condition=consent.says_not_a_condition,
            expires_at=consent.expires_at,
        ),
        evidence=Evidence(
            source=consent.source,
            url=consent.url,
            ip=consent.ip,
            signature=consent.signature,
            user_agent=consent.user_agent,
            rendering_sha256=consent.rendering_sha256,
            vendor=consent.vendor,
            certificate=consent.certificate,
            attachments=attachments,
        ),
        person=consent.person,
    )


def _consent(given: Given, revocations: list[Revocation]) -> ConsentView:
    consent = given.consent
    reached = [each.at for each in revocations if each.at >= consent.obtained_at and each.seller in ("", *consent.sellers)]
    return ConsentView(
        id=given.id,
        number=consent.number,
        seller=", ".join(sorted(consent.sellers)),
        kind="written" if consent.kind is ConsentKind.WRITTEN else "express",
        wording=consent.wording,
        is_signed=consent.is_signed,
        given_at=consent.obtained_at,
        expires_at=consent.expires_at,
        revoked_at=min(reached, default=None),
        source=given.evidence.source,
    )


class StoredDnc:
    """Fits `api.parts.DoNotCall`."""

    def __init__(
        self, database: Database, compliance: ComplianceStore, suppressor: Suppressor, at: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._compliance = compliance
        self._suppressor = suppressor
        self._at = at

    async def status(self) -> list[DncStatus]:
        return [self._list(name) for name in self._compliance.lists.names()]

    def _list(self, name: str) -> DncStatus:
        try:
            generation = self._compliance.lists.generation(name)
        except ListDamaged as error:
            return DncStatus(name=name, numbers=0, problem=str(error))
        if generation is None:
            return DncStatus(name=name, numbers=0, problem="not loaded")
        manifest = generation.manifest
        oldest = manifest.oldest
        return DncStatus(
            name=name,
            numbers=manifest.rows,
            loaded_at=manifest.loaded_at,
            age_days=float((self._at().astimezone(UTC).date() - oldest).days) if oldest else None,
            coverage=sorted(manifest.areas),
        )

    async def lookup(self, number: str) -> DncLookup:
        lists = [answer.name for answer in self._compliance.lists.answers(number) if answer.is_listed]
        wanted = select(internal_dnc.c.seller).where(internal_dnc.c.number == number).distinct()
        async with self._database.reading() as connection:
            sellers = sorted(await connection.scalars(wanted))
        internal = [f"internal ({seller})" if seller else "internal" for seller in sellers]
        return DncLookup(number=number, is_listed=bool(lists or internal), lists=[*internal, *lists])

    async def add(self, addition: DncAddition) -> DncLookup:
        at = self._at()
        request = DncRequest(
            number=addition.number, requested_at=at, channel=_CHANNEL, seller=addition.seller, words=addition.reason
        )
        async with self._database.transaction() as connection:
            await self._suppressor.do_not_call(connection, request, at)
        return await self.lookup(addition.number)

    async def hear(self, message: WrittenMessage) -> MessageHeard:
        if not asks_to_stop(message.text):
            return MessageHeard(asks_to_stop=False)
        at = self._at()
        request = DncRequest(message.number, at, message.channel, message.seller, words=message.text[:MOST_WORDS])
        async with self._database.transaction() as connection:
            await self._suppressor.do_not_call(connection, request, at)
        return MessageHeard(asks_to_stop=True, lists=(await self.lookup(message.number)).lists)


class StoredKnowledge:
    """Fits `api.parts.Knowledge`."""

    def __init__(self, knowledge: KnowledgeBase, at: Callable[[], datetime]) -> None:
        self._knowledge = knowledge
        self._at = at

    async def add(self, fact: NewFact) -> list[FactView] | Refused:
        facts = operator_facts(
            fact.text, self._at(), number=fact.number, campaign_id=fact.campaign, key=fact.key, value=fact.value
        )
        if not facts:
            return Refused("nothing_said", "There are no words in it.")
        await self._knowledge.add(facts)
        return [_fact(each) for each in facts]

    async def search(self, query: str, *, number: str, campaign: str, limit: int) -> list[FactView] | Refused:
        try:
            hits = await self._knowledge.search(query, Scope(number, campaign), limit)
        except KnowledgeError as error:
            return Refused("knowledge_unavailable", str(error))
        return [_hit(each) for each in hits]


def _hit(hit: Hit) -> FactView:
    return _fact(hit.fact).model_copy(update={"score": hit.score})


def _fact(fact: Fact) -> FactView:
    return FactView(
        id=fact.id,
        text=fact.text,
        source=fact.source,
        at=fact.at,
        key=fact.key,
        value=fact.value,
        number=fact.number,
        campaign=fact.campaign_id,
    )


class AgentShelf:
    """Fits `api.parts.Agents`."""

    def __init__(self, folder: AgentFolder) -> None:
        self._folder = folder

    def list(self) -> list[AgentView]:
        return [_agent(each) for each in self._folder.all().values()]

    def get(self, name: str) -> AgentView | None:
        agent = self._folder.all().get(name)
        return _agent(agent) if agent else None


def _agent(agent: AgentDefinition) -> AgentView:
    return AgentView(
        name=agent.name,
        seller=agent.seller,
        persona=agent.persona,
        goal=agent.goal,
        language=agent.language,
        numbers=list(agent.numbers),
        questions=[question.id for question in agent.questions],
        version=agent.version,
    )
