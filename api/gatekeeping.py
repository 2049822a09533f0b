"""The compliance room as the dialer and the conversations want it: a gate, a consent book, and a person's no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from api.errands import Errand
from api.scripts import unmet
from api.suppression import Suppressor
from compliance import zones
from compliance.consent import Given
from compliance.identity import person_by_number
from compliance.people import erased_among
from compliance.record import CallerId, Place, Purpose, Unmet, VoiceKind
from compliance.record import Errand as ComplianceErrand
from compliance.store import ComplianceStore, DncRequest, ProposedCall
from compliance.verdict import Verdict
from dialer.attempt import AttemptId
from dialer.campaign import Campaign, Contact, OpenContact
from dialer.ports import Work
from storage.events import OptedOut
from storage.log import append
from telephony.number import mask
from voice.agent import AgentDefinition


class Agents(Protocol):
    def all(self) -> Mapping[str, AgentDefinition]: ...


def proposed(
    campaign: Campaign, contact: Contact, caller_ids: tuple[str, ...], attempt: str = "", lacks: tuple[Unmet, ...] = ()
) -> ProposedCall:
    """A contact's next call as the gate is asked about it. We only show numbers of ours, so what we show is authorised.

    `lacks`: what the words of the campaign's agent cannot meet (`api.scripts.unmet`).
    """
    return asked_about(errand_of(campaign, caller_ids, lacks), contact, attempt)


def errand_of(campaign: Campaign, caller_ids: tuple[str, ...], lacks: tuple[Unmet, ...] = ()) -> ComplianceErrand:
    """What a campaign wants of everybody it calls."""
    ours = campaign.from_number or (caller_ids[0] if caller_ids else "")
    return ComplianceErrand(
        seller=campaign.seller,
        purpose=Purpose(campaign.purpose),
        voice=VoiceKind.ARTIFICIAL,
        subject=campaign.id,
        campaign=campaign.id,
        caller_id=CallerId(ours, is_shown=True, is_authorised=ours in caller_ids),
        unmet=lacks,
    )


def asked_about(errand: ComplianceErrand, contact: Contact | OpenContact, attempt: str = "") -> ProposedCall:
    """The call of this errand to this contact."""
    return ProposedCall(
        number=contact.number,
        errand=errand,
        attempt=attempt,
        contact=contact.id,
        person=contact.person,
        place=Place(state=contact.address_state, zip=contact.zip),
    )


class DialGate:
    """Fits `dialer.ports.Gate` and `dialer.ports.ConsentBook`."""

    def __init__(self, store: ComplianceStore, caller_ids: tuple[str, ...], agents: Agents | None = None) -> None:
        """Without `agents` nobody's words are judged."""
        self._store = store
        self._caller_ids = caller_ids
        self._agents = agents

    async def judge(self, work: Work, campaign: Campaign, contact: Contact, attempt: AttemptId, at: datetime) -> Verdict:
        call = proposed(campaign, contact, self._caller_ids, attempt, self._lacks(campaign))
        return await self._store.judge(work.connection, call, at)

    def _lacks(self, campaign: Campaign) -> tuple[Unmet, ...]:
        agent = self._agents.all().get(campaign.agent) if self._agents is not None else None
        return unmet(agent, campaign.seller, self._store.rules)

    async def add(self, work: Work, given: Given, at: datetime) -> None:
        await self._store.record_consent(work.connection, given, at)

    async def erased(self, work: Work, numbers: Sequence[str]) -> set[str]:
        return await erased_among(self._store, work.connection, numbers)

    async def persons(self, work: Work, numbers: Sequence[str]) -> Mapping[str, str]:
        return await person_by_number(work.connection, numbers)

    def zone_of(self, contact: Contact) -> tzinfo | None:
        """Where a contact's clock stands, when there is only one place it can be."""
        place = Place(state=contact.address_state, zip=contact.zip)
        changed = contact.changed_at or contact.created_at
        try:
            found = zones.where(contact.number, place, changed.date(), self._store.rules).zones
            return zones.zone(found[0]) if len(found) == 1 else None
        except zones.ZoneMissing:
            return None


class SpokenOptOuts:
    """A no that was said in a call. Fits `api.call_tools.OptOuts`."""

    def __init__(self, suppressor: Suppressor) -> None:
        self._suppressor = suppressor

    async def write(self, connection: AsyncConnection, errand: Errand, words: str, at: datetime) -> None:
        request = DncRequest(
            number=errand.person, requested_at=at, channel="voice", seller=errand.seller, words=words, call=errand.call
        )
        await self._suppressor.do_not_call(connection, request, at, errand.purpose)
        told = OptedOut(number=mask(errand.person), seller=errand.seller, source=f"call {errand.call}")
        await append(connection, told, at, call_id=errand.call, attempt_id=errand.attempt_id)
