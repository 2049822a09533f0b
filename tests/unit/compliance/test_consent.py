"""The ledger: folded from events in any order, each once, and never edited."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given as given_examples
from hypothesis import strategies as st

from compliance.consent import Evidence, Given, Level, TakenBack, carrying, defects, fold, missing
from compliance.record import Revocation
from compliance.verdict import Rule

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)


def events(consent):
    return [
        Given("g1", consent(), "ann", Evidence(url="https://acme.example/form")),
        Given("g2", consent(id="c2", obtained_at=NOON - timedelta(days=1))),
        TakenBack("t1", Revocation(NOON - timedelta(days=2), "voice", "acme"), "+16145550123", words="stop calling"),
        TakenBack("t2", Revocation(NOON, "text"), "+16145550123"),
    ]


@given_examples(order=st.permutations([0, 1, 2, 3, 0, 2, 3]))
def test_order_and_repetition_make_no_difference(consent, order):
    all_events = events(consent)
    assert fold(all_events[place] for place in order) == fold(all_events)


def test_nothing_is_ever_taken_out(consent):
    ledger = fold(events(consent))
    assert [each.id for each in ledger.consents] == ["c1", "c2"]
    assert [each.channel for each in ledger.revocations] == ["voice", "text"]


def test_the_first_event_of_an_id_stands(consent):
    changed = Given("g1", consent(wording="something else"))
    assert fold([*events(consent), changed]).consents[0].wording != "something else"


def test_the_newest_consent_carries(record, consent):
    both = record(consents=(consent(), consent(id="c2", obtained_at=NOON - timedelta(days=1))))
    assert carrying(both, Level.WRITTEN, NOON).id == "c2"
    assert carrying(record(consents=()), Level.EXPRESS, NOON) is None


def test_levels(record, consent):
    plain = consent(names_artificial_voice=False)
    assert defects(record(), plain, Level.PERMISSION, NOON) == []
    assert [each.rule for each in defects(record(), plain, Level.WRITTEN, NOON)] == [Rule.CONSENT_DEFECTIVE]


def test_missing_is_empty_when_one_carries(record, consent):
    assert missing(record(), Level.WRITTEN, NOON) == []
    future = consent(id="c2", obtained_at=NOON + timedelta(days=1))
    assert missing(record(consents=(consent(), future)), Level.WRITTEN, NOON) == []


def test_of_several_in_the_future_the_first_counts(record, consent):
    both = record(consents=tuple(consent(id=str(days), obtained_at=NOON + timedelta(days=days)) for days in (3, 1, 2)))
    [found] = missing(both, Level.WRITTEN, NOON)
    assert found.until == NOON + timedelta(days=1)


def test_of_several_that_come_equally_near_it_is_the_same_one_in_any_order(record, consent):
    flawed = [
        consent(id="c1", is_signed=False),
        consent(id="c1", names_artificial_voice=False),
        consent(id="c1", says_not_a_condition=False),
    ]
    told = [missing(record(consents=tuple(each)), Level.WRITTEN, NOON) for each in (flawed, flawed[::-1])]
    assert told[0] == told[1]


def test_of_several_that_carry_it_is_the_same_one_in_any_order(record, consent):
    both = consent(id="c1"), consent(id="c2")
    assert {carrying(record(consents=each), Level.WRITTEN, NOON).id for each in (both, both[::-1])} == {"c2"}
