"""The suites by name, each with its short and its long form. Nothing heavy is imported before it is run."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchmarkError
from benchmarks.plan import Place, Plan, Progress
from benchmarks.report.merge import merged
from benchmarks.report.model import Run
from benchmarks.run import one_run
from benchmarks.target import Engine


@dataclass(frozen=True, slots=True)
class Task:
    """How a suite is to be run. `plan.suite` is set by the suite; `failures` take what went wrong with one of several."""

    engines: Sequence[Engine]
    plan: Plan
    place: Place
    progress: Progress
    is_long: bool = False
    rounds: int = 0  # how often engines take turns; 0: as often as the suite wants
    steps: str = ""  # how to climb, see `benchmarks.callers.climbing`; empty: as the suite does
    corpus: Path | None = None
    failures: list[str] = field(default_factory=list)


Runner = Callable[[Task], Coroutine[None, None, list[Run]]]


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite. `is_of_engines`: it can be run against any engine, not only against our own parts. `calls` at once, in so
    many `rounds` (short, long): more at once than a core carries would measure the crowd."""

    name: str
    about: str
    run: Runner
    is_of_engines: bool = False
    calls: int = 0
    rounds: tuple[int, int] = (1, 1)

    def waves(self, task: Task) -> tuple[int, int]:
        """Calls at once, and rounds. The other engines want a tenth of a core for a call: with one of them in a run half as
        many calls are placed at once, twice as often."""
        calls, rounds = self.calls, self.rounds[task.is_long]
        if any(engine.name in ("pipecat", "livekit") for engine in task.engines):
            calls, rounds = calls // 2, rounds * 2
        return task.plan.calls or calls, task.rounds or (1 if task.plan.calls else rounds)


async def _recorded(task: Task, name: str, stall: float = 0.0, word_times: str = "") -> list[Run]:
    """Every engine in every round: rounds are interleaved, because machines drift."""
    suite = SUITES[name]
    calls, rounds = suite.waves(task)
    plan = replace(
        task.plan.usual("sockets", "published"),
        suite=name,
        calls=calls,
        stall=task.plan.stall or stall,
        word_times=task.plan.word_times or word_times,
    )
    found: dict[str, list[Run]] = {}
    for turn in range(rounds):
        seeded = replace(plan, seed=plan.seed + turn)
        task.progress(f"{name}, round {turn + 1} of {rounds}")
        for run in await _each(task, name, lambda engine: one_run(engine, seeded, task.place, task.progress)):  # noqa: B023
            found.setdefault(run.engine, []).append(run)
    return [merged(runs) for runs in found.values()]


async def _each(task: Task, name: str, measured: Callable[[Engine], Awaitable[Run]]) -> list[Run]:
    """Every engine, one after the other; one that cannot be measured does not keep the others from it."""
    found = []
    for engine in task.engines:
        task.progress(f"{name}, {engine.title}")
        try:
            found.append(await measured(engine))
        except BenchmarkError as error:
            task.failures.append(f"{name}, {engine.title}: {error}")
    return found


async def _latency(task: Task) -> list[Run]:
    return await _recorded(task, "latency")


async def _bargein(task: Task) -> list[Run]:
    return await _recorded(task, "bargein", word_times="half")


async def _gaps(task: Task) -> list[Run]:
    return await _recorded(task, "gaps", stall=0.1)


async def _density(task: Task) -> list[Run]:
    from benchmarks.density import LONG_WAYS, SIDE_WAYS, WAYS, Climb, density

    ways = WAYS if len(task.engines) < 2 else SIDE_WAYS  # a ratio deserves finer steps than a look at ourselves
    climb = Climb(task.steps, 20.0, 30.0, LONG_WAYS) if task.is_long else Climb(task.steps, ways=ways)
    return await density(task.engines, task.plan, climb, task.place, task.progress, task.failures)


async def _soak(task: Task) -> list[Run]:
    from benchmarks.callers.load import Order
    from benchmarks.soak import Cycles, soak

    cycles = Cycles(14, Order(60, 20.0)) if task.is_long else Cycles(5, Order(40, 4.0))
    if task.steps:
        cycles = replace(cycles, order=Order(int(task.steps), cycles.order.hold))
    return await soak(task.engines, task.plan, cycles, task.place, task.progress, task.failures)


async def _simulation(task: Task) -> list[Run]:
    from benchmarks.suites.simulation import speed

    return [speed(20_000 if task.is_long else 500, task.plan.seed, task.progress)]


async def _heard(task: Task) -> list[Run]:
    from benchmarks.suites.heard import CUTS, heard

    return [await heard(task.place, CUTS * (10 if task.is_long else 1), task.plan.seed, task.progress)]


async def _providers(task: Task) -> list[Run]:
    from benchmarks.providers import SHORT, providers

    task.progress("the vendors' stand-ins, with published delays")
    return [_plain("providers", await providers(None if task.is_long else SHORT, task.plan.seed))]


async def _gate(task: Task) -> list[Run]:
    gate = importlib.import_module("benchmarks.gate")
    return [_plain("gate", await gate.measure(is_long=task.is_long, progress=task.progress))]


async def _context(task: Task) -> list[Run]:
    from benchmarks.context import measure

    task.progress("search, briefing, learning")
    sizes, rows, runs = ((1_000, 10_000), 10_000, 200) if task.is_long else ((1_000,), 2_000, 40)
    return [_plain("context", await measure(runs, sizes, rows))]


async def _turns(task: Task) -> list[Run]:
    if task.corpus is None or not (task.corpus / "cases" / "cases.jsonl").is_file():
        raise BenchmarkError("turn-taking is measured on a folder of recorded cases: name one with --corpus")
    from benchmarks.suites.turns import turns

    return [turns(task.corpus, task.progress)]


SUITES: Final[dict[str, Suite]] = {
    suite.name: suite
    for suite in (
        Suite("latency", "answer to first audio, response gap, answers into a pause", _latency, True, 12, (1, 5)),
        Suite("bargein", "mouth to silence, false stops, what the memory keeps", _bargein, True, 12, (1, 5)),
        Suite("gaps", "silences in the agent's speech, with the loop held up 100 ms every second", _gaps, True, 10, (1, 4)),
        Suite("turns", "turn-taking on a folder of recorded cases (--corpus), in virtual time", _turns),
        Suite("density", "more and more calls on one core until the engine breaks", _density, True),
        Suite("soak", "memory, descriptors and tasks while calls come and go", _soak, True),
        Suite("heard", "what our memory keeps of replies that are cut, hundreds of times, in virtual time", _heard),
        Suite("simulation", "events a second of the conversation core alone", _simulation),
        Suite("providers", "what adapters add, what a failing vendor costs, what a barge-in wastes", _providers),
        Suite("gate", "a verdict with its receipt, look-ups, a registry, a campaign", _gate),
        Suite("context", "search, the briefing before the hello, learning after the call", _context),
    )
}


def _plain(suite: str, figures: Mapping[str, object]) -> Run:
    """A suite that measures by itself: every number it gives, by its own name."""
    numbers = dict(_flattened("", figures))
    setup = {name: value for name, value in figures.items() if isinstance(value, str)}
    return Run(suite=suite, engine="offhook", setup=setup, numbers=numbers)


def _flattened(prefix: str, figures: Mapping[str, object]) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            found += _flattened(f"{prefix}{name}.", value)
        elif isinstance(value, bool | int | float):
            found.append((prefix + name, round(float(value), 4)))
    return found


__all__ = ["SUITES", "Suite", "Task"]
