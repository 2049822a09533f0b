"""Targets beside figures, and the table of a README: what is missed is said, what is lost to others too."""

import pytest

from benchmarks.report import markdown
from benchmarks.report.model import FALSE_STOPS, Machine, Result, Run, Share, figure
from benchmarks.report.side_by_side import side_by_side
from benchmarks.report.targets import OURS, TARGETS, Kind, Target, value_of, verdicts


def run(suite: str, engine: str = OURS, **more: object) -> Run:
    return Run(suite=suite, engine=engine, version="1", **more)


def gap(median: float, tail: float) -> dict[str, object]:
    return {"gap": figure([median] * 19 + [tail])}


def result(*runs: Run, load: tuple[float, float] = (0.5, 0.5)) -> Result:
    machine = Machine(processor="EPYC", cores=2, memory_gb=4, system="s", python="3.11", load=load)
    return Result(made_at="2026-11-20T10:00:00", seconds=1, machine=machine, runs=runs, command="offhook bench run")


def of(found, what: str):
    return next(each for each in found if each.what.startswith(what))


def test_a_figure_is_met_or_missed():
    found = verdicts([run("latency", figures={"gap": figure([0.4] * 10 + [1.5] * 10)})])
    assert of(found, "response gap, p50").is_met
    missed = of(found, "response gap, p95")
    assert (missed.is_met, missed.measured, missed.wanted) == (False, "1\u202f500 ms", "at most 900 ms")


def test_only_ours_are_judged_and_only_what_was_measured():
    assert verdicts([run("latency", "pipecat", figures=gap(9.0, 9.0)), run("bargein")]) == []


def test_no_holes_at_all_is_a_figure_too():
    (found,) = verdicts([run("gaps")])
    assert (found.is_met, found.measured) == (True, "0")
    assert not verdicts([run("gaps", figures={"holes": figure([0.06])})])[0].is_met


def test_a_peer_sets_the_limit():
    ours_murmur = run("bargein", shares={"stops: backchannel": Share(hits=2, of=4)})
    peers_murmur = run("bargein", "pipecat", shares={"stops: backchannel": Share(hits=1, of=4)})
    found = verdicts([ours_murmur, peers_murmur])
    beside = next(each for each in found if "25" in each.wanted)
    assert (beside.wanted, beside.is_met) == ("less than 25 %, the best other's", False)


@pytest.mark.parametrize(("ours", "best", "is_met"), [(1, 2, True), (2, 2, False), (0, 0, True), (3, 2, False)])
def test_as_good_as_the_best_other_is_not_better_but_nothing_is(ours, best, is_met):
    def stops(engine: str, hits: int) -> Run:
        return run("bargein", engine, shares={FALSE_STOPS: Share(hits=hits, of=20)})

    (found,) = verdicts([stops(OURS, ours), stops("pipecat", best), stops("livekit", 9)])
    assert found.is_met is is_met
    assert found.what.startswith("stops for nothing that takes the floor")


# The figures that were promised of these suites, each with its limit in the units it is shown in.
PROMISED = [
    ("latency", "gap", Kind.P50, 500),
    ("latency", "gap", Kind.P95, 900),
    ("latency", "content_gap", Kind.P50, 900),
    ("latency", "drafts_wasted", Kind.RATE, 25),
    ("bargein", "stop", Kind.P50, 250),
    ("bargein", "stop", Kind.P95, 400),
    ("bargein", "stop", Kind.P95, 300),
    ("bargein", "heard_error", Kind.P95, 1),
    ("bargein", "heard_error_untimed", Kind.P95, 2),
    ("gaps", "holes", Kind.COUNT, 0),
    ("density", "cpu_ms_per_call_second", Kind.NUMBER, 2.5),
    ("density", "calls_per_core", Kind.NUMBER, 400),
    ("density", "times_the_better_other", Kind.NUMBER, 6),
    ("density", "bytes_per_call", Kind.NUMBER, 1),
    ("density", "added_latency", Kind.P95, 20),
    ("simulation", "events_per_second", Kind.NUMBER, 100_000),
    ("turns", "detectors_ms_per_call_second", Kind.NUMBER, 1.5),
    ("turns", "endpoint_delay", Kind.P50, 400),
    ("turns", "endpoint_delay", Kind.P95, 1200),
    ("turns", "detect_delay", Kind.P50, 300),
    ("turns", "detect_delay", Kind.P95, 500),
]


@pytest.mark.parametrize(("suite", "name", "kind", "limit"), PROMISED)
def test_every_promised_figure_is_a_target(suite, name, kind, limit):
    assert [each for each in TARGETS if (each.suite, each.figure, each.kind, each.limit) == (suite, name, kind, limit)]


def test_what_crowding_adds_and_how_many_times_the_others_is_judged():
    ours = run(
        "density",
        figures={"added_latency": figure([0.001] * 18 + [0.03] * 2)},
        numbers={"times_the_better_other": 5.9},
        notes=("not broken by 100 calls, the last step",),
    )
    found = verdicts([ours])
    crowding, times = of(found, "added latency per turn"), of(found, "calls on one core, against")
    assert (crowding.is_met, crowding.measured, crowding.wanted) == (False, "30 ms", "at most 20 ms")
    assert (times.is_met, times.measured, times.wanted) == (False, "5.9 ×", "at least 6 ×")
    assert "not broken" in times.note


def test_the_table_names_machine_date_command_and_where_we_lose():
    text = markdown.table(
        result(
            run("latency", figures=gap(0.6, 1.2), shares={"lost_words": Share(hits=0, of=8)}),
            run("latency", "pipecat", figures=gap(0.5, 3.0)),
            run("density", numbers={"calls_per_core": 40.0}),
            run("density", "pipecat", numbers={"calls_per_core": 20.0}),
            load=(5.0, 6.0),
        )
    )
    assert text.startswith(markdown.BEGIN)
    assert "| response gap | 600 / 600 | 500 / 500 |" in text
    assert "Where we lose to another engine of this run:** response gap, p50; response gap, p95." in text
    assert "calls on one core" not in text.partition("Where we lose")[2].partition("MISSED")[0]
    assert all(each in text for each in ("2026-11-20", "EPYC", "shared with other work", "`offhook bench run`", "MISSED"))


def test_a_lone_engine_loses_to_nobody():
    text = markdown.table(result(run("latency", figures={"gap": figure([0.1])})))
    assert "Where we lose" not in text
    assert "MISSED" not in text


def test_a_page_gets_its_block_renewed():
    block = f"{markdown.BEGIN}\nnew\n{markdown.END}"
    assert markdown.replaced("a page\n", block) == f"a page\n\n{block}\n"
    assert markdown.replaced(f"a\n{markdown.BEGIN}\nold\n{markdown.END}\nb\n", block) == f"a\n{block}\nb\n"


def test_engines_side_by_side_on_the_page():
    shares = {"stops: backchannel": Share(hits=1, of=2)}
    runs = [
        run(suite, engine, figures=gap(0.5, 0.9), shares=shares)
        for suite in ("latency", "bargein")
        for engine in (OURS, "livekit")
    ]
    page = "".join(side_by_side(result(*runs)))
    assert page.count("<svg") == 2
    assert "1 of 2" in page
    assert list(side_by_side(result(runs[0]))) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_what_was_not_measured_has_no_value(kind):
    assert value_of(Target("latency", "nothing", kind), run("latency")) in (None, 0.0)
