"""Conducts a measurement: suite after suite, engine after engine; leaves a result and a page. The shell of the commands."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from rich.console import Console

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
    rounds: int = 1
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
    began, before = time.monotonic(), load()
    runs, failures = _runs(suites, engines, _on_cores(plan), order, console)
    if not runs:
        raise BenchmarkError(f"nothing was measured: {'; '.join(failures)}")
    result = Result(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 1),
        machine=this_machine(before),
        runs=tuple(runs),
        seed=plan.seed,
        command=_command(sys.argv[1:]),
    )
    out, html = order.out or home() / "latest.json", order.html or home() / "latest.html"
    for path in (out, html):
        path.parent.mkdir(parents=True, exist_ok=True)
    write(out, result)
    html.write_text(page(result), encoding="utf-8")
    if order.as_json:
        print(out.read_text())
    else:
        table.show(result, Console())
    console.print(f"\nresult  {out}\npage    {html}")
    for failure in failures:
        console.print(f"[red]{failure}[/red]")
    return not failures


def _runs(
    suites: Sequence[Suite], engines: Sequence[Engine], plan: Plan, order: Order, console: Console
) -> tuple[list[Run], list[str]]:
    runs: list[Run] = []
    failures: list[str] = []
    began = time.monotonic()
    with a_place(order.keep, home() / "speech") as place, console.status("") as status:
        for suite in suites:
            progress = _progress(suite, status.update, console)
            task = Task(engines, plan, place, progress, order.is_long, order.rounds, order.steps, order.corpus)
            try:
                runs += asyncio.run(suite.run(task))
            except BenchmarkError as error:
                failures.append(f"{suite.name}: {error}")
            failures += task.failures
            console.print(f"[dim]{time.monotonic() - began:6.0f} s[/dim]  {suite.name}")
    return runs, failures


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
