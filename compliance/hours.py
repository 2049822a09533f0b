"""When a rule's hours are open, and when they next will be: by the wall clock, in every zone the phone could be in. Pure.

Spans are [start, end). Where a wall-clock time is skipped or doubled by a change of the clocks, the span is read short: it
opens at the later and closes at the earlier of the two readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from compliance.holidays import holiday_name
from compliance.rules import Rulebook, weekly
from compliance.rules.schema import Hours
from compliance.verdict import Finding, Rule
from compliance.zones import zone

HORIZON: Final = timedelta(days=400)  # further ahead than this no opening is looked for
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks a rule is read on: the zones the phone could be in, and whose holidays count."""

    state: str
    zones: tuple[str, ...]


def hours_findings(rule: Hours, clocks: Clocks, at: datetime, book: Rulebook) -> list[Finding]:
    """What this rule says of a call at this instant: nothing when it is open, else why, and when it opens."""
    until = next_open(rule, clocks, at, book)
    if until == at:
        return []
    return [Finding(code, says, rule.source, until, rule.id) for code, says in _reasons(rule, clocks, at, book)]


@lru_cache(maxsize=16_384)  # a campaign is judged at one instant for all its contacts: few places, asked over and over
def next_open(rule: Hours, clocks: Clocks, at: datetime, book: Rulebook) -> datetime | None:
    """The earliest instant from `at` on at which the rule is open on every clock, or None within `HORIZON`."""
    moment = at
    while moment - at <= HORIZON:
        latest = moment
        for each in _tzinfos(rule, clocks):
            found = _next_on_clock(rule, clocks.state, each, moment, book)
            if found is None:
                return None
            latest = max(latest, found)
        if latest == moment:
            return moment
        moment = latest
    return None


@lru_cache(maxsize=16_384)
def closes_at(rule: Hours, clocks: Clocks, at: datetime, book: Rulebook) -> datetime:
    """The end of the span that is open at `at` (it must be), the earliest over all clocks."""
    return min(_end_on_clock(rule, clocks.state, each, at, book) for each in _tzinfos(rule, clocks))


def _end_on_clock(rule: Hours, state: str, clock: tzinfo, at: datetime, book: Rulebook) -> datetime:
    return next(end for start, end in _spans_from(rule, state, clock, at, book) if start <= at < end)


def _tzinfos(rule: Hours, clocks: Clocks) -> Sequence[tzinfo]:
    zones: list[tzinfo] = [zone(name) for name in clocks.zones]
    if rule.fixed_offset is not None:
        zones.append(timezone(timedelta(hours=rule.fixed_offset)))
    return zones


def _next_on_clock(rule: Hours, state: str, clock: tzinfo, at: datetime, book: Rulebook) -> datetime | None:
    for start, end in _spans_from(rule, state, clock, at, book):
        if end > at:
            return max(start, at)
    return None


def _spans_from(rule: Hours, state: str, clock: tzinfo, at: datetime, book: Rulebook) -> Iterator[Span]:
    first = at.astimezone(clock).date()
    for days in range(HORIZON.days + 1):
        yield from spans_on(rule, state, clock, first + timedelta(days=days), book)


@lru_cache(maxsize=65_536)
def spans_on(rule: Hours, state: str, clock: tzinfo, day: date, book: Rulebook) -> tuple[Span, ...]:
    """The open spans of one local day as UTC instants. A day on which the rule is not in force is open throughout."""
    minutes = ((0, 24 * 60),) if not rule.in_force(day) else _minutes_on(rule, state, day, book)
    found = ((_later(day, start, clock), _earlier(day, end, clock)) for start, end in minutes)
    return tuple(span for span in found if span[0] < span[1])


@lru_cache(maxsize=1024)
def _weekly(rule: Hours) -> tuple[tuple[tuple[int, int], ...], ...]:
    return weekly(rule)


def _minutes_on(rule: Hours, state: str, day: date, book: Rulebook) -> tuple[tuple[int, int], ...]:
    week = _weekly(rule)
    if rule.holiday and holiday_name(book, state, day):
        return week[7]
    return week[day.weekday()]


def _later(day: date, minutes: int, clock: tzinfo) -> datetime:
    wall = datetime(day.year, day.month, day.day, tzinfo=clock) + timedelta(minutes=minutes)  # on the wall, not elapsed
    return max(wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _earlier(day: date, minutes: int, clock: tzinfo) -> datetime:
    wall = datetime(day.year, day.month, day.day, tzinfo=clock) + timedelta(minutes=minutes)
    return min(wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _reasons(rule: Hours, clocks: Clocks, at: datetime, book: Rulebook) -> list[tuple[Rule, str]]:
    """Each reason once, over all clocks on which the rule is closed: a Sunday, a holiday, or merely the hour."""
    found: dict[Rule, str] = {}
    for each in _tzinfos(rule, clocks):
        if _next_on_clock(rule, clocks.state, each, at, book) == at:
            continue
        local = at.astimezone(each)
        wall = f"It is {local:%A} {local.day} {local:%B %Y, %H:%M} there ({_clock_name(each)})."
        for code, says in _closed_days(rule, clocks.state, local.date(), book) or [(rule.code, rule.says)]:
            found.setdefault(code, f"{says} {wall}")
    return list(found.items())


def _closed_days(rule: Hours, state: str, day: date, book: Rulebook) -> list[tuple[Rule, str]]:
    """Why no hour of this day is open. Only a general rule has closed *days*: an artificial voice's keeps its own code."""
    if rule.code is not Rule.WINDOW_STATE or _minutes_on(rule, state, day, book):
        return []
    found: list[tuple[Rule, str]] = []
    name = holiday_name(book, state, day)
    if rule.holiday and name:
        found.append((Rule.CLOSED_HOLIDAY, f"{rule.says} The day is {name}."))
    if day.weekday() == 6 and not _weekly(rule)[6]:
        found.append((Rule.CLOSED_SUNDAY, rule.says))
    return found


def _clock_name(clock: tzinfo) -> str:
    return str(clock)
