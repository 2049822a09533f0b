"""A verdict in plain sentences, each with its paragraph, for whoever asks why somebody was called, or was not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from compliance.receipt import Break
from compliance.verdict import Clearance, Finding, Rule, Verdict
from compliance.zones import TZDATA, zone
from telephony.number import mask


def explain(verdict: Verdict, zones: Sequence[str] = ()) -> list[str]:
    """The verdict, one sentence a line. `zones`, if given, are those in which instants are told (else UTC)."""
    number = mask(verdict.number)
    if isinstance(verdict, Clearance):
        told = [f"{number} may be called: no rule forbids it."]
        told += [f"Waived: {_finding(each, zones)}" for each in verdict.waived]
        return [*told, f"Asked of rule book {verdict.rules_version}, time zones of tzdata {TZDATA}."]
    told = [f"{number} may not be called now."]
    told += [f"{_finding(each, zones)} {_alone(each, zones)}".rstrip() for each in verdict.findings]
    told += [f"Waived: {_finding(each, zones)}" for each in verdict.waived]
    told += [f"And by then: {_finding(each, zones)}" for each in verdict.later]
    if verdict.until is not None:
        told.append(f"If nothing else changes, the first lawful moment is {moment(verdict.until, zones)}.")
    elif verdict.is_hold:
        told.append("Waiting does not help; the operator must act first.")
    else:
        told.append("Waiting does not help.")
    return [*told, f"Asked of rule book {verdict.rules_version}, time zones of tzdata {TZDATA}."]


def _finding(finding: Finding, zones: Sequence[str]) -> str:
    return f"{finding.says} [{finding.rule.value}; {finding.source}]"


def _alone(finding: Finding, zones: Sequence[str]) -> str:
    return "" if finding.until is None else f"This one ends {moment(finding.until, zones)}."


def moment(at: datetime, zones: Sequence[str] = ()) -> str:
    """An instant for people: in each zone the phone could be in, or in UTC when none is known."""
    if not zones:
        return f"{at.astimezone(UTC):%a} {at.astimezone(UTC).day} {at.astimezone(UTC):%b %Y %H:%M} UTC"
    locals_ = [at.astimezone(zone(name)) for name in zones]
    return " / ".join(f"{each:%a} {each.day} {each:%b %Y %H:%M %Z}" for each in locals_)


def explain_break(found: Break) -> str:
    """Where a chain of receipts does not hold."""
    return f"{found.day.isoformat()} #{found.place} ({found.id}): {found.says}."


CURES: dict[Rule, str] = {
    Rule.CONSENT_MISSING: "record a consent: offhook consent record",
    Rule.DNC_COVERAGE_MISSING: "load the registry for this area code: offhook dnc load",
    Rule.DNC_LIST_STALE: "download the registry again and load it: offhook dnc load",
    Rule.CALLER_ID_BLOCKED: "show a number you hold proof for (TWILIO_FROM)",
    Rule.RULES_UNREADABLE: "mend the rule file that is named",
    Rule.SCRIPT_INCOMPLETE: "mend the agent's file (OFFHOOK_AGENTS); it is read again at once",
    Rule.RND_REQUIRED: "ask the Reassigned Numbers Database and record its answer",
}


def cure(rule: Rule) -> str:
    """What the operator can do about it, if anything."""
    return CURES.get(rule, "")
