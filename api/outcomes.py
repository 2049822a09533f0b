"""What a call came to, in the other rooms' words. Pure: reports and callbacks in, their values out."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from context.briefing import Briefing
from context.transcript import Speaker, Turn
from dialer.attempt import CarrierEvent, CarrierStatus, Disposition, outcome_of
from telephony.twilio.callbacks import StatusChanged
from voice.pricing.table import Bill
from voice.report import CallReport, Ending

_DISPOSITIONS: Final = {
    Ending.OPTED_OUT: Disposition.OPTED_OUT,
    Ending.TRANSFERRED: Disposition.TRANSFERRED,
    Ending.MACHINE: Disposition.MACHINE,
}


def disposition_of(report: CallReport) -> Disposition:
    """How the attempt ended. Answered by somebody who heard nothing of us, it was abandoned (47 CFR 64.1200(a)(7))."""
    known = _DISPOSITIONS.get(report.ending)
    if known is not None:
        return known
    has_heard_us = any(line.speaker == "agent" for line in report.transcript)
    return Disposition.ANSWERED if has_heard_us else Disposition.ABANDONED


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
