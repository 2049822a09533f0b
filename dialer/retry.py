"""Whether a contact is tried again after an attempt, and when. Decides; schedules nothing, reads no clock.

The gate has the last word at the hour this chooses: hours, caps and lists are its business alone. An unknown outcome is
never tried again, because it may have been a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from dialer.attempt import Disposition


class DayPart(StrEnum):
    """Parts of the day in which people are reached, or not, for the same reasons. By the callee's clock."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    SATURDAY = "saturday"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again. Times in seconds; a pair is a range in which `chance` draws, so that retries do not march in step.

    The waits follow common practice: a busy line is free again after a quarter to half an hour, somebody who was out is in
    at another part of the day. `scale` shortens every wait for a demonstration; `is_by_day_part` is then best off.
    """

    most_tries: int = 6
    busy_after: tuple[float, float] = (900.0, 1800.0)
    most_busy: int = 2  # in a row; then the line counts as one that does not answer
    no_answer_after: float = 4 * 3600.0
    machine_after: float = 4 * 3600.0
    failed_after: tuple[float, float] = (300.0, 3600.0)
    most_failed: int = 3  # in a row
    call_back_after: tuple[float, float] = (1800.0, 3600.0)  # we promised; whatever failed has had time to be mended
    most_call_backs: int = 2  # in a row; a third apology is worse than none
    abandoned_after: float = 24 * 3600.0  # not again on the day on which nobody was there for them
    is_by_day_part: bool = True
    scale: float = 1.0

    def __post_init__(self) -> None:
        ranges = (self.busy_after, self.failed_after, self.call_back_after)
        waits = (*sum(ranges, ()), self.no_answer_after, self.machine_after, self.abandoned_after)
        if min(waits) < 0 or self.scale <= 0:
            raise ValueError("a wait cannot be negative, nor the scale 0")
        if any(shortest > longest for shortest, longest in ranges):
            raise ValueError("a range goes from the shorter to the longer wait")
        if self.most_tries < 1:
            raise ValueError("at least one try")


@dataclass(frozen=True, slots=True)
class Tried:
    """One ended attempt, as far as the policy cares."""

    at: datetime
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class Again:
    """Try again at `at`; `reason` is a stable word."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Closed:
    """Never again for this errand; `reason` is a stable word."""

    reason: str


Ruling: TypeAlias = Again | Closed


def decide(history: Sequence[Tried], policy: RetryPolicy, at: datetime, zone: tzinfo | None, chance: float) -> Ruling:
    """What to do after the last attempt in `history` (oldest first, never empty).

    `zone` is the callee's clock where it is known: without it no day part is looked for. `chance` in [0, 1) places the next
    try within a range.
    """
    last = history[-1].disposition
    match last:
        case (
            Disposition.ANSWERED
            | Disposition.TRANSFERRED
            | Disposition.OPTED_OUT
            | Disposition.UNKNOWN
            | Disposition.INVALID_NUMBER
            | Disposition.BLOCKED
            | Disposition.REFUSED
        ):
            return Closed(last.value)
        case Disposition.CANCELLED:
            return Again(at, "cancelled")  # nobody was reached or disturbed: its turn is still to come
        case _ if _tries(history) >= policy.most_tries:
            return Closed("most_tries")
        case Disposition.BUSY if _in_a_row(history) <= policy.most_busy:
            return Again(at + _between(policy.busy_after, policy, chance), "busy")
        case Disposition.BUSY | Disposition.NO_ANSWER:
            wait = timedelta(seconds=policy.no_answer_after * policy.scale)
            return Again(_at_another_time(history, policy, at + wait, zone), last.value)
        case Disposition.MACHINE:
            wait = timedelta(seconds=policy.machine_after * policy.scale)
            return Again(_at_another_time(history, policy, at + wait, zone), "machine")
        case Disposition.FAILED if _in_a_row(history) >= policy.most_failed:
            return Closed("failed")
        case Disposition.FAILED:
            return Again(at + _between(policy.failed_after, policy, chance), "failed")
        case Disposition.CALL_BACK if _in_a_row(history) > policy.most_call_backs:
            return Closed("call_back")
        case Disposition.CALL_BACK:
            return Again(at + _between(policy.call_back_after, policy, chance), "call_back")
        case Disposition.ABANDONED:
            return Again(at + timedelta(seconds=policy.abandoned_after * policy.scale), "abandoned")
        case _:
            assert_never(last)


def day_part(local: datetime) -> DayPart | None:
    """The part of the day at an instant on the callee's clock; None when nobody wants to be called."""
    if not _DAY_OPENS <= local.time() < _DAY_CLOSES or local.weekday() == _SUNDAY:
        return None
    if local.weekday() == _SATURDAY:
        return DayPart.SATURDAY
    if local.time() < _NOON:
        return DayPart.MORNING
    return DayPart.AFTERNOON if local.time() < _EVENING else DayPart.EVENING


_DAY_OPENS: Final = time(9)  # within every lawful window, so that a time chosen here is rarely put off by the gate
_NOON: Final = time(12)
_EVENING: Final = time(17)
_DAY_CLOSES: Final = time(20)
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_LOOK_AHEAD: Final = 7  # days: the next Saturday is among them


def _at_another_time(history: Sequence[Tried], policy: RetryPolicy, earliest: datetime, zone: tzinfo | None) -> datetime:
    """The first instant from `earliest` in a part of the day not yet tried; all tried: in one other than the last."""
    if zone is None or not policy.is_by_day_part:
        return earliest
    tried = [day_part(each.at.astimezone(zone)) for each in history]
    choices = list(_part_openings(earliest.astimezone(zone)))
    fresh = (at for at in choices if day_part(at) not in tried)
    other = (at for at in choices if day_part(at) is not tried[-1])
    return next(fresh, next(other, earliest)).astimezone(earliest.tzinfo)


def _part_openings(local: datetime) -> Iterator[datetime]:
    """`local` itself if it lies in a part of the day, then the opening of each part to come."""
    if day_part(local) is not None:
        yield local
    for days in range(_LOOK_AHEAD + 1):
        day = local.date() + timedelta(days=days)
        for opening in (_DAY_OPENS, _NOON, _EVENING):
            at = datetime.combine(day, opening, local.tzinfo)
            if at > local and day_part(at) is not None:
                yield at


def _tries(history: Sequence[Tried]) -> int:
    return sum(each.disposition is not Disposition.CANCELLED for each in history)


def _in_a_row(history: Sequence[Tried]) -> int:
    """How often in a row it has ended as it did last."""
    last, count = history[-1].disposition, 0
    for each in reversed(history):
        if each.disposition is not last:
            break
        count += 1
    return count


def _between(limits: tuple[float, float], policy: RetryPolicy, chance: float) -> timedelta:
    shortest, longest = limits
    return timedelta(seconds=(shortest + (longest - shortest) * chance) * policy.scale)
