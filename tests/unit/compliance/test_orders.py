"""Standing orders: put in force, lifted, and whom a halt reaches."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.orders import Halt, Lift, halted, states_of, under_orders
from compliance.proposals import ProposedCall
from compliance.receipt import canonical
from compliance.record import Place
from compliance.rules import closed_rulebook
from compliance.rules.schema import Proclamation, Waiver

HALT = Halt("h1", "state:OH", "Jo", "storm")
WAIVER = Waiver(entry="wa-adad", by="Jo", reason="advice", since=date(2026, 7, 1), until=date(2026, 8, 1))
CLOSED = Proclamation(state="LA", what="closed_day", name="Storm", source="Governor", on=date(2026, 7, 14))


def row(order):
    return type(order).__name__.lower(), canonical(order)


def test_orders_in_force(book):
    rules, halts = under_orders(book, [row(HALT), row(WAIVER), row(CLOSED)])
    assert (rules.waivers, halts) == ((WAIVER,), [HALT])
    assert rules.proclamations[-1] == CLOSED
    assert rules.version == book.version


def test_none_leaves_the_book_as_it_is(book):
    assert under_orders(book, []) == (book, [])


@pytest.mark.parametrize(("what", "id", "left"), [("halt", "h1", 0), ("waiver", "wa-adad", 1), ("proclamation", "Storm", 2)])
def test_a_lift_ends_its_own_order_and_no_other(book, what, id, left):
    rules, halts = under_orders(book, [row(HALT), row(WAIVER), row(CLOSED), row(Lift(what, id, "Jo", "over"))])
    standing = [bool(halts), bool(rules.waivers), len(rules.proclamations) > len(book.proclamations)]
    assert standing == [place != left for place in range(3)]


def test_an_order_given_again_after_its_lift_holds(book):
    _, halts = under_orders(book, [row(HALT), row(Lift("halt", "h1", "Jo", "over")), row(HALT)])
    assert halts == [HALT]


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        ("", True),
        ("seller:acme", True),
        ("seller:other", False),
        ("campaign:autumn", True),
        ("state:OH", True),
        ("state:TX", False),
    ],
)
def test_whom_a_halt_reaches(book, errand, scope, reached):
    proposed = ProposedCall("+16145550123", errand())
    said = halted([Halt("h", scope, "Jo", "storm")], proposed, book)
    assert said == ("storm (Jo)" if reached else "")


def test_where_a_call_would_go(book, errand):
    assert states_of(ProposedCall("+12125550123", errand(), place=Place(state="CA")), book) == {"NY", "CA"}
    assert states_of(ProposedCall("nonsense", errand()), book) == frozenset()
    assert states_of(ProposedCall("+12125550123", errand()), closed_rulebook("typo")) == frozenset()
    assert halted([], ProposedCall("+12125550123", errand()), book) == ""
