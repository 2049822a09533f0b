"""`offhook bench` as people type it: what it lists, refuses, compares."""

import json

import pytest
from msgspec import structs
from typer.testing import CliRunner

from benchmarks import cli
from benchmarks.conduct import _command
from benchmarks.errors import BenchmarkError, EngineNotReady
from benchmarks.figures import CallFigures, Tally
from benchmarks.plan import Place, Plan, a_place
from benchmarks.report.model import Machine, Result, Run, Share, figure, write
from benchmarks.run import since
from benchmarks.suites.catalogue import SUITES, Task, _plain
from benchmarks.summary import load_of, summary
from benchmarks.target import Engine, engine, setup_of, version_of

runner = CliRunner()


def result(gap: float) -> Result:
    run = Run(
        suite="latency",
        engine="offhook",
        figures={"gap": figure([gap + number / 1000 for number in range(50)])},
        shares={"late_frames": Share(hits=0, of=100)},
    )
    machine = Machine(processor="p", cores=2, memory_gb=4, system="s", python="3.11")
    return Result(made_at="2026-01-01", seconds=1, machine=machine, runs=(run,))


@pytest.fixture
def results(tmp_path):
    for name, gap in (("before", 0.6), ("after", 0.9)):
        write(tmp_path / f"{name}.json", result(gap))
    return str(tmp_path / "before.json"), str(tmp_path / "after.json")


def test_the_list_names_every_suite():
    told = runner.invoke(cli.bench_app, ["--list"]).output
    assert all(name in told for name in SUITES)


@pytest.mark.parametrize("command", [*SUITES, "all", "run", "compare", "report", "table"])
def test_every_command_has_help_with_an_example(command):
    told = runner.invoke(cli.bench_app, [command, "--help"])
    assert told.exit_code == 0
    assert "Example: offhook bench" in told.output


def test_a_regression_is_the_exit_status(results):
    assert runner.invoke(cli.bench_app, ["compare", *results]).exit_code == 1
    assert runner.invoke(cli.bench_app, ["compare", *reversed(results)]).exit_code == 0
    assert runner.invoke(cli.bench_app, ["compare", *results, "--margin", "0.9"]).exit_code == 0


def test_compiled_and_interpreted_are_not_compared_in_silence(results, tmp_path):
    compiled = structs.replace(result(0.9), machine=structs.replace(result(0.9).machine, compiled=True))
    write(tmp_path / "compiled.json", compiled)
    told = runner.invoke(cli.bench_app, ["compare", results[0], str(tmp_path / "compiled.json")]).stderr
    assert "offhook interpreted before" in told
    assert "offhook compiled after" in told
    assert "same program" not in runner.invoke(cli.bench_app, ["compare", *results]).stderr


def test_a_comparison_for_machines(results):
    told = json.loads(runner.invoke(cli.bench_app, ["compare", *results, "--json"]).stdout)
    assert any(change["is_regression"] and change["figure"] == "gap p50" for change in told)


def test_a_result_is_shown_again(results, tmp_path):
    page = tmp_path / "page.html"
    told = runner.invoke(cli.bench_app, ["report", results[0], "--html", str(page)])
    assert told.exit_code == 0
    assert "response gap" in page.read_text()


@pytest.mark.parametrize(
    "arguments",
    [["run", "--suite", "nothing"], ["run", "--pace", "nothing"], ["density", "--steps", "a,b"], ["compare", "no", "such"]],
)
def test_a_wrong_command_line_is_refused(arguments):
    assert runner.invoke(cli.bench_app, arguments).exit_code == 2


def test_a_folder_without_cases_is_named(tmp_path):
    told = runner.invoke(cli.bench_app, ["turns", "--corpus", str(tmp_path)])
    assert isinstance(told.exception, BenchmarkError)
    assert "cases.jsonl" in str(told.exception)


def test_engines_by_name_variant_and_url(monkeypatch):
    ways = cli.Ways(pipecat="/somewhere/python")
    assert ways.engine("pipecat:vad").title == "pipecat (vad)"
    assert ways.engine("pipecat").python == "/somewhere/python"
    assert ways.engine("ws://host:1/path").url == "ws://host:1/path"
    with pytest.raises(BenchmarkError, match="no such target"):
        engine("nothing")
    monkeypatch.setattr("benchmarks.target._is_installed", lambda module: False)
    with pytest.raises(BenchmarkError, match="is not installed"):
        engine("livekit")


def test_load_is_that_of_the_seconds_with_calls():
    def note(at: float, cpu: float, calls: int) -> dict[str, object]:
        return {"at": at, "cpu": cpu, "calls": calls, "lag_p99": 0.002}

    found = load_of([note(0, 0.0, 0), note(1, 5.0, 0), note(2, 5.1, 10), note(3, 5.2, 10), {"call_sid": "CA1"}])
    assert found == {"cpu_ms_per_call_second": 10.0, "lag_p99_median_ms": 2.0}
    assert load_of([]) == {}


def test_a_suite_with_numbers_of_its_own_is_kept_whole():
    run = _plain("providers", {"preset": "published", "adapter": {"ears_ms": {"p50": 1.0}}, "calls": 3, "none": None})
    assert run.numbers == {"adapter.ears_ms.p50": 1.0, "calls": 3.0}
    assert run.setup == {"preset": "published"}


def test_the_table_of_a_page_is_renewed(results, tmp_path):
    page = tmp_path / "README.md"
    page.write_text("# a page\n")
    assert runner.invoke(cli.bench_app, ["table", results[0], "--into", str(page)]).exit_code == 0
    assert "| response gap |" in page.read_text()
    told = runner.invoke(cli.bench_app, ["table", *results]).output
    assert told.count("| response gap |") == 1


def test_a_command_is_kept_without_its_secrets():
    typed = ["bench", "run", "--token", "secret", "--token=secret", "--seed", "2"]
    assert _command(typed) == "offhook bench run --token *** --token=*** --seed 2"


def test_an_engine_says_what_it_is_set_up_with():
    told = setup_of(engine("offhook"))
    assert "uvicorn" in told["with"]
    assert told["settings"]
    assert setup_of(engine("ws://127.0.0.1:1/")) == {}
    assert version_of(engine("ws://127.0.0.1:1/")) == ""


def test_parts_and_pace_are_the_suites_where_nothing_was_asked_for():
    assert Plan("latency", 1).usual("sockets", "published").parts == "sockets"
    assert Plan("latency", 1, parts="inside", pace="fixed").usual("sockets", "published").pace == "fixed"


def test_what_happened_in_the_warm_up_is_left_out():
    notes = [{"at": 1.0}, {"at": 3.0}, {"call_sid": "CA1"}]
    assert since(notes, 2.0) == notes[1:]


@pytest.mark.parametrize(("late", "said"), [(10, False), (600, True)])
def test_a_carrier_that_was_late_itself_says_so(late, said):
    calls = [CallFigures("CA1", "latency-0", 100.0, carrier_frames_late=late)]
    found = summary(engine("ws://127.0.0.1:1/"), Plan("latency", 1), calls, [], [])
    assert any("the machine was too busy" in note for note in found.notes) is said
    assert found.setup["parts"] == "the engine's own"


async def test_an_engine_that_fails_does_not_keep_the_others_from_being_measured(monkeypatch, tmp_path):
    async def one_run(engine, plan, place, progress):
        if engine.url:
            raise EngineNotReady("it did not listen")
        return Run(suite=plan.suite, engine=engine.title, calls=plan.calls)

    monkeypatch.setattr("benchmarks.suites.catalogue.one_run", one_run)
    engines = [Engine("engine", url="ws://nobody"), Engine("offhook")]
    task = Task(engines, Plan("", 3), Place(tmp_path), lambda what: None, rounds=2)
    (run,) = await SUITES["latency"].run(task)
    assert (run.engine, run.calls) == ("offhook", 6)
    assert task.failures == ["latency, engine: it did not listen"] * 2


def test_a_kept_folder_is_used_again_after_its_speech_has_moved(tmp_path):
    for cache in ("one", "other"):
        with a_place(tmp_path / "kept", tmp_path / cache) as place:
            assert place.speech.is_dir()
        (tmp_path / cache).rename(tmp_path / f"{cache} is gone")


def test_as_many_calls_at_once_as_every_engine_of_a_run_can_carry(tmp_path):
    def waves(*engines: str, calls: int = 0, rounds: int = 0, is_long: bool = False) -> tuple[int, int]:
        lot = [Engine(name) for name in engines]
        task = Task(lot, Plan("", calls), Place(tmp_path), lambda what: None, is_long, rounds)
        return SUITES["latency"].waves(task)

    assert waves("offhook") == (12, 1)
    assert waves("offhook", is_long=True) == (12, 5)
    assert waves("offhook", "pipecat") == (6, 2)
    assert waves("offhook", "livekit", rounds=1) == (6, 1)
    assert waves("offhook", "pipecat", calls=3) == (3, 1)
    assert waves("engine", calls=3, rounds=4) == (3, 4)


def test_errors_are_told_apart_by_whether_the_voice_had_word_times():
    calls = [
        CallFigures("CA1", "bargein-0", 1.0, heard_error=[1.0]),
        CallFigures("CA2", "bargein-4", 1.0, heard_error=[2.0]),
    ]

    def told(word_times: str) -> dict[str, tuple[float, ...]]:
        figures = summary(Engine("engine", url="ws://x"), Plan("bargein", 2, word_times=word_times), calls, [], []).figures
        return {name: each.values for name, each in figures.items() if name.startswith("heard")}

    assert told("half") == {"heard_error": (1.0,), "heard_error_untimed": (2.0,)}
    assert told("") == {"heard_error": (1.0, 2.0)}
    assert told("none") == {"heard_error_untimed": (1.0, 2.0)}


def test_false_stops_are_added_up_and_drafts_of_the_measured_calls_counted():
    stops = {"cough": Tally(0, 2), "backchannel": Tally(1, 1), "backchannel: okay": Tally(1, 1), "echo": Tally(1, 3)}
    calls = [CallFigures("CA1", "bargein-0", 1.0, stops=stops)]
    notes = [{"call_sid": "CA1", "speculated": 4, "wasted": 1}, {"call_sid": "warm-up", "speculated": 9, "wasted": 9}]
    shares = summary(Engine("offhook"), Plan("bargein", 1), calls, notes, []).shares
    assert shares["false_stops"] == Share(hits=2, of=6)
    assert shares["drafts_wasted"] == Share(hits=1, of=4)
    assert "drafts_wasted" not in summary(Engine("offhook"), Plan("bargein", 1), calls, [], []).shares
