"""Caps: what counts, and when there is room again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from compliance.frequency import counted, next_allowed
from compliance.record import PastCall
from compliance.rules.schema import Cap

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)
OHIO = ("America/New_York",)


def cap(**fields):
    rule = {"id": "x", "says": "Cap.", "source": "test", "confidence": "high", "code": "FREQ_CAP_STATE", "most": 3}
    return msgspec.convert({"kind": "cap", **rule, **fields}, Cap)


def ago(*hours, **fields):
    return tuple(PastCall(NOON - timedelta(hours=each), **fields) for each in hours)


@pytest.mark.parametrize(
    ("history", "until"),
    [
        ((), 0),
        (ago(1, 2), 0),
        (ago(1, 2, 3), 21),
        (ago(3, 1, 2), 21),
        (ago(1, 2, 24), 0),  # exactly 24 hours old: outside
        (ago(1, 2, 3, 4), 21),  # one too many already: three must be gone but two
        (ago(1, 2, 23.9), 0.1),
    ],
)
def test_rolling_hours(record, history, until):
    found = next_allowed(cap(hours=24), record(history=history), OHIO, NOON)
    assert found == NOON + timedelta(hours=until)


def test_the_moment_there_is_room_there_is_room(record):
    spoiled = record(history=ago(1, 2, 3))
    until = next_allowed(cap(hours=24), spoiled, OHIO, NOON)
    assert next_allowed(cap(hours=24), spoiled, OHIO, until) == until
    assert next_allowed(cap(hours=24), spoiled, OHIO, until - timedelta(microseconds=1)) == until


@pytest.mark.parametrize(
    ("fields", "history", "count"),
    [
        ({"same_subject": True}, ago(1, subject="solar") + ago(2, subject="windows"), 1),
        ({"same_subject": True}, ago(1, subject="solar") + ago(2), 2),  # who knows what that one was about
        ({}, ago(1, subject="solar") + ago(2, subject="windows"), 2),
        ({}, ago(1, seller="acme") + ago(2, seller="other") + ago(3), 2),
        ({"same_seller": False}, ago(1, seller="acme") + ago(2, seller="other"), 2),
        ({"same_number": True}, ago(1, number="+16145550123") + ago(2, number="+16145550199") + ago(3), 2),
        ({"counts": "conversations"}, ago(1) + ago(2, is_conversation=True), 1),
        ({}, ago(-1), 0),
    ],
)
def test_what_counts(record, fields, history, count):
    assert len(counted(cap(hours=24, **fields), record(history=history), NOON)) == count


def test_an_errand_about_nobody_knows_what_counts_everything(record, errand):
    past = record(errand=errand(subject=""), history=ago(1, subject="solar") + ago(2))
    assert len(counted(cap(hours=24, same_subject=True), past, NOON)) == 2


class TestDays:
    def test_a_full_day_ends_at_midnight_there(self, record):
        full = record(history=ago(1))
        assert next_allowed(cap(most=1, per_local_day=True), full, OHIO, NOON) == datetime(2026, 7, 15, 4, tzinfo=UTC)
        assert next_allowed(cap(most=2, per_local_day=True), full, OHIO, NOON) == NOON

    def test_yesterday_does_not_count(self, record):
        assert next_allowed(cap(most=1, per_local_day=True), record(history=ago(13)), OHIO, NOON) == NOON

    def test_in_two_zones_both_days_must_be_over(self, record):
        zones = ("America/New_York", "America/Los_Angeles")
        late = datetime(2026, 7, 15, 5, tzinfo=UTC)  # past midnight in New York, not in Los Angeles
        full = record(history=(PastCall(late - timedelta(hours=2)),))
        found = next_allowed(cap(most=1, per_local_day=True), full, zones, late)
        assert found == datetime(2026, 7, 15, 7, tzinfo=UTC)

    def test_unknown_zones_bind_nothing_here(self, record):
        assert next_allowed(cap(most=1, per_local_day=True), record(history=ago(1)), (), NOON) == NOON
