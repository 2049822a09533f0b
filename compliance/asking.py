"""Asking every rule what it says of a case, and for how long: one function a kind of rule, none knows of another. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, assert_never

from compliance.case import Bound, Case, is_lifted
from compliance.consent import Level, carrying, missing, revocations_for
from compliance.frequency import next_allowed
from compliance.hours import Clocks, hours_findings
from compliance.record import LineType, ListAnswer, Purpose, Reassigned, VoiceKind
from compliance.rules import Rulebook
from compliance.rules.schema import (
    AnyRule,
    Cap,
    ConsentNeeded,
    Duty,
    EmergencyBan,
    Hours,
    Listed,
    Prohibited,
    ReassignedCheck,
    Registration,
    RevocationReach,
    ShownCallerId,
)
from compliance.verdict import Finding, Rule
from compliance.zones import zone

CLOCK_SLACK: Final = timedelta(seconds=5)  # how far behind its own past a clock may be before it is not believed
OURSELVES: Final = "offhook (the gate itself)"


@lru_cache(maxsize=4096)
def binding(
    book: Rulebook, states: frozenset[str], purpose: Purpose, voice: VoiceKind, line: LineType, *, with_duties: bool = True
) -> tuple[Bound, ...]:
    """The rules that could forbid such a call. Duties forbid only what has words that cannot meet them."""
    return tuple(
        Bound(state, rule, ask, not isinstance(rule, Hours) and bool(rule.effective_from or rule.effective_until))
        for state, rule in book.of(states)
        if rule.binds(purpose, voice, line)
        and (with_duties or not isinstance(rule, Duty))
        and (ask := _asker(rule)) is not None
    )


def findings_of(case: Case) -> list[Finding]:
    """What every rule that binds the case says of it. All are asked, whatever the first ones say."""
    found = [*_house_matters(case), *_closed_days(case)]
    for each in case.rules:
        rule = each.rule
        if rule.lifted_by and is_lifted(rule, case):
            continue
        if not each.is_dated:
            found += each.ask(rule, case, each.state)
        elif rule.in_force(case.today) or rule.in_force(_first_local_day(case)):  # on any day it could be there
            found += [_until_repealed(one, rule, case) for one in each.ask(rule, case, each.state)]
    return found


def _until_repealed(finding: Finding, rule: AnyRule, case: Case) -> Finding:
    """A rule that ends on a day forbids nothing from then on, whatever it would have said."""
    ends = _over_at(rule.effective_until, case)
    if ends is None or (finding.until is not None and finding.until <= ends):
        return finding
    return replace(finding, until=ends)


def _asker(rule: AnyRule) -> Callable[[Any, Case, str], Sequence[Finding]] | None:
    match rule:
        case Hours():  # asks day by day whether it is in force
            return _hours
        case Cap():
            return _cap
        case ConsentNeeded():
            return _consent
        case Listed():
            return _listed
        case Prohibited():
            return _prohibited
        case EmergencyBan():
            return _emergency
        case ReassignedCheck():
            return _reassigned
        case ShownCallerId():
            return _caller_id
        case Registration():
            return _registration
        case Duty():
            return _duty
        case RevocationReach():  # says how far a no reaches, forbids nothing
            return None
        case _:
            assert_never(rule)


def _finding(code: Rule, rule: AnyRule, says: str = "", until: datetime | None = None) -> Finding:
    return Finding(code, f"{rule.says} {says}".strip(), rule.source, until, rule.id)


def _house_matters(case: Case) -> Iterator[Finding]:
    """What no rule file says: switches, erased people, special lines, a clock that contradicts the past."""
    record = case.record
    if record.is_halted:
        yield Finding(Rule.KILL_SWITCH, f"Calling is stopped: {record.is_halted}.", OURSELVES)
    if record.is_erased:
        yield Finding(
            Rule.PERSON_ERASED, "This person asked to be erased and not to be called again.", "GDPR art. 17, 21; CCPA"
        )
    latest = max((call.at for call in record.history), default=record.last_receipt_at)
    if record.last_receipt_at is not None and latest is not None:
        latest = max(latest, record.last_receipt_at)
    if latest is not None and latest > case.at + CLOCK_SLACK:
        says = "The clock is behind what has already been recorded; until it catches up no hour can be trusted."
        yield Finding(Rule.CLOCK_UNSURE, says, OURSELVES, latest - CLOCK_SLACK)
    if record.errand.purpose is Purpose.EMERGENCY:
        return
    if record.is_emergency_line:
        yield Finding(Rule.EMERGENCY_LINE, "This is an emergency line or a patient's room.", "47 CFR 64.1200(a)(1)(i)-(ii)")
    if not case.whereabouts.zones:
        says = "Where this phone is, and so what time it is there, is not known."
        yield Finding(Rule.ZONE_UNKNOWN, says, "47 CFR 64.1200(c)(1) (local time at the called party's location)")
    if record.revocations and revocations_for(record, case.at) and carrying(record, Level.EXPRESS, case.at) is None:
        says = "The person said, by any means at all, not to be called, and has not agreed again since."
        yield Finding(Rule.CONSENT_REVOKED, says, "47 CFR 64.1200(a)(10)-(11)")


def _closed_days(case: Case) -> list[Finding]:
    """Days that somebody proclaimed closed, in any state: there need be no holiday rule for it."""
    if case.record.errand.purpose is not Purpose.TELEMARKETING:
        return []
    found: list[Finding] = []
    for each in case.book.proclamations:
        if each.what != "closed_day" or each.state not in case.whereabouts.states:
            continue
        end = each.until or each.on + timedelta(days=1)
        if each.on <= case.today and _first_local_day(case) < end:
            says = f"{each.state} is closed: {each.name}."
            found.append(Finding(Rule.CLOSED_HOLIDAY, says, each.source, _over_at(end, case), f"proclaimed-{each.state}"))
    return found


def _hours(rule: Hours, case: Case, state: str) -> list[Finding]:
    return hours_findings(rule, Clocks(state, case.whereabouts.zones), case.at, case.book)


def _cap(rule: Cap, case: Case, _state: str) -> list[Finding]:
    if not case.record.history:
        return []
    until = next_allowed(rule, case.record, case.whereabouts.zones, case.at)
    return [] if until == case.at else [_finding(rule.code, rule, until=until)]


def _consent(rule: ConsentNeeded, case: Case, _state: str) -> list[Finding]:
    level = Level.WRITTEN if rule.needs == "written" else Level.EXPRESS
    return [_finding(each.rule, rule, each.says, each.until) for each in missing(case.record, level, case.at)]


def _listed(rule: Listed, case: Case, _state: str) -> list[Finding]:
    answer = case.record.list_answer(rule.list)
    if answer is None or not answer.is_covered:
        says = f"We hold no copy of the {rule.list} list for this area code, and no answer is not a no."
        return [Finding(Rule.DNC_COVERAGE_MISSING, says, rule.source, None, rule.id)] if rule.must_cover else []
    found = [_finding(rule.code, rule, _since(answer))] if answer.is_listed else []
    if rule.max_age_days is not None and not _is_fresh(answer, rule.max_age_days, case.today):
        obtained = answer.obtained_on.isoformat() if answer.obtained_on else "an unknown day"
        says = f"Our copy of the {rule.list} list is of {obtained}; after {rule.max_age_days} days it may not be relied on."
        found.append(Finding(Rule.DNC_LIST_STALE, says, rule.source, None, rule.id))
    return found


def _since(answer: ListAnswer) -> str:
    return f"On the {answer.name} list since {answer.since.date().isoformat()}." if answer.since else ""


def _is_fresh(answer: ListAnswer, days: int, today: date) -> bool:
    """47 CFR 64.1200(c)(2)(i)(D): obtained no more than so many days before the date of the call."""
    return answer.obtained_on is not None and (today - answer.obtained_on).days <= days


def _prohibited(rule: Prohibited, _case: Case, _state: str) -> list[Finding]:
    return [_finding(Rule.STATE_ADAD_PROHIBITED, rule)]


def _duty(rule: Duty, case: Case, _state: str) -> list[Finding]:
    """A duty binds the call once it is up; it forbids one whose words cannot meet it."""
    unmet = case.record.errand.unmet
    return [_finding(Rule.SCRIPT_INCOMPLETE, rule, each.why) for each in unmet if each.duty == rule.duty]


def _registration(rule: Registration, case: Case, _state: str) -> list[Finding]:
    held = case.record.errand.registrations
    return [] if held is None or rule.id in held else [_finding(Rule.REGISTRATION_MISSING, rule)]


def _emergency(rule: EmergencyBan, case: Case, state: str) -> list[Finding]:
    """Barred while an emergency lasts. A proclamation with an end says when it is over; one without does not."""
    if state in case.record.emergencies:
        return [_finding(Rule.STATE_EMERGENCY, rule)]
    for each in case.book.proclamations:
        declared = each.state == state and each.what == "emergency" and each.on <= case.today
        if declared and (each.until is None or _first_local_day(case) < each.until):
            return [_finding(Rule.STATE_EMERGENCY, rule, f"{each.name} ({each.source}).", _over_at(each.until, case))]
    return []


def _first_local_day(case: Case) -> date:
    return min((case.at.astimezone(zone(name)).date() for name in case.whereabouts.zones), default=case.at.date())


def _over_at(day: date | None, case: Case) -> datetime | None:
    if day is None or not case.whereabouts.zones:
        return None
    midnights = (datetime(day.year, day.month, day.day, tzinfo=zone(name)) for name in case.whereabouts.zones)
    return max(each.astimezone(UTC) for each in midnights)


def _reassigned(rule: ReassignedCheck, case: Case, _state: str) -> list[Finding]:
    answer = case.record.reassigned.answer
    if answer is Reassigned.NOT_ASKED:
        return [_finding(Rule.RND_REQUIRED, rule)] if rule.required else []
    if answer is Reassigned.YES and "yes" in rule.refuses:
        return [] if _agreed_since(case) else [_finding(Rule.RND_REASSIGNED, rule)]
    if answer is Reassigned.NO_DATA and "no_data" in rule.refuses:
        return [_finding(Rule.RND_NO_DATA, rule)]
    return []


def _agreed_since(case: Case) -> bool:
    """Whether whoever has the number now agreed after the database was asked: then the old owner's answer says nothing."""
    consent = carrying(case.record, Level.EXPRESS, case.at)
    asked = case.record.reassigned.asked_on
    return consent is not None and asked is not None and consent.obtained_at.date() > asked


def _caller_id(rule: ShownCallerId, case: Case, _state: str) -> list[Finding]:
    shown = case.record.errand.caller_id
    if not shown.number or not shown.is_shown:
        return [_finding(Rule.CALLER_ID_BLOCKED, rule, "No number would be shown.")]
    if not shown.is_authorised:
        return [_finding(Rule.CALLER_ID_BLOCKED, rule, "There is no proof on record that we may show this number.")]
    return []
