"""The way to an engine's limit."""

from __future__ import annotations

import pytest

from benchmarks.callers.climbing import Ascent, Search, Stairs, Way, read_way
from benchmarks.callers.step import Step, Turn


def tried(way: Way, limit: int) -> list[int]:
    """What is tried of an engine that holds so many calls."""
    holds, breaks, found = 0, None, []
    while (calls := way.next(holds, breaks)) is not None:
        found.append(calls)
        holds, breaks = (max(holds, calls), breaks) if calls <= limit else (holds, calls)
    return found


def test_stairs_end_where_they_break() -> None:
    assert tried(Stairs((5, 20, 50)), 100) == [5, 20, 50]
    assert tried(Stairs((5, 20, 50)), 10) == [5, 20]


@pytest.mark.parametrize("limit", [0, 1, 3, 19, 20, 21, 77, 400, 639])
def test_a_search_finds_the_limit_as_finely_as_asked(limit: int) -> None:
    found = tried(Search(), limit)
    held = max((calls for calls in found if calls <= limit), default=0)
    broken = min((calls for calls in found if calls > limit), default=None)
    assert len(found) <= 12
    assert held <= limit
    assert broken is None or broken - held <= max(1.0, 0.1 * held)


def test_an_engine_that_holds_everything_is_asked_for_the_most_and_no_more() -> None:
    assert tried(Search(), 10_000) == [20, 40, 80, 160, 320, 640]


def test_ways_are_read() -> None:
    assert read_way("10,20") == Stairs((10, 20))
    assert read_way("20..640*3~0.25") == Search(20, 640, 3.0, 0.25)
    with pytest.raises(ValueError):
        read_way("soon")


def taken(calls: int, gap: float = 0.5, ours: float = 0.0) -> Step:
    return Step(calls=calls, live=calls, began=0, ended=1, turns=(Turn("a", 0, gap),), frames=100, our_late_share=ours)


def test_an_ascent_goes_on_from_what_held_and_back_from_what_broke():
    ascent = Ascent(Search(20, 640, 2.0, 0.1))
    assert ascent.next() == 20
    assert ascent.take(taken(20)) == ""
    assert ascent.next() == 40
    assert ascent.take(taken(40, gap=1.1)) == "response gap p95 doubled"
    assert (ascent.next(), ascent.holds) == (30, 20)


def test_late_callers_are_forgiven_once_and_then_asked_for_fewer():
    ascent = Ascent(Search(5, 100, 4.0, 0.1))
    assert ascent.take(taken(5, ours=0.2)).startswith("thrown away")
    assert ascent.next() == 5
    ascent.take(taken(5))
    for _ in range(2):
        assert ascent.next() == 20
        ascent.take(taken(20, ours=0.2))
    assert ascent.next() == 12
    assert (len(ascent.steps), ascent.thrown_away) == (1, [5, 20, 20])


def test_on_a_busy_machine_nobody_climbs_for_ever():
    ascent = Ascent(Search(40, 100, 2.0, 0.1))
    tried = 0
    while (calls := ascent.next()) is not None:
        ascent.take(taken(calls, ours=0.9))
        tried += 1
    assert tried == 6
