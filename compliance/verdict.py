"""The gate's answer: a `Clearance` to dial one number once, soon, or a `Refused` that names every rule that spoke.

Nothing here decides. A `Clearance` can be made by `compliance.gate` alone: whoever holds one holds a checked call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, TypeAlias


class Rule(StrEnum):
    """Why a call may not be made. Codes are stable: reports, receipts and case files carry them.

    The order is the order of gravity in which the findings of one verdict are listed.
    """

    # the gate itself
    RULES_UNREADABLE = "RULES_UNREADABLE"
    CLOCK_UNSURE = "CLOCK_UNSURE"
    ZONE_DATA_MISSING = "ZONE_DATA_MISSING"
    RECORD_INCOMPLETE = "RECORD_INCOMPLETE"
    KILL_SWITCH = "KILL_SWITCH"
    # the number
    NUMBER_INVALID = "NUMBER_INVALID"
    NUMBER_FOREIGN = "NUMBER_FOREIGN"
    NUMBER_TOLL_FREE = "NUMBER_TOLL_FREE"
    NUMBER_PREMIUM = "NUMBER_PREMIUM"
    NUMBER_SERVICE = "NUMBER_SERVICE"
    EMERGENCY_LINE = "EMERGENCY_LINE"
    # the person's own word
    PERSON_ERASED = "PERSON_ERASED"
    DNC_INTERNAL = "DNC_INTERNAL"
    CONSENT_REVOKED = "CONSENT_REVOKED"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_NOT_WRITTEN = "CONSENT_NOT_WRITTEN"
    CONSENT_NUMBER_MISMATCH = "CONSENT_NUMBER_MISMATCH"
    CONSENT_SELLER_MISMATCH = "CONSENT_SELLER_MISMATCH"
    CONSENT_DEFECTIVE = "CONSENT_DEFECTIVE"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    # lists and look-ups
    RND_REASSIGNED = "RND_REASSIGNED"
    RND_REQUIRED = "RND_REQUIRED"
    RND_NO_DATA = "RND_NO_DATA"
    DNC_NATIONAL = "DNC_NATIONAL"
    DNC_STATE = "DNC_STATE"
    DNC_LITIGATOR = "DNC_LITIGATOR"
    DNC_CUSTOM = "DNC_CUSTOM"
    DNC_LIST_STALE = "DNC_LIST_STALE"
    DNC_COVERAGE_MISSING = "DNC_COVERAGE_MISSING"
    # the campaign
    CALLER_ID_BLOCKED = "CALLER_ID_BLOCKED"
    STATE_ADAD_PROHIBITED = "STATE_ADAD_PROHIBITED"
    REGISTRATION_MISSING = "REGISTRATION_MISSING"
    SCRIPT_INCOMPLETE = "SCRIPT_INCOMPLETE"
    STATE_EMERGENCY = "STATE_EMERGENCY"
    # how often
    FREQ_CAP_REGF = "FREQ_CAP_REGF"
    FREQ_CAP_FEDERAL_EXEMPT = "FREQ_CAP_FEDERAL_EXEMPT"
    FREQ_CAP_STATE = "FREQ_CAP_STATE"
    FREQ_CAP_POLICY = "FREQ_CAP_POLICY"
    # when
    ZONE_UNKNOWN = "ZONE_UNKNOWN"
    WINDOW_FEDERAL = "WINDOW_FEDERAL"
    CLOSED_SUNDAY = "CLOSED_SUNDAY"
    CLOSED_HOLIDAY = "CLOSED_HOLIDAY"
    WINDOW_STATE = "WINDOW_STATE"
    WINDOW_STATE_ADAD = "WINDOW_STATE_ADAD"
    WINDOW_POLICY = "WINDOW_POLICY"

    @property
    def is_wait(self) -> bool:
        """Whether time alone cures it, so that the attempt is put off rather than closed."""
        return self in _WAITS

    @property
    def is_housekeeping(self) -> bool:
        """Whether the operator, not the person called, can cure it: the attempt is held, not closed."""
        return self in _HOUSEKEEPING

    @property
    def can_be_waived(self) -> bool:
        """Whether a logged waiver may lift it. Never the person's own word, nor what makes the gate unsure of itself."""
        return self not in _NEVER_WAIVED


_ORDER: Final = {rule: place for place, rule in enumerate(Rule)}
# FREQ_CAP_REGF and FREQ_CAP_FEDERAL_EXEMPT free up with time too, but whether to go on calling then is a person's decision.
_WAITS: Final = frozenset(
    {
        Rule.FREQ_CAP_STATE,
        Rule.FREQ_CAP_POLICY,
        Rule.WINDOW_FEDERAL,
        Rule.WINDOW_STATE,
        Rule.WINDOW_STATE_ADAD,
        Rule.WINDOW_POLICY,
        Rule.CLOSED_SUNDAY,
        Rule.CLOSED_HOLIDAY,
        Rule.CLOCK_UNSURE,
    }
)
_HOUSEKEEPING: Final = frozenset(
    {
        Rule.RULES_UNREADABLE,
        Rule.CLOCK_UNSURE,
        Rule.ZONE_DATA_MISSING,
        Rule.KILL_SWITCH,
        Rule.DNC_LIST_STALE,
        Rule.DNC_COVERAGE_MISSING,
        Rule.CALLER_ID_BLOCKED,
        Rule.RND_REQUIRED,
        Rule.REGISTRATION_MISSING,
        Rule.SCRIPT_INCOMPLETE,
        Rule.STATE_EMERGENCY,
    }
)
_NEVER_WAIVED: Final = frozenset(
    {
        Rule.RULES_UNREADABLE,
        Rule.CLOCK_UNSURE,
        Rule.ZONE_DATA_MISSING,
        Rule.RECORD_INCOMPLETE,
        Rule.NUMBER_INVALID,
        Rule.NUMBER_FOREIGN,
        Rule.NUMBER_TOLL_FREE,
        Rule.NUMBER_PREMIUM,
        Rule.NUMBER_SERVICE,
        Rule.EMERGENCY_LINE,
        Rule.PERSON_ERASED,
        Rule.DNC_INTERNAL,
        Rule.CONSENT_REVOKED,
        Rule.ZONE_UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that forbids the call, in words, with its paragraph.

    `until` is the earliest instant at which this rule alone would let the call pass with the facts as they are; None when
    no instant would. `entry` is the id of the rule-book entry that spoke.
    """

    rule: Rule
    says: str
    source: str
    until: datetime | None = None
    entry: str = ""


CLEARANCE_LIFE: Final = timedelta(seconds=60)  # long enough to commit and place, too short to outlive a revocation unseen
_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class Clearance:
    """Leave to dial `number` once, for `attempt`, from `valid_from` and before `expires`.

    `receipt` is the id under which the decision was stored; without one nothing may be dialled. `waived` are the findings
    that somebody has answered for. `duties` are the rule-book entries that say what the call must say and do.
    """

    number: str
    attempt: str
    contact: str
    receipt: str
    valid_from: datetime
    expires: datetime
    rules_version: str
    waived: tuple[Finding, ...] = ()
    seal: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("only the gate makes a Clearance")

    def permits(self, number: str, at: datetime) -> bool:
        """Whether this number may be dialled at this instant on the strength of this clearance."""
        return bool(self.receipt) and number == self.number and self.valid_from <= at < self.expires

    @property
    def decision(self) -> Literal["allow"]:
        return "allow"


@dataclass(frozen=True, slots=True)
class Refused:
    """The call may not be made now. `until` is the earliest instant at which every rule would pass, facts unchanged.

    `findings` names every rule that forbids it now, gravest first; `later` those that would forbid it at each opening that
    was looked at (a consent that will have run out by Monday), so that nobody waits for nothing.
    """

    number: str
    attempt: str
    contact: str
    receipt: str
    at: datetime
    findings: tuple[Finding, ...]
    until: datetime | None
    rules_version: str
    later: tuple[Finding, ...] = ()
    waived: tuple[Finding, ...] = ()

    @property
    def decision(self) -> Literal["deny", "defer"]:
        """`defer` when time alone will cure it, `deny` when something or somebody must change first."""
        return "defer" if self.until is not None and all(each.rule.is_wait for each in self.findings) else "deny"

    @property
    def is_hold(self) -> bool:
        """Whether all that stands in the way is the operator's to mend: keep the attempt, ask again later."""
        return all(each.rule.is_wait or each.rule.is_housekeeping for each in (*self.findings, *self.later))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The codes, gravest first, each once."""
        return tuple(dict.fromkeys(each.rule for each in self.findings))


Verdict: TypeAlias = Clearance | Refused


def by_gravity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In an order that depends on the findings alone, never on which rule was asked first."""
    return tuple(sorted(findings, key=lambda each: (_ORDER[each.rule], each.entry, each.says)))
