"""Holidays: computed where they can be, listed where they are proclaimed."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from compliance.holidays import holiday_name
from compliance.rules.calendar import dates_of, easter
from compliance.rules.schema import Observance, Proclamation


def observance(**fields):
    return msgspec.convert({"name": "day", "states": ["LA"], "source": "test", **fields}, Observance)


@pytest.mark.parametrize(
    ("year", "day"),
    [(2000, (4, 23)), (2008, (3, 23)), (2016, (3, 27)), (2024, (3, 31)), (2027, (3, 28)), (2038, (4, 25))],
)
def test_easter(year, day):
    assert easter(year) == date(year, *day)


@pytest.mark.parametrize(
    ("rule", "year", "days"),
    [
        ({"fixed": "12-25"}, 2026, [(12, 25)]),
        ({"weekday": "3 mon jan"}, 2027, [(1, 18)]),
        ({"weekday": "1 mon sep"}, 2026, [(9, 7)]),
        ({"weekday": "last mon may"}, 2026, [(5, 25)]),
        ({"weekday": "last mon dec"}, 2026, [(12, 28)]),
        ({"weekday": "4 thu nov", "plus_days": 1}, 2026, [(11, 27)]),
        ({"easter": -47}, 2027, [(2, 9)]),
        ({"fixed": "07-04", "moved": ["sat-fri", "sun-mon"]}, 2026, [(7, 4), (7, 3)]),
        ({"fixed": "07-04", "moved": ["sat-fri", "sun-mon"]}, 2027, [(7, 4), (7, 5)]),
        ({"fixed": "07-04", "moved": ["sat-fri", "sun-mon"]}, 2028, [(7, 4)]),
        ({"fixed": "07-04"}, 2026, [(7, 4)]),
        ({"weekday": "1 mon nov", "plus_days": 1, "even_years": True}, 2026, [(11, 3)]),
        ({"weekday": "1 mon nov", "plus_days": 1, "even_years": True}, 2027, []),
        ({"fixed": "06-19", "from_year": 2022}, 2021, []),
    ],
)
def test_computed(rule, year, days):
    assert dates_of(observance(**rule), year) == tuple(date(year, *day) for day in days)


@pytest.mark.parametrize(
    ("state", "day", "name"),
    [
        ("LA", date(2027, 2, 9), "Mardi Gras"),
        ("LA", date(2026, 9, 7), "Labor Day"),
        ("UT", date(2026, 7, 24), "Pioneer Day"),
        ("MS", date(2026, 9, 7), ""),  # repealed in 2023-24, whatever the tables say
        ("LA", date(2020, 12, 24), "Christmas Eve, by the governor's proclamation"),
        ("LA", date(2021, 12, 31), "New Year's Day"),  # 1 January 2022 was a Saturday
        ("UT", date(2026, 6, 15), "Juneteenth (Utah's Monday)"),
        ("OH", date(2026, 12, 25), ""),
    ],
)
def test_kept(book, state, day, name):
    assert holiday_name(book, state, day) == name


def test_a_proclamation_closes_the_days_it_names(book):
    closed = book.with_proclamations(
        [
            Proclamation(
                state="RI",
                what="closed_day",
                name="Blizzard",
                source="Governor",
                on=date(2026, 12, 31),
                until=date(2027, 1, 3),
            ),
            Proclamation(state="RI", what="emergency", name="Flood", source="Governor", on=date(2027, 2, 2)),
        ]
    )
    kept = [holiday_name(closed, "RI", day) for day in (date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 2))]
    assert kept == ["", "Blizzard", "Blizzard"]
    assert holiday_name(closed, "RI", date(2027, 1, 3)) == ""
    assert holiday_name(closed, "RI", date(2027, 2, 2)) == ""
    assert holiday_name(book, "RI", date(2026, 12, 31)) == ""
