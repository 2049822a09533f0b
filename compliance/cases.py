"""A file of decision cases, run through the real gate: what was expected, what came out, where they disagree.

The codec for the case format. It reads tolerantly and says which fields it did not understand; it decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from compliance.case_reader import CaseReader
from compliance.case_words import (
    Fields,
    fields_of,
    instant_of,
    iso,
    number_of,
    overlaid,
    purpose_of,
    text_of,
    texts_of,
    voice_of,
)
from compliance.errors import CaseFileError
from compliance.gate import check
from compliance.measures import RING_SECONDS, SPEAK_WITHIN, AbandonLedger, opt_out_in_time, rang_long_enough
from compliance.record import CallRecord, Purpose, VoiceKind
from compliance.rules import Rulebook, load_rulebook
from compliance.verdict import Clearance, Refused, Verdict
from compliance.zones import where, zone


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
    defaults = fields_of(content.get("defaults", {}))
    rows = [_guarded(fields_of(each), lambda case: _run(case, defaults, book)) for each in content["cases"]]
    rows += [_guarded(fields_of(each), _measured) for each in content.get("measurement_cases", [])]
    return CaseReport(tuple(rows), book.version)


def _guarded(case: Fields, run: Callable[[Fields], CaseRow]) -> CaseRow:
    """A case that cannot be read disagrees; the others are not held up by it."""
    try:
        return run(case)
    except (CaseFileError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        says = f"the case cannot be read: {type(error).__name__} {error}"
        return CaseRow(text_of(case, "id"), text_of(case, "title"), "", "", (says,), ())


def _run(case: Fields, defaults: Fields, book: Rulebook) -> CaseRow:
    reader = CaseReader(book)
    at = instant_of(case["now_utc"])
    record = reader.record(overlaid(defaults, fields_of(case.get("given", {}))), at)
    verdict = check(record, at, book)
    expect = fields_of(case["expect"])
    found = [*_compare(verdict, expect), *_compare_whereabouts(record, at, case, book)]
    return CaseRow(
        id=text_of(case, "id"),
        title=text_of(case, "title"),
        expected=" ".join(str(expect[key]) for key in ("decision", "reason", "defer_until_utc") if expect.get(key)),
        got=_show(verdict),
        disagreements=tuple(found),
        unread=(*reader.unread, *_beyond(case, _CASE, ""), *_beyond(expect, _EXPECT, "expect.")),
        source=text_of(case, "source"),
    )


# What a case may hold besides what is given; the last are for people.
_CASE: Final = frozenset(
    [
        "id",
        "title",
        "now_utc",
        "given",
        "expect",
        "expect_zones",
        "expect_jurisdictions",
        "source",
        "basis",
        "confidence",
        "local_times",
        "notes",
    ]
)
_EXPECT: Final = frozenset({"decision", "reason", "reasons", "defer_until_utc", "tolerance_s"})


def _beyond(fields: Fields, known: frozenset[str], path: str) -> list[str]:
    """What nobody looked at: a case that agrees although something in it was not understood agrees by luck."""
    return [f"{path}{name}" for name in fields if name not in known]


def _show(verdict: Verdict) -> str:
    if isinstance(verdict, Clearance):
        return "allow OK"
    until = f" {iso(verdict.until)}" if verdict.until else ""
    return f"{verdict.decision} {','.join(verdict.rules)}{until}"


def _compare(verdict: Verdict, expect: Fields) -> list[str]:
    found: list[str] = []
    if verdict.decision != expect["decision"]:
        found.append(f"decision: expected {expect['decision']}, got {verdict.decision}")
    rules = verdict.rules if isinstance(verdict, Refused) else ("OK",)
    reasons = (*texts_of(expect.get("reason")), *texts_of(expect.get("reasons")))
    found += [f"reason: expected {reason}, got {','.join(rules)}" for reason in reasons if reason not in rules]
    if expect.get("defer_until_utc"):
        found += _compare_until(verdict, expect)
    return found


def _compare_until(verdict: Verdict, expect: Fields) -> list[str]:
    earliest = instant_of(expect["defer_until_utc"])
    tolerance = expect.get("tolerance_s", 0)
    latest = earliest + timedelta(seconds=tolerance if isinstance(tolerance, int | float) else 0)
    until = verdict.until if isinstance(verdict, Refused) else None
    if until is None or not earliest <= until <= latest:
        return [f"until: expected {iso(earliest)}, got {iso(until) if until else 'never'}"]
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
    given, expect = fields_of(case.get("given", {})), fields_of(case.get("expect", {}))
    got = _measure(given)
    wrong = [
        f"{key}: expected {value}, got {got.get(key, 'nothing: this measurement is not known')}"
        for key, value in expect.items()
        if not _is_same(got.get(key), value)
    ]
    return CaseRow(
        text_of(case, "id"),
        text_of(case, "what"),
        json.dumps(expect),
        json.dumps(got),
        tuple(wrong),
        (),
        text_of(case, "source"),
    )


def _is_same(got: object, expected: object) -> bool:
    """Rates are told to three places."""
    if isinstance(got, float) and isinstance(expected, float):
        return abs(got - expected) < 0.0005
    return got == expected


def _measure(given: Fields) -> dict[str, object]:
    is_sales = purpose_of(text_of(given, "purpose") or "telemarketing") is Purpose.TELEMARKETING  # 47 CFR 64.1200(a)(6)
    is_live = voice_of(text_of(given, "voice") or "artificial") is VoiceKind.LIVE  # (b)(3) binds no live voice
    if isinstance(given.get("campaigns"), Mapping):
        campaigns = fields_of(given["campaigns"])
        return {name: _ledger(fields_of(each)).is_within_limit for name, each in campaigns.items()}
    if "answered_live" in given:
        ledger = _ledger(given)
        return {"compliant": ledger.is_within_limit, "rate": ledger.rate, "budget": ledger.budget}
    if (spoke := next((key for key in given if key.endswith("after_greeting_s")), None)) is not None:
        late = given[spoke] is None or number_of(given[spoke]) > SPEAK_WITHIN  # none: nobody ever spoke
        return {"abandoned": late or (given.get("pewc") is False), "compliant": not late}
    if "ring_s" in given:
        rang = rang_long_enough(number_of(given["ring_s"]), int(number_of(given.get("rings", 0))))
        return {"compliant": rang or not is_sales, "minimum_s": RING_SECONDS}
    if "optout_offer_start_s" in given:
        offered = opt_out_in_time(number_of(given["identification_end_s"]), number_of(given["optout_offer_start_s"]))
        return {"compliant": offered or is_live}
    if given.get("left_on") == "voicemail":
        return {"compliant": bool(given.get("toll_free_optout")) or is_live}
    return {}


def _ledger(given: Fields) -> AbandonLedger:
    return AbandonLedger(int(number_of(given["answered_live"])), int(number_of(given["abandoned"])))
