"""Runs calls against one engine: starts it, has it called, reads what was recorded, stops it. The shell of the harness.

Engine and callers are processes of their own, on a core each where there are two, so that neither measures the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.belief import Believed, Claims, arrived_of, believed_of
from benchmarks.callers.fleet import scenarios
from benchmarks.callers.speech import Speech, texts_of, write_bank
from benchmarks.engines.scripted import Bank
from benchmarks.errors import EngineNotReady, NothingMeasured
from benchmarks.figures import CallFigures, Recorded, figures_of, read_recorded
from benchmarks.heard import Voice
from benchmarks.plan import JOURNALS, Place, Plan, Progress
from benchmarks.processes import VENDOR_NOTES, running, tail, vendors_running
from benchmarks.report.model import Run
from benchmarks.report.timeline import timeline_of
from benchmarks.summary import summary
from benchmarks.target import Engine
from voice.drawing.telling import tell

WARM_UP: Final = 8.0  # seconds: an opening, and a turn heard, thought about and answered
UNSEEN: Final = 1_000_000  # the seed of calls that are not measured


async def prepare(plan: Plan, place: Place, folder: Path) -> None:
    """Have everything spoken that will be said, and written where callers and engine find it."""
    speech = Speech(place.speech)
    cast = scenarios(plan.suite, 0, plan.calls, plan.seed)
    await speech.learn(texts_of(cast))
    write_bank(folder / "bank.json", cast, speech)


def warm_up(engine: Engine, plan: Plan, url: str, place: Place, folder: Path) -> None:
    """One call of a few seconds that nobody measures: every engine loads with its first call what it loads once."""
    call(engine, replace(plan, calls=1, seed=UNSEEN, longest=WARM_UP), url, place, folder, "warm-up")


def call(
    engine: Engine,
    plan: Plan,
    url: str,
    place: Place,
    folder: Path,
    out: str = "calls",
    progress: Progress = lambda what: None,
) -> list[str]:
    """Have all calls placed and wait for their end; what the carrier noted that was not right."""
    command = [
        *(sys.executable, "-m", "benchmarks.callers.fleet", "--target", url, "--suite", plan.suite),
        *("--calls", str(plan.calls), "--seed", str(plan.seed), "--out", str(folder / out)),
        *("--speech", str(place.speech), "--stagger", str(plan.stagger), "--longest", str(plan.longest)),
        *("--core", str(plan.core_callers)),
        *(("--number", engine.number) if engine.number else ()),
        *(("--token", engine.token) if engine.token else ()),
    ]
    notes: list[str] = []
    done = 0
    log = (folder / "callers.log").open("wb")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line) if line.startswith("{") else {}
            if "call_sid" in told:
                done += 1
                notes += told["notes"]
                progress(f"{done} of {plan.calls} calls")
    log.close()
    if process.returncode:
        raise EngineNotReady(f"nobody was answered: {(notes or [tail(folder / 'callers.log')])[0]}")
    return sorted(set(notes))


def measured(folder: Path, progress: Progress, *, is_known: bool = True) -> list[CallFigures]:
    """The figures of every recorded call. `is_known`: the engine speaks with the voice we gave it.

    Raises `NothingMeasured` when there are none.
    """
    bank = Bank(folder / "bank.json")
    voice = Voice(bank.speech if is_known else {})
    believed = believed_of(engine_notes(folder))
    arrived = arrived_of(noted(folder / VENDOR_NOTES))

    def listen(path: Path) -> CallFigures:
        recorded = read_recorded(path)
        replies = (*bank.script(recorded.scenario).replies, bank.opening)
        known = _completed(believed.get(recorded.call_sid, Believed()), folder, recorded, arrived)
        return figures_of(recorded, Path(recorded.wav), voice, replies, known)

    files = sorted((folder / "calls").glob("*.json"))
    progress(f"listening to {len(files)} recordings")
    with ThreadPoolExecutor() as pool:  # correlation and speech model let go of the interpreter
        found = list(pool.map(listen, files))
    if not found:
        raise NothingMeasured("no call was recorded")
    return found


def _completed(
    believed: Believed, folder: Path, recorded: Recorded, arrived: Mapping[str, tuple[tuple[int, float], ...]]
) -> Believed:
    """With what the vendors received, and with what our own engine's journal tells of the waits."""
    if recorded.scenario in arrived:
        believed = replace(believed, utterances=arrived[recorded.scenario])
    journal = folder / JOURNALS / f"{recorded.call_sid}.jsonl"
    return replace(believed, claims=journalled(journal)) if journal.exists() else believed


def journalled(journal: Path) -> Claims:
    """What a call's journal says of every wait, part by part: the same account that `offhook replay --html` draws."""
    gaps = [turn.gap for turn in tell(journal).turns if turn.gap is not None]
    stages: dict[str, list[float]] = {}
    for gap in gaps:
        for stage in gap.stages:
            stages.setdefault(stage.name, []).append(stage.length)
    return Claims(tuple(gap.length for gap in gaps), {name: tuple(values) for name, values in stages.items()})


def engine_notes(folder: Path) -> list[dict[str, object]]:
    """What the engine wrote about itself, line by line; nothing for an engine that is only a URL."""
    return noted(folder / "notes.jsonl")


def since(notes: Sequence[Mapping[str, object]], began: float) -> list[Mapping[str, object]]:
    """Without what was written by the second before an instant (wall clock)."""
    return [note for note in notes if not isinstance(at := note.get("at"), float) or at >= began]


def noted(path: Path) -> list[dict[str, object]]:
    """The whole lines of a file of notes; none where there is no file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


async def one_run(engine: Engine, plan: Plan, place: Place, progress: Progress) -> Run:
    """One suite of recorded calls against one engine. Raises `BenchmarkError`."""
    folder = place.fresh(f"{plan.suite}-{engine.name}{'-' + engine.variant if engine.variant else ''}")
    await prepare(plan, place, folder)
    progress("starting the engine")
    with vendors_running(engine, plan, folder) as vendors, running(engine, plan, folder, vendors) as url:
        progress("warming up")
        warm_up(engine, plan, url, place, folder)
        began = time.time()
        notes = call(engine, plan, url, place, folder, progress=progress)
    calls = measured(folder, progress, is_known=not engine.url or bool(plan.vendors_at))
    return summary(engine, plan, calls, since(engine_notes(folder), began), notes, timeline_of(folder, calls))
