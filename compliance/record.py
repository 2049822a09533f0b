"""All that a verdict may depend on, as frozen values: the gate sees this and the rule book, nothing else.

Built by `compliance.store` from the database and the lists, or by hand in a test. Instants are aware datetimes; a `date`
is a calendar day at the called party. An empty string or None means *not known*, and not known never opens the gate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What the call is for. Which rules bind a call depends on this more than on anything else."""

    TELEMARKETING = "telemarketing"
    INFORMATIONAL = "informational"
    HEALTHCARE = "healthcare_hipaa"  # a health care message by, or for, a HIPAA-covered entity
    DEBT_COLLECTION = "debt_collection"
    CHARITY = "charity"
    POLITICAL = "political"
    SURVEY = "survey"
    EMERGENCY = "emergency"  # 47 CFR 64.1200(f)(4): necessary in a situation affecting health and safety


class VoiceKind(StrEnum):
    """Who speaks. A generated voice is artificial, however well it converses (FCC 24-17)."""

    ARTIFICIAL = "artificial"
    PRERECORDED = "prerecorded"
    LIVE = "live_agent"


class LineType(StrEnum):
    WIRELESS = "wireless"
    LANDLINE = "landline"  # a residential one
    VOIP = "voip"
    UNKNOWN = "unknown"  # treated as wireless, the stricter reading


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where the phone is. `state` is a two-letter code; `zone` an IANA name.

    `stated_*` is what the person said in a call, and when: the only evidence that overrules the area code, for a time.
    """

    state: str = ""
    zip: str = ""
    zone: str = ""
    stated_zone: str = ""
    stated_state: str = ""
    stated_on: date | None = None


@dataclass(frozen=True, slots=True)
class CallerId:
    """The number shown. `authorised`: we hold proof that we may show it (16 CFR 310.5(a)(2)(ix))."""

    number: str = ""
    is_shown: bool = True
    is_authorised: bool = False


@dataclass(frozen=True, slots=True)
class Unmet:
    """A duty of the call (by its kind in the rule book) that the agent's fixed words cannot meet, and why."""

    duty: str
    why: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What the campaign wants: for whom, about what, in which voice. `subject` is the matter the caps are counted on."""

    seller: str
    purpose: Purpose
    voice: VoiceKind
    subject: str = ""
    campaign: str = ""
    caller_id: CallerId = field(default_factory=CallerId)
    registrations: frozenset[str] | None = None  # rule-book ids of the registrations held; None: not tracked
    unmet: tuple[Unmet, ...] = ()  # what the agent's words lack (`compliance.script`)


class ConsentKind(StrEnum):
    WRITTEN = "pewc"  # prior express written consent, 47 CFR 64.1200(f)(9)
    EXPRESS = "pec"  # prior express consent: said, or the number given for this purpose


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent as the ledger holds it. `wording` is kept verbatim; a consent without wording never counts."""

    id: str
    kind: ConsentKind
    number: str
    sellers: frozenset[str]
    obtained_at: datetime
    wording: str
    is_signed: bool = False
    names_artificial_voice: bool = False
    says_not_a_condition: bool = False
    expires_at: datetime | None = None
    purposes: frozenset[Purpose] = frozenset()  # empty: any


@dataclass(frozen=True, slots=True)
class Revocation:
    """The person took it back. An empty `seller` means every seller, an empty `purposes` every purpose."""

    at: datetime
    channel: str
    seller: str = ""
    purposes: frozenset[Purpose] = frozenset()


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """What one list says of the number. `name` is the list's: national, internal, state-tx, litigator, ...

    `is_covered`: the list holds this area code at all. `obtained_on` is the day its copy was downloaded.
    """

    name: str
    is_listed: bool
    is_covered: bool = True
    obtained_on: date | None = None
    generation: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Relationship:
    """An established business relationship's evidence (47 CFR 64.1200(f)(5)); `ended_at`: a company do-not-call request."""

    last_purchase: date | None = None
    last_inquiry: date | None = None
    ended_at: datetime | None = None
    is_personal: bool = False  # a personal relationship between caller and called (64.1200(c)(2)(iii))


class Reassigned(StrEnum):
    """The Reassigned Numbers Database's answer for (number, date of consent)."""

    NOT_ASKED = "not_asked"
    NO = "no"
    YES = "yes"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class ReassignedAnswer:
    answer: Reassigned = Reassigned.NOT_ASKED
    asked_on: date | None = None


@dataclass(frozen=True, slots=True)
class PastCall:
    """One earlier attempt that counts: it was placed, whether or not anybody answered."""

    at: datetime
    number: str = ""
    subject: str = ""
    seller: str = ""
    is_conversation: bool = False


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call that somebody would like to make, and everything known that bears on it."""

    number: str  # as telephony.number gives it: E.164
    errand: Errand
    place: Place = field(default_factory=Place)
    line: LineType = LineType.UNKNOWN
    is_emergency_line: bool = False
    is_business: bool = False
    person: str = ""
    contact: str = ""
    attempt: str = ""
    receipt: str = ""
    consents: tuple[Consent, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    lists: tuple[ListAnswer, ...] = ()
    history: tuple[PastCall, ...] = ()
    relationship: Relationship | None = None
    reassigned: ReassignedAnswer = field(default_factory=ReassignedAnswer)
    emergencies: frozenset[str] = frozenset()  # states under a declared emergency, besides the rule book's own
    is_erased: bool = False
    is_halted: str = ""  # a kill switch that stands: whose, and why
    last_receipt_at: datetime | None = None  # of the chain, so that a clock that jumped back is noticed

    def list_answer(self, name: str) -> ListAnswer | None:
        return next((each for each in self.lists if each.name == name), None)
