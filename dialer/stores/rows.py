"""Values of the dialer as rows of its tables, and back. The columns are those of `storage/tables/dialing.py`."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Row

from dialer.attempt import Attempt, AttemptId, Disposition, Phase, Progress
from dialer.campaign import Campaign, CampaignState, Contact, ContactState, Hold
from dialer.pacing import Limit
from dialer.retry import RetryPolicy

_ATTEMPT_PLAIN: Final = (
    "id",
    "campaign_id",
    "contact_id",
    "number",
    "ordinal",
    "receipt_id",
    "intended_at",
    "ring_timeout",
    "longest_call",
)
_PROGRESS_CODED: Final = ("phase", "carrier_outcome", "conversation_outcome")
_PROGRESS_PLAIN: Final = tuple(each.name for each in fields(Progress) if each.name not in _PROGRESS_CODED)
_CONTACT_CODED: Final = ("state", "disposition", "priority", "rules", "changed_at")
_CONTACT_PLAIN: Final = tuple(each.name for each in fields(Contact) if each.name not in _CONTACT_CODED)
_CAMPAIGN_CODED: Final = ("state", "limit", "retry", "budget", "hold")
_CAMPAIGN_PLAIN: Final = tuple(each.name for each in fields(Campaign) if each.name not in _CAMPAIGN_CODED)


def campaign_row(campaign: Campaign) -> dict[str, Any]:
    return {
        **{name: getattr(campaign, name) for name in _CAMPAIGN_PLAIN},
        "state": campaign.state.value,
        "concurrency": campaign.limit.concurrency,
        "calls_per_second": campaign.limit.calls_per_second,
        "retry": msgspec.to_builtins(campaign.retry),
        "budget": str(campaign.budget) if campaign.budget is not None else "",
        "hold_code": campaign.hold.code if campaign.hold else "",
        "hold_why": campaign.hold.why if campaign.hold else "",
    }


def campaign_of(row: Row[Any]) -> Campaign:
    return Campaign(
        **{name: getattr(row, name) for name in _CAMPAIGN_PLAIN},
        state=CampaignState(row.state),
        limit=Limit(row.concurrency, row.calls_per_second),
        retry=msgspec.convert(row.retry, RetryPolicy),
        budget=Decimal(row.budget) if row.budget else None,
        hold=Hold(row.hold_code, row.hold_why) if row.hold_code else None,
    )


def contact_row(contact: Contact) -> dict[str, Any]:
    return {
        **{name: getattr(contact, name) for name in _CONTACT_PLAIN},
        "fields": dict(contact.fields),
        "state": contact.state.value,
        "disposition": _code(contact.disposition),
        "rank": -contact.priority,
        "rules": list(contact.rules),
        "changed_at": contact.changed_at or contact.created_at,
    }


def contact_of(row: Row[Any]) -> Contact:
    return Contact(
        **{name: getattr(row, name) for name in _CONTACT_PLAIN},
        state=ContactState(row.state),
        disposition=_disposition(row.disposition),
        priority=-row.rank,
        rules=tuple(row.rules),
        changed_at=row.changed_at,
    )


def attempt_row(attempt: Attempt) -> dict[str, Any]:
    known = attempt.progress
    return {
        **{name: getattr(attempt, name) for name in _ATTEMPT_PLAIN},
        **{name: getattr(known, name) for name in _PROGRESS_PLAIN},
        "phase": known.phase.value,
        "carrier_outcome": _code(known.carrier_outcome),
        "conversation_outcome": _code(known.conversation_outcome),
        "is_active": known.is_active,
        "disposition": _code(known.disposition),
        "expires_at": attempt.expires_at,
        "line_free_at": attempt.line_free_at(),
    }


def attempt_of(row: Row[Any]) -> Attempt:
    progress = Progress(
        **{name: getattr(row, name) for name in _PROGRESS_PLAIN},
        phase=Phase(row.phase),
        carrier_outcome=_disposition(row.carrier_outcome),
        conversation_outcome=_disposition(row.conversation_outcome),
    )
    plain = {name: getattr(row, name) for name in _ATTEMPT_PLAIN}
    return Attempt(**{**plain, "id": AttemptId(row.id)}, progress=progress)


def _code(disposition: Disposition | None) -> str:
    return disposition.value if disposition is not None else ""


def _disposition(code: str) -> Disposition | None:
    return Disposition(code) if code else None
