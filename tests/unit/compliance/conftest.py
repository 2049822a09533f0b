"""The shipped rule book, and a lawful call to spoil in one way at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from compliance.record import (
    CallerId,
    CallRecord,
    Consent,
    ConsentKind,
    Errand,
    ListAnswer,
    Purpose,
    Reassigned,
    ReassignedAnswer,
    VoiceKind,
)
from compliance.rules import load_rulebook

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)  # a Tuesday; noon in Ohio
ANN = "+16145550123"
BOOK = load_rulebook()


@pytest.fixture(scope="session")
def book():
    return BOOK


@pytest.fixture(scope="session")
def noon():
    return NOON


def make_consent(**changes):
    whole = Consent(
        id="c1",
        kind=ConsentKind.WRITTEN,
        number=ANN,
        sellers=frozenset({"acme"}),
        obtained_at=datetime(2026, 6, 1, 15, tzinfo=UTC),
        wording="I agree that Acme may call me with an AI-generated voice; agreeing is no condition of buying.",
        is_signed=True,
        names_artificial_voice=True,
        says_not_a_condition=True,
    )
    return replace(whole, **changes)


def make_errand(**changes):
    shown = CallerId("+16145550100", is_shown=True, is_authorised=True)
    whole = Errand("acme", Purpose.TELEMARKETING, VoiceKind.ARTIFICIAL, "solar", "autumn", shown)
    return replace(whole, **changes)


def make_record(**changes):
    """A call that may be made: consented, fresh list, noon on a Tuesday in Ohio. A changed number is consented too."""
    number = changes.get("number", ANN)
    whole = CallRecord(
        number=number,
        errand=make_errand(),
        person="ann",
        contact="k1",
        attempt="a1",
        receipt="r1",
        consents=(make_consent(number=number),),
        lists=(
            ListAnswer("national", is_listed=False, obtained_on=date(2026, 7, 10), generation="national/gen-000001"),
            ListAnswer("internal", is_listed=False, generation="live"),
        ),
        reassigned=ReassignedAnswer(Reassigned.NO, date(2026, 7, 1)),
    )
    return replace(whole, **changes)


@pytest.fixture(scope="session")
def consent():
    return make_consent


@pytest.fixture(scope="session")
def errand():
    return make_errand


@pytest.fixture(scope="session")
def record():
    return make_record
