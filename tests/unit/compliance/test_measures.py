"""The counters the law wants, as it defines them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from compliance.measures import (
    AbandonLedger,
    LiveAnswer,
    abandon_ledger,
    is_abandoned,
    live_answer,
    opt_out_in_time,
    rang_long_enough,
)

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answered", "abandoned", "within", "budget"),
    [(1000, 30, True, 0), (1000, 31, False, -1), (33, 1, False, -1), (34, 1, True, 0), (0, 0, True, 0), (200, 0, True, 6)],
)
def test_three_percent(answered, abandoned, within, budget):
    ledger = AbandonLedger(answered, abandoned)
    assert (ledger.is_within_limit, ledger.budget) == (within, budget)


def test_the_rate():
    assert AbandonLedger(0, 0).rate == 0.0
    assert AbandonLedger(200, 3).rate == 0.015


@pytest.mark.parametrize(
    ("first_audio", "identified", "abandoned"),
    [(0.0, True, False), (2.0, True, False), (2.01, True, True), (None, True, True), (0.5, False, True)],
)
def test_what_abandons_a_call(first_audio, identified, abandoned):
    assert is_abandoned(LiveAnswer("c", NOON, first_audio, identified)) is abandoned


def test_a_campaigns_last_thirty_days():
    answers = [
        LiveAnswer("c", NOON, 0.5),
        LiveAnswer("c", NOON - timedelta(days=29), None),
        LiveAnswer("c", NOON - timedelta(days=30), None),
        LiveAnswer("c", NOON + timedelta(seconds=1), None),
        LiveAnswer("other", NOON, None),
    ]
    assert abandon_ledger(answers, "c", NOON) == AbandonLedger(2, 1)


@pytest.mark.parametrize(("seconds", "rings", "enough"), [(15, 0, True), (14.9, 3, False), (12, 4, True)])
def test_ringing(seconds, rings, enough):
    assert rang_long_enough(seconds, rings) is enough


@pytest.mark.parametrize(("offered", "in_time"), [(5.5, True), (6.0, True), (6.1, False), (3.0, True)])
def test_the_opt_out_after_the_identification(offered, in_time):
    assert opt_out_in_time(4.0, offered) is in_time


@pytest.mark.parametrize(
    ("measured", "abandoned"),
    [
        ({"greeting_ended": 1.0, "first_audio": 2.9, "identified": 4.0}, False),
        ({"greeting_ended": 1.0, "first_audio": 3.1, "identified": 4.0}, True),
        ({"first_audio": 0.4, "identified": 2.0}, False),
        ({"first_audio": 0.4}, True),
        ({}, True),
    ],
)
def test_a_live_answer_from_what_was_measured(measured, abandoned):
    assert is_abandoned(live_answer("c", NOON, measured)) is abandoned
