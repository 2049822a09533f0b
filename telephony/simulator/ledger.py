"""One call as the carrier's books show it: status, times, callbacks due, and the resource the API returns. Pure.

Shapes: twilio.com/docs/voice/api/call-resource (resource, status callbacks) and /docs/voice/twiml (voice requests).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final, TypeAlias

API_VERSION: Final = "2010-04-01"
CALLBACK_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
ENDED: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the account asked to be told about a call."""

    url: str = ""
    events: tuple[str, ...] = ("completed",)


@dataclass(frozen=True, slots=True)
class Detection:
    """Asynchronous answering machine detection, if asked for."""

    callback: str = ""


@dataclass(slots=True)
class CallLedger:
    """A call's row. Mutable: it follows the call through its life."""

    sid: str
    account_sid: str
    to: str
    from_: str
    direction: str  # inbound | outbound-api | outbound-dial
    created_at: datetime
    wanted: Wanted = field(default_factory=Wanted)
    parent_sid: str = ""
    status: str = "queued"
    sip_code: int | None = None
    answered_by: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    queue_ms: int = 0
    sequence: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def duration(self) -> int | None:
        """Whole seconds from answer to end, rounded up as carriers bill; None if it was not answered or has not ended."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return math.ceil((self.ended_at - self.answered_at).total_seconds())

    def note(self, text: str) -> None:
        """Write a warning into the call's log, once: as Twilio's debugger does per stream."""
        if text not in self.notes:
            self.notes.append(text)

    def answer(self, at: datetime) -> None:
        self.status, self.answered_at = "in-progress", at

    def end(self, status: str, at: datetime, sip_code: int | None = None) -> None:
        self.status, self.ended_at, self.sip_code = status, at, sip_code

    def resource(self) -> dict[str, Json]:
        """The Call resource."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        started = self.answered_at or (self.ended_at if self.has_ended else None)
        subresources = ("Notifications", "Recordings", "Streams", "Events")
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "parent_call_sid": self.parent_sid or None,
            "to": self.to,
            "to_formatted": _formatted(self.to),
            "from": self.from_,
            "from_formatted": _formatted(self.from_),
            "phone_number_sid": None,
            "status": "queued" if self.status == "initiated" else self.status,
            "direction": self.direction,
            "answered_by": self.answered_by or None,
            "api_version": API_VERSION,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.ended_at or self.answered_at or self.created_at),
            "start_time": rfc2822(started) if started else None,
            "end_time": rfc2822(self.ended_at) if self.ended_at else None,
            "duration": str(self.duration) if self.duration is not None else ("0" if self.has_ended else None),
            "price": None,
            "price_unit": "USD",
            "forwarded_from": None,
            "caller_name": None,
            "group_sid": None,
            "trunk_sid": None,
            "annotation": None,
            "queue_time": str(self.queue_ms),
            "uri": uri + ".json",
            "subresource_uris": {name.lower(): f"{uri}/{name}.json" for name in subresources},
        }

    def voice_form(self) -> dict[str, str]:
        """The parameters of every request for instructions."""
        form = {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "CallSid": self.sid,
            "CallStatus": self.status,
            "Called": self.to,
            "Caller": self.from_,
            "Direction": self.direction,
            "From": self.from_,
            "To": self.to,
        }
        if self.parent_sid:
            form["ParentCallSid"] = self.parent_sid
        if self.direction == "inbound":
            form["StirVerstat"] = "TN-Validation-Passed-A"
        return form

    def status_form(self, event: str, at: datetime) -> dict[str, str] | None:
        """The status callback for this event, numbered; None if nobody asked for it."""
        if not self.wanted.url or event not in self.wanted.events:
            return None
        form = self.voice_form() | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self.sequence),
            "Timestamp": rfc2822(at),
        }
        self.sequence += 1
        if event == "completed":
            if self.duration is not None:
                form |= {"CallDuration": str(self.duration), "Duration": str(math.ceil(self.duration / 60))}
            else:
                form |= {"CallDuration": "0", "Duration": "0"}
            if self.sip_code is not None:
                form["SipResponseCode"] = str(self.sip_code)
        if self.answered_by and event == "completed":
            form["AnsweredBy"] = self.answered_by
        return form


def rfc2822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


def _formatted(number: str) -> str:
    """North American numbers for display, as Twilio shows them; everything else as it is."""
    if len(number) == 12 and number.startswith("+1"):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number
