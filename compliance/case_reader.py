"""One decision case as a record: the codec for the case format. Tolerant of names that say the same thing; guesses nothing.

What it does not know it names (`unread`), so that a case that agrees by luck can be told from one that was understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from compliance.errors import CaseFileError
from compliance.record import (
    CallerId,
    CallRecord,
    Consent,
    ConsentKind,
    Errand,
    LineType,
    ListAnswer,
    PastCall,
    Place,
    Purpose,
    Reassigned,
    ReassignedAnswer,
    Relationship,
    Revocation,
    VoiceKind,
)

Fields: TypeAlias = Mapping[str, object]
_WORDING: Final = "(the case file does not quote the wording)"
_TALKED: Final = ("conversation", "connected", "talked", "spoke", "answered")
_SAYS_TALKED: Final = ("conversation", "talk", "spoke", "right_party")
_EVERYBODY: Final = frozenset({"all", "global", "everyone", "every_seller", "house"})
_SAME_LINE: Final = {"mobile": "wireless", "cell": "wireless", "residential": "landline", "fixed": "landline"}
_SAME_PURPOSE: Final = {
    "healthcare": "healthcare_hipaa",
    "hipaa": "healthcare_hipaa",
    "transactional": "informational",
    "nonprofit": "charity",
    "marketing": "telemarketing",
    "sales": "telemarketing",
    "debt": "debt_collection",
}


class CaseReader:
    """Reads one case into a record, and keeps the names of the fields it does not know."""

    def __init__(self, state_lists: Iterable[str] = ()) -> None:
        self.unread: list[str] = []
        self._state_lists = tuple(state_lists)  # names of the lists that states keep besides the national one

    def record(self, given: Fields, now: datetime) -> CallRecord:
        self._note("", given, "campaign lead consent revocations dnc ebr rnd history flags")
        campaign, lead, dnc = (fields_of(given.get(key)) for key in ("campaign", "lead", "dnc"))
        number = text_of(lead, "phone")
        flags = fields_of(given.get("flags"))
        state = text_of(lead, "address_state")
        return CallRecord(
            number=number,
            errand=self._errand(campaign, flags),
            place=self._place(lead),
            line=_line(text_of(lead, "line_type")),
            is_emergency_line=text_of(lead, "special_line") not in ("", "none", "False"),
            is_business=bool(lead.get("is_business") or lead.get("business")),
            person=number,
            consents=tuple(self._consent(each, number, now, i) for i, each in enumerate(_items(given.get("consent")))),
            revocations=tuple(self._revocation(each, now) for each in _items(given.get("revocations"))),
            lists=self._lists(dnc, text_of(campaign, "seller_id"), number, now),
            history=tuple(self._past(each, number, now) for each in _items(given.get("history"))),
            relationship=self._relationship(given.get("ebr"), lead, now),
            reassigned=self._reassigned(fields_of(given.get("rnd"))),
            emergencies=self._emergencies(flags, state),
        )

    def _note(self, path: str, given: Fields, known: str) -> None:
        self.unread += [f"{path}{key}" for key in given if key not in known.split()]

    def _errand(self, campaign: Fields, flags: Fields) -> Errand:
        self._note("campaign.", campaign, "purpose voice seller_id subject_id caller_id id")
        caller = fields_of(campaign.get("caller_id"))
        self._note("campaign.caller_id.", caller, "number presentation authorized")
        return Errand(
            seller=text_of(campaign, "seller_id"),
            purpose=Purpose.EMERGENCY if flags.get("emergency_purpose") else _purpose(text_of(campaign, "purpose")),
            voice=VoiceKind(text_of(campaign, "voice")),
            subject=text_of(campaign, "subject_id"),
            campaign=text_of(campaign, "id"),
            caller_id=CallerId(
                number=text_of(caller, "number"),
                is_shown=text_of(caller, "presentation") in ("", "allowed"),
                is_authorised=bool(caller.get("authorized")),
            ),
        )

    def _place(self, lead: Fields) -> Place:
        known = "phone line_type address_state address_zip address_zone special_line is_business business stated_zone"
        self._note("lead.", lead, f"{known} stated_state stated_on personal_relationship")
        stated = lead.get("stated_on")
        return Place(
            state=text_of(lead, "address_state"),
            zip=text_of(lead, "address_zip"),
            zone=text_of(lead, "address_zone"),
            stated_zone=text_of(lead, "stated_zone"),
            stated_state=text_of(lead, "stated_state"),
            stated_on=_day(stated) if stated else None,
        )

    def _consent(self, given: Fields, number: str, now: datetime, index: int) -> Consent:
        known = "id kind sellers phone obtained_at authorizes_artificial_voice not_condition_disclosure signed"
        self._note("consent.", given, f"{known} expires_at wording text purposes")
        phone = text_of(given, "phone")
        expires = given.get("expires_at")
        return Consent(
            id=text_of(given, "id") or str(index),
            kind=_kind(text_of(given, "kind")),
            number=number if phone in ("$lead", "") else phone,
            sellers=frozenset(str(each) for each in _list(given.get("sellers"))),
            obtained_at=instant_of(given["obtained_at"], now),
            wording=text_of(given, "wording") or text_of(given, "text") or _WORDING,
            is_signed=bool(given.get("signed")),
            names_artificial_voice=bool(given.get("authorizes_artificial_voice")),
            says_not_a_condition=bool(given.get("not_condition_disclosure")),
            expires_at=instant_of(expires, now) if expires else None,
            purposes=frozenset(_purpose(str(each)) for each in _list(given.get("purposes"))),
        )

    def _revocation(self, given: Fields, now: datetime) -> Revocation:
        self._note("revocations.", given, "at channel seller_id scope method words")
        return Revocation(
            at=instant_of(given["at"], now),
            channel=text_of(given, "channel") or text_of(given, "method"),
            seller="" if text_of(given, "scope") in _EVERYBODY else text_of(given, "seller_id"),
        )

    def _lists(self, dnc: Fields, seller: str, number: str, now: datetime) -> tuple[ListAnswer, ...]:
        known = "national national_list_obtained_on internal covered coverage area_codes litigator state"
        self._note("dnc.", dnc, known)
        obtained = dnc.get("national_list_obtained_on")
        covered = dnc.get("covered", dnc.get("coverage", dnc.get("area_codes", True)))
        national = ListAnswer(
            "national",
            is_listed=bool(dnc.get("national")),
            is_covered=number[2:5] in map(str, covered) if isinstance(covered, list) else bool(covered),
            obtained_on=_day(obtained, now) if obtained else None,
            generation="case",
        )
        litigator = ListAnswer("litigator", is_listed=bool(dnc.get("litigator")))
        states = (_state_list(name, dnc.get("state"), now) for name in self._state_lists)
        return (national, self._internal(dnc.get("internal"), seller, now), litigator, *states)

    def _internal(self, internal: object, seller: str, now: datetime) -> ListAnswer:
        asked = fields_of(internal)
        self._note("dnc.internal.", asked, "requested_at seller_id channel")
        since = instant_of(asked["requested_at"], now) if asked.get("requested_at") else None
        is_ours = text_of(asked, "seller_id") in ("", seller)
        return ListAnswer("internal", is_listed=bool(internal) and is_ours, since=since)

    def _past(self, given: Fields, number: str, now: datetime) -> PastCall:
        self._note("history.", given, f"at subject_id seller_id phone outcome result {' '.join(_TALKED)}")
        outcome = f"{text_of(given, 'outcome')} {text_of(given, 'result')}".lower()
        talked = any(given.get(key) for key in _TALKED) or any(word in outcome for word in _SAYS_TALKED)
        return PastCall(
            at=instant_of(given["at"], now),
            number=text_of(given, "phone") or number,
            subject=text_of(given, "subject_id"),
            seller=text_of(given, "seller_id"),
            is_conversation=talked,
        )

    def _relationship(self, given: object, lead: Fields, now: datetime) -> Relationship | None:
        personal = bool(lead.get("personal_relationship"))
        if not isinstance(given, Mapping):
            return Relationship(is_personal=True) if personal else None
        self._note("ebr.", given, "last_purchase last_inquiry terminated terminated_at ended_at personal")
        ended = given.get("terminated_at") or given.get("ended_at")
        purchase, inquiry = given.get("last_purchase"), given.get("last_inquiry")
        return Relationship(
            last_purchase=_day(purchase, now) if purchase else None,
            last_inquiry=_day(inquiry, now) if inquiry else None,
            ended_at=instant_of(ended, now) if ended else (now if given.get("terminated") else None),
            is_personal=personal or bool(given.get("personal")),
        )

    def _reassigned(self, given: Fields) -> ReassignedAnswer:
        self._note("rnd.", given, "checked result checked_on queried_on asked_on")
        if not given.get("checked"):
            return ReassignedAnswer()
        asked = given.get("checked_on") or given.get("queried_on") or given.get("asked_on")
        answer = text_of(given, "result").replace(" ", "_") or "not_asked"
        return ReassignedAnswer(Reassigned(answer), _day(asked) if asked else None)

    def _emergencies(self, flags: Fields, state: str) -> frozenset[str]:
        found: set[str] = set()
        for key, value in flags.items():
            if key == "emergency_purpose":
                continue
            if "emergency" not in key:
                self.unread.append(f"flags.{key}")
            elif isinstance(value, str):
                found.add(value)
            elif isinstance(value, Mapping):
                found |= {str(each) for each, declared in value.items() if declared}
            elif isinstance(value, list):
                found |= {str(each) for each in value}
            elif value:
                found.add(state)
        return frozenset(found)


def _state_list(name: str, told: object, now: datetime) -> ListAnswer:
    """A case that says nothing of a state's own list means that the number is not on it."""
    state = name.rpartition("-")[2].upper()
    is_listed = state in told if isinstance(told, list | dict | str) else bool(told)
    return ListAnswer(name, is_listed=is_listed, obtained_on=now.date(), generation="case")


def overlaid(defaults: Fields, given: Fields) -> dict[str, object]:
    """Objects are merged, everything else is replaced."""
    merged = dict(defaults)
    for key, value in given.items():
        below = merged.get(key)
        merged[key] = overlaid(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def fields_of(value: object) -> Fields:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _items(value: object) -> list[Fields]:
    return [fields_of(each) for each in _list(value)]


def text_of(fields: Fields, key: str) -> str:
    value = fields.get(key)
    return "" if value is None else str(value)


def number_of(value: object) -> float:
    if not isinstance(value, int | float):
        raise CaseFileError(f"{value!r} is not a number")
    return float(value)


def _purpose(text: str) -> Purpose:
    """Names that say the same thing are taken for it."""
    return Purpose(_SAME_PURPOSE.get(text, text))


def _line(text: str) -> LineType:
    return LineType(_SAME_LINE.get(text, text or "unknown"))


def _kind(text: str) -> ConsentKind:
    return ConsentKind({"written": "pewc", "express": "pec", "oral": "pec"}.get(text, text))


def instant_of(value: object, now: datetime | None = None) -> datetime:
    """An instant with a zone, or one told from now: `$now-36h`, `$now-5d`."""
    text = str(value)
    if text.startswith("$now"):
        return _from_now(text, now)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise CaseFileError(f"{value} has no time zone")
    return found.astimezone(UTC)


def _from_now(text: str, now: datetime | None) -> datetime:
    found = re.fullmatch(r"\$now(?:([+-]\d+)([smhd]))?", text)
    if found is None or now is None:
        raise CaseFileError(f"{text} is no instant")
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}.get(found[2] or "d", "days")
    return now + timedelta(**{unit: int(found[1] or 0)})


def _day(value: object, now: datetime | None = None) -> date:
    """A calendar day, or one told from now."""
    text = str(value)
    return _from_now(text, now).date() if text.startswith("$now") else date.fromisoformat(text[:10])


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
