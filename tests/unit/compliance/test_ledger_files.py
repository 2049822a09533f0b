"""Consents as files, in and out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.consent import Evidence, Given, TakenBack
from compliance.ledger_files import BadRow, read_csv, read_json, write_csv
from compliance.record import Purpose, Revocation

HEADER = "number,sellers,kind,obtained_at,wording,signed,names_artificial_voice,says_not_a_condition\n"
ROW = '(614) 555-0123,acme;beta,written,2026-06-01T11:00:00-04:00,"I agree, yes",yes,true,1\n'


def test_a_row(record):
    [found] = read_csv(HEADER + ROW)
    assert isinstance(found, Given)
    consent = found.consent
    assert (consent.number, consent.sellers, consent.wording) == ("+16145550123", {"acme", "beta"}, "I agree, yes")
    assert consent.obtained_at.isoformat() == "2026-06-01T15:00:00+00:00"
    assert consent.is_signed
    assert consent.names_artificial_voice
    assert consent.says_not_a_condition


def test_the_same_row_is_the_same_consent():
    first, second = read_csv(HEADER + ROW + ROW)
    assert first == second


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("12,acme,written,2026-06-01T15:00:00Z,x,yes,yes,yes", "number"),
        ("+16145550123,,written,2026-06-01T15:00:00Z,x,yes,yes,yes", "sellers"),
        ("+16145550123,acme,verbal,2026-06-01T15:00:00Z,x,yes,yes,yes", "verbal"),
        ("+16145550123,acme,written,2026-06-01,x,yes,yes,yes", "no instant"),
        ("+16145550123,acme,written,,x,yes,yes,yes", "no instant"),
        ("+16145550123,acme,written,2026-06-01T15:00:00Z,x,perhaps,yes,yes", "neither yes nor no"),
    ],
)
def test_a_bad_row_is_named_by_line_and_reason(row, why):
    good, bad = read_csv(HEADER + ROW + row + "\n")
    assert isinstance(good, Given)
    assert isinstance(bad, BadRow)
    assert bad.line == 3
    assert why in bad.why


def test_a_column_that_is_none():
    [bad] = read_csv("number,seller\n")
    assert "seller" in bad.why
    [nothing] = read_csv("")
    assert isinstance(nothing, BadRow)


def test_what_stops_being_csv():
    good, bad = read_csv(HEADER + ROW + '"' + "x" * 200_000)
    assert isinstance(good, Given)
    assert bad.why.startswith("no CSV from here on")


def test_json():
    row = {
        "number": "+16145550123",
        "sellers": ["acme"],
        "kind": "pec",
        "obtained_at": "2026-06-01T15:00:00Z",
        "wording": None,
        "signed": False,
        "purposes": ["survey"],
        "expires_at": "2027-06-01T15:00:00Z",
        "names_artificial_voice": True,
    }
    [found] = read_json(json.dumps([row]))
    assert found.consent.purposes == {Purpose.SURVEY}
    assert found.consent.wording == ""
    assert found.consent.names_artificial_voice
    assert found.consent.expires_at.year == 2027
    [bad] = read_json(json.dumps([{**row, "extra": "x"}]))
    assert "extra" in bad.why
    [nothing] = read_json("{")
    assert isinstance(nothing, BadRow)


def test_out_and_in_again(consent):
    given = Given("c1", consent(), "ann", Evidence(url="https://acme.example", ip="192.0.2.7", certificate="cert-9"))
    ended = Given("c2", consent(id="c2", expires_at=consent().obtained_at, purposes=frozenset({Purpose.SURVEY})))
    taken = TakenBack("t1", Revocation(consent().obtained_at, "voice"), "+16145550123")
    assert list(read_csv(write_csv([given, ended, taken]))) == [given, ended]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    assert all(isinstance(each, Given | BadRow) for each in read_csv(text))
    assert all(isinstance(each, Given | BadRow) for each in read_json(text))
