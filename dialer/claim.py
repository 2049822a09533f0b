"""Step 1 of a dial: ask the gate about the contact whose turn it is, and commit the attempt as INTENT. All in one work.

A gate that cannot be asked opens for nobody: the work is forgotten and the contact put by.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

import structlog
from sqlalchemy.exc import SQLAlchemyError

from compliance.verdict import Clearance, Refused
from dialer.attempt import Attempt, AttemptId
from dialer.campaign import Campaign, CampaignState, Contact, ContactState
from dialer.pacing import Candidate
from dialer.ports import AttemptStore, Gate, Work
from dialer.settle import HOLD, changed, defer, put_off

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cleared:
    """An attempt committed as INTENT, and the leave to dial it: to be dispatched now or never."""

    attempt: Attempt
    clearance: Clearance


class NumberBusy(Exception):
    """Another attempt to this number became active between the look and the claim; the work is forgotten."""


async def claim(store: AttemptStore, gate: Gate, candidate: Candidate, at: datetime) -> Cleared | None:
    """The attempt and its clearance, or None: refused, not its turn after all, or the gate could not be asked.

    Raises what the database raises.
    """
    try:
        async with store.transaction() as work:
            return await _judge(work, gate, candidate, at)
    except NumberBusy:
        return None
    except (SQLAlchemyError, OSError):
        raise
    except Exception as error:
        log.exception("gate_failed", contact=candidate.contact_id, error=type(error).__name__)
    await _hold(store, candidate, "the gate could not be asked", at)
    return None


async def _judge(work: Work, gate: Gate, candidate: Candidate, at: datetime) -> Cleared | None:
    contact, campaign = await work.contact(candidate.contact_id), await work.campaign(candidate.campaign_id)
    if contact is None or campaign is None or not await _is_its_turn(work, contact, campaign, at):
        return None
    attempt_id = AttemptId(f"at_{secrets.token_hex(10)}")
    verdict = await gate.judge(work, campaign, contact, attempt_id, at)
    match verdict:
        case Refused():
            await put_off(work, contact, verdict, at)
            return None
        case Clearance():
            return Cleared(await _intend(work, campaign, contact, attempt_id, verdict, at), verdict)
        case _:
            assert_never(verdict)


async def _is_its_turn(work: Work, contact: Contact, campaign: Campaign, at: datetime) -> bool:
    """Whether what the queue said is still so, now that nobody else can change it."""
    if campaign.state is not CampaignState.RUNNING or contact.state is not ContactState.WAITING:
        return False
    if contact.due_at is None or contact.due_at > at:
        return False
    return not await work.active_attempts_to(contact.number)


async def _intend(
    work: Work, campaign: Campaign, contact: Contact, attempt_id: AttemptId, clearance: Clearance, at: datetime
) -> Attempt:
    earlier = await work.attempts_of(contact.id)
    attempt = Attempt(
        id=attempt_id,
        campaign_id=campaign.id,
        contact_id=contact.id,
        number=contact.number,
        ordinal=len(earlier) + 1,
        receipt_id=clearance.receipt,
        intended_at=at,
        ring_timeout=campaign.ring_timeout,
        longest_call=campaign.longest_call,
    )
    if not await work.add_attempt(attempt):
        raise NumberBusy
    attempting = replace(
        contact, state=ContactState.ATTEMPTING, due_at=None, reason="", rules=(), receipt_id=clearance.receipt, changed_at=at
    )
    await work.save_contact(attempting)
    await work.record(changed(attempt), at, attempt_id=attempt.id)
    return attempt


async def _hold(store: AttemptStore, candidate: Candidate, reason: str, at: datetime) -> None:
    async with store.transaction() as work:
        contact = await work.contact(candidate.contact_id)
        if contact is not None and contact.state is ContactState.WAITING:
            await defer(work, replace(contact, reason=reason), at + HOLD, at)
