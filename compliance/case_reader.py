"""One decision case as a record: the codec for the case format. Tolerant of names that say the same thing; guesses nothing.

What it does not know it names (`unread`), so that a case that agrees by luck can be told from one that was understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from compliance.case_words import (
    EVERYBODY,
    Fields,
    day_of,
    fields_of,
    has_talked,
    instant_of,
    items_of,
    kind_of,
    line_of,
    purpose_of,
    purposes_of,
    text_of,
    texts_of,
    voice_of,
)
from compliance.record import (
    CallerId,
    CallRecord,
    Consent,
    Errand,
    ListAnswer,
    PastCall,
    Place,
    Purpose,
    Reassigned,
    ReassignedAnswer,
    Relationship,
    Revocation,
)
from compliance.rules import Rulebook
from compliance.rules.schema import EmergencyBan

_WORDING: Final = "(the case file does not quote the wording)"
_BUSINESS: Final = ("is_business", "business", "b2b")
_SPECIAL: Final = ("emergency_line", "is_emergency_line")
_PERSONAL: Final = ("personal_relationship",)
_LEAD: Final = """phone line_type address_state address_zip address_zone special_line stated_zone stated_state stated_on
    stated_location personal_relationship customer_type"""
_CONSENT: Final = """id kind sellers seller_id phone obtained_at authorizes_artificial_voice not_condition_disclosure signed
    signature expires_at expires wording text purposes purpose scope revoked_at channel method source"""
_PAST: Final = """at subject_id seller_id phone outcome result disposition status type conversation connected talked spoke
    answered reached right_party"""
_EBR: Final = """last_purchase last_transaction last_payment last_inquiry last_application terminated terminated_at
    terminated_on ended_at ended_on personal seller_id"""


class CaseReader:
    """Reads one case into a record, and keeps the names of the fields it does not know."""

    def __init__(self, book: Rulebook) -> None:
        self.unread: list[str] = []
        self._book = book

    def record(self, given: Fields, now: datetime) -> CallRecord:
        self._note("", given, "campaign lead consent revocations dnc ebr rnd history flags")
        campaign, lead, dnc = (fields_of(given.get(key)) for key in ("campaign", "lead", "dnc"))
        number, seller = text_of(lead, "phone"), text_of(campaign, "seller_id")
        flags = {**fields_of(given.get("flags")), **{key: given[key] for key in given if "emergenc" in key}}
        consents = items_of(given.get("consent"))
        taken_back = (Revocation(instant_of(each["revoked_at"], now), "") for each in consents if each.get("revoked_at"))
        return CallRecord(
            number=number,
            errand=self._errand(campaign, flags),
            place=self._place(lead, now),
            line=line_of(text_of(lead, "line_type")),
            is_emergency_line=text_of(lead, "special_line") not in ("", "none", "False") or _has(_SPECIAL, lead, flags),
            is_business=_has(_BUSINESS, lead, flags) or _names_business(lead),
            person=number,
            consents=tuple(self._consent(each, number, now, place) for place, each in enumerate(consents)),
            revocations=(*(self._revocation(each, now) for each in items_of(given.get("revocations"))), *taken_back),
            lists=self._lists(dnc, seller, number, now),
            history=tuple(self._past(each, number, now) for each in items_of(given.get("history"))),
            relationship=self._relationship(given.get("ebr"), seller, _has(_PERSONAL, lead, flags), now),
            reassigned=self._reassigned(fields_of(given.get("rnd"))),
            emergencies=frozenset(self._emergencies(flags, now)),
        )

    def _note(self, path: str, given: Fields, known: str) -> None:
        self.unread += [f"{path}{key}" for key in given if key not in known.split() and "emergenc" not in key]

    def _errand(self, campaign: Fields, flags: Fields) -> Errand:
        self._note("campaign.", campaign, "purpose voice seller_id subject_id caller_id id")
        caller = fields_of(campaign.get("caller_id"))
        self._note("campaign.caller_id.", caller, "number presentation authorized")
        is_emergency = flags.get("emergency_purpose") or campaign.get("emergency_purpose")
        return Errand(
            seller=text_of(campaign, "seller_id"),
            purpose=Purpose.EMERGENCY if is_emergency else purpose_of(text_of(campaign, "purpose")),
            voice=voice_of(text_of(campaign, "voice")),
            subject=text_of(campaign, "subject_id"),
            campaign=text_of(campaign, "id"),
            caller_id=CallerId(
                number=text_of(caller, "number"),
                is_shown=text_of(caller, "presentation") in ("", "allowed"),
                is_authorised=bool(caller.get("authorized")),
            ),
        )

    def _place(self, lead: Fields, now: datetime) -> Place:
        self._note("lead.", lead, f"{_LEAD} {' '.join(_BUSINESS)}")
        said = fields_of(lead.get("stated_location"))
        stated = lead.get("stated_on") or said.get("at") or said.get("on")
        return Place(
            state=text_of(lead, "address_state"),
            zip=text_of(lead, "address_zip"),
            zone=text_of(lead, "address_zone"),
            stated_zone=text_of(lead, "stated_zone") or text_of(said, "zone"),
            stated_state=text_of(lead, "stated_state") or text_of(said, "state"),
            stated_on=day_of(stated, now) if stated else None,
        )

    def _consent(self, given: Fields, number: str, now: datetime, place: int) -> Consent:
        self._note("consent.", given, _CONSENT)
        phone = text_of(given, "phone")
        expires = given.get("expires_at") or given.get("expires")
        return Consent(
            id=text_of(given, "id") or str(place),
            kind=kind_of(text_of(given, "kind")),
            number=number if phone in ("$lead", "") else phone,
            sellers=frozenset([*texts_of(given.get("sellers")), *texts_of(given.get("seller_id"))]),
            obtained_at=instant_of(given["obtained_at"], now),
            wording=text_of(given, "wording") or text_of(given, "text") or _WORDING,
            is_signed=bool(given.get("signed", given.get("signature"))),
            names_artificial_voice=bool(given.get("authorizes_artificial_voice")),
            says_not_a_condition=bool(given.get("not_condition_disclosure")),
            expires_at=instant_of(expires, now) if expires else None,
            purposes=purposes_of(given),
        )

    def _revocation(self, given: Fields, now: datetime) -> Revocation:
        self._note("revocations.", given, "at channel seller_id scope method words purpose purposes")
        return Revocation(
            at=instant_of(given["at"], now),
            channel=text_of(given, "channel") or text_of(given, "method"),
            seller="" if text_of(given, "scope") in EVERYBODY else text_of(given, "seller_id"),
            purposes=purposes_of(given),
        )

    def _lists(self, dnc: Fields, seller: str, number: str, now: datetime) -> tuple[ListAnswer, ...]:
        known = "national national_list_obtained_on internal covered coverage area_codes litigator state state_lists"
        self._note("dnc.", dnc, known)
        obtained = dnc.get("national_list_obtained_on")
        covered = dnc.get("covered", dnc.get("coverage", dnc.get("area_codes", True)))
        national = ListAnswer(
            "national",
            is_listed=bool(dnc.get("national")),
            is_covered=number[2:5] in map(str, covered) if isinstance(covered, list) else bool(covered),
            obtained_on=day_of(obtained, now) if obtained else None,
            generation="case",
        )
        litigator = ListAnswer("litigator", is_listed=bool(dnc.get("litigator")))
        told = dnc.get("state") or dnc.get("state_lists")
        states = (_state_list(rule.list, told, now) for _, rule in self._book.state_lists())
        return (national, self._internal(dnc.get("internal"), seller, now), litigator, *states)

    def _internal(self, internal: object, seller: str, now: datetime) -> ListAnswer:
        asked = fields_of(internal)
        self._note("dnc.internal.", asked, "requested_at seller_id channel scope")
        since = instant_of(asked["requested_at"], now) if asked.get("requested_at") else None
        is_ours = text_of(asked, "seller_id") in ("", seller) or text_of(asked, "scope") in EVERYBODY
        return ListAnswer("internal", is_listed=bool(internal) and is_ours, since=since)

    def _past(self, given: Fields, number: str, now: datetime) -> PastCall:
        self._note("history.", given, _PAST)
        return PastCall(
            at=instant_of(given["at"], now),
            number=text_of(given, "phone") or number,
            subject=text_of(given, "subject_id"),
            seller=text_of(given, "seller_id"),
            is_conversation=has_talked(given),
        )

    def _relationship(self, given: object, seller: str, personal: bool, now: datetime) -> Relationship | None:
        if not isinstance(given, Mapping) or text_of(given, "seller_id") not in ("", seller):
            return Relationship(is_personal=True) if personal else None
        self._note("ebr.", given, _EBR)
        ended = _first(given, "terminated_at", "terminated_on", "ended_at", "ended_on")
        purchase = _first(given, "last_purchase", "last_transaction", "last_payment")
        inquiry = _first(given, "last_inquiry", "last_application")
        return Relationship(
            last_purchase=day_of(purchase, now) if purchase else None,
            last_inquiry=day_of(inquiry, now) if inquiry else None,
            ended_at=instant_of(ended, now) if ended else (now if given.get("terminated") else None),
            is_personal=personal or bool(given.get("personal")),
        )

    def _reassigned(self, given: Fields) -> ReassignedAnswer:
        self._note("rnd.", given, "checked result checked_on checked_at queried_on queried_at asked_on")
        if not given.get("checked"):
            return ReassignedAnswer()
        asked = _first(given, "checked_on", "checked_at", "queried_on", "queried_at", "asked_on")
        answer = text_of(given, "result").replace(" ", "_") or "not_asked"
        return ReassignedAnswer(Reassigned(answer), day_of(asked) if asked else None)

    def _emergencies(self, flags: Fields, now: datetime) -> Iterator[str]:
        """The states that a flag declares; a flag that names none declares it wherever the phone could be."""
        for key, value in flags.items():
            if key in ("emergency_purpose", *_BUSINESS, *_SPECIAL, *_PERSONAL):
                continue
            if "emergenc" in key:
                yield from self._declared(key, value, now)
            else:
                self.unread.append(f"flags.{key}")

    def _declared(self, key: str, value: object, now: datetime) -> Iterator[str]:
        match value:
            case str() if value.upper() in self._states():
                yield value.upper()
            case list():
                for each in value:
                    yield from self._declared(key, each, now)
            case dict() if (named := texts_of(value.get("state") or value.get("states"))) or not set(
                value
            ) <= self._states():
                ends = _first(value, "until", "ends_at", "lifted_at")
                if value.get("declared", True) and (not ends or instant_of(ends, now) > now):
                    yield from named or self._where_it_matters(key)
            case dict():
                yield from (str(each) for each, declared in value.items() if declared)
            case _ if value:
                yield from self._where_it_matters(key)

    def _states(self) -> frozenset[str]:
        return frozenset(self._book.areas.zones if self._book.areas is not None else ())

    def _where_it_matters(self, key: str) -> Iterable[str]:
        """The states whose law looks at emergencies: those that the flag's own name tells (`la_emergency`), or all."""
        states = {
            state for state, rules in self._book.rules.items() if any(isinstance(each, EmergencyBan) for each in rules)
        }
        return states.intersection(key.upper().split("_")) or states


def _has(names: tuple[str, ...], *told: Fields) -> bool:
    return any(bool(each.get(name)) for each in told for name in names)


def _names_business(lead: Fields) -> bool:
    return any("business" in text_of(lead, key) for key in ("line_type", "customer_type"))


def _first(fields: Fields, *names: str) -> object:
    return next((fields[name] for name in names if fields.get(name)), None)


def _state_list(name: str, told: object, now: datetime) -> ListAnswer:
    """A case that says nothing of a state's own list means that the number is not on it."""
    state = name.rpartition("-")[2].upper()
    is_listed = (
        bool(told.get(state)) if isinstance(told, Mapping) else state in told if isinstance(told, list | str) else bool(told)
    )
    return ListAnswer(name, is_listed=is_listed, obtained_on=now.date(), generation="case")
