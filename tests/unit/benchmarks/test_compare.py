"""What counts as a regression, and what does not."""

import random

import pytest

from benchmarks.compare import changes
from benchmarks.report.merge import merged
from benchmarks.report.model import Machine, Result, Run, Share, figure

MACHINE = Machine(processor="p", cores=2, memory_gb=4, system="s", python="3.11")


def result(*runs: Run) -> Result:
    return Result(made_at="2026-01-01", seconds=1, machine=MACHINE, runs=runs)


def run(gaps: list[float], **more: object) -> Run:
    return Run(suite="latency", engine="offhook", figures={"gap": figure(gaps)}, **more)


def drawn(mean: float, count: int = 200) -> list[float]:
    rng = random.Random(5)
    return [rng.gauss(mean, 0.05) for _ in range(count)]


def named(found, figure_name):
    return next(change for change in found if change.figure == figure_name)


def test_a_clear_loss_is_a_regression():
    found = changes(result(run(drawn(0.6))), result(run(drawn(0.8))), 0.1)
    change = named(found, "gap p50")
    assert change.is_regression
    assert change.low > 0.1
    assert change.high < 0.3


def test_a_gain_is_an_improvement():
    found = changes(result(run(drawn(0.8))), result(run(drawn(0.6))), 0.1)
    assert named(found, "gap p50").is_improvement
    assert not any(change.is_regression for change in found)


def test_a_loss_within_the_margin_is_forgiven():
    found = changes(result(run(drawn(0.60))), result(run(drawn(0.63))), 0.1)
    assert not any(change.is_regression for change in found)


def test_few_and_scattered_values_prove_nothing():
    before, after = [0.5, 0.6, 0.7, 1.4, 0.55], [0.5, 0.65, 1.5, 0.7, 0.8]
    assert not any(change.is_regression for change in changes(result(run(before)), result(run(after)), 0.1))


def test_too_few_values_are_not_compared():
    assert changes(result(run([0.5, 0.6])), result(run([5.0, 6.0])), 0.1) == []


def test_shares_are_compared_with_their_uncertainty():
    def of(hits: int, count: int) -> Result:
        return result(run([], shares={"backchannel_stops": Share(hits=hits, of=count)}))

    assert named(changes(of(5, 100), of(60, 100), 0.1), "backchannel_stops").is_regression
    assert not named(changes(of(0, 4), of(1, 4), 0.1), "backchannel_stops").is_regression


@pytest.mark.parametrize(
    ("name", "before", "after", "is_worse"),
    [("cpu_ms_per_call_second", 2.0, 3.0, True), ("calls_per_core", 400, 200, True), ("calls_per_core", 200, 400, False)],
)
def test_numbers_without_samples_go_by_the_margin_alone(name, before, after, is_worse):
    found = changes(result(run([], numbers={name: before})), result(run([], numbers={name: after})), 0.1)
    assert (found[0].is_regression, found[0].is_improvement) == (is_worse, not is_worse)


def test_only_the_same_suite_of_the_same_engine_is_compared():
    other = Run(suite="latency", engine="pipecat", figures={"gap": figure(drawn(9))})
    assert changes(result(run(drawn(0.6))), result(other), 0.1) == []


def test_descriptions_are_not_judged():
    before = Run(suite="s", engine="e", figures={"lead": figure(drawn(0.3))})
    after = Run(suite="s", engine="e", figures={"lead": figure(drawn(0.9))})
    assert changes(result(before), result(after), 0.1) == []


def test_rounds_are_merged_value_by_value():
    first = run([0.5], calls=2, call_seconds=10.0, numbers={"discarded": 1.0}, shares={"x": Share(hits=1, of=2)})
    second = run([0.7], calls=4, call_seconds=30.0, numbers={"discarded": 3.0}, shares={"x": Share(hits=1, of=4)})
    whole = merged([first, second])
    assert whole.figures["gap"].values == (0.5, 0.7)
    assert whole.shares["x"] == Share(hits=2, of=6)
    assert whole.numbers["discarded"] == 2.5
    assert (whole.calls, whole.call_seconds, whole.setup["rounds"]) == (6, 40.0, "2")
    assert merged([first]) is first


def test_load_is_compared_by_its_samples_where_there_are_any():
    numbers = {"cpu_ms_per_call_second": 10.0}
    worse = {"cpu_ms_per_call_second": 12.0}
    samples = figure([0.010, 0.012, 0.011, 0.009, 0.013, 0.010])

    def one(of: dict[str, float], **more: object) -> Result:
        return result(Run(suite="latency", engine="offhook", numbers=of, **more))

    bare = changes(one(numbers), one(worse), 0.1)
    assert [(each.figure, each.is_regression) for each in bare] == [("cpu_ms_per_call_second", True)]
    sampled = changes(one(numbers, figures={"cpu": samples}), one(worse, figures={"cpu": samples}), 0.1)
    assert {each.figure for each in sampled} == {"cpu p50", "cpu p95"}
    assert not any(each.is_regression for each in sampled)
