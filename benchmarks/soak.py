"""Calls come and go in cycles: what does an engine keep of them? Engines take turns cycle by cycle. The shell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from benchmarks.callers.load import Order
from benchmarks.contenders import Contender, contenders
from benchmarks.errors import BenchmarkError, NothingMeasured
from benchmarks.growth import growth
from benchmarks.plan import Place, Plan, Progress
from benchmarks.report.model import Run, figure
from benchmarks.target import Engine, setup_of, version_of

# Cycles that pay for what is made once, whatever comes: caches, pools, the allocator's arenas.
WARMING: Final = 1
# By the probe's own names. Bytes are those in use: resident memory wavers by 2 MB from cycle to cycle with nothing kept.
KEPT: Final[Mapping[str, tuple[str, float]]] = {
    "bytes": ("in_use", 10_000),
    "files": ("files", 0.0),
    "tasks": ("tasks", 0.0),
}
_ROUNDING: Final = 0.01  # descriptors and tasks a call: what a slope over whole numbers may come to by itself


@dataclass(frozen=True, slots=True)
class Cycles:
    """How long to soak: so many cycles (the first `WARMING` are not counted) of so many calls at once."""

    cycles: int
    order: Order


@dataclass(slots=True)
class _Soaking:
    contender: Contender
    idle: list[Mapping[str, object]] = field(default_factory=list)  # a line of the probe after each cycle
    dropped: int = 0
    remark: str = ""


async def soak(
    engines: Sequence[Engine], plan: Plan, cycles: Cycles, place: Place, progress: Progress, failures: list[str]
) -> list[Run]:
    """What each engine keeps of calls that have ended. What goes wrong with one is among the failures."""
    plan = plan.usual("inside", "fixed")
    runs = []
    with ExitStack() as stack:
        progress("starting and warming up")
        lot = [_Soaking(each) for each in await contenders(engines, plan, "soak", place, failures, stack)]
        for number in range(cycles.cycles):
            progress(f"cycle {number + 1} of {cycles.cycles}")
            for each in lot:
                _one_cycle(each, cycles.order)
        for each in lot:
            try:
                runs.append(_run(each, plan, cycles))
            except BenchmarkError as error:
                failures.append(f"soak, {each.contender.engine.title}: {error}")
    return runs


def _one_cycle(soaking: _Soaking, order: Order) -> None:
    if soaking.remark:
        return
    try:
        soaking.dropped += soaking.contender.step(order).dropped
    except BenchmarkError as error:
        soaking.remark = str(error)
        return
    if not soaking.contender.rest():
        soaking.remark = f"it did not come to rest after cycle {len(soaking.idle) + 1}"
        return
    notes = [note for note in soaking.contender.notes() if "rss" in note]
    soaking.idle += notes[-1:]


def _run(soaking: _Soaking, plan: Plan, cycles: Cycles) -> Run:
    """Raises `NothingMeasured`."""
    engine, counted = soaking.contender.engine, soaking.idle[WARMING:]
    if len(counted) < 3:
        raise NothingMeasured(soaking.remark or f"a soak needs {WARMING + 3} cycles at least, of an engine with a probe")
    at_once = cycles.order.calls
    numbers: dict[str, float] = {"dropped": float(soaking.dropped)}
    told = []
    for name, (key, limit) in KEPT.items():
        found = growth([_float(note, key) for note in counted]).scaled(1 / at_once)
        numbers[f"{name}_growth_per_call"] = round(found.slope, 4)
        if name == "bytes":
            numbers |= {"bytes_growth_low": round(found.low), "bytes_growth_high": round(found.high)}
        told.append(f"{_WORDS[name]} {found.called(limit or _ROUNDING)}")
    return Run(
        suite="soak",
        engine=engine.title,
        version=version_of(engine),
        setup={
            "pace": plan.pace,
            "cycles": f"{WARMING} to warm up and {len(counted)} counted",
            "calls at once": str(at_once),
        }
        | setup_of(engine),
        calls=at_once * len(soaking.idle),
        call_seconds=at_once * len(soaking.idle) * cycles.order.hold,
        figures={"idle_memory": figure([_float(note, "rss") for note in counted], "bytes")},
        numbers=numbers,
        notes=(f"verdict: {', '.join(told)}", *([soaking.remark] if soaking.remark else [])),
    )


_WORDS: Final = {"bytes": "memory", "files": "descriptors", "tasks": "tasks"}


def _float(note: Mapping[str, object], name: str) -> float:
    value = note.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
