"""What a call came to, in the other rooms' words. Pure: reports and callbacks in, their values out."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from datetime import date, datetime
from typing import Final

from context.briefing import Briefing
from context.transcript import Speaker, Turn
from dialer.attempt import CarrierEvent, CarrierStatus, Disposition, outcome_of
from telephony.twilio.callbacks import StatusChanged
from voice.pricing.consumption import Account, Consumption
from voice.pricing.table import Bill, PriceTable, bill_for
from voice.report import CallReport, Ending

_DISPOSITIONS: Final = {
    Ending.OPTED_OUT: Disposition.OPTED_OUT,
    Ending.TRANSFERRED: Disposition.TRANSFERRED,
    Ending.MACHINE: Disposition.MACHINE,
}


def disposition_of(report: CallReport) -> Disposition:
    """How the attempt ended. Answered by somebody who heard nothing of us, it was abandoned (47 CFR 64.1200(a)(7)); broken
    off by a fault of ours, with an apology and a promise, it is one to be called back."""
    known = _DISPOSITIONS.get(report.ending)
    if known is not None:
        return known
    has_heard_us = any(line.speaker == "agent" for line in report.transcript)
    if not has_heard_us:
        return Disposition.ABANDONED
    return Disposition.CALL_BACK if report.ending is Ending.TROUBLE else Disposition.ANSWERED


def turns_of(report: CallReport) -> tuple[Turn, ...]:
    return tuple(
        Turn(Speaker(line.speaker), line.text, line.started, max(line.started, line.ended), line.is_cut, line.confidence)
        for line in report.transcript
    )


def measures_of(report: CallReport, briefing: Briefing, underruns: int) -> dict[str, object]:
    """What is kept of a call's figures; seconds."""
    return {
        "ending": report.ending.value,
        "detail": report.detail,
        "talked": round(report.duration, 3),
        "context": {source: round(took, 4) for source, took in briefing.took.items()},
        "absences": {absence.source: absence.why.value for absence in briefing.absences},
        "underruns": underruns,
        "transferred_to": report.transferred_to,
        "encounters": list(report.encounters),
        **({"unheard": report.unheard} if report.unheard else {}),
        "oddities": dict(report.oddities),
        "speculated": {"begun": report.speculated, "dropped": report.wasted, "tokens_wasted": report.wasted_tokens},
    }


_QUANTITIES: Final = tuple(
    field.name for field in fields(Consumption) if field.name == "seconds" or field.name.startswith(("characters", "tokens"))
)


def costs_of(account: Account, prices: PriceTable, on: date) -> dict[str, object]:
    """What a call used, by stage and provider, and what that cost; empty for one that used nothing."""
    if not account.entries:
        return {}
    return {"used": used_of(account), "cost": cost_of(bill_for(account, prices, on))}


def used_of(account: Account) -> dict[str, object]:
    """Seconds heard, characters spoken, tokens read, cached and written, by stage and provider; `wasted` nobody heard."""
    used: dict[str, Counter[str]] = {}
    for entry in account.entries:
        name = f"{entry.stage}.{entry.provider}" + (f":{entry.model}" if entry.model else "")
        counts = used.setdefault(name + (".wasted" if entry.is_wasted else ""), Counter())
        counts["times"] += 1
        for quantity in _QUANTITIES:
            counts[quantity] += getattr(entry, quantity)
    return {
        name: {quantity: round(float(count), 3) for quantity, count in counts.items() if count}
        for name, counts in used.items()
    }


def cost_of(bill: Bill) -> dict[str, object]:
    """A call's bill in dollars, by stage; what has no price in the table is counted, not guessed."""
    told: dict[str, object] = {stage.value: float(round(cost, 6)) for stage, cost in bill.stages.items() if cost}
    told["total"] = float(round(bill.total, 6))
    told["wasted"] = float(round(bill.wasted, 6))
    return told | {"unpriced": len(bill.unpriced)}


def carrier_event_of(changed: StatusChanged, attempt_id: str, at: datetime) -> CarrierEvent | None:
    """The dialer's fact for a status callback; None for a status this version does not know. `at`: when it came in."""
    try:
        status = CarrierStatus(changed.call_status)
    except ValueError:
        return None
    return CarrierEvent(
        call_sid=changed.call_sid,
        status=status,
        at=at,
        attempt_id=attempt_id,
        sequence=changed.sequence if changed.sequence is not None else -1,
        answered_by=changed.answered_by,
        sip_code=changed.sip_code,
        error_code=str(changed.error_code) if changed.error_code else "",
    )


def unanswered(event: CarrierEvent | None) -> Disposition:
    """What a call without media came to, by its last callback."""
    try:
        ended = outcome_of(event) if event is not None else Disposition.UNKNOWN
    except ValueError:
        return Disposition.UNKNOWN
    return Disposition.ABANDONED if ended is Disposition.ANSWERED else ended
