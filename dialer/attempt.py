"""One try at reaching a contact: how far it has come, and how it ended.

Decides what a fact means for an attempt; never dials, never waits, never reads a clock. The far side tells us things twice,
late and in any order (Twilio: "there is no guarantee they will arrive in the same order"), so a fact is not a step but a
piece of knowledge: `apply` joins it to what is known. The phase only rises, an instant once known only gets earlier, an
outcome only gets surer, and therefore the order of arrival cannot matter. Nothing here is ever tried again: that is
`retry.py`'s to decide, over ended attempts only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType, TypeAlias, assert_never

AttemptId = NewType("AttemptId", str)

GRACE: Final = timedelta(seconds=60)  # a callback may be this late behind what it tells of (Twilio retries after 15 s)
HANGUP_GRACE: Final = timedelta(seconds=30)  # after our side of the call is over, for the carrier to say so too


class Phase(StrEnum):
    """How far an attempt has come. The order of the members is the order of life; only `INTENT` is safe to undo."""

    INTENT = "intent"  # the gate cleared it and it is counted against every cap; nothing has left the house
    DISPATCHING = "dispatching"  # committed before the request goes out: from here on the phone may ring
    UNKNOWN = "unknown"  # nobody can say whether the request arrived: never dialled again, settled by a callback or by time
    DISPATCHED = "dispatched"  # the carrier has accepted the call, and may still hold it in its queue
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"  # there is a disposition; it may still get surer, the phase does not move any more


class Disposition(StrEnum):
    """How an attempt, or the whole effort with a contact, ended. Surer and stronger ones stand further down."""

    UNKNOWN = "unknown"  # the request went out and nothing was ever heard of it
    REFUSED = "refused"  # by the gate: there never was a call
    CANCELLED = "cancelled"  # called off by us before anybody answered
    FAILED = "failed"  # the network or the carrier could not
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    BLOCKED = "blocked"  # the callee's network or the carrier will not carry our calls to this number
    INVALID_NUMBER = "invalid_number"
    ANSWERED = "answered"
    CALL_BACK = "call_back"  # a person answered, and we broke off with an apology and a promise: we owe them a call
    MACHINE = "machine"
    ABANDONED = "abandoned"  # a person answered and heard nobody
    TRANSFERRED = "transferred"
    OPTED_OUT = "opted_out"


_RANK: Final = {phase: rank for rank, phase in enumerate(Phase)}
_SURENESS: Final = {disposition: rank for rank, disposition in enumerate(Disposition)}


class CarrierStatus(StrEnum):
    """A call's status in the words of Twilio's callbacks, the vocabulary other carriers are translated to."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"


# --- facts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DispatchBegan:
    """We are about to send the request. To be committed before a byte of it leaves."""

    at: datetime


@dataclass(frozen=True, slots=True)
class CarrierAccepted:
    call_sid: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CarrierRefused:
    """The carrier answered our request with a no: there is no call."""

    disposition: Disposition
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DispatchLost:
    """The request got no answer (timeout, broken connection, our own crash): there may be a call."""

    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """What a status callback says. `at` is the carrier's own instant where it gives one, `sequence` -1 where it gives none.

    `attempt_id` comes back to us in the callback's URL, so a callback that overtakes the answer to our request, or comes
    after a crash, still finds its attempt. `answered_by` is the carrier's word for who picked up ("" unknown).
    """

    call_sid: str
    status: CarrierStatus
    at: datetime
    attempt_id: str = ""
    sequence: int = -1
    answered_by: str = ""
    sip_code: int | None = None
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class PartyReported:
    """The carrier's machine detection has spoken."""

    answered_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConversationEnded:
    """Our own side of an answered call is over, and this is what came of it. It knows better than the carrier."""

    disposition: Disposition
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CancelWanted:
    """This attempt must not reach its person any more. What has not left the house ends here; the rest is the carrier's."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Longer than any ring and any talk, and nothing was heard: it is closed as what we know of it."""

    at: datetime


Fact: TypeAlias = (
    DispatchBegan
    | CarrierAccepted
    | CarrierRefused
    | DispatchLost
    | CarrierEvent
    | PartyReported
    | ConversationEnded
    | CancelWanted
    | GivenUp
)


# --- what is known ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """All that is known of an attempt. Two outcomes are kept apart, the carrier's and the conversation's."""

    phase: Phase = Phase.INTENT
    call_sid: str = ""
    carrier_outcome: Disposition | None = None
    conversation_outcome: Disposition | None = None
    answered_by: str = ""
    is_cancel_wanted: bool = False
    detail: str = ""
    dispatching_at: datetime | None = None
    dispatched_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    conversation_ended_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether this attempt still keeps every other one from its number."""
        return self.phase is not Phase.ENDED

    @property
    def has_left(self) -> bool:
        """Whether a phone may ring because of it."""
        return self.phase is not Phase.INTENT

    @property
    def disposition(self) -> Disposition | None:
        """How it ended, as surely as we know; None while it has not."""
        if self.phase is not Phase.ENDED:
            return None
        if self.conversation_outcome is not None:
            return self.conversation_outcome
        if self.carrier_outcome is Disposition.ANSWERED and is_machine(self.answered_by):
            return Disposition.MACHINE
        return self.carrier_outcome


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at reaching a contact. `ordinal` is 1 for the contact's first; limits in seconds."""

    id: AttemptId
    campaign_id: str
    contact_id: str
    number: str = field(repr=False)
    ordinal: int
    receipt_id: str
    intended_at: datetime
    ring_timeout: float = 25.0
    longest_call: float = 600.0
    progress: Progress = field(default_factory=Progress)

    @property
    def phase(self) -> Phase:
        return self.progress.phase

    @property
    def disposition(self) -> Disposition | None:
        return self.progress.disposition

    def after(self, fact: Fact) -> Attempt:
        return replace(self, progress=apply(self.progress, fact))

    @property
    def expires_at(self) -> datetime | None:
        """When it is to be closed if nothing more is heard of it: no line and no number is held for ever."""
        known = self.progress
        ring, talk = timedelta(seconds=self.ring_timeout), timedelta(seconds=self.longest_call)
        if known.phase is Phase.ENDED:
            return None
        if known.phase is Phase.INTENT:
            return self.intended_at + GRACE
        if known.conversation_ended_at is not None and known.conversation_outcome is not Disposition.TRANSFERRED:
            return known.conversation_ended_at + HANGUP_GRACE
        if known.phase is Phase.ANSWERED:
            return (known.answered_at or self.intended_at) + talk + GRACE
        return (known.dispatching_at or self.intended_at) + ring + talk + GRACE

    def line_free_at(self) -> datetime | None:
        """Until when it takes one of our lines if nothing more is heard; None if it takes none now.

        A lost request takes its line only as long as a phone rings, so that an outage of the carrier's slows us down and a
        crash does not stop us for the length of the longest call.
        """
        known = self.progress
        if known.phase is Phase.ENDED or known.conversation_outcome is not None:
            return None
        if known.phase is Phase.UNKNOWN:
            return (known.dispatching_at or self.intended_at) + timedelta(seconds=self.ring_timeout) + GRACE
        return self.expires_at

    def is_on_line(self, at: datetime) -> bool:
        free = self.line_free_at()
        return free is not None and at < free


# --- what a fact means ----------------------------------------------------------------------------------------------------


def apply(known: Progress, fact: Fact) -> Progress:
    """What is known once `fact` is too. For the far side's facts the order of arrival and repetitions do not matter."""
    match fact:
        case DispatchBegan(at):
            return replace(_raised(known, Phase.DISPATCHING), dispatching_at=_earlier(known.dispatching_at, at))
        case CarrierAccepted(call_sid, at):
            return _dispatched(known, call_sid, at)
        case CarrierRefused(disposition, detail, at):
            return _ended(known, disposition, at, detail)
        case DispatchLost(detail, _):
            return replace(_raised(known, Phase.UNKNOWN), detail=known.detail or detail)
        case CarrierEvent():
            return _told_by_carrier(known, fact)
        case PartyReported(answered_by, _):
            return replace(known, answered_by=_surer_party(known.answered_by, answered_by))
        case ConversationEnded(disposition, at, detail):
            return _conversed(known, disposition, at, detail)
        case CancelWanted(reason, at):
            if known.phase is Phase.INTENT:
                return _ended(known, Disposition.CANCELLED, at, reason)
            return replace(known, is_cancel_wanted=True)
        case GivenUp(at):
            return _ended(known, _outcome_unheard(known), at, "nothing more was heard of it")
        case _:
            assert_never(fact)


def _outcome_unheard(known: Progress) -> Disposition:
    if known.phase is Phase.INTENT:
        return Disposition.CANCELLED  # nothing has left the house
    return Disposition.ANSWERED if known.answered_at else Disposition.UNKNOWN


def _told_by_carrier(known: Progress, event: CarrierEvent) -> Progress:
    known = replace(
        _dispatched(known, event.call_sid, event.at), answered_by=_surer_party(known.answered_by, event.answered_by)
    )
    match event.status:
        case CarrierStatus.QUEUED | CarrierStatus.INITIATED:
            return known
        case CarrierStatus.RINGING:
            return replace(_raised(known, Phase.RINGING), ringing_at=_earlier(known.ringing_at, event.at))
        case CarrierStatus.IN_PROGRESS:
            return replace(_raised(known, Phase.ANSWERED), answered_at=_earlier(known.answered_at, event.at))
        case _:
            return _ended(known, outcome_of(event), event.at, _words(event))


def outcome_of(event: CarrierEvent) -> Disposition:
    """What a final status means. Raises `ValueError` for a status that is not final."""
    match event.status:
        case CarrierStatus.COMPLETED:
            return Disposition.ANSWERED
        case CarrierStatus.BUSY:
            return _BY_SIP_CODE.get(event.sip_code or 0, Disposition.BUSY)
        case CarrierStatus.NO_ANSWER:
            return Disposition.NO_ANSWER
        case CarrierStatus.CANCELED:
            return Disposition.CANCELLED
        case CarrierStatus.FAILED:
            return _BY_ERROR_CODE.get(event.error_code) or _BY_SIP_CODE.get(event.sip_code or 0, Disposition.FAILED)
        case _:
            raise ValueError(f"{event.status} does not end a call")


# 404 and 410: no such user, gone; 484: address incomplete; 604: does not exist anywhere (RFC 3261, 21.4 and 21.6).
# 607 Unwanted (RFC 8197) and 608 Rejected (RFC 8688): the callee, or an analytics engine, wants none of our calls.
# A plain 603 is an ordinary "decline" and stays what the carrier called it.
_BY_SIP_CODE: Final = {
    404: Disposition.INVALID_NUMBER,
    410: Disposition.INVALID_NUMBER,
    484: Disposition.INVALID_NUMBER,
    604: Disposition.INVALID_NUMBER,
    607: Disposition.BLOCKED,
    608: Disposition.BLOCKED,
}
# Twilio's error codes: 21211 and 21217 not a valid number, 13223 and 13224 likewise when dialling, 21214 cannot be reached;
# 21216, 13225 and 32203 blocked, 32017 the carrier blocked our caller id.
_BY_ERROR_CODE: Final = {
    **dict.fromkeys(("21211", "21214", "21217", "13223", "13224"), Disposition.INVALID_NUMBER),
    **dict.fromkeys(("21216", "13225", "32203", "32017"), Disposition.BLOCKED),
}


def is_machine(answered_by: str) -> bool:
    """Whether the carrier's word for who picked up means no person: machine_start, machine_end_beep, fax and the like."""
    return answered_by.startswith("machine") or answered_by == "fax"


def _dispatched(known: Progress, call_sid: str, at: datetime) -> Progress:
    raised = _raised(known, Phase.DISPATCHED)
    return replace(raised, call_sid=known.call_sid or call_sid, dispatched_at=_earlier(known.dispatched_at, at))


def _conversed(known: Progress, disposition: Disposition, at: datetime, detail: str) -> Progress:
    """There was media, so it was answered, whatever callbacks are still on their way. The carrier ends the call."""
    return replace(
        _raised(known, Phase.ANSWERED),
        conversation_outcome=_surer(known.conversation_outcome, disposition),
        conversation_ended_at=_earlier(known.conversation_ended_at, at),
        answered_at=known.answered_at or at,
        detail=known.detail or detail,
    )


def _ended(known: Progress, disposition: Disposition, at: datetime, detail: str) -> Progress:
    is_surer = _surer(known.carrier_outcome, disposition) is not known.carrier_outcome
    return replace(
        _raised(known, Phase.ENDED),
        carrier_outcome=_surer(known.carrier_outcome, disposition),
        ended_at=_earlier(known.ended_at, at),
        detail=(detail or known.detail) if is_surer else known.detail,
    )


def _raised(known: Progress, phase: Phase) -> Progress:
    return replace(known, phase=phase) if _RANK[phase] > _RANK[known.phase] else known


def _surer(known: Disposition | None, told: Disposition) -> Disposition:
    return told if known is None or _SURENESS[told] > _SURENESS[known] else known


def _surer_party(known: str, told: str) -> str:
    """A verdict beats none, a machine's beep beats its start; two words of equal weight: the later in the alphabet."""
    return max(known, told, key=lambda word: (word not in ("", "unknown"), word != "", word))


def _earlier(known: datetime | None, told: datetime) -> datetime:
    return told if known is None else min(known, told)


def _words(event: CarrierEvent) -> str:
    codes = [f"SIP {event.sip_code}" if event.sip_code else "", f"error {event.error_code}" if event.error_code else ""]
    return ", ".join(part for part in (event.status.value, *codes) if part)
