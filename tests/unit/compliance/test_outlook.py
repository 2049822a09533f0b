"""One verdict for all that the gate cannot tell apart: whom it is shared by, and whom it is not."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from compliance import outlook as module
from compliance.outlook import Outlook, Outlooks, outlook
from compliance.record import (
    CallRecord,
    ConsentKind,
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
from compliance.rules import closed_rulebook
from compliance.verdict import Rule

NOON = datetime(2026, 7, 14, 16, tzinfo=UTC)
NIGHT = datetime(2026, 7, 15, 3, tzinfo=UTC)
MORNING = datetime(2026, 7, 15, 12, tzinfo=UTC)  # 8 a.m. in Ohio


@pytest.fixture
def judged(monkeypatch):
    """The numbers that the gate itself was asked about, in order."""
    asked = []

    def noting(record, at, book):
        asked.append(record.number)
        return outlook(record, at, book)

    monkeypatch.setattr(module, "outlook", noting)
    return asked


def ending(record, number, ends):
    whole = record(number=number)
    return replace(whole, consents=(replace(whole.consents[0], expires_at=ends),))


class TestOneOutlook:
    def test_of_a_clearance(self, book, record):
        assert outlook(record(), NOON, book) == Outlook(is_clear=True, seen_until=NOON)

    def test_of_a_refusal(self, book, record):
        found = outlook(record(consents=()), NOON, book)
        assert (found.is_clear, found.is_hold, found.until, found.rules) == (False, False, None, (Rule.CONSENT_MISSING,))
        assert {entry for _, entry, _ in found.entries} == {"us-written-consent"}
        assert found.seen_until == NOON

    def test_of_a_wait(self, book, record):
        found = outlook(record(), NIGHT, book)
        assert (found.until, found.rules, found.seen_until) == (MORNING, (Rule.WINDOW_FEDERAL,), MORNING)

    def test_of_a_wait_for_nothing(self, book, record):
        found = outlook(ending(record, "+16145550123", NIGHT + timedelta(hours=1)), NIGHT, book)
        assert (found.until, found.seen_until) == (None, None)


class TestShared:
    def test_by_numbers_of_one_place(self, book, record, judged):
        outlooks = Outlooks(NOON, book)
        numbers = ["+16145550123", "+16145550124", "+17405550123"]
        assert all(outlooks.of(record(number=number)).is_clear for number in numbers)
        assert judged == numbers[:1]

    def test_until_the_errand_changes(self, book, record, errand, judged):
        outlooks = Outlooks(NOON, book)
        for changed in (errand(), errand(), errand(seller="beta")):
            outlooks.of(record(errand=changed))
        assert len(judged) == 2

    def test_by_consents_that_run_out_after_all_that_was_looked_at(self, book, record, judged):
        outlooks = Outlooks(NIGHT, book)
        for minutes in (1, 2):
            assert outlooks.of(ending(record, "+16145550123", MORNING + timedelta(minutes=minutes))).until == MORNING
        assert outlooks.of(record()).until == MORNING
        assert len(judged) == 1
        assert outlooks.of(ending(record, "+16145550123", MORNING)).until is None
        assert len(judged) == 2

    def test_not_from_one_whose_consent_ran_out_meanwhile(self, book, record):
        outlooks = Outlooks(NIGHT, book)
        assert outlooks.of(ending(record, "+16145550123", MORNING)).until is None
        assert outlooks.of(record()).until == MORNING

    def test_by_so_many_and_no_more(self, book, record, judged, monkeypatch):
        monkeypatch.setattr(module, "KEPT", 1)
        outlooks = Outlooks(NOON, book)
        for number in ("+16145550123", "+12145550123", "+12145550124", "+16145550125"):
            outlooks.of(record(number=number))
        assert judged == ["+16145550123", "+12145550123", "+12145550124"]

    def test_by_all_who_have_no_number_at_all(self, book, record, judged):
        outlooks = Outlooks(NOON, book)
        for number in ("+16145550123", "+16145", "+1614555"):
            outlooks.of(record(number=number, consents=()))
        assert judged == ["+16145550123", "+16145"]


class TestAlone:
    @pytest.mark.parametrize(
        "fact",
        [
            {"history": (PastCall(NOON - timedelta(hours=1)),)},
            {"revocations": (Revocation(NOON - timedelta(days=1), "voice"),)},
            {"reassigned": ReassignedAnswer(Reassigned.YES, date(2026, 7, 1))},
            {"last_receipt_at": NOON},
        ],
    )
    def test_whoever_has_an_instant_of_their_own(self, book, record, judged, fact):
        outlooks = Outlooks(NOON, book)
        outlooks.of(record(**fact))
        outlooks.of(record(**fact))
        assert len(judged) == 2

    def test_a_consent_to_come(self, book, record, judged):
        outlooks = Outlooks(NOON, book)
        later = replace(record().consents[0], obtained_at=NOON + timedelta(hours=1))
        for _ in range(2):
            assert outlooks.of(record(consents=(later,))).until == NOON + timedelta(hours=1)
        assert len(judged) == 2

    def test_under_a_book_that_cannot_be_read(self, record):
        assert Outlooks(NOON, closed_rulebook("a typo")).of(record()).rules == (Rule.RULES_UNREADABLE,)


LIVE, LISTED = {"voice": VoiceKind.LIVE}, (ListAnswer("national", is_listed=True, obtained_on=date(2026, 7, 10)),)


@pytest.mark.parametrize(
    ("errand_is", "both", "one", "other"),
    [
        ({"purpose": Purpose.INFORMATIONAL}, {"consents": ()}, {"line": LineType.LANDLINE}, {"line": LineType.WIRELESS}),
        (LIVE, {"lists": LISTED, "consents": ()}, {"is_business": True}, {"is_business": False}),
        (LIVE, {"lists": LISTED, "consents": ()}, {"relationship": Relationship(date(2026, 5, 1))}, {"relationship": None}),
        (LIVE, {"number": "+15045550123"}, {"emergencies": frozenset({"LA"})}, {"emergencies": frozenset()}),
        (LIVE, {"consents": ()}, {"number": "+16145550123"}, {"number": "+18005550123"}),
        ({}, {}, {"is_emergency_line": True}, {"is_emergency_line": False}),
        ({}, {}, {"reassigned": ReassignedAnswer(Reassigned.NO)}, {"reassigned": ReassignedAnswer(Reassigned.NO_DATA)}),
        ({}, {}, {"is_erased": True}, {"is_erased": False}),
        ({}, {}, {"is_halted": "a storm (Jo)"}, {"is_halted": ""}),
        ({}, {}, {"place": Place("WA")}, {"place": Place()}),
        (
            {},
            {"number": "+18085550123"},
            {"place": Place(stated_zone="America/New_York", stated_state="NY", stated_on=date(2026, 7, 1))},
            {"place": Place(stated_zone="America/New_York", stated_state="NY", stated_on=date(2020, 7, 1))},
        ),
    ],
)
def test_what_tells_two_records_apart(book, record, errand, errand_is, both, one, other):
    records = [record(**{"errand": errand(**errand_is), **both, **each}) for each in (one, other)]
    outlooks = Outlooks(NOON, book)
    own = [outlook(each, NOON, book) for each in records]
    assert own[0] != own[1]
    assert [outlooks.of(each) for each in records] == own


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": ConsentKind.EXPRESS},
        {"number": "+16145550999"},
        {"sellers": frozenset({"beta"})},
        {"purposes": frozenset({Purpose.SURVEY})},
        {"wording": " "},
        {"is_signed": False},
        {"names_artificial_voice": False},
        {"says_not_a_condition": False},
        {"expires_at": NOON},
    ],
)
def test_what_tells_two_consents_apart(book, record, changed):
    whole, outlooks = record(), Outlooks(NOON, book)
    assert outlooks.of(whole).is_clear
    assert not outlooks.of(replace(whole, consents=(replace(whole.consents[0], **changed),))).is_clear


@pytest.mark.parametrize(
    "changed", [{"is_listed": True}, {"is_covered": False}, {"obtained_on": date(2026, 1, 1)}, {"name": "litigator"}]
)
def test_what_tells_two_lists_apart(book, record, errand, changed):
    whole, outlooks = record(errand=errand(**LIVE), consents=()), Outlooks(NOON, book)
    assert outlooks.of(whole).is_clear
    assert not outlooks.of(replace(whole, lists=(replace(whole.lists[0], **changed), whole.lists[1]))).is_clear


def test_whoever_adds_a_fact_to_the_record_must_say_whether_it_tells_two_apart():
    told_apart = "number errand place line is_emergency_line is_business consents revocations lists history relationship"
    told_apart += " reassigned emergencies is_erased is_halted last_receipt_at"
    names_alone = "person contact attempt receipt"
    assert {field.name for field in fields(CallRecord)} == {*told_apart.split(), *names_alone.split()}
