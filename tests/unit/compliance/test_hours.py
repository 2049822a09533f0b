"""Hours by the clock on the wall: openings, closings, and the days the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from compliance.hours import Clocks, closes_at, hours_findings, next_open
from compliance.rules.schema import Hours
from compliance.verdict import Rule
from compliance.zones import zone


def hours(daily, **fields):
    rule = {"id": "x", "says": "Hours.", "source": "test", "confidence": "high", "code": "WINDOW_STATE", "daily": daily}
    return msgspec.convert({"kind": "hours", **rule, **fields}, Hours)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


US_ZONES = [
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Boise",
    "America/Anchorage",
    "America/Adak",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "Pacific/Guam",
    "Pacific/Pago_Pago",
]


def changes_of_the_clocks(name, years):
    """The instants, to the hour, at which this zone's offset changes."""
    clock = zone(name)
    for year in years:
        at = datetime(year, 1, 1, tzinfo=UTC)
        while at.year == year:
            if at.astimezone(clock).utcoffset() != (at + timedelta(hours=1)).astimezone(clock).utcoffset():
                yield at + timedelta(hours=1)
            at += timedelta(hours=1)


def lawful(at, names, start=8 * 60, end=21 * 60):
    """The rule read naively, off the wall: what `next_open` must agree with."""
    walls = [at.astimezone(zone(name)) for name in names]
    return all(start <= wall.hour * 60 + wall.minute < end for wall in walls)


@pytest.mark.parametrize("name", US_ZONES)
def test_around_every_change_of_the_clocks_for_ten_years(book, name):
    rule, clocks = book.entry("us-hours"), Clocks("US", (name,))
    moments = list(changes_of_the_clocks(name, range(2026, 2036))) or [utc("2026-03-08T07:00")]
    for change in moments:
        for shift in (-13, -5, -1, 0, 3, 11, 17):
            at = change + timedelta(hours=shift, minutes=30)
            found = next_open(rule, clocks, at, book)
            expected = at
            while not lawful(expected, [name]):
                expected += timedelta(minutes=30)
            assert found == expected, (name, at)


def test_two_zones_must_both_be_open(book):
    clocks = Clocks("US", ("America/Chicago", "America/New_York"))
    assert next_open(book.entry("us-hours"), clocks, utc("2026-07-14T12:30"), book) == utc("2026-07-14T13:00")
    # Open in Chicago until 21:00 there, but New York has closed an hour before.
    assert next_open(book.entry("us-hours"), clocks, utc("2026-07-15T01:30"), book) == utc("2026-07-15T13:00")
    assert closes_at(book.entry("us-hours"), clocks, utc("2026-07-14T16:00"), book) == utc("2026-07-15T01:00")


def test_zones_that_are_never_open_together(book):
    rule = hours("08:00-09:00")
    clocks = Clocks("US", ("America/New_York", "Pacific/Honolulu"))
    assert next_open(rule, clocks, utc("2026-07-14T16:00"), book) is None


def test_closed_for_good(book):
    assert next_open(hours("closed"), Clocks("OH", ("America/New_York",)), utc("2026-07-14T16:00"), book) is None


def test_an_hour_that_is_skipped_opens_after_the_gap_and_closes_before_it(book):
    clocks = Clocks("OH", ("America/New_York",))
    gap = hours("02:30-05:00")  # 2:30 does not exist on 8 March 2026
    assert next_open(gap, clocks, utc("2026-03-08T05:00"), book) == utc("2026-03-08T07:30")
    closing = hours("00:00-02:30")
    assert closes_at(closing, clocks, utc("2026-03-08T05:30"), book) == utc("2026-03-08T06:30")


def test_an_hour_that_comes_twice_opens_late_and_closes_early(book):
    clocks = Clocks("OH", ("America/New_York",))
    twice = hours("01:30-05:00")  # 1:30 comes twice on 1 November 2026
    assert next_open(twice, clocks, utc("2026-11-01T05:35"), book) == utc("2026-11-01T06:30")
    closing = hours("00:00-01:30")
    assert closes_at(closing, clocks, utc("2026-11-01T04:30"), book) == utc("2026-11-01T05:30")
    inside = hours("01:15-01:45")  # read short, nothing of it is left on that day
    assert next_open(inside, clocks, utc("2026-11-01T05:20"), book) == utc("2026-11-02T06:15")


def test_round_the_clock_has_no_seams(book):
    rule = hours("00:00-24:00")
    clocks = Clocks("OH", ("America/New_York",))
    for minute in range(0, 2880, 30):
        at = utc("2026-03-08T00:00") + timedelta(minutes=minute)
        assert next_open(rule, clocks, at, book) == at


def test_days_of_their_own(book):
    rule = hours("09:00-18:00", sat="10:00-17:00", sun="closed", fri="closed")
    clocks = Clocks("OH", ("America/New_York",))
    assert next_open(rule, clocks, utc("2026-07-10T16:00"), book) == utc("2026-07-11T14:00")  # a Friday
    assert next_open(rule, clocks, utc("2026-07-11T22:00"), book) == utc("2026-07-13T13:00")


class TestReasons:
    def codes(self, rule, state, at, book, zones=("America/Chicago",)):
        return [each.rule for each in hours_findings(rule, Clocks(state, zones), utc(at), book)]

    def test_open_says_nothing(self, book):
        assert self.codes(book.entry("la-hours"), "LA", "2026-07-14T16:00", book) == []

    def test_the_hour_a_sunday_a_holiday_and_both(self, book):
        rule = book.entry("la-hours")
        assert self.codes(rule, "LA", "2026-07-14T03:00", book) == [Rule.WINDOW_STATE]
        assert self.codes(rule, "LA", "2026-07-12T17:00", book) == [Rule.CLOSED_SUNDAY]
        assert self.codes(rule, "LA", "2026-09-07T17:00", book) == [Rule.CLOSED_HOLIDAY]
        assert self.codes(rule, "LA", "2027-07-04T17:00", book) == [Rule.CLOSED_HOLIDAY, Rule.CLOSED_SUNDAY]

    def test_a_saturday_that_is_closed_is_a_matter_of_hours(self, book):
        assert self.codes(hours("09:00-18:00", sat="closed"), "OH", "2026-07-11T17:00", book) == [Rule.WINDOW_STATE]

    def test_an_artificial_voices_closed_sunday_keeps_its_code(self, book):
        assert self.codes(book.entry("sd-ads-hours"), "SD", "2026-07-12T17:00", book) == [Rule.WINDOW_STATE_ADAD]

    def test_a_holidays_own_hours(self, book):
        rule = book.entry("ne-recorded-hours")
        found = hours_findings(rule, Clocks("NE", ("America/Chicago",)), utc("2026-12-25T16:00"), book)
        assert [(each.rule, each.until) for each in found] == [(Rule.WINDOW_STATE_ADAD, utc("2026-12-25T19:00"))]
        assert self.codes(rule, "NE", "2026-12-24T06:30", book) == []

    def test_it_tells_the_time_there_and_names_the_day(self, book):
        [found] = hours_findings(book.entry("la-hours"), Clocks("LA", ("America/Chicago",)), utc("2027-02-09T18:00"), book)
        assert "The day is Mardi Gras." in found.says
        assert "Tuesday 9 February 2027, 12:00 there (America/Chicago)" in found.says

    def test_only_the_zones_that_are_closed_are_named(self, book):
        zones = ("America/Chicago", "America/New_York")
        [found] = hours_findings(book.entry("us-hours"), Clocks("US", zones), utc("2026-07-14T12:30"), book)
        assert "07:30 there (America/Chicago)" in found.says
        assert "New_York" not in found.says
