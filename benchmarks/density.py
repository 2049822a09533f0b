"""More and more calls on one core, until the engine breaks: calls per core, CPU and memory per call, loop lag. The shell."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.callers.fleet import scenarios
from benchmarks.callers.speech import Speech, texts_of, write_bank
from benchmarks.errors import NothingMeasured
from benchmarks.plan import Place, Plan, Progress
from benchmarks.processes import running, vendors_running
from benchmarks.report.model import Point, Run, at
from benchmarks.run import engine_notes
from benchmarks.target import Engine, setup_of, version_of

SCRIPTS: Final = 16  # different callers; more calls share them
SHORT: Final = "20..640*2.5~0.25"  # see `benchmarks.callers.climbing`
LONG: Final = "10..1280*2~0.05"


@dataclass(frozen=True, slots=True)
class Climb:
    """How to climb: which way (`benchmarks.callers.climbing`), and for how many seconds a step."""

    way: str = SHORT
    hold: float = 8.0


async def density(engine: Engine, plan: Plan, climb: Climb, place: Place, progress: Progress) -> Run:
    """The density curve of one engine. Raises `BenchmarkError`."""
    plan = plan.usual("inside", "fixed")
    folder = await _bank(engine, plan, place, "density")
    with vendors_running(engine, plan, folder) as vendors, running(engine, plan, folder, vendors) as url:
        steps = _climbed(url, plan, climb, place, folder, progress)
        notes = engine_notes(folder)
    ours = [int(_float(step, "calls")) for step in steps if step.get("is_ours")]
    measured = [step for step in steps if not step.get("is_ours")]
    if not measured:
        raise NothingMeasured("no step of the climb was measured" + (": the callers themselves were late" if ours else ""))
    points = tuple(sorted((point_of(step, notes) for step in measured), key=lambda point: point.calls))
    whole = [point for point in points if not point.is_broken]
    best = whole[-1] if whole else points[0]
    return Run(
        suite="density",
        engine=engine.title,
        version=version_of(engine),
        setup={"pace": plan.pace, "core": "one, pinned" if plan.core_engine >= 0 else "any", "hold": f"{climb.hold:g} s"}
        | setup_of(engine),
        calls=max(point.calls for point in points),
        curve=points,
        numbers={
            "calls_per_core": float(best.calls if whole else 0),
            "cpu_ms_per_call_second": best.cpu_ms_per_call_second,
            "bytes_per_call": best.bytes_per_call,
            "lag_p99_median_ms": round(1000 * best.lag_p99, 2),
        },
        notes=tuple(_told(points, ours)),
    )


def _told(points: Sequence[Point], ours: Sequence[int]) -> Iterator[str]:
    """What a reader of the figures has to know."""
    if ours:
        yield f"thrown away, because the callers themselves were late: {', '.join(map(str, ours))} calls"
    if not any(point.is_broken for point in points):
        yield f"not broken by {points[-1].calls} calls, the last step"


async def soak(engine: Engine, plan: Plan, cycles: int, climb: Climb, place: Place, progress: Progress) -> Run:
    """Calls come and go; what does an engine keep of them? Raises `BenchmarkError`."""
    plan = plan.usual("inside", "fixed")
    folder = await _bank(engine, plan, place, "soak")
    with vendors_running(engine, plan, folder) as vendors, running(engine, plan, folder, vendors) as url:
        steps = _climbed(url, plan, climb, place, folder, progress, cycles)
        notes = [note for note in engine_notes(folder) if "lag_p99" in note]
    idle = [_idle_before(notes, _float(step, "idle_at")) for step in steps]
    if len(idle) < 2:
        raise NothingMeasured("a soak needs two cycles at least")
    at_once = int(climb.way)
    calls = at_once * len(steps)
    half = (len(idle) - 1) // 2  # the cycles before it pay for what is made once: caches, pools, arenas of the allocator
    later = at_once * (len(idle) - 1 - half)
    growth = {
        f"{name}_growth_per_call": round((_float(idle[-1], key) - _float(idle[half], key)) / later, 4)
        for name, key in (("bytes", "rss"), ("files", "files"), ("tasks", "tasks"))
    }
    return Run(
        suite="soak",
        engine=engine.title,
        version=version_of(engine),
        setup={"pace": plan.pace, "cycles": str(len(steps)), "calls at once": climb.way} | setup_of(engine),
        calls=calls,
        call_seconds=calls * climb.hold,
        numbers=growth | {"dropped": sum(_float(step, "dropped") for step in steps)},
    )


def _idle_before(notes: Sequence[Mapping[str, object]], at: float) -> Mapping[str, object]:
    return next((note for note in reversed(notes) if _float(note, "at") <= at), notes[-1])


async def _bank(engine: Engine, plan: Plan, place: Place, suite: str) -> Path:
    folder = place.fresh(f"{suite}-{engine.name}{'-' + engine.variant if engine.variant else ''}")
    cast = scenarios("density", 0, SCRIPTS, plan.seed)
    speech = Speech(place.speech)
    await speech.learn(texts_of(cast))
    write_bank(folder / "bank.json", cast, speech)
    return folder


def _climbed(
    url: str, plan: Plan, climb: Climb, place: Place, folder: Path, progress: Progress, cycles: int = 0
) -> list[Mapping[str, object]]:
    command = [
        *(sys.executable, "-m", "benchmarks.callers.load", "--target", url, "--hold", str(climb.hold)),
        *("--steps", climb.way, "--scripts", str(SCRIPTS)),
        *("--seed", str(plan.seed), "--speech", str(place.speech), "--core", str(plan.core_callers)),
        *("--cycles", str(cycles)),
    ]
    steps: list[Mapping[str, object]] = []
    with (
        (folder / "callers.log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                steps.append(json.loads(line))
                progress(f"{steps[-1]['calls']} calls: {_verdict(steps[-1])}")
    return steps


def _verdict(step: Mapping[str, object]) -> str:
    return "thrown away: the callers were late" if step.get("is_ours") else str(step["why"] or "holds")


def point_of(step: Mapping[str, object], notes: Sequence[Mapping[str, object]]) -> Point:
    """One step, with what the engine's probe saw of the same seconds."""
    began, ended, calls = _float(step, "began"), _float(step, "ended"), int(_float(step, "calls"))
    lines = [note for note in notes if "lag_p99" in note]
    seen = [note for note in lines if began <= _float(note, "at") <= ended]
    idle = [_float(note, "rss") for note in lines if _float(note, "calls") == 0]
    gaps = [float(gap) for gap in step["gaps"]] if isinstance(step["gaps"], list) else []
    frames = _float(step, "frames")
    cpu = bytes_per_call = lag = 0.0
    if len(seen) > 1:
        spent = _float(seen[-1], "cpu") - _float(seen[0], "cpu")
        cpu = 1000 * spent / ((_float(seen[-1], "at") - _float(seen[0], "at")) * calls)
        lag = sorted(_float(note, "lag_p99") for note in seen)[len(seen) // 2]
        bytes_per_call = max(0.0, _float(seen[-1], "rss") - (idle[0] if idle else 0.0)) / calls
    why = str(step["why"])
    return Point(
        calls=calls,
        cpu_ms_per_call_second=round(cpu, 3),
        gap_p50=at(gaps, 50),
        gap_p95=at(gaps, 95),
        late_share=round(_float(step, "late") / frames, 5) if frames else 0.0,
        lag_p99=round(lag, 5),
        bytes_per_call=round(bytes_per_call),
        is_broken=bool(why),
        why=why,
    )


def _float(note: Mapping[str, object], name: str) -> float:
    value = note.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
