"""`offhook bench`: every measurement by name, reports, comparison. What people type; the suites do the work.

Exit status: 0 measured (and, for `compare`, no regression), 1 not measured or a regression, 2 a wrong command line.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console

from benchmarks.callers.climbing import read_way
from benchmarks.compare import changes
from benchmarks.conduct import Order, conduct
from benchmarks.engines.scripted import PACES
from benchmarks.errors import BenchmarkError
from benchmarks.plan import PARTS, WORD_TIMES, Plan
from benchmarks.report import markdown, table
from benchmarks.report.html import page
from benchmarks.report.merge import together
from benchmarks.report.model import read
from benchmarks.suites.catalogue import SUITES, Suite
from benchmarks.target import Engine, engine

DEFAULT_MARGIN: Final = 0.1
SHORT: Final = ("latency", "bargein", "gaps", "density", "soak", "heard", "simulation", "providers", "gate", "context")

bench_app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same callers, saying the same things.")]
Target = Annotated[
    list[str],
    typer.Option("--target", help="offhook, pipecat, livekit, a server's ws:// URL, or an application's http:// voice URL."),
]
PipecatPython = Annotated[
    str, typer.Option("--pipecat-python", help="A Python with pipecat-ai.", envvar="OFFHOOK_BENCH_PIPECAT")
]
LivekitPython = Annotated[
    str, typer.Option("--livekit-python", help="A Python with livekit-agents.", envvar="OFFHOOK_BENCH_LIVEKIT")
]
Long = Annotated[bool, typer.Option("--long", help="The long form: more calls, finer steps; an hour and more.")]
Calls = Annotated[int, typer.Option(min=0, max=2000, help="How many calls; 0: as many as the suite wants.")]
Out = Annotated[Path | None, typer.Option("--out", help="Where the result goes (JSON).", dir_okay=False)]
Html = Annotated[Path | None, typer.Option("--html", help="Where the page goes.", dir_okay=False)]
Corpus = Annotated[
    Path | None,
    typer.Option("--corpus", help="Recorded cases for `turns`.", envvar="OFFHOOK_BENCH_TURNS", file_okay=False),
]
Keep = Annotated[Path | None, typer.Option("--keep", help="Keep recordings and logs in this folder.", file_okay=False)]


Results = Annotated[list[Path], typer.Argument(help="Results of one machine.", exists=True, dir_okay=False)]


@dataclass(frozen=True, slots=True)
class Ways:
    """The environments that peers live in, and how engines are named on the command line."""

    pipecat: str = ""
    livekit: str = ""
    number: str = ""
    token: str = ""

    def engine(self, target: str) -> Engine:
        """`name`, `name:variant` or a URL."""
        if "://" in target:
            return replace(engine(target), number=self.number, token=self.token)
        name, _, variant = target.partition(":")
        return engine(name, {"pipecat": self.pipecat, "livekit": self.livekit}.get(name, ""), variant)


def _list(is_wanted: bool) -> None:
    if is_wanted:
        for suite in SUITES.values():
            typer.echo(f"{suite.name:<12} {suite.about}")
        raise typer.Exit


@bench_app.callback()
def _root(
    listed: Annotated[
        bool, typer.Option("--list", help="Name the suites and leave.", is_eager=True, callback=_list)
    ] = False,
) -> None: ...


@bench_app.command("all")
def everything(
    target: Target = ["offhook"],  # noqa: B006
    long: Long = False,
    seed: Seed = 1,
    corpus: Corpus = None,
    out: Out = None,
    html: Html = None,
    keep: Keep = None,
    pipecat_python: PipecatPython = "",
    livekit_python: LivekitPython = "",
    as_json: AsJson = False,
) -> None:
    """Every suite in its short form: under ten minutes on two cores. Leaves a JSON file and a page.

    Example: offhook bench all --html bench.html
    """
    engines = [Ways(pipecat_python, livekit_python).engine(each) for each in target]
    names = (*SHORT, "turns") if corpus else SHORT
    order = Order(out, html, keep, long, corpus=corpus, as_json=as_json)
    _measure(names, engines, Plan("", 0, seed=seed), order)


@bench_app.command()
def run(
    target: Target = ["offhook"],  # noqa: B006
    suite: Annotated[list[str], typer.Option("--suite", help="Which suites; may be repeated.")] = ["latency", "bargein"],  # noqa: B006
    calls: Calls = 0,
    rounds: Annotated[
        int, typer.Option(min=0, max=50, help="Engines take turns so often, because machines drift; 0: as the suite wants.")
    ] = 0,
    parts: Annotated[
        str,
        typer.Option(
            help="Ears, mind and mouth: `sockets`, the vendors' stand-ins by each engine's own plug-ins; or `inside`, "
            "scripted ones in the engine's process."
        ),
    ] = "",
    vendors_at: Annotated[
        int,
        typer.Option(
            min=0, max=65532, help="The stand-ins' first of four ports: deepgram, openai, elevenlabs, one without times."
        ),
    ] = 0,
    pace: Annotated[str, typer.Option(help=f"Their delays: {', '.join(PACES)}. Default: the suite's own.")] = "",
    word_times: Annotated[
        str,
        typer.Option(help=f"Calls whose voice tells when each word is said: {', '.join(WORD_TIMES)}. Default: the suite's."),
    ] = "",
    stall: Annotated[
        float, typer.Option(min=0, max=5, help="Hold the engine's loop up so many seconds, each second.")
    ] = 0.0,
    long: Long = False,
    seed: Seed = 1,
    corpus: Corpus = None,
    out: Out = None,
    html: Html = None,
    keep: Keep = None,
    pipecat_python: PipecatPython = "",
    livekit_python: LivekitPython = "",
    number: Annotated[str, typer.Option(help="Whom to ring at an http:// target: a number of the application's.")] = "",
    token: Annotated[str, typer.Option(help="Signs the webhook of an http:// target.", envvar="TWILIO_AUTH_TOKEN")] = "",
    as_json: AsJson = False,
) -> None:
    """Any engine through the same calls: `offhook`, `pipecat`, `livekit` (`:vad` for their other setting), or a URL.

    Example: offhook bench run --target offhook --target pipecat --suite latency --rounds 3 --html side-by-side.html
    """
    unknown = [name for name in suite if name not in SUITES]
    wrong = [("suite", name) for name in unknown] + [
        (what, name)
        for what, name, known in (("pace", pace, PACES), ("parts", parts, PARTS), ("word times", word_times, WORD_TIMES))
        if name not in ("", *known)
    ]
    if wrong:
        raise typer.BadParameter("no such {}: {}".format(*wrong[0]))
    engines = [Ways(pipecat_python, livekit_python, number, token).engine(each) for each in target]
    plan = Plan("", calls, seed=seed, parts=parts, vendors_at=vendors_at, pace=pace, stall=stall, word_times=word_times)
    _measure(suite, engines, plan, Order(out, html, keep, long, rounds, corpus=corpus, as_json=as_json))


def _one_suite(suite: Suite) -> None:
    """A command for one suite."""

    def command(
        target: Target = ["offhook"],  # noqa: B006
        calls: Calls = 0,
        steps: Annotated[
            str, typer.Option(help="How many calls at once, e.g. 10,20,40; density: from..to*leap~fineness.")
        ] = "",
        long: Long = False,
        seed: Seed = 1,
        out: Out = None,
        html: Html = None,
        keep: Keep = None,
        pipecat_python: PipecatPython = "",
        livekit_python: LivekitPython = "",
        as_json: AsJson = False,
    ) -> None:
        try:
            if steps:
                read_way(steps)
        except ValueError:
            raise typer.BadParameter("--steps wants 10,20,40 or, to look for the limit, 20..640*2~0.1") from None
        engines = [Ways(pipecat_python, livekit_python).engine(each) for each in target]
        plan = Plan("", calls, seed=seed)
        _measure([suite.name], engines, plan, Order(out, html, keep, long, steps=steps, as_json=as_json))

    command.__doc__ = f"{suite.about[0].upper()}{suite.about[1:]}.\n\nExample: offhook bench {suite.name}"
    bench_app.command(suite.name)(command)


for _suite in SUITES.values():
    if _suite.name != "turns":  # it has tables of its own
        _one_suite(_suite)


def _measure(names: Sequence[str], engines: Sequence[Engine], plan: Plan, order: Order) -> None:
    raise typer.Exit(0 if conduct([SUITES[name] for name in names], engines, plan, order) else 1)


@bench_app.command()
def turns(
    corpus: Annotated[
        Path, typer.Option(help="A folder of recorded cases: cases/cases.jsonl and its audio.", file_okay=False)
    ],
    only: Annotated[str, typer.Option("--filter", help="group or group:sub, for example eot or barge:echo.")] = "",
    as_json: AsJson = False,
) -> None:
    """Turn-taking in virtual time: the real detectors and the real core over recorded speech and noise.

    Example: offhook bench turns --corpus ~/turns
    """
    from benchmarks.turns import run as run_turns
    from benchmarks.turns import summary

    if not (corpus / "cases" / "cases.jsonl").is_file():
        raise BenchmarkError(f"{corpus} holds no cases: cases/cases.jsonl is missing")
    console = Console(stderr=True)
    with console.status("") as status:
        found = run_turns(corpus, keep=only, progress=lambda done, of: status.update(f"{done} of {of} cases"))
    if as_json:
        told = {"tables": found.report.text(), "cpu_ms_per_call_second": round(found.cost, 3), "cases": len(found.decisions)}
        print(msgspec.json.encode(told).decode())
    else:
        print(summary(found))


@bench_app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="The older result.", exists=True, dir_okay=False)],
    after: Annotated[Path, typer.Argument(help="The newer result.", exists=True, dir_okay=False)],
    margin: Annotated[float, typer.Option(min=0, max=10, help="How much worse is still the same: 0.1 is ten per cent.")] = (
        DEFAULT_MARGIN
    ),
    as_json: AsJson = False,
) -> None:
    """Two results side by side with confidence intervals; exit status 1 when something got worse beyond the margin.

    Example: offhook bench compare last-week.json today.json --margin 0.15
    """
    one, other = read(before), read(after)
    if one.machine.compiled != other.machine.compiled:
        print(f"not the same program: {one.machine.runtime} before, {other.machine.runtime} after", file=sys.stderr)
    found = changes(one, other, margin)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        table.show_changes(found, Console())
    raise typer.Exit(1 if any(change.is_regression for change in found) else 0)


@bench_app.command()
def report(
    results: Results,
    html: Html = None,
) -> None:
    """Results of one machine as tables, and as one page.

    Example: offhook bench report side-by-side.json density.json --html bench.html
    """
    found = together([read(each) for each in results])
    table.show(found, Console())
    if html is not None:
        html.write_text(page(found), encoding="utf-8")


@bench_app.command("table")
def readme_table(
    results: Results,
    into: Annotated[
        Path | None, typer.Option("--into", help="A page whose table is renewed, README.md for one.", dir_okay=False)
    ] = None,
) -> None:
    """Results as a Markdown table: engines side by side, where we lose, machine, date and command.

    Example: offhook bench table side-by-side.json density.json --into README.md
    """
    block = markdown.table(together([read(each) for each in results]))
    if into is None:
        print(block)
        return
    into.write_text(markdown.replaced(into.read_text(encoding="utf-8"), block), encoding="utf-8")


def main() -> None:
    """`python -m benchmarks.cli`, for a checkout in which the command is not installed."""
    try:
        bench_app()
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
