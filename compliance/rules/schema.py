"""The shape of a rule: one frozen struct a kind, decoded strictly. What a rule means is in the gate, what it says is data.

A field that is not here is a typo and closes the gate. Every rule carries its source, how sure we are of it, and the days
it is in force; the last day itself is not included (`until` is the first day on which the rule no longer holds).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final, Literal, TypeAlias

import msgspec

from compliance.record import LineType, Purpose, VoiceKind
from compliance.verdict import Rule


class Confidence(StrEnum):
    """How sure we are of the text (not of how a court would read it)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Exemption(StrEnum):
    """What lifts a rule from a call."""

    WRITTEN_CONSENT = "written_consent"
    EXPRESS_CONSENT = "express_consent"
    RELATIONSHIP = "relationship"  # EBR: a purchase within 18 months or an inquiry within 3
    PERSONAL = "personal_relationship"
    BUSINESS = "business"  # the party called is a business


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, eq=False):
    """What every rule has. Compared by identity: the rule book holds each once, and caches hang on it.

    An empty `purposes` or `voices` means any; emergency calls are bound by those that name them.
    """

    id: str
    says: str
    source: str
    confidence: Confidence
    verified: str = ""
    effective_from: date | None = None
    effective_until: date | None = None
    purposes: tuple[Purpose, ...] = ()
    voices: tuple[VoiceKind, ...] = ()
    lines: tuple[LineType, ...] = ()
    lifted_by: tuple[Exemption, ...] = ()

    def in_force(self, on: date) -> bool:
        return (self.effective_from is None or self.effective_from <= on) and (
            self.effective_until is None or on < self.effective_until
        )

    def binds(self, purpose: Purpose, voice: VoiceKind, line: LineType) -> bool:
        """Whether this rule speaks of such calls at all, whatever the day and whoever is called."""
        if purpose is Purpose.EMERGENCY and Purpose.EMERGENCY not in self.purposes:
            return False
        return (
            (not self.purposes or purpose in self.purposes)
            and (not self.voices or voice in self.voices)
            and (not self.lines or line in self.lines)
        )


class Hours(Entry, frozen=True, tag="hours", tag_field="kind"):
    """When calls may be made, by the clock on the wall where the phone is: "08:00-21:00", "closed", or spans and commas.

    A day named by itself overrules `daily`; `holiday`, if given, overrules the weekday. `fixed_offset` (hours from UTC) is a
    second clock on which the hours must also hold, for a statute that names a standard time literally.
    """

    code: Rule
    daily: str
    mon: str = ""
    tue: str = ""
    wed: str = ""
    thu: str = ""
    fri: str = ""
    sat: str = ""
    sun: str = ""
    holiday: str = ""
    fixed_offset: int | None = None


class Cap(Entry, frozen=True, tag="cap", tag_field="kind"):
    """At most `most` calls in the last `hours`, or (`per_local_day`) on one calendar day where the phone is."""

    code: Rule
    most: int
    hours: int = 0
    per_local_day: bool = False
    counts: Literal["attempts", "conversations"] = "attempts"
    same_subject: bool = False
    same_number: bool = False  # else: every number of this person
    same_seller: bool = True


class ConsentNeeded(Entry, frozen=True, tag="consent", tag_field="kind"):
    """Such a call needs a consent of this kind (or what is in `lifted_by`)."""

    needs: Literal["written", "express"]


class Listed(Entry, frozen=True, tag="list", tag_field="kind"):
    """Numbers on `list` may not be called. `must_cover`: without a fresh copy holding the area code, nobody may."""

    code: Rule
    list: str
    must_cover: bool = False
    max_age_days: int | None = None


class Prohibited(Entry, frozen=True, tag="prohibited", tag_field="kind"):
    """Such calls are barred outright."""


class EmergencyBan(Entry, frozen=True, tag="emergency_ban", tag_field="kind"):
    """Such calls are barred while the state is under a declared emergency."""


class ReassignedCheck(Entry, frozen=True, tag="reassigned", tag_field="kind"):
    """What the Reassigned Numbers Database must have said: `required`: it was asked; `refuses`: answers that close."""

    required: bool = False
    refuses: tuple[Literal["yes", "no_data"], ...] = ()


class ShownCallerId(Entry, frozen=True, tag="caller_id", tag_field="kind"):
    """A number must be shown, and it must be ours to show."""


class Duty(Entry, frozen=True, tag="duty", tag_field="kind"):
    """What the call itself must say or do, and by when: seconds from `after`."""

    duty: Literal[
        "identify", "callback_number", "opt_out", "end_on_opt_out", "voicemail_number", "purpose",
        "speak", "ring", "disclose_ai", "disclose_recording", "release_line",
    ]  # fmt: skip
    within: float | None = None
    after: Literal["answer", "greeting", "identification", "request", "start"] = "start"


class RevocationReach(Entry, frozen=True, tag="revocation", tag_field="kind"):
    """While this is in force, a revocation reaches every call of the seller, whatever it was said to."""


class Registration(Entry, frozen=True, tag="registration", tag_field="kind"):
    """A licence, registration or permit that the seller needs before campaigning here."""


CODES: Final = {
    Hours: frozenset({Rule.WINDOW_FEDERAL, Rule.WINDOW_STATE, Rule.WINDOW_STATE_ADAD, Rule.WINDOW_POLICY}),
    Cap: frozenset({Rule.FREQ_CAP_STATE, Rule.FREQ_CAP_FEDERAL_EXEMPT, Rule.FREQ_CAP_REGF, Rule.FREQ_CAP_POLICY}),
    Listed: frozenset(
        {Rule.DNC_NATIONAL, Rule.DNC_INTERNAL, Rule.DNC_STATE, Rule.DNC_LITIGATOR, Rule.DNC_CUSTOM, Rule.EMERGENCY_LINE}
    ),
}  # which codes a kind of rule may speak with

AnyRule: TypeAlias = (
    Hours
    | Cap
    | ConsentNeeded
    | Listed
    | Prohibited
    | EmergencyBan
    | ReassignedCheck
    | ShownCallerId
    | Duty
    | Registration
    | RevocationReach
)


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One jurisdiction's rules: `US`, a state's two letters, or `house` for what we hold ourselves to."""

    jurisdiction: str
    name: str
    version: str
    rule: tuple[AnyRule, ...] = ()


class Observance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A holiday that a rule computes. Exactly one of: `fixed` ("07-24"), `weekday` ("3 mon jan", "last mon may"), `easter`.

    `moved`: days kept instead of, and here besides, the day itself ("sat-fri", "sun-mon"). `even_years`: election days.
    """

    name: str
    states: tuple[str, ...]
    source: str
    fixed: str = ""
    weekday: str = ""
    easter: int | None = None
    plus_days: int = 0
    moved: tuple[Literal["sat-fri", "sun-mon"], ...] = ()
    even_years: bool = False
    from_year: int = 1


class Proclamation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A day closed, or an emergency declared, by proclamation. `until` is the first day after it; absent: until lifted."""

    state: str
    what: Literal["closed_day", "emergency"]
    name: str
    source: str
    on: date
    until: date | None = None


class ProclamationFeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody collects from governors and commissions, to be read again and again."""

    proclaimed: tuple[Proclamation, ...]


class HolidayFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    version: str
    holiday: tuple[Observance, ...] = ()
    proclaimed: tuple[Proclamation, ...] = ()


class AreaCodeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, eq=False):
    """Which state an area code is in, the zones a state spans, and area codes whose zones the numbering data gets wrong."""

    version: str
    source: str
    states: dict[str, tuple[int, ...]]
    zones: dict[str, tuple[str, ...]]
    same_as: dict[str, str]
    foreign: tuple[int, ...]
    toll_free: tuple[int, ...]
    premium: tuple[int, ...]
    service: tuple[int, ...]
    split: dict[str, SplitAreaCode]


class SplitAreaCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    zones: tuple[str, ...]
    why: str
    confidence: Confidence


class ZipZone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    zone: str
    zips: tuple[str, ...]


class ZipFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, eq=False):
    """Which state, and where it is known which one zone, the first three digits of a ZIP code are in: "750-797"."""

    version: str
    source: str
    states: dict[str, tuple[str, ...]]
    zone: tuple[ZipZone, ...]


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody answers for not following one rule-book entry, for a time. Logged with every verdict that it lets pass."""

    entry: str
    by: str
    reason: str
    since: date
    until: date
