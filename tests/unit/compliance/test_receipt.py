"""The chain: what it proves, and every way of breaking it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from compliance.gate import check
from compliance.receipt import GENESIS, canonical, seal, verdict_content, verify
from compliance.zones import TZDATA

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)


def chain(count=5, step=timedelta(hours=6)):
    receipts, last = [], None
    for place in range(count):
        receipts.append(seal(f"r{place}", "verdict", NOON + place * step, {"n": place}, last))
        last = receipts[-1].link
    return receipts


def test_a_day_begins_anew_and_is_tied_to_the_one_before():
    receipts = chain()
    assert [(each.day.day, each.place) for each in receipts] == [(14, 0), (14, 1), (15, 0), (15, 1), (15, 2)]
    assert receipts[0].previous == GENESIS
    assert receipts[2].previous == receipts[1].hash
    assert list(verify(receipts)) == []


def test_a_part_of_it_verifies_too():
    receipts = chain()
    assert list(verify(receipts[2:])) == []
    assert list(verify(receipts[2:], after=receipts[1].link)) == []


def test_a_clock_that_jumps_back_never_turns_the_day_back():
    first = seal("r0", "verdict", NOON, {}, None)
    second = seal("r1", "verdict", NOON - timedelta(days=2), {}, first.link)
    assert (second.day, second.place) == (date(2026, 7, 14), 1)
    assert list(verify([first, second])) == []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda chain: chain.pop(2), "does not follow"),
        (lambda chain: chain.insert(1, chain[1]), "does not follow"),
        (lambda chain: chain.reverse(), "does not follow"),
        (lambda chain: chain.__setitem__(1, replace(chain[1], body='{"n":9}')), "body is not the one"),
        (lambda chain: chain.__setitem__(1, replace(chain[1], body=None)), "no erasure says so"),
        (lambda chain: chain.__setitem__(1, replace(chain[1], id="other")), "own hash is wrong"),
        (lambda chain: chain.__setitem__(1, replace(chain[1], at=NOON)), "own hash is wrong"),
        (lambda chain: chain.__setitem__(1, replace(chain[1], kind="outcome")), "own hash is wrong"),
        (lambda chain: chain.__setitem__(1, replace(chain[1], place=7)), "place in the day"),
        (lambda chain: chain.__setitem__(3, replace(chain[3], day=date(2026, 7, 1))), "before that of"),
        (lambda chain: chain.__setitem__(4, replace(chain[4], day=date(2026, 7, 16))), "place in the day"),
    ],
)
def test_whatever_is_done_to_it_shows(spoil, says):
    receipts = chain()
    spoil(receipts)
    assert any(says in each.says for each in verify(receipts))


def test_an_erased_body_leaves_the_chain_whole():
    receipts = chain()
    receipts[1] = replace(receipts[1], body=None)
    assert list(verify(receipts, erased=frozenset({"r1"}))) == []


def test_one_meaning_one_text():
    assert canonical({"b": 1, "a": frozenset({"y", "x"})}) == '{"a":["x","y"],"b":1}'
    assert canonical({"at": NOON}) == '{"at":"2026-07-14T16:00:00Z"}'
    with pytest.raises(TypeError):
        canonical({"a": object()})


def test_a_nonce_is_in_the_body_and_goes_with_it():
    plain, salted = seal("r", "verdict", NOON, {"n": 1}, None), seal("r", "verdict", NOON, {"n": 1}, None, "abc")
    assert salted.body == '{"n":1,"nonce":"abc"}'
    assert salted.body_sha256 != plain.body_sha256
    assert list(verify([replace(salted, body=None)], erased=frozenset({"r"}))) == []


def test_a_verdict_holds_every_input_and_version(book, record):
    refused = record(consents=(), is_halted="x")
    body = json.loads(canonical(verdict_content(refused, check(refused, NOON, book))))
    assert body["rules_version"] == book.version
    assert body["tzdata"] == TZDATA
    assert body["inputs"]["lists"][0]["generation"] == "national/gen-000001"
    assert [each["rule"] for each in body["findings"]] == ["KILL_SWITCH", "CONSENT_MISSING"]
    assert body["until"] is None


def test_a_wording_is_named_by_its_digest(book, record):
    allowed = record()
    body = canonical(verdict_content(allowed, check(allowed, NOON, book)))
    assert "AI-generated" not in body
    assert json.loads(body)["inputs"]["consents"][0]["wording"].startswith("sha256:")
    assert json.loads(body)["expires"] == "2026-07-14T16:01:00Z"
