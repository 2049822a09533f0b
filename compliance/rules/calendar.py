"""The days a computed holiday falls on. Pure; whose holidays they are is in `holidays.toml`.

A holiday that is moved off a weekend closes both the day itself and the day it is moved to: the statutes differ on which
of the two counts, and a closed day too many costs nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from compliance.rules.schema import Observance

_DAYS: Final = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_YEAR: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS: Final = {name: number for number, name in enumerate(_YEAR.split(), start=1)}


def dates_of(holiday: Observance, year: int) -> tuple[date, ...]:
    """The day, and the days it is moved to. Raises ValueError for a rule that names no day."""
    if year < holiday.from_year or (holiday.even_years and year % 2):
        return ()
    day = _base(holiday, year) + timedelta(days=holiday.plus_days)
    kept = [day]
    if day.weekday() == 5 and "sat-fri" in holiday.moved:
        kept.append(day - timedelta(days=1))
    if day.weekday() == 6 and "sun-mon" in holiday.moved:
        kept.append(day + timedelta(days=1))
    return tuple(kept)


def _base(holiday: Observance, year: int) -> date:
    if holiday.fixed:
        month, _, day = holiday.fixed.partition("-")
        return date(year, int(month), int(day))
    if holiday.weekday:
        return _nth_weekday(holiday.weekday, year)
    assert holiday.easter is not None  # the loader lets no other through
    return easter(year) + timedelta(days=holiday.easter)


def _nth_weekday(text: str, year: int) -> date:
    """ "3 mon jan", "last mon may"."""
    which, weekday_name, month_name = text.split()
    weekday, month = _DAYS[weekday_name], _MONTHS[month_name]
    if which == "last":
        after = date(year + month // 12, month % 12 + 1, 1)
        return after - timedelta(days=(after.weekday() - weekday - 1) % 7 + 1)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (int(which) - 1))


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the "anonymous" computus, Nature 13, 1876)."""
    golden = year % 19
    century, in_century = divmod(year, 100)
    leaps, rest = divmod(century, 4)
    lunar = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - lunar + 15) % 30
    quads, odd = divmod(in_century, 4)
    to_sunday = (32 + 2 * rest + 2 * quads - epact - odd) % 7
    shift = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * shift + 114, 31)
    return date(year, month, day + 1)
