"""What a call must say and do, judged from what was measured."""

from __future__ import annotations

from datetime import date

import pytest

from compliance.disclosure import breaches, duties
from compliance.record import LineType, Purpose, VoiceKind

TODAY = date(2026, 7, 14)
GOOD = {
    "greeting_ended": 1.0,
    "first_audio": 1.6,
    "identified": 4.0,
    "opt_out_offered": 5.5,
    "ai_disclosed": 2.5,
    "recording_disclosed": 8.0,
    "purpose_said": 6.0,
    "callback_given": 30.0,
}


@pytest.fixture
def bound(book, errand):
    def of(*states, **changes):
        return duties(errand(**changes), LineType.UNKNOWN, frozenset(states), TODAY, book)

    return of


def found(bound, answered_by="person", **changes):
    measured = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return [each.entry for each in breaches(bound, measured, answered_by=answered_by)]


def test_a_good_call_breaks_nothing(bound):
    assert found(bound()) == []


@pytest.mark.parametrize(
    ("changes", "entry"),
    [
        ({"opt_out_offered": 6.1}, "us-opt-out"),
        ({"opt_out_offered": None}, "us-opt-out"),
        ({"first_audio": 3.1}, "us-speak"),
        ({"identified": None}, "us-identify"),
        ({"purpose_said": None}, "us-purpose"),
        ({"callback_given": None}, "us-callback-number"),
        ({"ai_disclosed": None}, "house-disclose-ai"),
        ({"recording_disclosed": None}, "house-disclose-recording"),
        ({"opt_out_asked": 20.0, "ended": 31.0}, "us-end-on-opt-out"),
        ({"opt_out_asked": 20.0}, "us-end-on-opt-out"),
    ],
)
def test_one_duty_not_met(bound, changes, entry):
    assert entry in found(bound(), **changes)


def test_ended_soon_enough_after_an_opt_out(bound):
    assert found(bound("WA"), opt_out_asked=20.0, ended=24.0) == []


def test_a_states_own_times(bound):
    assert found(bound("CT"), identified=10.5, opt_out_offered=11.0) == ["ct-identify"]
    assert found(bound("FL"), identified=10.5, opt_out_offered=11.0) == []


def test_a_machine_is_told_a_toll_free_number_and_owes_no_greeting(bound):
    quiet = {"greeting_ended": None, "first_audio": None, "opt_out_offered": None, "ai_disclosed": None}
    assert found(bound(), "machine", recording_disclosed=None, **quiet) == ["us-voicemail-number"]
    assert found(bound(), "machine", recording_disclosed=None, toll_free_given=12.0, **quiet) == []


def test_nobody_is_owed_fifteen_seconds_of_ringing(bound):
    assert found(bound(), "nobody", rang=12.0) == ["us-ring"]
    assert found(bound(), "nobody", rang=15.0) == []
    assert found(bound(), "nobody") == ["us-ring"]


def test_a_live_agent_and_another_errand_owe_less(bound):
    live = {each.id for each in bound(voice=VoiceKind.LIVE)}
    assert "us-opt-out" not in live
    assert "us-purpose" in live
    survey = {each.id for each in bound(purpose=Purpose.SURVEY)}
    assert "us-purpose" not in survey


def test_it_says_what_was_measured(bound):
    [breach] = breaches(bound(), {**GOOD, "opt_out_offered": 6.1}, answered_by="person")
    assert breach.found == "opt_out_offered came 2.10 s after identified; 2 s are allowed."
    assert breach.source.startswith("47 CFR 64.1200(b)(3)")
    [rang] = breaches(bound(), {"rang": 3.0}, answered_by="nobody")
    assert rang.found == "It rang for 3.0 s."
