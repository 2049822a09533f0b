"""Why a contact is where it is: not called yet, called again, or done with; by which rule, on which receipt, and when next.

Reads and tells; changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dialer.attempt import Attempt, Disposition
from dialer.campaign import Campaign, CampaignState, Contact, ContactState
from dialer.ports import Work


@dataclass(frozen=True, slots=True)
class Explanation:
    """One contact's standing. `code` is stable; `next_at` is when it is looked at next, None if never or not foreseeable.

    Codes: closed, called_off, in_progress, campaign_draft, campaign_paused, campaign_stopped, campaign_finished,
    number_in_use, refused_for_now, retry, not_due, waiting_for_line, and the codes of `dialer.campaign.Hold`.
    """

    code: str
    why: str
    campaign: Campaign
    contact: Contact
    attempts: tuple[Attempt, ...]
    next_at: datetime | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The codes of the rules that spoke when the gate was last asked."""
        return self.contact.rules


async def explain_contact(work: Work, campaign: Campaign, contact: Contact, at: datetime) -> Explanation:
    """Why this contact has not been dialled (again), by which rule, and when next; and every attempt there was."""
    attempts = tuple(await work.attempts_of(contact.id))
    elsewhere = [each for each in await work.active_attempts_to(contact.number) if each.contact_id != contact.id]
    code, why, next_at = _standing(campaign, contact, attempts, is_in_use=bool(elsewhere), at=at)
    return Explanation(code, why, campaign, contact, attempts, next_at)


def _standing(
    campaign: Campaign, contact: Contact, attempts: tuple[Attempt, ...], *, is_in_use: bool, at: datetime
) -> tuple[str, str, datetime | None]:
    if contact.state is ContactState.CALLED_OFF:
        return "called_off", f"Called off ({contact.reason}): nobody calls this contact any more.", None
    if contact.state is ContactState.CLOSED:
        return "closed", _closed(contact), None
    if contact.state is ContactState.ATTEMPTING:
        return "in_progress", f"A call is under way ({attempts[-1].phase.value if attempts else 'unknown'}).", None
    if campaign.state is not CampaignState.RUNNING:
        return _not_running(campaign)
    if contact.due_at is not None and contact.due_at > at:
        return _not_due(contact)
    if campaign.hold is not None:
        return campaign.hold.code, f"Its turn has come, but the campaign dials nobody: {campaign.hold.why}", None
    if is_in_use:
        return (
            "number_in_use",
            "This number is being called for another campaign; its turn comes when that call is over.",
            None,
        )
    return "waiting_for_line", "Its turn has come; it waits for a free line and the pace of calls.", at


def _closed(contact: Contact) -> str:
    if contact.disposition is Disposition.REFUSED:
        return f"Refused for good: {contact.reason}"
    if contact.disposition is Disposition.UNKNOWN:
        return "The request went out and nobody can say whether it rang; it is never dialled again."
    how = contact.disposition.value.replace("_", " ") if contact.disposition else contact.reason
    return f"Done: {how}." if contact.reason in ("", contact.disposition) else f"Done: {how} ({contact.reason})."


def _not_running(campaign: Campaign) -> tuple[str, str, datetime | None]:
    state = campaign.state.value
    return f"campaign_{state}", f"The campaign is {state}; nobody in it is called.", None


def _not_due(contact: Contact) -> tuple[str, str, datetime | None]:
    if contact.rules:
        return "refused_for_now", f"Not now: {contact.reason}", contact.due_at
    if contact.tries or contact.disposition is not None:
        return "retry", f"To be tried again: the last attempt ended {contact.reason}.", contact.due_at
    return "not_due", contact.reason or "Its time has not come.", contact.due_at
