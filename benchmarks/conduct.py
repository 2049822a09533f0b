"""Conducts a measurement: suite after suite, engine after engine; leaves a result and a page. The shell of the commands."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from rich.console import Console
from rich.markup import escape

from benchmarks.errors import BenchmarkError
from benchmarks.machine import load, this_machine
from benchmarks.plan import Plan, Progress, a_place
from benchmarks.report import table
from benchmarks.report.html import page
from benchmarks.report.model import Result, Run, write
from benchmarks.suites.catalogue import Suite, Task
from benchmarks.target import Engine

_SECRETS = ("--token",)


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a measurement. `out` and `html` are where result and page go; None: to the usual place."""

    out: Path | None = None
    html: Path | None = None
    keep: Path | None = None
    is_long: bool = False
    rounds: int = 0
    steps: str = ""
    corpus: Path | None = None
    as_json: bool = False


def home() -> Path:
    """Where results lie that nobody gave a place."""
    return Path(os.environ.get("OFFHOOK_HOME") or ".offhook") / "bench"


def conduct(suites: Sequence[Suite], engines: Sequence[Engine], plan: Plan, order: Order) -> bool:
    """Measure, show, write. False when a suite could not be measured. Raises `BenchmarkError` when none could."""
    console = Console(stderr=True, highlight=False)
    # Failing vendors are part of it: their log lines are not.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found = _Found(time.monotonic(), load())
    out, html = order.out or home() / "latest.json", order.html or home() / "latest.html"
    for path in (out, html):
        path.parent.mkdir(parents=True, exist_ok=True)
    with a_place(order.keep, home() / "speech") as place, console.status("") as status:
        for suite in suites:
            task = Task(engines, _on_cores(plan), place, _progress(suite, status.update, console))
            _one_suite(suite, replace(task, is_long=order.is_long, rounds=order.rounds), order, found)
            console.print(f"[dim]{sum(found.took.values()):6.0f} s[/dim]  {suite.name}")
            if found.runs:  # after each suite: whatever ends us, what was measured is not lost
                write(out, found.result(plan))
                html.write_text(page(found.result(plan)), encoding="utf-8")
    if not found.runs:
        raise BenchmarkError(f"nothing was measured: {'; '.join(found.failures)}")
    _show(found.result(plan), order, out)
    console.print(f"\nresult  {out}\npage    {html}")
    for failure in found.failures:
        console.print(f"[red]{escape(failure)}[/red]")
    return not found.failures


@dataclass(slots=True)
class _Found:
    """What has been measured so far, what went wrong, and how many seconds each suite took."""

    began: float
    load: float
    runs: list[Run] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)

    def result(self, plan: Plan) -> Result:
        return Result(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self.began, 1),
            machine=this_machine(self.load),
            runs=tuple(self.runs),
            took=self.took,
            failures=tuple(self.failures),
            seed=plan.seed,
            command=_command(sys.argv[1:]),
        )


def _one_suite(suite: Suite, task: Task, order: Order, found: _Found) -> None:
    """Whatever goes wrong in one suite is a failure of that suite: the others are measured all the same."""
    began = time.monotonic()
    try:
        found.runs += asyncio.run(suite.run(replace(task, steps=order.steps, corpus=order.corpus)))
    except BenchmarkError as error:
        found.failures.append(f"{suite.name}: {error}")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        found.failures.append(f"{suite.name}: {told}")
    found.failures += task.failures
    found.took[suite.name] = round(time.monotonic() - began, 1)


def _show(result: Result, order: Order, out: Path) -> None:
    if order.as_json:
        print(out.read_text())
    else:
        table.show(result, Console())


def _progress(suite: Suite, update: Progress, console: Console) -> Progress:
    """Moves on a terminal; elsewhere only what is worth a line of its own."""

    def told(what: str) -> None:
        if console.is_terminal:
            update(f"{suite.name}: {what}")

    return told


def _on_cores(plan: Plan) -> Plan:
    """Engine and callers on a core each, where there are two to have."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        return plan
    return replace(plan, core_engine=cores[-1], core_callers=cores[0])


def _command(arguments: Sequence[str]) -> str:
    """What was typed, without what is secret in it."""
    told = ["***" if number and arguments[number - 1] in _SECRETS else each for number, each in enumerate(arguments)]
    told = [
        each.partition("=")[0] + "=***" if each.startswith(tuple(f"{name}=" for name in _SECRETS)) else each for each in told
    ]
    return " ".join(["offhook", "bench", *(told[1:] if told[:1] == ["bench"] else told)])
