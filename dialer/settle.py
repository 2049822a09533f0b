"""What follows from a fact about an attempt: the attempt moves on, its contact is tried again or closed, the log says so.

All of it within the work it is given, so that an attempt, its contact and its event can never disagree.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final, TypeAlias

from compliance.verdict import Refused
from dialer.attempt import Attempt, CarrierRefused, Disposition, Fact, Phase
from dialer.campaign import Campaign, CampaignState, Contact, ContactState, Hold
from dialer.ports import Work
from dialer.retry import Again, Tried, decide
from storage.events import AttemptChanged, CampaignChanged, ContactClosed, ContactDeferred
from telephony.number import mask

HOLD: Final = timedelta(minutes=10)  # how long a contact is put by when only the operator can mend what is in the way
SHORTEST_DEFERRAL: Final = timedelta(seconds=1)


Uncount: TypeAlias = Callable[[Work, Attempt, str, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Chances:
    """What follows from an end depends on more than the facts: where the callee's clock stands, and a draw in [0, 1).

    `uncount` is told, within the work, of an attempt that provably reached nobody, so that it counts against no cap.
    """

    zone: Callable[[Contact], tzinfo | None]
    draw: Callable[[], float]
    uncount: Uncount | None = None


async def learn(work: Work, before: Attempt, fact: Fact, at: datetime, chances: Chances) -> Attempt:
    """The attempt once `fact` is known, with everything that follows from it written down."""
    after = before.after(fact)
    if after == before:
        return before
    await work.save_attempt(after)
    if (after.phase, after.disposition) != (before.phase, before.disposition):
        await work.record(changed(after), at, attempt_id=after.id)
    if chances.uncount is not None and after.disposition is not None and _reached_nobody(before, fact):
        await chances.uncount(work, after, after.progress.detail, at)
    if after.disposition is not None and after.disposition is not before.disposition:
        await _settle_contact(work, after, at, chances)
    return after


async def put_off(work: Work, contact: Contact, refused: Refused, at: datetime) -> Contact:
    """A refusal of the gate: the contact waits for the hour at which it will be lawful, or is closed."""
    first = refused.findings[0] if refused.findings else None
    asked = replace(
        contact,
        rules=tuple(rule.value for rule in refused.rules),
        receipt_id=refused.receipt,
        reason=f"{first.says} ({first.source})" if first else "",
        changed_at=at,
    )
    until = _asked_again_at(refused, at)
    if until is None:
        return await close(work, replace(asked, disposition=Disposition.REFUSED), at)
    return await defer(work, asked, until, at)


async def defer(work: Work, contact: Contact, until: datetime, at: datetime) -> Contact:
    """The contact waits until then; its `reason`, `rules` and `receipt_id` say why."""
    waiting = replace(contact, state=ContactState.WAITING, due_at=until, changed_at=at)
    await work.save_contact(waiting)
    told = ContactDeferred(
        campaign_id=contact.campaign_id,
        contact_id=contact.id,
        number=mask(contact.number),
        until=until,
        reason=waiting.reason,
        rules=waiting.rules,
        receipt_id=waiting.receipt_id,
    )
    await work.record(told, at)
    await _run_again(work, contact.campaign_id, at)
    return waiting


async def close(
    work: Work, contact: Contact, at: datetime, state: ContactState = ContactState.CLOSED, attempt_id: str = ""
) -> Contact:
    """Nothing more is tried with this contact."""
    closed = replace(contact, state=state, due_at=None, changed_at=at)
    await work.save_contact(closed)
    told = ContactClosed(
        campaign_id=contact.campaign_id,
        contact_id=contact.id,
        number=mask(contact.number),
        disposition=closed.disposition.value if closed.disposition else "",
        reason=closed.reason,
        rules=closed.rules,
        receipt_id=closed.receipt_id,
    )
    await work.record(told, at, attempt_id=attempt_id)
    return closed


def _asked_again_at(refused: Refused, at: datetime) -> datetime | None:
    if refused.decision == "defer" and refused.until is not None:
        return max(refused.until, at + SHORTEST_DEFERRAL)
    return at + HOLD if refused.is_hold else None


def _reached_nobody(before: Attempt, fact: Fact) -> bool:
    """Whether this fact, ending the attempt, proves that there never was a call."""
    return before.phase is Phase.INTENT or (before.phase is Phase.DISPATCHING and isinstance(fact, CarrierRefused))


async def _settle_contact(work: Work, ended: Attempt, at: datetime, chances: Chances) -> None:
    """Try the contact again or close it. A surer result than before may open a closed contact, never one called off."""
    contact = await work.contact(ended.contact_id)
    campaign = await work.campaign(ended.campaign_id)
    assert contact is not None
    assert campaign is not None
    history = [_tried(each, each.disposition) for each in await work.attempts_of(contact.id) if each.disposition]
    told = replace(
        contact,
        disposition=ended.disposition,
        tries=sum(each.disposition is not Disposition.CANCELLED for each in history),
        receipt_id=ended.receipt_id,
        rules=(),
        changed_at=at,
    )
    if contact.state is ContactState.CALLED_OFF:
        await work.save_contact(replace(told, reason=contact.reason))
        return
    ruling = decide(history, campaign.retry, at, chances.zone(contact), chances.draw())
    if isinstance(ruling, Again):
        await defer(work, replace(told, reason=ruling.reason), ruling.at, at)
    else:
        await close(work, replace(told, reason=ruling.reason), at, attempt_id=ended.id)


async def _run_again(work: Work, campaign_id: str, at: datetime) -> None:
    """A late result can leave a finished campaign with somebody to call."""
    campaign = await work.campaign(campaign_id)
    if campaign is not None and campaign.state is CampaignState.FINISHED:
        await change_state(work, campaign, CampaignState.RUNNING, at, "a late result opened a contact again")


async def hold(work: Work, campaign: Campaign, why: Hold | None, at: datetime) -> Campaign:
    """Write down why a running campaign dials nobody, or that it does again, and tell of it."""
    held = replace(campaign, hold=why)
    await work.save_campaign(held)
    told = f"{why.code}: {why.why}" if why else "dials again"
    await work.record(CampaignChanged(campaign_id=campaign.id, state=campaign.state.value, reason=told), at)
    return held


async def change_state(work: Work, campaign: Campaign, state: CampaignState, at: datetime, reason: str = "") -> Campaign:
    """Write a campaign's new state and tell of it."""
    is_over = state in (CampaignState.FINISHED, CampaignState.STOPPED)
    is_first_start = state is CampaignState.RUNNING and campaign.started_at is None
    changed = replace(
        campaign,
        state=state,
        hold=None,
        allowed_at=at if state is CampaignState.RUNNING else campaign.allowed_at,
        started_at=at if is_first_start else campaign.started_at,
        finished_at=at if is_over else None,
    )
    await work.save_campaign(changed)
    await work.record(CampaignChanged(campaign_id=campaign.id, state=state.value, reason=reason), at)
    return changed


def _tried(attempt: Attempt, disposition: Disposition) -> Tried:
    known = attempt.progress
    rang = known.ringing_at or known.answered_at or known.dispatched_at or known.dispatching_at
    return Tried(rang or attempt.intended_at, disposition)


def changed(attempt: Attempt) -> AttemptChanged:
    """The event that tells where an attempt stands."""
    return AttemptChanged(
        campaign_id=attempt.campaign_id,
        contact_id=attempt.contact_id,
        number=mask(attempt.number),
        phase=attempt.phase.value,
        disposition=attempt.disposition.value if attempt.disposition else "",
        detail=attempt.progress.detail,
        receipt_id=attempt.receipt_id,
    )
