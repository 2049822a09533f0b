"""A result as tables for the terminal: one for each suite, engines side by side."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.compare import Change
from benchmarks.report import words
from benchmarks.report.model import Result, Run
from benchmarks.report.targets import Verdict, verdicts


def show(result: Result, console: Console) -> None:
    """Everything a person wants to see first."""
    machine = result.machine
    found = verdicts(result.runs)
    for suite in dict.fromkeys(run.suite for run in result.runs):
        runs = [run for run in result.runs if run.suite == suite]
        console.rule(f"{suite}: {escape(words.setup_of(runs[0]))}")
        console.print(_suite(runs))
        for run in runs:
            if run.curve:
                console.print(_curve(run))
            for note in (words.own_setup_of(run), *run.notes, words.account_of(run), words.discards_of(run)):
                if note:
                    console.print(f"[dim]{run.engine}: {escape(note)}[/dim]")
        _show_targets([each for each in found if each.suite == suite], console)
    if found:
        met = sum(each.is_met for each in found)
        console.print(
            f"\n{met} of {len(found)} targets met" + ("" if met == len(found) else f", [red]{len(found) - met} MISSED[/red]")
        )
    if len(result.took) > 1:
        told = ", ".join(f"{suite} {seconds:.0f}" for suite, seconds in result.took.items())
        console.print(f"\n[dim]seconds a suite: {told}[/dim]")
    console.print(
        f"\n[dim]{machine.processor}, {machine.cores} cores, {machine.runtime}; load average "
        f"{machine.load[0]:.1f} before, {machine.load[1]:.1f} after; {result.seconds:.0f} s[/dim]"
    )


def _suite(runs: Sequence[Run]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for run in runs:
        table.add_column(f"{run.engine} {run.version}".strip(), justify="right")
    for name in dict.fromkeys(name for run in runs for name in run.figures if words.is_shown(name)):
        about = words.figure_words(name)
        table.add_row(f"{about.title}, {about.unit}, p50 / p95 / most", *(_figure(run, name) for run in runs))
    for name in dict.fromkeys(name for run in runs for name in run.shares):
        cells = (words.shown_share(run.shares[name]) if name in run.shares else "–" for run in runs)
        table.add_row(words.share_words(name).title, *cells)
    for name in dict.fromkeys(name for run in runs for name in run.numbers):
        about = words.number_words(name)
        cells = (words.number(run.numbers[name] * about.scale) if name in run.numbers else "–" for run in runs)
        table.add_row(f"{about.title}{', ' + about.unit if about.unit else ''}", *cells)
    return table


def _show_targets(found: Sequence[Verdict], console: Console) -> None:
    for each in found:
        said = "[green]met   [/green]" if each.is_met else "[bold red]MISSED[/bold red]"
        note = f"  [dim]{escape(each.note)}[/dim]" if each.note else ""
        console.print(f"{said}  {escape(each.what)}: {each.measured}, wanted {escape(each.wanted)}{note}")


def _figure(run: Run, name: str) -> str:
    if name not in run.figures:
        return "–"
    figure = run.figures[name]
    p50, p95, most, count = words.shown_figure(figure, words.figure_words(name))
    return f"{p50} / {p95} / {most}  [dim]n={count}[/dim]"


def _curve(run: Run) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title=f"{run.engine}: more and more calls", title_justify="left")
    for column in ("calls", "CPU ms/s", "gap p50 ms", "gap p95 ms", "late frames", "loop lag p99 ms", "MB per call", ""):
        table.add_column(column, justify="right")
    for point in run.curve:
        table.add_row(
            str(point.calls),
            f"{point.cpu_ms_per_call_second:.2f}",
            "–" if point.gap_p50 is None else f"{point.gap_p50 * 1000:.0f}",
            "–" if point.gap_p95 is None else f"{point.gap_p95 * 1000:.0f}",
            f"{point.late_share:.2%}",
            f"{point.lag_p99 * 1000:.1f}",
            f"{point.bytes_per_call / 1e6:.2f}",
            f"[red]{escape(point.why)}[/red]" if point.is_broken else "",
        )
    return table


def show_changes(changes: Sequence[Change], console: Console) -> None:
    """A comparison: regressions first."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("suite", "engine", "figure", "before", "after", "difference (95 %)", ""):
        table.add_column(column, justify="left" if column in ("suite", "engine", "figure", "") else "right")
    for change in sorted(changes, key=lambda each: (not each.is_regression, each.suite, each.engine, each.figure)):
        verdict = "[red]worse[/red]" if change.is_regression else "[green]better[/green]" if change.is_improvement else ""
        bounds = "" if change.low is None or change.high is None else f"{change.low:+.3f} … {change.high:+.3f}"
        row = (change.suite, change.engine, change.figure, f"{change.before:.3f}", f"{change.after:.3f}", bounds, verdict)
        table.add_row(*row)
    console.print(table)
