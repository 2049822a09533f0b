"""One call at somebody's wish: a contact in the agent's own campaign of single calls, dialled by the same dialer.

There is no second way to the phone: the gate is asked twice, once here for an answer with reasons, and once by the dialer at
the last moment before dialling. Fits `api.parts.Placer`.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select

from api.errands import call_of
from api.gatekeeping import proposed
from api.parts import Calls, Refused
from api.resources import CallState, CallView, Finding, NewCall
from api.scripts import unmet
from compliance.proposals import ProposedCall
from compliance.store import ComplianceStore
from compliance.verdict import Refused as GateRefused
from dialer import orders
from dialer.attempt import Attempt, Disposition, Phase
from dialer.campaign import TOOK_BACK, Campaign, CampaignState, Contact, ContactState, Hold, ImportBatch, OrderRefused
from dialer.ports import AttemptStore, Work
from dialer.retry import RetryPolicy
from dialer.settle import change_state, close
from storage.events import AttemptChanged, ContactClosed, ContactDeferred, ContactsImported, Recorded
from storage.hot import LiveFeed, Subscription
from storage.tables.dialing import import_batches
from telephony.number import NumberRefused, parse_number
from voice.agent import AgentDefinition
from voice.agent_file import AgentFolder

DIALLED_WITHIN: Final = 15.0  # seconds for a free line and the carrier's answer; then the wish is taken back
NAME: Final = "Single calls by "  # and the agent's name: the campaign in which they are kept
_ONCE: Final = RetryPolicy(most_tries=1)  # whoever wants another try asks for it
_URGENT: Final = 100  # somebody waits for this one


@dataclass(frozen=True, slots=True)
class _Wish:
    """Somebody's wish, taken in: this contact is to be rung, once, by an attempt made after `at`."""

    call: NewCall
    contact_id: str
    at: datetime


class SingleCalls:
    def __init__(
        self,
        attempts: AttemptStore,
        compliance: ComplianceStore,
        agents: AgentFolder,
        feed: LiveFeed,
        calls: Calls,
        caller_ids: tuple[str, ...],
        at: Callable[[], datetime],
        wake: Callable[[], None],
        hold_of: Callable[[Campaign], Hold | None],
    ) -> None:
        """`wake` wakes the dialer; `hold_of` says why it would dial nobody."""
        self.is_closed = False  # set when nobody dials any more
        self._attempts = attempts
        self._compliance = compliance
        self._agents = agents
        self._feed = feed
        self._calls = calls
        self._caller_ids = caller_ids
        self._at = at
        self._wake = wake
        self._hold_of = hold_of

    async def place(self, call: NewCall, key: str) -> CallView | Refused:
        """Dial one number. The same non-empty `key` for the same number and agent dials once."""
        if self.is_closed:
            return Refused("shutting_down", "This server is going down; ask another, or ask again soon.")
        agent = self._agents.all().get(call.agent)
        if agent is None:
            return Refused("no_such_agent", f"There is no agent named {call.agent}.")
        number = parse_number(call.to)
        if isinstance(number, NumberRefused):
            return Refused(f"number_{number.code}", f"{number.why}.".capitalize())
        mark = _mark(agent.name, number.e164, key)
        async with self._feed.subscribe(_concerns_contacts) as news:
            async with self._attempts.transaction() as work:
                wish = await _heard_before(work, call, mark) or await self._take_in(work, call, agent, number.e164, mark)
            if isinstance(wish, Refused):
                return wish
            self._wake()
            return await self._dialled(news, wish)

    async def put_away(self) -> None:
        """Forget wishes whose process ended before they were dialled. To be done before any dialling."""
        at = self._at()
        async with self._attempts.transaction() as work:
            for campaign in await work.campaigns():
                if campaign.name.startswith(NAME):
                    for contact in await work.contacts(campaign.id, limit=10_000, state=ContactState.WAITING):
                        await close(work, replace(contact, reason="not dialled in time"), at)

    # --- taking a wish in -----------------------------------------------------------------------------------------------

    async def _take_in(self, work: Work, call: NewCall, agent: AgentDefinition, number: str, mark: str) -> _Wish | Refused:
        """The contact, due now; or why it may not be called."""
        at = self._at()
        campaign = await self._campaign(work, agent, at)
        if isinstance(campaign, OrderRefused):
            return Refused(campaign.code, f"{campaign.why}.".capitalize())
        if (hold := self._hold_of(campaign)) is not None:
            return Refused(hold.code, f"{hold.why}.".capitalize())
        known = await work.contact_by_number(campaign.id, number)
        if (known is not None and known.is_open) or await work.active_attempts_to(number):
            return Refused("in_progress", "This number is being called already.")
        fresh = _contact(known, call, campaign, number, mark, at)
        verdict = await self._compliance.judge(work.connection, self._proposed(campaign, fresh, agent), at)
        if isinstance(verdict, GateRefused):
            return _refused(verdict)
        if known is not None and known.state is ContactState.CALLED_OFF and known.reason != TOOK_BACK:
            return Refused("called_off", "This person wants no calls.")
        await (work.add_contacts([fresh]) if known is None else work.save_contact(fresh))
        await work.save_batch(ImportBatch(mark, campaign.id, fresh.id, at, at, rows=1, kept=1))
        if campaign.state is not CampaignState.RUNNING:
            await change_state(work, campaign, CampaignState.RUNNING, at, "a single call")
        told = ContactsImported(campaign_id=campaign.id, batch_id=mark, kept=1, bad=0, duplicates=0)
        await work.record(told, at)
        return _Wish(call, fresh.id, at)

    def _proposed(self, campaign: Campaign, contact: Contact, agent: AgentDefinition) -> ProposedCall:
        lacks = unmet(agent, campaign.seller, self._compliance.rules)
        return proposed(campaign, contact, self._caller_ids, lacks=lacks)

    async def _campaign(self, work: Work, agent: AgentDefinition, at: datetime) -> Campaign | OrderRefused:
        """The agent's campaign of single calls, for whom the agent speaks now. Stopped, it is a stop for these calls too."""
        name = NAME + agent.name
        found = await work.campaign_named(name)
        if found is None:
            made = Campaign(
                id=f"cp_{secrets.token_hex(6)}", name=name, seller=agent.seller, agent=agent.name, created_at=at, retry=_ONCE
            )
            return await orders.create(work, made, at)
        if found.state in (CampaignState.STOPPED, CampaignState.PAUSED):
            return OrderRefused("campaign_" + found.state.value, f"{name!r} is {found.state.value}")
        if found.seller != agent.seller:
            found = replace(found, seller=agent.seller)
            await work.save_campaign(found)
        return found

    # --- until it rings -------------------------------------------------------------------------------------------------

    async def _dialled(self, news: Subscription, wish: _Wish) -> CallView | Refused:
        """Wait until the carrier has the call, or until it is certain that there is none."""
        try:
            async with asyncio.timeout(DIALLED_WITHIN):
                while (outcome := await self._outcome(wish)) is None:
                    await anext(aiter(news))
                return outcome
        except TimeoutError:
            return await self._give_up(wish)

    async def _outcome(self, wish: _Wish) -> CallView | Refused | None:
        async with self._attempts.reading() as work:
            contact = await work.contact(wish.contact_id)
            attempt = await _attempt(work, wish)
        assert contact is not None
        if attempt is not None and attempt.phase in (Phase.INTENT, Phase.DISPATCHING):
            return None
        if attempt is not None and (attempt.progress.call_sid or attempt.phase is Phase.UNKNOWN):
            return await self._view(wish, contact, attempt)
        if contact.state is ContactState.WAITING:
            return await self._take_back(wish) if contact.due_at is not None and contact.due_at > wish.at else None
        return _ended(contact, attempt)

    async def _give_up(self, wish: _Wish) -> CallView | Refused:
        """No line has come free, or the carrier takes its time: nothing is dialled behind the back of whoever asked."""
        refused = await self._take_back(wish)
        if refused is not None:
            return refused
        async with self._attempts.reading() as work:
            contact, attempt = await work.contact(wish.contact_id), await _attempt(work, wish)
        assert contact is not None
        return await self._view(wish, contact, attempt) if attempt is not None else _ended(contact, attempt)

    async def _take_back(self, wish: _Wish) -> Refused | None:
        """Close the contact if it still waits: the gate may have put it off, and then nobody wants it dialled tomorrow."""
        async with self._attempts.transaction() as work:
            contact = await work.contact(wish.contact_id)
            if contact is None or contact.state is not ContactState.WAITING:
                return None
            await close(work, replace(contact, reason=contact.reason or "not dialled in time"), self._at())
        if contact.rules:
            return Refused("refused_by_gate", contact.reason, tuple(Finding(rule=rule) for rule in contact.rules))
        return Refused("no_line", contact.reason or "No line came free in time; nothing was dialled.")

    async def _view(self, wish: _Wish, contact: Contact, attempt: Attempt) -> CallView:
        call_id = call_of(attempt.id)
        return await self._calls.get(call_id) or CallView(
            id=call_id,
            state=CallState.PLACED,
            direction="outbound",
            number=contact.number,
            agent=wish.call.agent,
            contact_id=contact.id,
            contact_name=contact.name,
            campaign_id=contact.campaign_id,
        )


async def _heard_before(work: Work, call: NewCall, mark: str) -> _Wish | None:
    """This very wish, if its key was used before."""
    wanted = select(import_batches.c.source, import_batches.c.started_at).where(import_batches.c.id == mark)
    row = (await work.connection.execute(wanted)).first()
    return None if row is None else _Wish(call, row.source, row.started_at)


async def _attempt(work: Work, wish: _Wish) -> Attempt | None:
    """The attempt that was made of a wish: the first that was not called off before it left the house."""
    since = [each for each in await work.attempts_of(wish.contact_id) if each.intended_at >= wish.at]
    return next((each for each in since if each.disposition is not Disposition.CANCELLED), since[-1] if since else None)


def _mark(agent: str, number: str, key: str) -> str:
    seed = "\0".join((agent, number, key)).encode() if key else secrets.token_bytes(16)
    return f"one_{hashlib.sha256(seed).hexdigest()[:32]}"


def _concerns_contacts(recorded: Recorded) -> bool:
    return isinstance(recorded.event, AttemptChanged | ContactDeferred | ContactClosed)


def _ended(contact: Contact, attempt: Attempt | None) -> Refused:
    """Why there is no call and will be none."""
    if attempt is not None and attempt.disposition is not Disposition.CANCELLED:
        return Refused("carrier_refused", attempt.progress.detail)
    if contact.disposition is Disposition.REFUSED:
        return Refused("refused_by_gate", contact.reason, tuple(Finding(rule=rule) for rule in contact.rules))
    return Refused("called_off", contact.reason)


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
        priority=_URGENT,
        due_at=at,
        tries=0,
        disposition=None,
        reason="",
        rules=(),
        changed_at=at,
    )


def _refused(verdict: GateRefused) -> Refused:
    findings = tuple(
        Finding(rule=each.rule.value, detail=each.says, source=each.source, until=each.until) for each in verdict.findings
    )
    when = f" It may be from {verdict.until:%Y-%m-%d %H:%M} UTC on." if verdict.until is not None else ""
    return Refused("refused_by_gate", f"This number may not be called now.{when}", findings)
