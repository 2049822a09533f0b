"""How far a no reaches when the person did not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.proposals import DncRequest
from compliance.record import Purpose
from compliance.rules import closed_rulebook
from compliance.scope import Scope, Scopes, parse_scopes, reaching

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
REVOKE_ALL = datetime(2027, 1, 31, tzinfo=UTC)
NO = DncRequest("+16145550123", NOW, "voice", "acme")
OFFERS = frozenset({Purpose.TELEMARKETING})


@pytest.mark.parametrize(
    ("scope", "seller", "purposes"),
    [(Scope.PURPOSE, "acme", OFFERS), (Scope.SELLER, "acme", frozenset()), (Scope.HOUSE, "", frozenset())],
)
def test_as_far_as_the_setting_says(book, scope, seller, purposes):
    assert reaching(NO, scope, "telemarketing", NOW, book) == replace(NO, seller=seller, purposes=purposes)


@pytest.mark.parametrize("scope", Scope)
def test_whom_the_person_named_is_never_narrowed(book, scope):
    everybody = replace(NO, seller="")
    assert reaching(everybody, scope, "telemarketing", NOW, book) == everybody


def test_a_no_that_was_said_to_no_call_is_not_narrowed_to_one_kind(book):
    assert reaching(NO, Scope.PURPOSE, "", NOW, book).purposes == frozenset()


def test_the_narrow_reading_ends_with_the_waiver_of_the_rule(book):
    """47 CFR 64.1200(a)(10), FCC DA 26-12: from 31 January 2027 a no to one kind of call is a no to all."""
    the_day_before = REVOKE_ALL.replace(day=30, hour=23)
    assert reaching(NO, Scope.PURPOSE, "telemarketing", the_day_before, book).purposes == OFFERS
    assert reaching(NO, Scope.PURPOSE, "telemarketing", REVOKE_ALL, book).purposes == frozenset()


def test_rules_that_cannot_be_read_narrow_nothing():
    assert reaching(NO, Scope.PURPOSE, "telemarketing", NOW, closed_rulebook("a typo")).purposes == frozenset()


def test_what_people_write_into_the_setting():
    assert parse_scopes([]) == Scopes()
    scopes = parse_scopes(["House", "Acme Solar = purpose", "A=B=seller"])
    assert scopes.of("whoever") is Scope.HOUSE
    assert scopes.of("Acme Solar") is Scope.PURPOSE
    assert scopes.of("A=B") is Scope.SELLER
    assert parse_scopes(part.strip() for part in str(scopes).split(",")) == scopes


@pytest.mark.parametrize("word", ["everything", "acme=", "acme=nobody", ""])
def test_what_means_nothing(word):
    with pytest.raises(ValueError, match="is none of: purpose, seller, house"):
        parse_scopes([word])


@given(st.sampled_from(Scope), st.sampled_from(["", *Purpose]), st.datetimes(timezones=st.just(UTC)))
def test_a_wider_setting_never_reaches_less(book, scope, purpose, at):
    """House contains seller contains purpose, on every day."""
    found = {each: reaching(NO, each, purpose, at, book) for each in Scope}
    assert found[Scope.HOUSE].seller == ""
    assert found[Scope.SELLER].seller == found[Scope.PURPOSE].seller == "acme"
    assert not found[Scope.SELLER].purposes
