"""One call at somebody's wish: a contact in the agent's own campaign of single calls, dialled by the same dialer.

There is no second way to the phone: the gate is asked twice, once here for an answer with reasons, and once by the dialer at
the last moment before dialling. Fits `api.parts.Placer`.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from api.errands import call_of
from api.gatekeeping import proposed
from api.parts import Refused
from api.resources import CallState, CallView, Finding, NewCall
from compliance.store import ComplianceStore
from compliance.verdict import Clearance
from compliance.verdict import Refused as GateRefused
from dialer import orders
from dialer.campaign import Campaign, CampaignState, Contact, ContactState, Order, OrderRefused
from dialer.ports import AttemptStore, Work
from dialer.retry import RetryPolicy
from storage.events import AttemptChanged, ContactClosed, ContactDeferred, ContactsImported, Recorded
from storage.hot import LiveFeed, Missed, Subscription
from telephony.number import NumberRefused, parse_number
from voice.agent import AgentDefinition
from voice.agent_file import AgentFolder

DIALLED_WITHIN: Final = 10.0  # seconds to wait for a free line before saying that the call waits for one
_ONCE: Final = RetryPolicy(most_tries=1)  # whoever wants another try asks for it


class SingleCalls:
    def __init__(
        self,
        attempts: AttemptStore,
        compliance: ComplianceStore,
        agents: AgentFolder,
        feed: LiveFeed,
        caller_ids: tuple[str, ...],
        at: Callable[[], datetime],
    ) -> None:
        self._attempts = attempts
        self._compliance = compliance
        self._agents = agents
        self._feed = feed
        self._caller_ids = caller_ids
        self._at = at

    async def place(self, call: NewCall, key: str) -> CallView | Refused:
        """Dial one number. The same non-empty `key` for the same number and agent dials once."""
        agent = self._agents.all().get(call.agent)
        if agent is None:
            return Refused("no_such_agent", f"There is no agent named {call.agent}.")
        number = parse_number(call.to)
        if isinstance(number, NumberRefused):
            return Refused(f"number_{number.code}", f"{number.why}.".capitalize())
        mark = f"one_{hashlib.sha256(key.encode()).hexdigest()[:32]}" if key else f"one_{secrets.token_hex(16)}"
        async with self._feed.subscribe() as news:
            async with self._attempts.transaction() as work:
                contact = await self._enqueue(work, call, agent, number.e164, mark)
                if isinstance(contact, Refused):
                    return contact
                known = await work.attempts_of(contact.id) if contact.state is not ContactState.WAITING else []
            if known:
                return _view(call, contact, known[-1].id)
            return await self._dialled(news, call, contact)

    async def _enqueue(self, work: Work, call: NewCall, agent: AgentDefinition, number: str, mark: str) -> Contact | Refused:
        """The contact, due now; or as it is, if this very wish was heard before; or why it may not be called."""
        at = self._at()
        campaign = await self._campaign(work, agent, at)
        if isinstance(campaign, OrderRefused):
            return Refused(campaign.code, f"{campaign.why}.".capitalize())
        contact = await work.contact_by_number(campaign.id, number)
        if contact is not None and contact.batch_id == mark:
            return contact
        if contact is not None and contact.is_open:
            return Refused("in_progress", "This number is being called by this agent already.")
        if contact is not None and contact.state is ContactState.CALLED_OFF:
            return Refused("called_off", "This person wants no calls.")
        fresh = _contact(contact, call, campaign, number, mark, at)
        _, verdict = await self._compliance.look(work.connection, proposed(campaign, fresh, self._caller_ids), at)
        if not isinstance(verdict, Clearance):
            return _refused(verdict)
        await (work.add_contacts([fresh]) if contact is None else work.save_contact(fresh))
        if campaign.state is not CampaignState.RUNNING:
            started = await orders.give(work, campaign, Order.START, at, "a single call")
            if isinstance(started, OrderRefused):
                return Refused(started.code, f"{started.why}.".capitalize())
        told = ContactsImported(campaign_id=campaign.id, batch_id=mark, kept=1, bad=0, duplicates=0)
        await work.record(told, at)
        return fresh

    async def _campaign(self, work: Work, agent: AgentDefinition, at: datetime) -> Campaign | OrderRefused:
        name = f"Single calls by {agent.name}"
        found = await work.campaign_named(name)
        if found is not None:
            return found
        made = Campaign(
            id=f"cp_{secrets.token_hex(6)}", name=name, seller=agent.seller, agent=agent.name, created_at=at, retry=_ONCE
        )
        return await orders.create(work, made, at)

    async def _dialled(self, news: Subscription, call: NewCall, contact: Contact) -> CallView | Refused:
        """Wait until the dialer has made an attempt of it, or the gate has said no after all."""
        try:
            async with asyncio.timeout(DIALLED_WITHIN):
                async for told in news:
                    outcome = _outcome(told, call, contact)
                    if outcome is not None:
                        return outcome
        except TimeoutError:
            pass
        return Refused("waiting_for_line", "No line is free yet; the call is made as soon as one is.")


def _outcome(told: Recorded | Missed, call: NewCall, contact: Contact) -> CallView | Refused | None:
    match told:
        case Recorded(event=AttemptChanged(contact_id=contact.id), attempt_id=attempt) if attempt:
            return _view(call, contact, attempt)
        case Recorded(event=ContactDeferred(contact_id=contact.id) | ContactClosed(contact_id=contact.id) as event):
            return Refused("refused_by_gate", event.reason, tuple(Finding(rule=rule) for rule in event.rules))
        case _:
            return None


def _contact(known: Contact | None, call: NewCall, campaign: Campaign, number: str, mark: str, at: datetime) -> Contact:
    first = call.contact_name.split()[:1]
    fresh = known or Contact(id=f"{mark}_{campaign.id}"[:64], campaign_id=campaign.id, number=number, created_at=at)
    return replace(
        fresh,
        name=call.contact_name or fresh.name,
        first_name=first[0] if first else fresh.first_name,
        fields={**fresh.fields, **call.fields},
        batch_id=mark,
        state=ContactState.WAITING,
        due_at=at,
        tries=0,
        disposition=None,
        reason="",
        rules=(),
        changed_at=at,
    )


def _view(call: NewCall, contact: Contact, attempt_id: str) -> CallView:
    return CallView(
        id=call_of(attempt_id),
        state=CallState.PLACED,
        direction="outbound",
        number=contact.number,
        agent=call.agent,
        contact_id=contact.id,
        contact_name=contact.name,
        campaign_id=contact.campaign_id,
    )


def _refused(verdict: GateRefused) -> Refused:
    findings = tuple(
        Finding(rule=each.rule.value, detail=each.says, source=each.source, until=each.until) for each in verdict.findings
    )
    return Refused("refused_by_gate", "This number may not be called now.", findings)
