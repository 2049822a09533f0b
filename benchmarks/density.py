"""More and more calls on one core, until the engine breaks: calls per core, CPU and memory per call, loop lag, and what
crowding adds to an answer. Engines take turns step by step, each on its own way to its limit. The shell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from benchmarks.callers.climbing import Ascent, read_way
from benchmarks.callers.load import Order
from benchmarks.callers.step import Step, added
from benchmarks.contenders import Contender, contenders
from benchmarks.engines.scripted import PACES
from benchmarks.errors import BenchmarkError, NothingMeasured
from benchmarks.lateness import Added, Part, accounts, is_steady
from benchmarks.plan import JOURNALS, Place, Plan, Progress
from benchmarks.report.model import Figure, Point, Run, at, figure
from benchmarks.report.targets import OURS
from benchmarks.target import Engine, setup_of, version_of

# See `benchmarks.callers.climbing`. Engines that are known to break at 30 to 60 calls start with few and grow by halves.
WAYS: Final[Mapping[str, str]] = {"offhook": "25..600*4~0.4", "pipecat": "8..160*1.5~0.2", "livekit": "8..160*1.5~0.2"}
SIDE_WAYS: Final[Mapping[str, str]] = {
    "offhook": "25..800*2~0.12",
    "pipecat": "6..160*1.5~0.12",
    "livekit": "6..160*1.5~0.12",
}
LONG_WAYS: Final[Mapping[str, str]] = {
    "offhook": "20..1280*2~0.05",
    "pipecat": "6..320*1.5~0.05",
    "livekit": "6..320*1.5~0.05",
}
_REST: Final = 1.5  # seconds between two steps
ANY_WAY: Final = "8..640*2~0.2"  # of an engine that nobody knows


@dataclass(frozen=True, slots=True)
class Climb:
    """How to climb: which way (`benchmarks.callers.climbing`; none: each engine's own), and for how many seconds a step.
    `last_hold` is for the two steps that are compared with each other: half of the most calls, and few."""

    way: str = ""
    hold: float = 6.0
    last_hold: float = 12.0
    ways: Mapping[str, str] = field(default_factory=lambda: WAYS)

    def way_of(self, engine: Engine) -> str:
        return self.way or self.ways.get(engine.name, ANY_WAY)


@dataclass(slots=True)
class _Climbing:
    """One engine under way. `few` and `half`: the steps at its foot and half way up, one after the other."""

    contender: Contender
    ascent: Ascent
    few: list[Step] = field(default_factory=list)
    half: list[Step] = field(default_factory=list)
    ours: dict[int, list[Added | None]] = field(default_factory=dict)  # by the calls at once: of each answer
    remarks: list[str] = field(default_factory=list)


async def density(
    engines: Sequence[Engine], plan: Plan, climb: Climb, place: Place, progress: Progress, failures: list[str]
) -> list[Run]:
    """The density curves of all engines, whose steps are taken in turns. What goes wrong with one is among the failures."""
    plan = plan.usual("inside", "fixed")
    with ExitStack() as stack:
        progress("starting and warming up")
        up = await contenders(engines, plan, "density", place, failures, stack)
        lot = [_Climbing(each, Ascent(read_way(climb.way_of(each.engine)))) for each in up]
        climbing = lot
        while climbing:
            climbing = [each for each in climbing if _one_step(each, climb, progress)]
        for each in lot:
            _compared(each, climb, progress)
        runs = []
        for each in lot:
            try:
                runs.append(_run(each, plan, climb))
            except BenchmarkError as error:
                failures.append(f"density, {each.contender.engine.title}: {error}")
    return beside_the_others(runs)


def _one_step(climbing: _Climbing, climb: Climb, progress: Progress) -> bool:
    """The next step of one engine; False when it has none."""
    calls = climbing.ascent.next()
    if calls is None:
        return False
    step = _stepped(climbing, Order(calls, climb.hold))
    if step is not None:
        why = climbing.ascent.take(step)
        progress(f"{climbing.contender.engine.title}, {calls} calls: {why or 'holds'}")
    return True


def _stepped(climbing: _Climbing, order: Order) -> Step | None:
    """One step, and the rest after it. An engine that does not come to rest is not called again."""
    try:
        step = climbing.contender.step(order)
    except BenchmarkError as error:
        climbing.ascent.is_over = True
        climbing.remarks.append(str(error))
        return None
    if not climbing.contender.rest(_REST):
        climbing.ascent.is_over = True
        climbing.remarks.append(f"it did not come to rest after {order.calls} calls, and was not called again")
    return step


def _compared(climbing: _Climbing, climb: Climb, progress: Progress) -> None:
    """Half of the most calls, and few, right after each other: what crowding adds to the same answers."""
    few = next((step.calls for step, _ in climbing.ascent.steps), 0)
    half = climbing.ascent.holds // 2
    if not half or climbing.remarks:
        return
    for calls, taken in ((few, climbing.few), (half, climbing.half)):
        progress(f"{climbing.contender.engine.title}, {calls} calls: what crowding adds")
        step = _stepped(climbing, Order(calls, climb.last_hold))
        if step is not None and not step.is_ours:
            taken.append(step)
            contender = climbing.contender
            if contender.plan.parts == "inside":
                climbing.ours[calls] = accounted(step, contender.folder, contender.notes(), contender.plan.pace)


def accounted(step: Step, folder: Path, notes: Sequence[Mapping[str, object]], pace: str) -> list[Added | None]:
    """Of each answer of the step that has just ended, call by call, what was the engine's own; nothing where no journal
    tells. `folder` and `notes` are the engine's, whose parts are scripted in its own process."""
    if not is_steady(pace):
        return []
    journals = folder / JOURNALS
    told = {str(note["call_sid"]): note.get("told", ()) for note in notes if "call_sid" in note}
    calls = groupby(sorted(step.turns, key=lambda turn: turn.call), key=lambda turn: turn.call)
    return [
        each
        for call, turns in calls
        if (journal := journals / f"{call}.jsonl").is_file()
        for each in accounts(journal, msgspec.convert(told.get(call, ()), list[tuple[int, bool]]), turns, PACES[pace])
    ]


def _run(climbing: _Climbing, plan: Plan, climb: Climb) -> Run:
    """Raises `NothingMeasured`."""
    engine, ascent = climbing.contender.engine, climbing.ascent
    if not ascent.steps:
        told = ": the callers themselves were late" if ascent.thrown_away else ": " + "; ".join(climbing.remarks)
        raise NothingMeasured(f"no step of the climb was measured{told}")
    notes = climbing.contender.notes()
    points = tuple(sorted((point_of(step, why, notes) for step, why in ascent.steps), key=lambda point: point.calls))
    whole = [point for point in points if not point.is_broken]
    best = whole[-1] if whole else points[0]
    return Run(
        suite="density",
        engine=engine.title,
        version=version_of(engine),
        setup={"parts": plan.parts, "pace": plan.pace, "core": "one, pinned" if plan.core_engine >= 0 else "any"}
        | {"hold": f"{climb.hold:g} s"}
        | setup_of(engine),
        calls=max(point.calls for point in points),
        figures=_added(climbing),
        curve=points,
        numbers={
            "calls_per_core": float(best.calls if whole else 0),
            "cpu_ms_per_call_second": best.cpu_ms_per_call_second,
            "bytes_per_call": best.bytes_per_call,
            "lag_p99_median_ms": round(1000 * best.lag_p99, 2),
        },
        notes=tuple(_told(climbing, points)),
    )


def _added(climbing: _Climbing) -> dict[str, Figure]:
    """What a turn takes longer among half of the most calls: all told, of answers that begin alike, and what of it is
    neither provider nor policy."""
    few = [*climbing.few, *_at_the_foot(climbing)]
    found = {
        "added_gap": added(few, climbing.half),
        "added_gap_alike": added(few, climbing.half, is_alike=True),
        "added_latency": _totals(climbing, climbing.half),
        "added_latency_few": _totals(climbing, climbing.few),
    }
    return {name: figure(values) for name, values in found.items() if values}


def _totals(climbing: _Climbing, steps: Sequence[Step]) -> list[float]:
    return [each.total for step in steps for each in climbing.ours.get(step.calls, ()) if each is not None]


def _at_the_foot(climbing: _Climbing) -> list[Step]:
    return [step for step, _ in climbing.ascent.steps[:1]] if climbing.few else []


def _told(climbing: _Climbing, points: Sequence[Point]) -> Iterator[str]:
    """What a reader of the figures has to know."""
    yield from climbing.remarks
    if thrown := ", ".join(map(str, climbing.ascent.thrown_away)):
        yield f"thrown away, because the callers themselves were late: steps of {thrown} calls"
    if not any(point.is_broken for point in points):
        yield f"not broken by {points[-1].calls} calls, the last step"
    if climbing.half:
        foot, calls = climbing.few[0].calls if climbing.few else points[0].calls, climbing.half[0].calls
        yield f"added to the gap: the same lines answered among {calls} calls and among {foot}"
    for calls, found in climbing.ours.items():
        yield from _where(calls, found)


def _where(calls: int, found: Sequence[Added | None]) -> Iterator[str]:
    """Part by part what the engine added to its answers."""
    known = [each.parts for each in found if each is not None]
    if known:
        told = ", ".join(f"{part} {1000 * (at([each[part] for each in known], 95) or 0.0):.0f}" for part in Part)
        yield f"of what is our own among {calls} calls, p95 of each part in ms: {told}; {len(known)} of {len(found)} answers"


def beside_the_others(runs: Sequence[Run]) -> list[Run]:
    """Ours with how many times the calls of the better other engine it carries, where another was measured too."""
    others = [run.numbers["calls_per_core"] for run in runs if run.engine != OURS]
    best = max(others, default=0.0)
    return [
        structs.replace(
            run, numbers=run.numbers | {"times_the_better_other": round(run.numbers["calls_per_core"] / best, 2)}
        )
        if run.engine == OURS and best
        else run
        for run in runs
    ]


def point_of(step: Step, why: str, notes: Sequence[Mapping[str, object]]) -> Point:
    """One step, with what the engine's probe saw of the same seconds."""
    lines = [note for note in notes if "lag_p99" in note]
    seen = [note for note in lines if step.began <= _float(note, "at") <= step.ended]
    idle = [_float(note, "rss") for note in lines if _float(note, "calls") == 0 and _float(note, "at") < step.began]
    cpu = bytes_per_call = lag = 0.0
    if len(seen) > 1:
        spent = _float(seen[-1], "cpu") - _float(seen[0], "cpu")
        cpu = 1000 * spent / ((_float(seen[-1], "at") - _float(seen[0], "at")) * step.calls)
        lag = sorted(_float(note, "lag_p99") for note in seen)[len(seen) // 2]
        bytes_per_call = max(0.0, _float(seen[-1], "rss") - (idle[-1] if idle else 0.0)) / step.calls
    return Point(
        calls=step.calls,
        cpu_ms_per_call_second=round(cpu, 3),
        gap_p50=at(step.gaps, 50),
        gap_p95=step.gap_p95,
        late_share=round(step.late_share, 5),
        lag_p99=round(lag, 5),
        bytes_per_call=round(bytes_per_call),
        is_broken=bool(why),
        why=why,
    )


def _float(note: Mapping[str, object], name: str) -> float:
    value = note.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
