from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.pacing import FOREVER, Candidate, Limit, Pace, decide, next_chance

T0 = datetime(2026, 11, 20, 15, tzinfo=UTC)


def candidate(name: str, campaign: str = "A", priority: int = 0, waited: float = 0) -> Candidate:
    return Candidate(name, campaign, priority, T0 - timedelta(seconds=waited))


def pace(house: Limit | None = None, **campaigns: Limit) -> Pace:
    return Pace(house or Limit(100, 100), campaigns or {"A": Limit(100, 100)})


def names(chosen: list[Candidate]) -> list[str]:
    return [each.contact_id for each in chosen]


def test_nobody_waits_nobody_is_chosen() -> None:
    assert decide([], {}, pace(), 0.0) == []
    assert next_chance([], {}, pace()) == FOREVER


def test_the_most_urgent_goes_first_then_who_has_waited_longest() -> None:
    queue = [candidate("new"), candidate("old", waited=60), candidate("urgent", priority=5)]
    assert names(decide(queue, {}, pace(), 0.0)) == ["urgent"]
    assert names(decide(queue[:2], {}, pace(), 0.0)) == ["old"]


def test_a_full_campaign_and_a_full_house_wait_for_a_line() -> None:
    queue = [candidate("one"), candidate("two", "B")]
    limits = pace(Limit(3, 100), A=Limit(1, 100), B=Limit(2, 100))
    assert names(decide(queue, {"A": 1}, limits, 0.0)) == ["two"]
    assert decide(queue, {"A": 1, "B": 2}, limits, 0.0) == []
    assert next_chance(queue, {"A": 1, "B": 2}, limits) == FOREVER
    assert decide(queue[:1], {"A": 1}, limits, 0.0) == []
    assert next_chance(queue[:1], {"A": 1}, limits) == FOREVER


def test_a_campaign_without_limits_is_not_running() -> None:
    assert decide([candidate("one", "gone")], {}, pace(), 0.0) == []
    assert pace().after_call("gone", 1.0).next_at == {"": 1.01}


def test_calls_keep_their_distance_and_nothing_is_saved_up() -> None:
    limits = pace(A=Limit(100, 2)).after_call("A", 10.0)
    assert decide([candidate("one")], {}, limits, 10.4) == []
    assert next_chance([candidate("one")], {}, limits) == 10.5
    assert names(decide([candidate("one")], {}, limits, 10.5)) == ["one"]
    late = limits.after_call("A", 500.0)
    assert next_chance([candidate("one")], {}, late) == 500.5


def test_the_houses_rate_holds_for_all_campaigns_together() -> None:
    limits = pace(Limit(100, 1), A=Limit(10, 50), B=Limit(10, 50)).after_call("A", 0.0)
    assert decide([candidate("two", "B")], {}, limits, 0.99) == []
    assert names(decide([candidate("two", "B")], {}, limits, 1.0)) == ["two"]


def test_campaigns_take_turns_by_their_share_of_lines() -> None:
    queue = [candidate("big", "A", waited=60), candidate("small", "B")]
    limits = pace(A=Limit(10, 100), B=Limit(2, 100))
    assert names(decide(queue, {"A": 5, "B": 0}, limits, 0.0)) == ["small"]
    assert names(decide(queue, {"A": 4, "B": 1}, limits, 0.0)) == ["big"]
    assert names(decide(queue, {}, limits.after_call("A", -9.0), 0.0)) == ["small"]


@given(
    st.lists(st.floats(0, 0.4), min_size=1, max_size=60), st.sampled_from([0.5, 1, 3, 7]), st.sampled_from([0.5, 1, 3, 7])
)
def test_no_second_ever_sees_more_calls_than_allowed(steps: list[float], house: float, own: float) -> None:
    limits, now, placed = pace(Limit(1000, house), A=Limit(1000, own)), 0.0, []
    for step in steps:
        now += step
        if decide([candidate("one")], {}, limits, now):
            limits = limits.after_call("A", now)
            placed.append(now)
    allowed = max(1, int(min(house, own)))
    assert all(later - earlier >= 1 - 1e-9 for earlier, later in zip(placed, placed[allowed:], strict=False))


@pytest.mark.parametrize("limit", [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -1.0), (1, FOREVER), (1, float("nan"))])
def test_a_limit_under_which_nothing_could_happen_is_refused(limit: tuple[int, float]) -> None:
    with pytest.raises(ValueError):
        Limit(*limit)
