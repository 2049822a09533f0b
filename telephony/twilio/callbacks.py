"""What Twilio's webhooks say, as types. Pure: a form in, a value out.

Twilio adds parameters without notice, so unknown ones are no error. Status callbacks are separate requests with "no
guarantee they will arrive in the same order" (docs/voice/api/call-resource), and may come twice: `is_news` says which count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from telephony.errors import ProtocolViolation

Form = Mapping[str, str]

# How far along its life a call is; the last five end it. `initiated` exists only in callbacks, `queued` in the resource.
_RANK: Final = {
    "queued": 0,
    "initiated": 1,
    "ringing": 2,
    "in-progress": 3,
    "completed": 4,
    "busy": 4,
    "failed": 4,
    "no-answer": 4,
    "canceled": 4,
}
ENDED: Final = frozenset(status for status, rank in _RANK.items() if rank == 4)


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """A call wants instructions: an outbound one was answered, an inbound one rings."""

    call_sid: str
    account_sid: str
    to: str
    from_: str
    direction: str  # inbound | outbound-api | outbound-dial
    call_status: str
    answered_by: str  # only with synchronous detection
    stir_verstat: str
    error_code: int | None  # set on a request to the fallback URL

    @property
    def is_inbound(self) -> bool:
        return self.direction == "inbound"

    @property
    def is_caller_verified(self) -> bool:
        """The caller's carrier vouches for the number (STIR/SHAKEN attestation A)."""
        return self.stir_verstat.startswith("TN-Validation-Passed-A")


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A call got to a new status. `sequence` counts the callbacks of a call from 0; None if Twilio did not say."""

    call_sid: str
    account_sid: str
    call_status: str
    sequence: int | None
    to: str
    from_: str
    direction: str
    duration: int | None  # seconds of talk
    sip_code: int | None
    error_code: int | None
    answered_by: str
    at: datetime | None
    parent_call_sid: str

    @property
    def is_final(self) -> bool:
        return self.call_status in ENDED


@dataclass(frozen=True, slots=True)
class AnsweredBy:
    """Answering machine detection came to a conclusion: `party` is human, machine, fax or unknown."""

    call_sid: str
    account_sid: str
    answered_by: str
    party: str
    after: float | None  # seconds from the answer

    @property
    def is_greeting_over(self) -> bool:
        """The machine has finished its greeting: a message can be left now."""
        return self.answered_by.startswith("machine_end")


@dataclass(frozen=True, slots=True)
class DialEnded:
    """The leg that a `<Dial>` rang is over; the call wants to know what next. `status` as Twilio's DialCallStatus."""

    call_sid: str
    account_sid: str
    status: str  # completed | answered | busy | no-answer | failed | canceled
    dial_call_sid: str
    duration: int | None
    sip_code: int | None

    @property
    def is_bridged(self) -> bool:
        return self.status in ("completed", "answered")


@dataclass(frozen=True, slots=True)
class StreamChanged:
    """A media stream started, stopped or failed: `event` is stream-started, stream-stopped or stream-error."""

    call_sid: str
    account_sid: str
    stream_sid: str
    event: str
    error: str
    at: datetime | None


def voice_request(form: Form) -> VoiceRequest:
    """Raises `ProtocolViolation` (`missing_parameter`), as all readers here do, when the call is not named."""
    return VoiceRequest(
        call_sid=_required(form, "CallSid"),
        account_sid=form.get("AccountSid", ""),
        to=form.get("To", "") or form.get("Called", ""),
        from_=form.get("From", "") or form.get("Caller", ""),
        direction=form.get("Direction", "inbound"),
        call_status=form.get("CallStatus", ""),
        answered_by=form.get("AnsweredBy", ""),
        stir_verstat=form.get("StirVerstat", ""),
        error_code=_number(form, "ErrorCode"),
    )


def status_changed(form: Form) -> StatusChanged:
    return StatusChanged(
        call_sid=_required(form, "CallSid"),
        account_sid=form.get("AccountSid", ""),
        call_status=_required(form, "CallStatus"),
        sequence=_number(form, "SequenceNumber"),
        to=form.get("To", ""),
        from_=form.get("From", ""),
        direction=form.get("Direction", ""),
        duration=_number(form, "CallDuration"),
        sip_code=_number(form, "SipResponseCode"),
        error_code=_number(form, "ErrorCode"),
        answered_by=form.get("AnsweredBy", ""),
        at=_instant(form.get("Timestamp", "")),
        parent_call_sid=form.get("ParentCallSid", ""),
    )


def answered_by(form: Form) -> AnsweredBy:
    """The asynchronous detection callback: exactly CallSid, AccountSid, AnsweredBy and MachineDetectionDuration."""
    said = _required(form, "AnsweredBy")
    took = _number(form, "MachineDetectionDuration")
    return AnsweredBy(
        call_sid=_required(form, "CallSid"),
        account_sid=form.get("AccountSid", ""),
        answered_by=said,
        party=party_of(said),
        after=took / 1000 if took is not None else None,
    )


def dial_ended(form: Form) -> DialEnded:
    return DialEnded(
        call_sid=_required(form, "CallSid"),
        account_sid=form.get("AccountSid", ""),
        status=_required(form, "DialCallStatus"),
        dial_call_sid=form.get("DialCallSid", ""),
        duration=_number(form, "DialCallDuration"),
        sip_code=_number(form, "DialSipResponseCode"),
    )


def stream_changed(form: Form) -> StreamChanged:
    return StreamChanged(
        call_sid=_required(form, "CallSid"),
        account_sid=form.get("AccountSid", ""),
        stream_sid=form.get("StreamSid", ""),
        event=_required(form, "StreamEvent"),
        error=form.get("StreamError", ""),
        at=_instant(form.get("Timestamp", "")),
    )


def party_of(answered_by: str) -> str:
    """Twilio's AnsweredBy in our words: human, machine, fax, unknown."""
    if answered_by.startswith("machine"):
        return "machine"
    return answered_by if answered_by in ("human", "fax") else "unknown"


def rank(call_status: str) -> int:
    """How far along its life a call with this status is; -1 for a status that did not exist when this was written."""
    return _RANK.get(call_status, -1)


def is_news(known: str | None, status: StatusChanged) -> bool:
    """Does this callback move the call on from the status we know (None: none yet)?

    A call's life runs one way and ends once, so late, doubled and reordered callbacks are simply not news. The status
    decides, not `SequenceNumber`: numbers start anew on a child leg, and the resource's own status (from a fetch) has none.
    """
    here = rank(status.call_status)
    return here >= 0 and (known is None or rank(known) < here)


def _required(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value or len(value) > 256:
        raise ProtocolViolation("missing_parameter", f"{name} is missing or absurd")
    return value


def _number(form: Form, name: str) -> int | None:
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _instant(text: str) -> datetime | None:
    """RFC 2822 (calls) or ISO 8601 (streams); None for neither, or for a time without a zone."""
    try:
        found = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo is not None else None
