"""A result as the table of a README: engines side by side, the figures people ask for first, and where we lose. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.report import words
from benchmarks.report.model import DRAFTS_WASTED, FALSE_STOPS, Result, Run
from benchmarks.report.targets import OURS, Kind, Target, value_of, verdicts

BEGIN: Final = "<!-- bench table: made by `offhook bench table` -->"
END: Final = "<!-- end of bench table -->"


@dataclass(frozen=True, slots=True)
class _Row:
    """`is_more_better`: of two engines the one with more is ahead. `also` is a second percentile, shown behind a stroke."""

    suite: str
    figure: str
    kind: Kind
    is_more_better: bool = False
    also: Kind | None = None


ROWS: Final = (
    _Row("latency", "first_audio", Kind.P50, also=Kind.P95),
    _Row("latency", "gap", Kind.P50, also=Kind.P95),
    _Row("latency", "content_gap", Kind.P50, also=Kind.P95),
    _Row("latency", "cut_offs_in_pauses", Kind.RATE),
    _Row("latency", "lost_words", Kind.RATE),
    _Row("latency", DRAFTS_WASTED, Kind.RATE),
    _Row("latency", "understated_gap_ms", Kind.NUMBER),
    _Row("bargein", "stop", Kind.P50, also=Kind.P95),
    _Row("bargein", "missed_barge_ins", Kind.RATE),
    _Row("bargein", FALSE_STOPS, Kind.RATE),
    _Row("bargein", "stops: backchannel", Kind.RATE),
    _Row("bargein", "stops: cough", Kind.RATE),
    _Row("bargein", "stops: echo", Kind.RATE),
    _Row("bargein", "heard_error", Kind.P50, also=Kind.P95),
    _Row("bargein", "heard_error_untimed", Kind.P50, also=Kind.P95),
    _Row("gaps", "holes", Kind.COUNT),
    _Row("density", "calls_per_core", Kind.NUMBER, is_more_better=True),
    _Row("density", "times_the_better_other", Kind.NUMBER, is_more_better=True),
    _Row("density", "cpu_ms_per_call_second", Kind.NUMBER),
    _Row("density", "bytes_per_call", Kind.NUMBER),
    _Row("density", "lag_p99_median_ms", Kind.NUMBER),
    _Row("density", "added_latency", Kind.P50, also=Kind.P95),
    _Row("density", "added_gap", Kind.P50, also=Kind.P95),
    _Row("density", "added_gap_alike", Kind.P50, also=Kind.P95),
)
_OWN_SUITES: Final = {"gaps": "with the loop held up 100 ms every second"}


def table(result: Result) -> str:
    """The whole block, with the machine and the command it was made by."""
    return "\n".join((BEGIN, *_lines(result), END))


def replaced(text: str, block: str) -> str:
    """A page with its block renewed; at its end where it has none yet."""
    before, found, rest = text.partition(BEGIN)
    if not found:
        return f"{text.rstrip()}\n\n{block}\n"
    return before + block + rest.partition(END)[2]


def _lines(result: Result) -> Iterator[str]:
    engines = list(dict.fromkeys(run.engine for run in result.runs))
    versions = {run.engine: run.version for run in result.runs}
    yield f"| | {' | '.join(f'{engine} {versions[engine]}'.strip() for engine in engines)} |"
    yield f"|---{'|---:' * len(engines)}|"
    behind: list[str] = []
    for row in ROWS:
        runs = {run.engine: run for run in result.runs if run.suite == row.suite}
        cells = {engine: _cell(row, runs[engine]) for engine in engines if engine in runs}
        if any(cells.values()):
            yield f"| {_title(row)} | {' | '.join(cells.get(engine) or '–' for engine in engines)} |"
            behind += _behind(row, runs)
    yield ""
    yield _made(result)
    yield ""
    yield from _where_we_lose(result, behind)


def _where_we_lose(result: Result, behind: Sequence[str]) -> Iterator[str]:
    if len({run.engine for run in result.runs}) > 1:
        yield f"**Where we lose to another engine of this run:** {'; '.join(behind) if behind else 'nowhere in this table'}."
    found = verdicts(result.runs)
    missed = [f"{each.what} {each.measured} (wanted {each.wanted})" for each in found if not each.is_met]
    if missed:
        yield ""
        yield f"**MISSED**, of {len(found)} targets of our own: {'; '.join(missed)}."


def _made(result: Result) -> str:
    machine = result.machine
    crowd = (
        " on a machine shared with other work: compare within the table only" if max(machine.load) > machine.cores else ""
    )
    calls = sum(run.calls for run in result.runs if run.suite in ("latency", "bargein"))
    where = f"{result.made_at[:10]}, {machine.processor}, {machine.cores} cores, {machine.runtime}{crowd}"
    how = f"{calls} recorded calls, seed {result.seed}, load average {machine.load[0]:.1f} to {machine.load[1]:.1f}"
    return f"{where}; {how}. Times in ms, p50 / p95. Made by `{result.command}`."


def _title(row: _Row) -> str:
    match row.kind:
        case Kind.RATE:
            title, unit = words.share_words(row.figure).title, ""
        case Kind.NUMBER:
            title, unit = words.number_words(row.figure).title, words.number_words(row.figure).unit
        case _:
            title, unit = words.figure_words(row.figure).title, words.figure_words(row.figure).unit
    unit = "" if unit == "ms" or row.kind is Kind.COUNT else unit
    extra = f", {_OWN_SUITES[row.suite]}" if row.suite in _OWN_SUITES else ""
    return f"{title}{extra}{', ' + unit if unit else ''}"


def _cell(row: _Row, run: Run) -> str:
    if row.kind is Kind.RATE:
        return words.shown_share(run.shares[row.figure]) if row.figure in run.shares else ""
    value = value_of(Target(row.suite, row.figure, row.kind), run)
    if value is None:
        return ""
    cell = words.number(value)
    if row.also is not None:
        cell += f" / {words.number(value_of(Target(row.suite, row.figure, row.also), run) or 0.0)}"
    return cell


def _behind(row: _Row, runs: dict[str, Run]) -> list[str]:
    """Of a row's one or two values, those in which another engine of the run is ahead of us."""
    kinds = (row.kind, row.also) if row.also is not None else (row.kind,)
    return [_title(row) + (f", {kind.value}" if row.also else "") for kind in kinds if kind and _is_behind(row, kind, runs)]


def _is_behind(row: _Row, kind: Kind, runs: dict[str, Run]) -> bool:
    values = {engine: value_of(Target(row.suite, row.figure, kind), run) for engine, run in runs.items()}
    ours = values.get(OURS)
    others = [value for engine, value in values.items() if engine != OURS and value is not None]
    if ours is None or not others:
        return False
    if row.is_more_better:
        return max(others) > ours
    return min(map(abs, others)) < abs(ours)  # an account that is wrong is wrong in either direction
