"""A clearance cannot be made by hand, and permits one number for a minute."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compliance.gate import check
from compliance.verdict import CLEARANCE_LIFE, Clearance, Finding, Refused, Rule, by_gravity

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def refused(*rules, until=None, later=()):
    findings = tuple(Finding(rule, "says", "source", until) for rule in rules)
    return Refused("+16145550123", "a", "k", "r", NOON, findings, until, "v", later)


def test_nobody_else_makes_a_clearance():
    with pytest.raises(TypeError, match="only the gate"):
        Clearance("+16145550123", "a", "k", "r", NOON, NOON + CLEARANCE_LIFE, "v")


def test_not_even_by_copying_one(book, record):
    clearance = check(record(), NOON, book)
    with pytest.raises(TypeError):
        replace(clearance, number="+16145550199", seal=None)


def test_only_the_gate_holds_the_seal():
    users = {
        path.relative_to(ROOT).as_posix()
        for package in ("api", "benchmarks", "compliance", "context", "dialer", "storage", "telephony", "voice")
        for path in ROOT.glob(f"{package}/**/*.py")
        if re.search(r"\b_SEAL\b", path.read_text(encoding="utf-8"))
    }
    assert users == {"compliance/verdict.py", "compliance/gate.py"}


def test_it_permits_its_number_for_its_time(book, record):
    clearance = check(record(), NOON, book)
    assert clearance.permits("+16145550123", NOON)
    assert not clearance.permits("+16145550199", NOON)
    assert not clearance.permits("+16145550123", NOON - timedelta(seconds=1))
    assert not clearance.permits("+16145550123", clearance.expires)


def test_without_a_receipt_it_permits_nothing(book, record):
    assert not check(record(receipt=""), NOON, book).permits("+16145550123", NOON)


@pytest.mark.parametrize(
    ("verdict", "decision", "is_hold"),
    [
        (refused(Rule.WINDOW_FEDERAL, until=NOON), "defer", True),
        (refused(Rule.WINDOW_FEDERAL), "deny", True),
        (refused(Rule.FREQ_CAP_REGF, until=NOON), "deny", False),
        (refused(Rule.CONSENT_MISSING, Rule.WINDOW_STATE), "deny", False),
        (refused(Rule.DNC_LIST_STALE), "deny", True),
        (refused(Rule.WINDOW_FEDERAL, later=(Finding(Rule.CONSENT_EXPIRED, "", ""),)), "deny", False),
    ],
)
def test_what_becomes_of_the_attempt(verdict, decision, is_hold):
    assert (verdict.decision, verdict.is_hold) == (decision, is_hold)


def test_codes_are_named_once_and_gravest_first():
    found = [
        Finding(Rule.WINDOW_STATE, "b", "s"),
        Finding(Rule.DNC_INTERNAL, "c", "s"),
        Finding(Rule.WINDOW_STATE, "a", "s"),
    ]
    assert [each.says for each in by_gravity(found)] == ["c", "a", "b"]
    assert refused(Rule.WINDOW_STATE, Rule.WINDOW_STATE).rules == (Rule.WINDOW_STATE,)


def test_what_the_person_said_can_never_be_waived():
    for rule in (Rule.DNC_INTERNAL, Rule.CONSENT_REVOKED, Rule.PERSON_ERASED, Rule.ZONE_UNKNOWN, Rule.RULES_UNREADABLE):
        assert not rule.can_be_waived
    assert Rule.STATE_ADAD_PROHIBITED.can_be_waived
