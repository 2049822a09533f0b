"""Verdicts in sentences, and campaigns before they start."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from compliance.explain import cure, explain, explain_break, moment
from compliance.gate import check
from compliance.preflight import Preflight, describe, preflight
from compliance.receipt import Break
from compliance.record import ListAnswer
from compliance.rules.schema import Waiver
from compliance.verdict import Rule

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)
NIGHT = datetime(2026, 7, 15, 3, 0, tzinfo=UTC)
OHIO = ("America/New_York",)


def test_a_clearance(book, record):
    told = explain(check(record(), NOON, book))
    assert told[0] == "+1614•••0123 may be called: no rule forbids it."
    assert book.version in told[-1]


def test_a_refusal_names_its_paragraph_and_its_end(book, record):
    told = explain(check(record(), NIGHT, book), OHIO)
    assert "[WINDOW_FEDERAL; 47 CFR 64.1200(c)(1); 16 CFR 310.4(c)]" in told[1]
    assert told[1].endswith("This one ends Wed 15 Jul 2026 08:00 EDT.")
    assert told[2] == "If nothing else changes, the first lawful moment is Wed 15 Jul 2026 08:00 EDT."


def test_no_number_is_told_in_clear(book, record):
    for verdict in (check(record(), NOON, book), check(record(consents=()), NIGHT, book)):
        assert not any("6145550123" in sentence for sentence in explain(verdict, OHIO))


def test_when_waiting_does_not_help(book, record):
    assert "Waiting does not help." in explain(check(record(consents=()), NOON, book))
    assert "Waiting does not help; the operator must act first." in explain(check(record(is_halted="x"), NOON, book))


def test_what_was_waived_and_what_will_stand_then(book, record, consent):
    waiver = Waiver(entry="wa-adad", by="Jo", reason="advice", since=date(2026, 7, 1), until=date(2026, 8, 1))
    waived = book.with_waivers([waiver])
    assert any(each.startswith("Waived: Washington") for each in explain(check(record(number="+12065550123"), NOON, waived)))
    assert any(
        each.startswith("Waived: ")
        for each in explain(check(record(number="+12065550123"), NIGHT + timedelta(hours=4), waived))
    )
    ending = record(consents=(consent(expires_at=NIGHT + timedelta(hours=1)),))
    assert any(each.startswith("And by then: ") for each in explain(check(ending, NIGHT, book)))


def test_moments():
    assert moment(NOON) == "Tue 14 Jul 2026 16:00 UTC"
    assert moment(NOON, ("America/Chicago", "America/New_York")) == "Tue 14 Jul 2026 11:00 CDT / Tue 14 Jul 2026 12:00 EDT"


def test_a_break_and_a_cure():
    assert (
        explain_break(Break(date(2026, 7, 14), 3, "r3", "its own hash is wrong"))
        == "2026-07-14 #3 (r3): its own hash is wrong."
    )
    assert "offhook dnc load" in cure(Rule.DNC_LIST_STALE)
    assert cure(Rule.DNC_INTERNAL) == ""


class TestPreflight:
    def test_counts_everybody_once_and_every_rule_that_spoke(self, book, record, errand):
        texas = record(number="+12145550123")
        records = [
            record(),
            record(),
            replace(texas, consents=()),
            replace(texas, is_halted="x (y)"),
            replace(texas, lists=(ListAnswer("internal", is_listed=True), texas.lists[0])),
        ]
        result = preflight(records, NOON, book)
        assert (result.contacts, result.now, result.later, result.never, result.held) == (5, 2, 0, 2, 1)
        assert result.stopped_by == {
            Rule.CONSENT_MISSING: 1,
            Rule.KILL_SWITCH: 1,
            Rule.DNC_INTERNAL: 1,
            Rule.DNC_COVERAGE_MISSING: 1,
        }
        told = describe(result, 1.0)
        assert told[0] == "5 contacts: 2 can be called now, 0 later, 2 not at all."
        assert told[1].endswith("is missing): 1.")
        stopped = told.index("CONSENT_MISSING stops 1, 0 of them by itself.")
        assert "47 CFR 64.1200(a)(2)" in told[stopped + 1]
        assert told[stopped + 2] == "    To do: record a consent: offhook consent record."
        assert told[-1].endswith("placed by 2026-07-14 16:00 UTC at the earliest.")

    def test_openings_and_the_end_at_a_pace(self, book, record):
        result = preflight([record()] * 120 + [record(number="+12145550123")] * 60, NIGHT, book)
        ohio, texas = datetime(2026, 7, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 14, tzinfo=UTC)
        assert result.opens == {ohio: 120, texas: 60}
        assert result.finished_by(1.0) == texas + timedelta(seconds=60)
        assert result.finished_by(0.01) == ohio + timedelta(seconds=18_000)

    def test_nobody_at_all(self, book):
        result = preflight([], NOON, book)
        assert result.finished_by(1.0) is None
        assert describe(result, 1.0) == ["0 contacts: 0 can be called now, 0 later, 0 not at all."]
        assert isinstance(result, Preflight)
