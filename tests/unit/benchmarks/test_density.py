"""Steps of a climb: what breaks an engine, what crowding adds to an answer, and who carries how many times whose calls."""

import pytest

from benchmarks.callers.step import Sound, Step, Turn, added, verdict
from benchmarks.density import accounted, beside_the_others, point_of
from benchmarks.report.model import Point, Run


def turns(*gaps: float, script: str = "a") -> tuple[Turn, ...]:
    return tuple(Turn(script, line, gap) for line, gap in enumerate(gaps))


def step(**more: object) -> Step:
    told = {"calls": 10, "live": 10, "turns": turns(*[0.5] * 20), "frames": 1000, "began": 0.0, "ended": 10.0} | more
    return Step(**told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (step(), ""),
        (step(late=11), "1.1% of frames late"),
        (step(live=9), "calls were dropped"),
        (step(turns=()), "nobody was answered"),
        (step(turns=turns(*[1.3] * 20)), "response gap p95 doubled"),
    ],
)
def test_what_breaks_an_engine(found, why):
    assert verdict(found, 0.6) == why


def test_without_a_base_nothing_has_doubled():
    assert verdict(step(turns=turns(*[9.0] * 20)), None) == ""
    assert step(frames=0).late_share == 0.0


def test_crowding_is_measured_line_by_line():
    """A line that takes long by itself is not held against the crowd, and one that few were asked is not compared."""
    few = [step(turns=turns(0.5, 1.1)), step(turns=turns(0.7, 1.1))]
    many = [step(turns=turns(0.61, 1.15, 3.0) + turns(5.0, script="b"))]
    assert added(few, many) == pytest.approx([0.01, 0.05])
    assert added([], many) == []


def test_a_word_in_between_is_compared_with_its_like_only():
    few = [step(turns=(Turn("a", 0, 0.3, Sound.BRIDGE), Turn("a", 1, 0.5)))]
    many = [step(turns=(Turn("a", 0, 0.9), Turn("a", 0, 0.31, Sound.BRIDGE), Turn("a", 1, 0.52)))]
    assert added(few, many, is_alike=True) == pytest.approx([0.01, 0.02])
    assert added(few, many) == pytest.approx([0.6, 0.01, 0.02])


def test_without_a_fixed_pace_or_a_journal_nobody_knows_whose_a_wait_is(tmp_path):
    assert accounted(step(), tmp_path, [], "published") == []
    assert accounted(step(), tmp_path, [{"call_sid": "CA1", "told": []}], "fixed") == []


def test_a_step_meets_the_probe_of_the_same_seconds():
    def note(at: float, cpu: float, calls: int, rss: int) -> dict[str, object]:
        return {"at": at, "cpu": cpu, "calls": calls, "rss": rss, "lag_p99": 0.004}

    notes = [note(-5, 0.0, 0, 1_000_000), note(1, 1.0, 10, 2_000_000), note(9, 1.4, 10, 3_000_000), note(11, 9, 0, 0)]
    assert point_of(step(late=5), "", notes) == Point(
        calls=10,
        cpu_ms_per_call_second=5.0,
        gap_p50=0.5,
        gap_p95=0.5,
        late_share=0.005,
        lag_p99=0.004,
        bytes_per_call=200_000,
    )


def test_the_better_other_engine_is_the_measure():
    def run(engine: str, calls: float) -> Run:
        return Run(suite="density", engine=engine, numbers={"calls_per_core": calls})

    ours, *others = beside_the_others([run("offhook", 300), run("pipecat", 20), run("livekit", 50)])
    assert ours.numbers["times_the_better_other"] == 6.0
    assert all("times_the_better_other" not in other.numbers for other in others)
    assert beside_the_others([run("offhook", 300)])[0].numbers == {"calls_per_core": 300}
    assert "times_the_better_other" not in beside_the_others([run("offhook", 300), run("pipecat", 0)])[0].numbers
