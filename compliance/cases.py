"""A file of decision cases, run through the real gate: what was expected, what came out, where they disagree.

The codec for the case format. It reads tolerantly and says which fields it did not understand; it decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from compliance.errors import CaseFileError
from compliance.gate import check
from compliance.measures import RING_SECONDS, SPEAK_WITHIN, AbandonLedger, opt_out_in_time, rang_long_enough
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
from compliance.rules import Rulebook, load_rulebook
from compliance.verdict import Clearance, Refused, Verdict
from compliance.zones import where, zone

Fields = Mapping[str, object]
_WORDING: Final = "(the case file does not quote the wording)"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case: `disagreements` is empty when gate and file agree; `unread` names fields the codec does not know."""

    id: str
    title: str
    expected: str
    got: str
    disagreements: tuple[str, ...]
    unread: tuple[str, ...]
    source: str = ""

    @property
    def agrees(self) -> bool:
        return not self.disagreements


@dataclass(frozen=True, slots=True)
class CaseReport:
    rows: tuple[CaseRow, ...]
    rules_version: str

    @property
    def disagreements(self) -> tuple[CaseRow, ...]:
        return tuple(row for row in self.rows if not row.agrees)


def run_cases(path: Path, rules: Rulebook | None = None) -> CaseReport:
    """Run every case of a file. The house's own rules are left out: such files state the law. Raises `CaseFileError`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaseFileError(f"{path}: not a case file ({error}).") from error
    if not isinstance(content, dict) or not isinstance(content.get("cases"), list):
        raise CaseFileError(f"{path}: a case file is an object with a list of `cases`.")
    book = (rules or load_rulebook()).without_house_rules()
    defaults = _fields(content.get("defaults", {}))
    rows = [_guarded(_fields(each), defaults, book) for each in content["cases"]]
    rows += [_measured(_fields(each)) for each in content.get("measurement_cases", [])]
    return CaseReport(tuple(rows), book.version)


def _guarded(case: Fields, defaults: Fields, book: Rulebook) -> CaseRow:
    try:
        return _run(case, defaults, book)
    except (CaseFileError, ValueError, KeyError, TypeError) as error:
        says = f"the case cannot be read: {type(error).__name__} {error}"
        return CaseRow(_text(case, "id"), _text(case, "title"), "", "", (says,), ())


def _run(case: Fields, defaults: Fields, book: Rulebook) -> CaseRow:
    reader = _Reader()
    at = _instant(case["now_utc"])
    record = reader.record(_overlaid(defaults, _fields(case.get("given", {}))), at)
    verdict = check(record, at, book)
    expect = _fields(case["expect"])
    found = [*_compare(verdict, expect), *_compare_whereabouts(record, at, case, book)]
    return CaseRow(
        id=_text(case, "id"),
        title=_text(case, "title"),
        expected=" ".join(str(expect[key]) for key in ("decision", "reason", "defer_until_utc") if expect.get(key)),
        got=_show(verdict),
        disagreements=tuple(found),
        unread=tuple(reader.unread),
        source=_text(case, "source"),
    )


def _show(verdict: Verdict) -> str:
    if isinstance(verdict, Clearance):
        return "allow OK"
    until = f" {_iso(verdict.until)}" if verdict.until else ""
    return f"{verdict.decision} {','.join(verdict.rules)}{until}"


def _compare(verdict: Verdict, expect: Fields) -> list[str]:
    found: list[str] = []
    if verdict.decision != expect["decision"]:
        found.append(f"decision: expected {expect['decision']}, got {verdict.decision}")
    reason = expect.get("reason")
    rules = verdict.rules if isinstance(verdict, Refused) else ("OK",)
    if reason is not None and reason not in rules:
        found.append(f"reason: expected {reason}, got {','.join(rules)}")
    if expect.get("defer_until_utc"):
        found += _compare_until(verdict, expect)
    return found


def _compare_until(verdict: Verdict, expect: Fields) -> list[str]:
    earliest = _instant(expect["defer_until_utc"])
    tolerance = expect.get("tolerance_s", 0)
    latest = earliest + timedelta(seconds=tolerance if isinstance(tolerance, int | float) else 0)
    until = verdict.until if isinstance(verdict, Refused) else None
    if until is None or not earliest <= until <= latest:
        return [f"until: expected {_iso(earliest)}, got {_iso(until) if until else 'never'}"]
    return []


def _compare_whereabouts(record: CallRecord, at: datetime, case: Fields, book: Rulebook) -> list[str]:
    found: list[str] = []
    there = where(record.number, record.place, at.date(), book)
    zones = case.get("expect_zones")
    if isinstance(zones, list) and _clocks(zones, at) != _clocks(there.zones, at):
        found.append(f"zones: expected {', '.join(zones)}, got {', '.join(there.zones)}")
    states = case.get("expect_jurisdictions")
    if isinstance(states, list) and frozenset(states) != there.states:
        found.append(f"jurisdictions: expected {', '.join(states)}, got {', '.join(sorted(there.states))}")
    return found


def _clocks(names: Sequence[str], at: datetime) -> set[tuple[object, ...]]:
    """What the zones' clocks show this year: two names for the same clocks are one zone."""
    moments = [at, *(datetime(at.year, month, 1, 12, tzinfo=UTC) for month in range(1, 13))]
    return {tuple(moment.astimezone(zone(name)).utcoffset() for moment in moments) for name in names}


# --- measurements -----------------------------------------------------------------------------------------------------


def _measured(case: Fields) -> CaseRow:
    """The measurement cases: the arithmetic of abandonment, ringing, and what a message must hold."""
    given, expect = _fields(case.get("given", {})), _fields(case.get("expect", {}))
    got = _measure(given)
    wrong = [
        f"{key}: expected {value}, got {got.get(key, 'nothing: this measurement is not known')}"
        for key, value in expect.items()
        if got.get(key) != value
    ]
    return CaseRow(
        _text(case, "id"), _text(case, "what"), json.dumps(expect), json.dumps(got), tuple(wrong), (), _text(case, "source")
    )


def _measure(given: Fields) -> dict[str, object]:
    if isinstance(given.get("campaigns"), Mapping):
        campaigns = _fields(given["campaigns"])
        return {name: _ledger(_fields(each)).is_within_limit for name, each in campaigns.items()}
    if "answered_live" in given:
        ledger = _ledger(given)
        return {"compliant": ledger.is_within_limit, "rate": ledger.rate}
    if "first_audio_after_greeting_s" in given:
        late = _number(given["first_audio_after_greeting_s"]) > SPEAK_WITHIN
        return {"abandoned": late or (given.get("pewc") is False), "compliant": not late}
    if "ring_s" in given:
        rings = _number(given.get("rings", 0))
        return {"compliant": rang_long_enough(_number(given["ring_s"]), int(rings)), "minimum_s": RING_SECONDS}
    if "optout_offer_start_s" in given:
        times = _number(given["identification_end_s"]), _number(given["optout_offer_start_s"])
        return {"compliant": opt_out_in_time(*times)}
    if given.get("left_on") == "voicemail":
        return {"compliant": bool(given.get("toll_free_optout"))}
    return {}


def _ledger(given: Fields) -> AbandonLedger:
    return AbandonLedger(int(_number(given["answered_live"])), int(_number(given["abandoned"])))


# --- reading a case ---------------------------------------------------------------------------------------------------


class _Reader:
    """Reads one case into a record, and keeps the names of the fields it does not know."""

    def __init__(self) -> None:
        self.unread: list[str] = []

    def record(self, given: Fields, now: datetime) -> CallRecord:
        self._note("", given, "campaign lead consent revocations dnc ebr rnd history flags")
        campaign, lead, dnc = (_fields(given.get(key)) for key in ("campaign", "lead", "dnc"))
        number = _text(lead, "phone")
        flags = _fields(given.get("flags"))
        state = _text(lead, "address_state")
        return CallRecord(
            number=number,
            errand=self._errand(campaign, flags),
            place=self._place(lead),
            line=_line(_text(lead, "line_type")),
            is_emergency_line=bool(lead.get("special_line")),
            is_business=bool(lead.get("is_business") or lead.get("business")),
            person=number,
            consents=tuple(self._consent(each, number, i) for i, each in enumerate(_items(given.get("consent")))),
            revocations=tuple(self._revocation(each) for each in _items(given.get("revocations"))),
            lists=self._lists(dnc, now),
            history=tuple(self._past(each, number) for each in _items(given.get("history"))),
            relationship=self._relationship(given.get("ebr"), lead, now),
            reassigned=self._reassigned(_fields(given.get("rnd"))),
            emergencies=self._emergencies(flags, state, number),
        )

    def _note(self, path: str, given: Fields, known: str) -> None:
        self.unread += [f"{path}{key}" for key in given if key not in known.split()]

    def _errand(self, campaign: Fields, flags: Fields) -> Errand:
        self._note("campaign.", campaign, "purpose voice seller_id subject_id caller_id id")
        caller = _fields(campaign.get("caller_id"))
        self._note("campaign.caller_id.", caller, "number presentation authorized")
        return Errand(
            seller=_text(campaign, "seller_id"),
            purpose=Purpose.EMERGENCY if flags.get("emergency_purpose") else _purpose(_text(campaign, "purpose")),
            voice=VoiceKind(_text(campaign, "voice")),
            subject=_text(campaign, "subject_id"),
            campaign=_text(campaign, "id"),
            caller_id=CallerId(
                number=_text(caller, "number"),
                is_shown=_text(caller, "presentation") in ("", "allowed"),
                is_authorised=bool(caller.get("authorized")),
            ),
        )

    def _place(self, lead: Fields) -> Place:
        known = "phone line_type address_state address_zip address_zone special_line is_business business stated_zone"
        self._note("lead.", lead, f"{known} stated_state stated_on personal_relationship")
        stated = lead.get("stated_on")
        return Place(
            state=_text(lead, "address_state"),
            zip=_text(lead, "address_zip"),
            zone=_text(lead, "address_zone"),
            stated_zone=_text(lead, "stated_zone"),
            stated_state=_text(lead, "stated_state"),
            stated_on=_day(stated) if stated else None,
        )

    def _consent(self, given: Fields, number: str, index: int) -> Consent:
        known = "id kind sellers phone obtained_at authorizes_artificial_voice not_condition_disclosure signed"
        self._note("consent.", given, f"{known} expires_at wording text purposes")
        phone = _text(given, "phone")
        expires = given.get("expires_at")
        return Consent(
            id=_text(given, "id") or str(index),
            kind=ConsentKind(_text(given, "kind")),
            number=number if phone in ("$lead", "") else phone,
            sellers=frozenset(str(each) for each in _list(given.get("sellers"))),
            obtained_at=_instant(given["obtained_at"]),
            wording=_text(given, "wording") or _text(given, "text") or _WORDING,
            is_signed=bool(given.get("signed")),
            names_artificial_voice=bool(given.get("authorizes_artificial_voice")),
            says_not_a_condition=bool(given.get("not_condition_disclosure")),
            expires_at=_instant(expires) if expires else None,
            purposes=frozenset(_purpose(str(each)) for each in _list(given.get("purposes"))),
        )

    def _revocation(self, given: Fields) -> Revocation:
        self._note("revocations.", given, "at channel seller_id scope method words")
        return Revocation(
            at=_instant(given["at"]),
            channel=_text(given, "channel") or _text(given, "method"),
            seller=_text(given, "seller_id"),
        )

    def _lists(self, dnc: Fields, now: datetime) -> tuple[ListAnswer, ...]:
        self._note("dnc.", dnc, "national national_list_obtained_on internal covered coverage litigator state")
        obtained = dnc.get("national_list_obtained_on")
        covered = dnc.get("covered", dnc.get("coverage", True))
        national = ListAnswer(
            "national",
            is_listed=bool(dnc.get("national")),
            is_covered=bool(covered),
            obtained_on=_day(obtained, now) if obtained else None,
            generation="case",
        )
        internal = dnc.get("internal")
        since = _fields(internal).get("requested_at") if isinstance(internal, Mapping) else None
        asked = ListAnswer("internal", is_listed=bool(internal), since=_instant(since) if since else None)
        litigator = ListAnswer("litigator", is_listed=bool(dnc.get("litigator")))
        return (national, asked, litigator)

    def _past(self, given: Fields, number: str) -> PastCall:
        self._note("history.", given, "at subject_id seller_id phone conversation connected talked answered outcome result")
        outcome = (_text(given, "outcome") or _text(given, "result")).lower()
        talked = any(given.get(key) for key in ("conversation", "connected", "talked"))
        return PastCall(
            at=_instant(given["at"]),
            number=_text(given, "phone") or number,
            subject=_text(given, "subject_id"),
            seller=_text(given, "seller_id"),
            is_conversation=bool(
                talked or outcome in ("conversation", "connected", "talked", "spoke", "right_party_contact")
            ),
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
            ended_at=_instant(ended) if ended else (now if given.get("terminated") else None),
            is_personal=personal or bool(given.get("personal")),
        )

    def _reassigned(self, given: Fields) -> ReassignedAnswer:
        self._note("rnd.", given, "checked result checked_on queried_on asked_on")
        if not given.get("checked"):
            return ReassignedAnswer()
        asked = given.get("checked_on") or given.get("queried_on") or given.get("asked_on")
        answer = _text(given, "result").replace(" ", "_") or "not_asked"
        return ReassignedAnswer(Reassigned(answer), _day(asked) if asked else None)

    def _emergencies(self, flags: Fields, state: str, number: str) -> frozenset[str]:
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


def _overlaid(defaults: Fields, given: Fields) -> dict[str, object]:
    """Objects are merged, everything else is replaced."""
    merged = dict(defaults)
    for key, value in given.items():
        below = merged.get(key)
        merged[key] = _overlaid(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def _fields(value: object) -> Fields:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _items(value: object) -> list[Fields]:
    return [_fields(each) for each in _list(value)]


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key)
    return "" if value is None else str(value)


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise CaseFileError(f"{value!r} is not a number")
    return float(value)


def _purpose(text: str) -> Purpose:
    """Names that say the same thing are taken for it."""
    same = {"healthcare": "healthcare_hipaa", "hipaa": "healthcare_hipaa", "transactional": "informational"}
    return Purpose(same.get(text, text))


def _line(text: str) -> LineType:
    return {"mobile": LineType.WIRELESS, "residential": LineType.LANDLINE}.get(text) or LineType(text or "unknown")


def _instant(value: object) -> datetime:
    found = datetime.fromisoformat(str(value))
    if found.tzinfo is None:
        raise CaseFileError(f"{value} has no time zone")
    return found.astimezone(UTC)


def _day(value: object, now: datetime | None = None) -> date:
    """A calendar day, or `$now-5d`."""
    text = str(value)
    if text.startswith("$now"):
        if now is None:
            raise CaseFileError(f"{text} is not allowed here")
        days = int(text[4:].rstrip("d") or 0)
        return (now + timedelta(days=days)).date()
    return date.fromisoformat(text[:10])


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
