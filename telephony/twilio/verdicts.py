"""What a carrier's failure means: how to record the attempt, whose fault it was, whether the number may be rung again.

Every error code, SIP code and call status classifies itself here, once. Decides nothing about *when* to ring again.
Sources: [E] Twilio's error dictionary, twilio.com/docs/api/errors/<code>; [C] its Call resource page; [S] RFC 3261 section
21, with RFC 8197 (607) and RFC 8688 (608).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Disposition(StrEnum):
    """How an attempt ended, as far as the carrier can tell."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    INVALID_NUMBER = "invalid_number"
    BLOCKED = "blocked"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


class Fault(StrEnum):
    NOBODY = "nobody"
    CALLEE = "callee"
    NUMBER = "number"
    ACCOUNT = "account"  # credentials, permissions, caller id: the operator must act
    REQUEST = "request"  # we asked for something impossible: a defect of ours
    CARRIER = "carrier"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`may_retry`: the same number may be rung again later without further thought. `stops_dialing`: no call of this account
    can succeed until the operator has acted. `say` is for the operator."""

    disposition: Disposition
    fault: Fault
    may_retry: bool
    say: str
    source: str
    code: int | None = None
    stops_dialing: bool = False


def _account(say: str, source: str = "[E]") -> Verdict:
    return Verdict(Disposition.FAILED, Fault.ACCOUNT, False, say, source, stops_dialing=True)


def _number(say: str, source: str = "[E]") -> Verdict:
    return Verdict(Disposition.INVALID_NUMBER, Fault.NUMBER, False, say, source)


def _blocked(say: str, source: str = "[E]", fault: Fault = Fault.CARRIER) -> Verdict:
    return Verdict(Disposition.BLOCKED, fault, False, say, source)


def _request(say: str, source: str = "[E]") -> Verdict:
    return Verdict(Disposition.FAILED, Fault.REQUEST, False, say, source)


def _carrier(say: str, source: str = "[E]") -> Verdict:
    return Verdict(Disposition.FAILED, Fault.CARRIER, True, say, source)


_BUSY: Final = Verdict(Disposition.BUSY, Fault.CALLEE, True, "The line was busy or the call was declined.", "[C]")
_NO_ANSWER: Final = Verdict(Disposition.NO_ANSWER, Fault.CALLEE, True, "Nobody answered.", "[C]")

ERRORS: Final[dict[int, Verdict]] = {
    10001: _account("The Twilio account is not active."),
    10004: _carrier("Too many calls at once for this Twilio account; lower the concurrency or ask Twilio for more."),
    13214: _account("The caller id is not valid: set TWILIO_FROM to a number of this account."),
    13223: _number("The number to dial is not in E.164 form."),
    13224: _number("The number to dial is invalid or not supported."),
    13225: _blocked("Twilio blocks this number."),
    13227: _account("Calls to this country are not enabled: Twilio console, Voice geographic permissions."),
    13247: _account("The caller id is not valid or is on the do-not-originate list."),
    20003: _account("Twilio refused the credentials: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."),
    20005: _account("The Twilio account is not active."),
    20404: _request("Twilio does not know that call."),
    20429: _carrier("Too many API requests at once; slow down."),
    20500: _carrier("Twilio had an internal error."),
    20503: _carrier("Twilio was unavailable."),
    21201: _request("No number to call was given."),
    21205: _request("The URL given for the call's instructions is not valid: check OFFHOOK_PUBLIC_URL."),
    21206: _request("The digits to send are not valid."),
    21208: _request("The ring timeout is not valid."),
    21210: _account("The caller id is not verified for this account: check TWILIO_FROM."),
    21211: _number("The number to call is not valid."),
    21212: _account("The caller id is not valid or is on the do-not-originate list: check TWILIO_FROM."),
    21213: _account("No caller id was given: set TWILIO_FROM."),
    21214: _number("The number cannot be reached from this account."),
    21215: _account("Calls to this region are not enabled: Twilio console, Voice geographic permissions."),
    21216: _blocked("Twilio blocks calls to this number."),
    21217: _number("The number does not appear to be valid."),
    21219: _account("A trial account may only call verified numbers."),
    21220: _request("The call is not in progress any more."),
    21262: _request("Answering machine detection in the background needs a callback URL."),
    21626: _request("A status callback event is not valid."),
    22005: _carrier("Twilio's queue of calls for this account is full."),
    32009: _carrier("The SIP user is not registered."),
    32011: _carrier("The SIP endpoint did not answer properly."),
    32015: _carrier("The call reached its longest duration."),
    32016: _carrier("The telephone network did not answer in time."),
    32017: _blocked("The callee's carrier blocks this caller id: have it registered and remediated.", fault=Fault.ACCOUNT),
    32018: _request("The TwiML is longer than 4000 characters."),
    32019: _request("Both a URL and TwiML were given."),
    32115: _request("The call reason is longer than 50 characters."),
    32203: _blocked("Twilio blocks calls to this SIP number."),
}

SIP: Final[dict[int, Verdict]] = {
    401: _account("The far SIP side wants credentials.", "[S]"),
    403: _blocked("The far side forbids this call.", "[S]"),
    404: _number("The number does not exist or cannot be reached.", "[S][C]"),
    407: _account("The far SIP side wants credentials.", "[S]"),
    408: replace(_NO_ANSWER, source="[S]"),
    410: _number("The number is no longer in service.", "[S]"),
    480: replace(_NO_ANSWER, source="[S]"),
    484: _number("The number is incomplete.", "[S]"),
    486: replace(_BUSY, source="[S]"),
    487: replace(_NO_ANSWER, source="[C]: 487 when Timeout was reached"),
    600: replace(_BUSY, source="[S]"),
    603: Verdict(Disposition.BUSY, Fault.CALLEE, True, "The call was declined.", "[S]"),
    604: _number("The number does not exist anywhere.", "[S]"),
    607: _blocked("The person has marked calls from us as unwanted.", "[S] RFC 8197", Fault.CALLEE),
    608: _blocked("An analytics provider rejects our calls: have the caller id registered.", "[S] RFC 8688", Fault.ACCOUNT),
}

UNREACHABLE: Final = Verdict(
    Disposition.FAILED,
    Fault.CARRIER,
    True,
    "Twilio's API could not be reached; nothing was dialled. Check the network and TWILIO_API_URL.",
    "no connection was made",
)

_HTTP: Final[dict[int, Verdict]] = {
    401: ERRORS[20003],
    403: _account("The Twilio account may not do this.", "[S] HTTP"),
    404: ERRORS[20404],
    429: ERRORS[20429],
}


def of_error(code: int | None, http_status: int) -> Verdict:
    """The verdict on a REST refusal, by Twilio's code if we know it, else by the HTTP status."""
    known = ERRORS.get(code) if code is not None else None
    if known is None:
        known = _HTTP.get(http_status) or (
            _carrier("Twilio had an error of its own.", "HTTP")
            if http_status >= 500
            else _request(f"Twilio refused the request (error {code}, HTTP {http_status}).", "HTTP")
        )
    return replace(known, code=code)


def of_sip(code: int) -> Verdict:
    """The verdict on a call that the far side answered with this SIP code."""
    known = SIP.get(code)
    if known is None:
        known = _carrier("The network could not put the call through.", "[S]")
    return replace(known, code=code)


def of_call(call_status: str, sip_code: int | None = None, error_code: int | None = None) -> Verdict:
    """The verdict on a call that has ended with this CallStatus.

    `failed` says nothing by itself, so the error code or the SIP code speaks for it; for the other statuses the status is
    Twilio's own conclusion and wins, except that a decline may really be a block (607, 608).
    """
    match call_status:
        case "completed":
            return Verdict(Disposition.ANSWERED, Fault.NOBODY, False, "The call was answered and has ended.", "[C]")
        case "canceled":
            return Verdict(Disposition.CANCELED, Fault.NOBODY, False, "We called it off before anybody answered.", "[C]")
        case "busy":
            return of_sip(sip_code) if sip_code in (607, 608) else _BUSY
        case "no-answer":
            return _NO_ANSWER
        case "failed":
            return _of_failed(sip_code, error_code)
        case _:
            return Verdict(Disposition.UNKNOWN, Fault.CARRIER, False, "The carrier has not said how it ended.", "[C]")


def _of_failed(sip_code: int | None, error_code: int | None) -> Verdict:
    if error_code is not None and error_code in ERRORS:
        return replace(ERRORS[error_code], code=error_code)
    if sip_code is not None:
        return of_sip(sip_code)
    return replace(_carrier("The call failed; the carrier does not say why.", "[C]"), code=error_code)
