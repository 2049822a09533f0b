"""Reports: the schema is what it says, pages stand alone, numbers read well."""

import io
import re
from html.parser import HTMLParser

import msgspec
import pytest
from rich.console import Console

from benchmarks.compare import Change
from benchmarks.errors import BadResult
from benchmarks.report import svg, svg_bars, table, words
from benchmarks.report.html import page
from benchmarks.report.model import (
    SCHEMA_FILE,
    Machine,
    Mark,
    Point,
    Result,
    Run,
    Share,
    Timeline,
    at,
    figure,
    read,
    schema,
    write,
)

CALL = Timeline(
    title="bargein-1",
    step=0.05,
    caller=(0.0, 0.5, 0.9),
    agent=(0.3, 0.0, 0.0),
    marks=(
        Mark(at=0.05, kind="barge_in", text="wait <b>", until=0.1),
        Mark(at=0.08, kind="clear"),
        Mark(at=0.0, kind="odd"),
    ),
)
CURVE = (
    Point(calls=10, cpu_ms_per_call_second=2.0, gap_p50=0.6, gap_p95=0.7),
    Point(calls=80, cpu_ms_per_call_second=1.5, is_broken=True, why="5 % of frames late", late_share=0.05),
)


def result() -> Result:
    runs = (
        Run(
            suite="latency",
            engine="offhook",
            version="1.0",
            figures={"gap": figure([0.5, 0.6, 1.2]), "odd_one": figure([1.0], "words")},
            shares={"late_frames": Share(hits=1, of=1000), "none": Share(hits=0, of=0)},
            numbers={"cpu_ms_per_call_second": 2.1, "something.else": 4.0},
            timeline=CALL,
            notes=("a <note>",),
        ),
        Run(suite="latency", engine="pipecat (vad)", figures={"gap": figure([1.0, 1.1])}),
        Run(
            suite="density",
            engine="offhook",
            curve=CURVE,
            numbers={"calls_per_core": 10.0, "cpu_ms_per_call_second": 2.0},
        ),
    )
    machine = Machine(processor="A & B", cores=2, memory_gb=8, system="Linux", python="3.11", load=(5.0, 6.0))
    return Result(made_at="2026-11-20T10:00:00+00:00", seconds=60.0, machine=machine, runs=runs)


class Balanced(HTMLParser):
    """Every tag that opens closes, in order; what would be fetched is noted."""

    VOID = frozenset({"meta", "br", "circle", "line", "polyline", "polygon", "rect", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_fetches_nothing():
    parser = Balanced()
    parser.feed(page(result()))
    assert parser.open == []
    assert parser.fetched == []


def test_the_page_says_what_was_measured_and_where():
    text = page(result())
    assert "A &amp; B" in text
    assert "The load average was 5.0 before" in text
    assert "5 % of frames late" in text
    assert "a &lt;note&gt;" in text
    assert "wait &lt;b&gt;" in text
    assert "nan" not in text


def test_an_empty_result_still_makes_a_page():
    empty = Result(made_at="", seconds=0, machine=result().machine, runs=(Run(suite="x", engine="y", timeline=None),))
    assert "<h1>" in page(empty)


def test_tables_name_every_engine_and_figure():
    out = io.StringIO()
    table.show(result(), Console(file=out, width=200))
    text = out.getvalue()
    assert "response gap, ms" in text
    assert "600 / 1\u202f200 / 1\u202f200" in text
    assert "pipecat (vad)" in text
    assert "0.10 % (1 of 1000)" in text
    assert "load average 5.0 before" in text


def test_changes_show_regressions_first():
    out = io.StringIO()
    found = [
        Change("latency", "offhook", "gap p50", 1.0, 0.5, -0.6, -0.4, is_improvement=True),
        Change("latency", "offhook", "gap p95", 1.0, 2.0, 0.8, 1.2, is_regression=True),
        Change("latency", "offhook", "cpu", 1.0, 1.0),
    ]
    table.show_changes(found, Console(file=out, width=160))
    assert out.getvalue().index("worse") < out.getvalue().index("better")


def test_results_are_written_and_read_back(tmp_path):
    path = tmp_path / "result.json"
    write(path, result())
    assert read(path) == result()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema_version": 1}'])
def test_a_file_that_is_no_result_is_refused(tmp_path, content):
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(BadResult, match=r"result\.json"):
        read(path)


def test_the_schema_beside_the_module_is_the_schema(request):
    path = request.config.rootpath / "benchmarks" / "report" / SCHEMA_FILE
    assert path.read_bytes() == schema()
    assert msgspec.json.decode(schema())["$defs"]["Run"]["required"] == ["suite", "engine"]


TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def complaints(value, rule, whole, path="result"):
    """What is wrong with a value in the eyes of a schema: the words of JSON Schema that ours is written in."""
    if "$ref" in rule:
        return complaints(value, whole["$defs"][rule["$ref"].rpartition("/")[2]], whole, path)
    if "anyOf" in rule:
        tried = [complaints(value, each, whole, path) for each in rule["anyOf"]]
        return [] if [] in tried else [f"{path}: none of {len(tried)}"]
    known = {
        "$defs",
        "title",
        "description",
        "type",
        "properties",
        "required",
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "default",
        "additionalProperties",
    }
    found = [f"{path}: unknown word {word}" for word in rule.keys() - known]
    if not isinstance(value, TYPES[rule["type"]]):
        return [*found, f"{path}: not of type {rule['type']}"]
    if isinstance(value, list):
        first = rule.get("prefixItems", [])
        found += [f"{path}: too few"] if len(value) < rule.get("minItems", 0) else []
        for number, each in enumerate(value):
            member = first[number] if number < len(first) else rule["items"]
            found += complaints(each, member, whole, f"{path}[{number}]") if member else [f"{path}: too many"]
    elif isinstance(value, dict):
        found += [f"{path}: {name} is missing" for name in rule.get("required", []) if name not in value]
        for name, each in value.items():
            member = rule.get("properties", {}).get(name, rule.get("additionalProperties"))
            found += (
                complaints(each, member, whole, f"{path}.{name}") if member else [f"{path}: {name} is not in the schema"]
            )
    return found


def test_a_result_is_what_the_schema_says(tmp_path, request):
    whole = msgspec.json.decode((request.config.rootpath / "benchmarks" / "report" / SCHEMA_FILE).read_bytes())
    write(tmp_path / "result.json", result())
    written = msgspec.json.decode((tmp_path / "result.json").read_bytes())
    assert complaints(written, whole, whole) == []
    del written["machine"]
    written["runs"][0]["calls"] = "many"
    assert complaints(written, whole, whole) == ["result: machine is missing", "result.runs[0].calls: not of type integer"]


def test_percentiles_are_of_the_nearest_rank():
    assert at([], 50) is None
    assert at([3.0, 1.0, 2.0], 50) == 2.0
    assert at([3.0, 1.0, 2.0], 95) == 3.0
    assert figure([]).p50 is None


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (1234.5, "1\u202f234"), (12.34, "12.3"), (1.234, "1.23")])
def test_numbers_have_no_more_digits_than_they_deserve(value, shown):
    assert words.number(value) == shown


@pytest.mark.parametrize(("value", "end"), [(0, 1), (0.7, 0.8), (980, 1000), (1300, 1500), (25, 25)])
def test_axes_end_at_round_numbers(value, end):
    assert svg.nice(value) == pytest.approx(end)


@pytest.mark.parametrize("most", [0.3, 1, 12, 250, 4000, 80000])
def test_axes_have_a_few_round_ticks(most):
    found = svg.ticks(most)
    assert 3 <= len(found) <= 9
    assert found[0] == 0
    assert found[-1] <= most


def test_plots_of_nothing_are_nothing():
    assert svg.distribution([svg.Series("offhook", ())], "ms", "x") == ""
    assert svg.climbs([("offhook", ())], "y", "x") == ""
    assert svg_bars.bars([], "x") == ""
    assert svg.timeline(Timeline(title="", step=0.05, caller=(), agent=())) == ""


def test_an_engine_keeps_its_colour():
    assert svg.color("offhook (alone)") == svg.COLORS["offhook"]
    assert re.fullmatch(r"var\(--[a-z]+\)", svg.color("wss://somewhere", 9))


def test_every_colour_of_a_plot_is_the_pages_in_light_and_in_dark():
    text = page(result())
    light, _, dark = text.partition("prefers-color-scheme:dark")
    used = set(re.findall(r"var\((--[a-z-]+)\)", text))
    assert {"--offhook", "--ink", "--paper"} <= used
    assert all(f"{name}:" in light for name in used)
    assert all(f"{name}:" in dark.partition("</style>")[0] for name in used)


def test_calls_are_drawn_by_their_ratios():
    assert svg.decades(4, 700) == [5, 10, 20, 50, 100, 200, 500]
    x = svg.log_scale(1, 100, 0, 200)
    assert (x(1), x(10), x(100)) == pytest.approx((0, 100, 200))
