"""The gate: may this call be made now? Asks every rule, always, and names each one that forbids it. Pure.

`check` is a function of the record, the instant and the rule book: the same three give the same verdict, for ever. It reads
no clock, no list and no database; `compliance.store` does, and stores what comes out. This module alone makes a `Clearance`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache

from compliance.asking import OURSELVES, binding, findings_of
from compliance.case import Bound, Case, is_lifted
from compliance.hours import HORIZON, Clocks, closes_at
from compliance.record import CallRecord
from compliance.rules import Rulebook
from compliance.rules.schema import Hours, Waiver
from compliance.verdict import _SEAL, CLEARANCE_LIFE, Clearance, Finding, Refused, Rule, Verdict, by_gravity
from compliance.zones import ZoneMissing, number_problem, where, zone


def check(record: CallRecord, at: datetime, rules: Rulebook) -> Verdict:
    """The verdict on this call at this instant (aware). Every rule is asked; the order of anything never matters."""
    at = at.astimezone(UTC)
    standing, waived, case = _at(record, at, rules)
    if not standing and case is not None:
        return Clearance(
            number=record.number,
            attempt=record.attempt,
            contact=record.contact,
            receipt=record.receipt,
            valid_from=at,
            expires=_expiry(case),
            rules_version=rules.version,
            waived=waived,
            seal=_SEAL,
        )
    until, later = _earliest(record, at, rules, standing)
    return Refused(
        number=record.number,
        attempt=record.attempt,
        contact=record.contact,
        receipt=record.receipt,
        at=at,
        findings=standing,
        until=until,
        rules_version=rules.version,
        later=later,
        waived=waived,
    )


def _at(record: CallRecord, at: datetime, book: Rulebook) -> tuple[tuple[Finding, ...], tuple[Finding, ...], Case | None]:
    """What stands against the call, and what somebody has answered for. No case: nothing could be judged."""
    case = _case(record, at, book)
    if isinstance(case, Finding):
        return (case,), (), None
    found = by_gravity(findings_of(case))
    if not found or not book.waivers:
        return found, (), case
    lifted = tuple(each for each in found if each.rule.can_be_waived and _waiver(each.entry, at, book) is not None)
    return tuple(each for each in found if each not in lifted), lifted, case


def _waiver(entry: str, at: datetime, book: Rulebook) -> Waiver | None:
    live = (each for each in book.waivers if each.entry == entry and each.since <= at.date() < each.until)
    return next(live, None)


def _earliest(
    record: CallRecord, at: datetime, book: Rulebook, found: tuple[Finding, ...]
) -> tuple[datetime | None, tuple[Finding, ...]]:
    """The first instant at which nothing stands against the call, by leaping from one rule's opening to the next.

    No leap passes over a lawful instant: until each rule's own `until` that rule forbids the call. So the first instant
    reached at which all are silent is the earliest there is.
    """
    moment, standing, later = at, found, tuple[Finding, ...]()
    while moment - at <= HORIZON:
        openings = [each.until for each in standing]
        if None in openings:
            return None, later
        moment = max(each for each in openings if each is not None)
        standing, _, _ = _at(record, moment, book)
        if not standing:
            return moment, later
        later = by_gravity(each for each in standing if each.until is None)
    return None, later


def _expiry(case: Case) -> datetime:
    """Soon, and not after any window that binds the call has closed."""
    ends = [
        closes_at(rule, Clocks(state, case.whereabouts.zones), case.at, case.book)
        for state, rule in _hours_among(case.rules)
        if not is_lifted(rule, case) and _waiver(rule.id, case.at, case.book) is None
    ]
    return min([case.at + CLEARANCE_LIFE, *ends])


@lru_cache(maxsize=4096)
def _hours_among(rules: tuple[Bound, ...]) -> tuple[tuple[str, Hours], ...]:
    return tuple((each.state, each.rule) for each in rules if isinstance(each.rule, Hours))


# --- before any rule can be asked -------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _latest_day(zones: tuple[str, ...], at: datetime) -> date:
    return max((at.astimezone(zone(name)).date() for name in zones), default=at.date())


def _case(record: CallRecord, at: datetime, book: Rulebook) -> Case | Finding:
    """The case; or the one finding that keeps the gate from judging at all: then nothing else is asked, nothing passes."""
    if book.closed_because:
        return Finding(Rule.RULES_UNREADABLE, f"The rules cannot be read: {book.closed_because}", OURSELVES)
    errand = record.errand
    if not errand.seller:
        return Finding(Rule.RECORD_INCOMPLETE, "Nobody said for which seller this call is.", OURSELVES)
    problem = number_problem(record.number, book)
    if problem is not None:
        return Finding(problem[0], problem[1], "47 CFR part 52 (North American Numbering Plan)")
    whereabouts = where(record.number, record.place, at.date(), book)
    try:
        today = _latest_day(whereabouts.zones, at)
    except ZoneMissing as error:
        return Finding(Rule.ZONE_DATA_MISSING, f"Time zone data is missing: {error}.", OURSELVES)
    kind = (errand.purpose, errand.voice, record.line)
    rules = binding(book, whereabouts.states, *kind, with_duties=bool(errand.unmet))
    return Case(record, book, whereabouts, rules, at, today)
