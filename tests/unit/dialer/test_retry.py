from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialer.attempt import Disposition
from dialer.retry import Again, Closed, DayPart, RetryPolicy, Tried, day_part, decide

CHICAGO = ZoneInfo("America/Chicago")
POLICY = RetryPolicy()
FRIDAY_10 = datetime(2026, 11, 20, 10, tzinfo=CHICAGO)


def history(*dispositions: Disposition, at: datetime = FRIDAY_10) -> list[Tried]:
    return [Tried(at, disposition) for disposition in dispositions]


def after(*dispositions: Disposition, policy: RetryPolicy = POLICY, chance: float = 0.5) -> Again | Closed:
    return decide(history(*dispositions), policy, FRIDAY_10, None, chance)


@pytest.mark.parametrize(
    "final",
    [
        Disposition.ANSWERED,
        Disposition.TRANSFERRED,
        Disposition.OPTED_OUT,
        Disposition.UNKNOWN,
        Disposition.INVALID_NUMBER,
        Disposition.BLOCKED,
        Disposition.REFUSED,
    ],
)
def test_what_is_final_is_never_tried_again(final: Disposition) -> None:
    assert after(final) == Closed(final.value)
    assert after(Disposition.BUSY, final) == Closed(final.value)


def test_every_disposition_has_a_rule() -> None:
    assert all(after(disposition) for disposition in Disposition)


def test_a_busy_line_is_free_again_in_a_quarter_to_half_an_hour() -> None:
    for chance, minutes in ((0.0, 15), (0.5, 22.5), (1.0, 30)):
        assert after(Disposition.BUSY, chance=chance) == Again(FRIDAY_10 + timedelta(minutes=minutes), "busy")


def test_a_line_that_stays_busy_counts_as_one_that_does_not_answer() -> None:
    assert after(Disposition.BUSY, Disposition.BUSY).at - FRIDAY_10 < timedelta(hours=1)  # type: ignore[union-attr]
    third = after(Disposition.BUSY, Disposition.BUSY, Disposition.BUSY)
    assert third == Again(FRIDAY_10 + timedelta(hours=4), "busy")
    broken_row = after(Disposition.BUSY, Disposition.BUSY, Disposition.NO_ANSWER, Disposition.BUSY)
    assert broken_row.at - FRIDAY_10 < timedelta(hours=1)  # type: ignore[union-attr]


def test_failures_back_off_and_end() -> None:
    assert after(Disposition.FAILED, chance=0.0) == Again(FRIDAY_10 + timedelta(minutes=5), "failed")
    assert after(Disposition.FAILED, Disposition.FAILED, Disposition.FAILED) == Closed("failed")


def test_nobody_is_tried_for_ever_and_what_was_called_off_does_not_count() -> None:
    policy = RetryPolicy(most_tries=2)
    assert after(Disposition.NO_ANSWER, Disposition.MACHINE, policy=policy) == Closed("most_tries")
    assert isinstance(after(Disposition.CANCELLED, Disposition.NO_ANSWER, policy=policy), Again)
    assert after(Disposition.NO_ANSWER, Disposition.NO_ANSWER, Disposition.CANCELLED, policy=policy) == Again(
        FRIDAY_10, "cancelled"
    )


def test_whoever_heard_nobody_is_left_alone_for_a_day() -> None:
    assert after(Disposition.CALL_BACK) == Again(FRIDAY_10 + timedelta(minutes=45), "call_back")
    assert after(*[Disposition.CALL_BACK] * 3) == Closed("call_back")
    assert after(Disposition.ABANDONED) == Again(FRIDAY_10 + timedelta(hours=24), "abandoned")


def test_a_demonstration_may_shorten_every_wait() -> None:
    quick = RetryPolicy(scale=0.001, is_by_day_part=False)
    for disposition, seconds in ((Disposition.BUSY, 1.35), (Disposition.MACHINE, 14.4), (Disposition.ABANDONED, 86.4)):
        assert after(disposition, policy=quick) == Again(FRIDAY_10 + timedelta(seconds=seconds), disposition.value)


@pytest.mark.parametrize(
    ("hour", "again"),
    [
        (10, datetime(2026, 11, 20, 14, tzinfo=CHICAGO)),  # morning, then four hours later: afternoon
        (12, datetime(2026, 11, 20, 17, tzinfo=CHICAGO)),  # 4 p.m. is afternoon still: the evening
        (17, datetime(2026, 11, 21, 9, tzinfo=CHICAGO)),  # 9 p.m. is too late: Saturday
    ],
)
def test_a_machine_is_tried_at_another_part_of_the_day(hour: int, again: datetime) -> None:
    at = FRIDAY_10.replace(hour=hour)
    ruling = decide(history(Disposition.MACHINE, at=at), POLICY, at.astimezone(UTC), CHICAGO, 0.0)
    assert ruling == Again(again, "machine")
    assert ruling.at.tzinfo is UTC


def test_a_part_of_the_day_not_yet_tried_goes_before_one_that_was() -> None:
    tried = [
        Tried(datetime(2026, 11, 17, 10, tzinfo=CHICAGO), Disposition.NO_ANSWER),
        Tried(datetime(2026, 11, 18, 13, tzinfo=CHICAGO), Disposition.NO_ANSWER),
    ]
    at = datetime(2026, 11, 18, 13, 1, tzinfo=CHICAGO)
    assert decide(tried, POLICY, at, CHICAGO, 0.0) == Again(datetime(2026, 11, 18, 17, 1, tzinfo=CHICAGO), "no_answer")


def test_when_all_parts_are_tried_it_is_another_than_the_last() -> None:
    days = [(16, 10), (17, 13), (18, 18), (14, 11)]  # Monday morning, Tuesday afternoon, Wednesday evening, a Saturday
    tried = [Tried(datetime(2026, 11, day, hour, tzinfo=CHICAGO), Disposition.NO_ANSWER) for day, hour in days]
    at = datetime(2026, 11, 21, 11, tzinfo=CHICAGO)
    ruling = decide(tried, POLICY, at, CHICAGO, 0.0)
    assert ruling == Again(datetime(2026, 11, 23, 9, tzinfo=CHICAGO), "no_answer")


def test_without_a_clock_or_by_choice_no_part_of_the_day_is_looked_for() -> None:
    plain = RetryPolicy(is_by_day_part=False)
    at = FRIDAY_10.replace(hour=20)
    assert decide(history(Disposition.MACHINE, at=at), plain, at, CHICAGO, 0.0) == Again(at + timedelta(hours=4), "machine")
    assert decide(history(Disposition.MACHINE, at=at), POLICY, at, None, 0.0) == Again(at + timedelta(hours=4), "machine")


def test_an_endless_number_of_tried_parts_falls_back_to_the_wait() -> None:
    night = FRIDAY_10.replace(hour=3)
    ruling = decide(history(Disposition.NO_ANSWER, at=night), POLICY, night, CHICAGO, 0.0)
    assert ruling == Again(FRIDAY_10.replace(hour=9), "no_answer")


@pytest.mark.parametrize(
    ("local", "part"),
    [
        (datetime(2026, 11, 20, 8, 59), None),  # noqa: DTZ001
        (datetime(2026, 11, 20, 9), DayPart.MORNING),  # noqa: DTZ001
        (datetime(2026, 11, 20, 12), DayPart.AFTERNOON),  # noqa: DTZ001
        (datetime(2026, 11, 20, 19, 59), DayPart.EVENING),  # noqa: DTZ001
        (datetime(2026, 11, 20, 20), None),  # noqa: DTZ001
        (datetime(2026, 11, 21, 18), DayPart.SATURDAY),  # noqa: DTZ001
        (datetime(2026, 11, 22, 12), None),  # noqa: DTZ001
    ],
)
def test_parts_of_the_day(local: datetime, part: DayPart | None) -> None:
    assert day_part(local) is part


@pytest.mark.parametrize(
    "wrong",
    [
        {"no_answer_after": -1.0},
        {"scale": 0.0},
        {"busy_after": (10.0, 5.0)},
        {"failed_after": (10.0, 5.0)},
        {"most_tries": 0},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        RetryPolicy(**wrong)  # type: ignore[arg-type]
