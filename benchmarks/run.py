"""Runs calls against one engine: starts it, has it called, reads what was recorded, stops it. The shell of the harness.

Engine and callers are processes of their own, on a core each where there are two, so that neither measures the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.callers.fleet import scenarios
from benchmarks.callers.speech import Speech, texts_of, write_bank
from benchmarks.engines.scripted import Bank
from benchmarks.errors import EngineNotReady, NothingMeasured
from benchmarks.figures import Believed, CallFigures, believed_of, figures_of, read_recorded
from benchmarks.heard import Voice
from benchmarks.plan import Place, Plan, Progress
from benchmarks.processes import running, tail, vendors_running
from benchmarks.report.model import Run
from benchmarks.report.timeline import timeline_of
from benchmarks.summary import summary
from benchmarks.target import Engine


async def prepare(plan: Plan, place: Place, folder: Path) -> None:
    """Have everything spoken that will be said, and written where callers and engine find it."""
    speech = Speech(place.speech)
    cast = scenarios(plan.suite, 0, plan.calls, plan.seed)
    await speech.learn(texts_of(cast))
    write_bank(folder / "bank.json", cast, speech)


def call(engine: Engine, plan: Plan, url: str, place: Place, folder: Path, progress: Progress) -> list[str]:
    """Have all calls placed and wait for their end; what the carrier noted that was not right."""
    command = [
        *(sys.executable, "-m", "benchmarks.callers.fleet", "--target", url, "--suite", plan.suite),
        *("--calls", str(plan.calls), "--seed", str(plan.seed), "--out", str(folder / "calls")),
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
    found = []
    files = sorted((folder / "calls").glob("*.json"))
    for number, path in enumerate(files, 1):
        progress(f"listening to recording {number} of {len(files)}")
        recorded = read_recorded(path)
        replies = (*bank.script(recorded.scenario).replies, bank.opening)
        known: Believed | None = believed.get(recorded.call_sid)
        found.append(figures_of(recorded, Path(recorded.wav), voice, replies, known))
    if not found:
        raise NothingMeasured("no call was recorded")
    return found


def engine_notes(folder: Path) -> list[dict[str, object]]:
    """What the engine wrote about itself, line by line; nothing for an engine that is only a URL."""
    path = folder / "notes.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


async def one_run(engine: Engine, plan: Plan, place: Place, progress: Progress) -> Run:
    """One suite of recorded calls against one engine. Raises `BenchmarkError`."""
    folder = place.fresh(f"{plan.suite}-{engine.name}{'-' + engine.variant if engine.variant else ''}")
    await prepare(plan, place, folder)
    progress("starting the engine")
    with vendors_running(plan, folder) as vendors, running(engine, plan, folder, vendors) as url:
        notes = call(engine, plan, url, place, folder, progress)
    calls = measured(folder, progress, is_known=not engine.url)
    return summary(engine, plan, calls, engine_notes(folder), notes, timeline_of(folder, calls))
