"""Which legal holiday a state keeps on a day. Pure; the days themselves are computed in `compliance.rules.calendar`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

from compliance.rules import Rulebook
from compliance.rules.calendar import dates_of


def holiday_name(book: Rulebook, state: str, on: date) -> str:
    """The name of the legal holiday kept in this state on this day, or an empty string."""
    return _calendar(book, state, on.year).get(on, "")


@lru_cache(maxsize=4096)
def _calendar(book: Rulebook, state: str, year: int) -> Mapping[date, str]:
    found: dict[date, str] = {}
    for holiday in book.observances:
        if state in holiday.states:
            for near in (year - 1, year, year + 1):  # 1 January on a Saturday is kept in the year before
                found.update({day: holiday.name for day in dates_of(holiday, near) if day.year == year})
    for proclaimed in book.proclamations:
        if proclaimed.state == state and proclaimed.what == "closed_day":
            end = proclaimed.until or proclaimed.on + timedelta(days=1)
            for offset in range((end - proclaimed.on).days):
                day = proclaimed.on + timedelta(days=offset)
                if day.year == year:
                    found[day] = proclaimed.name
    return found
