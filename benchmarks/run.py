"""Runs calls against one engine: starts it, has it called, reads what was recorded, stops it. The shell of the harness.

Engine and callers are processes of their own, on a core each where there are two, so that neither measures the other.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from benchmarks.callers.fleet import scenarios
from benchmarks.callers.speech import Speech, texts_of, write_bank
from benchmarks.engines.scripted import Bank
from benchmarks.errors import BenchmarkError, EngineNotReady, NothingMeasured
from benchmarks.figures import Believed, CallFigures, believed_of, figures_of, read_recorded
from benchmarks.heard import Voice
from benchmarks.report.model import Figure, Run, Share, Timeline, figure
from benchmarks.report.timeline import timeline_of

READY_WITHIN: Final = 60.0  # seconds; importing a framework takes a while on a busy machine
MODULES: Final[Mapping[str, str]] = {
    "offhook": "benchmarks.engines.offhook",
    "pipecat": "benchmarks.peers.pipecat_server",
    "livekit": "benchmarks.peers.livekit_server",
}
DISTRIBUTIONS: Final[Mapping[str, str]] = {"offhook": "offhook", "pipecat": "pipecat-ai", "livekit": "livekit-agents"}
IMPORTS: Final[Mapping[str, str]] = {"offhook": "voice", "pipecat": "pipecat", "livekit": "livekit.agents"}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Engine:
    """What is measured: one of `MODULES`, or the URL of any server of media streams, or of an application's voice webhook.

    `number` is the application's that is rung, `token` signs its webhook.
    """

    name: str
    url: str = ""
    python: str = sys.executable
    variant: str = ""
    number: str = ""
    token: str = ""

    @property
    def title(self) -> str:
        return self.name + (f" ({self.variant})" if self.variant else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is called. Times in seconds; `core_*` -1 means any."""

    suite: str
    calls: int
    seed: int = 1
    stagger: float = 0.37
    longest: float = 150.0
    pace: str = "fixed"
    stall: float = 0.0
    core_engine: int = -1
    core_callers: int = -1


@dataclass(slots=True)
class Place:
    """Where a measurement keeps its speech and its recordings."""

    folder: Path
    kept: list[Path] = field(default_factory=list)

    @property
    def speech(self) -> Path:
        return self.folder / "speech"

    def fresh(self, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def engine(name: str, python: str = "", variant: str = "") -> Engine:
    """An engine by its name or URL. Raises `BenchmarkError` when it is neither, or not installed."""
    if name.startswith(("ws://", "wss://", "http://", "https://")):
        return Engine("engine", url=name, variant=variant)
    if name not in MODULES:
        raise BenchmarkError(f"{name}: no such target; give ws://…, or one of {', '.join(MODULES)}")
    python = python or sys.executable
    if python == sys.executable and not _is_installed(IMPORTS[name]):
        raise BenchmarkError(
            f"{name} is not installed here: pip install 'offhook[{name}]', or name a Python that has it with --{name}-python"
        )
    return Engine(name, python=python, variant=variant)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def version_of(engine: Engine) -> str:
    """The version of an engine, as its own environment says."""
    if engine.url:
        return ""
    name = DISTRIBUTIONS[engine.name]
    if engine.python == sys.executable:
        try:
            return version(name)
        except PackageNotFoundError:
            return "checkout"
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    found = subprocess.run([engine.python, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    return found.stdout.strip() or "unknown"


# --- the engine -------------------------------------------------------------------------------------------------------


@contextmanager
def running(engine: Engine, plan: Plan, folder: Path) -> Iterator[str]:
    """The engine as a process; its URL. Raises `EngineNotReady`."""
    if engine.url:
        yield engine.url
        return
    port = free_port()
    command = [
        *(engine.python, "-m", MODULES[engine.name], "--port", str(port), "--bank", str(folder / "bank.json")),
        *("--notes", str(folder / "notes.jsonl"), "--pace", plan.pace, "--seed", str(plan.seed)),
        *("--core", str(plan.core_engine), "--stall", str(plan.stall), "--variant", engine.variant),
    ]
    log = (folder / "engine.log").open("wb")
    root = str(Path(__file__).resolve().parent.parent)
    environment = os.environ | {"PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait_for(port, process, folder / "engine.log")
        yield f"ws://127.0.0.1:{port}/"
        if process.poll() is not None:
            raise EngineNotReady(f"{engine.title} ended while it was called: {_tail(folder / 'engine.log')}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EngineNotReady(f"it ended with status {process.returncode}: {_tail(log)}")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise EngineNotReady(f"it did not listen within {READY_WITHIN:.0f} s: {_tail(log)}")


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


# --- the calls --------------------------------------------------------------------------------------------------------


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
        raise EngineNotReady(f"nobody was answered: {(notes or [_tail(folder / 'callers.log')])[0]}")
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
    with running(engine, plan, folder) as url:
        notes = call(engine, plan, url, place, folder, progress)
    calls = measured(folder, progress, is_known=not engine.url)
    return summary(engine, plan, calls, engine_notes(folder), notes, timeline_of(folder, calls))


# --- putting together -------------------------------------------------------------------------------------------------


def summary(
    engine: Engine,
    plan: Plan,
    calls: Sequence[CallFigures],
    notes: Sequence[Mapping[str, object]],
    remarks: Sequence[str],
    timeline: Timeline | None = None,
) -> Run:
    """One run's figures from its calls'."""
    seconds = sum(each.seconds for each in calls)
    late = sum(each.carrier_frames_late for each in calls)
    return Run(
        suite=plan.suite,
        engine=engine.title,
        version=version_of(engine),
        setup=_setup(engine, plan),
        calls=len(calls),
        call_seconds=round(seconds, 1),
        figures={name: each for name, each in _distributions(calls).items() if each.n},
        shares={name: each for name, each in _shares(calls).items() if each.of},
        numbers=_numbers(calls, notes) | {"carrier_frames_late": float(late)},
        timeline=timeline,
        notes=tuple(remarks),
    )


def _setup(engine: Engine, plan: Plan) -> dict[str, str]:
    said = {"pace": plan.pace, "seed": str(plan.seed)}
    if plan.stall:
        said["loop stalls"] = f"{plan.stall:g} s every second"
    return said | ({"url": engine.url} if engine.url else {})


_LISTS: Final = (
    "first_audio",
    "gap",
    "content_gap",
    "stop",
    "holes",
    "lead",
    "lost_start",
)


def _distributions(calls: Sequence[CallFigures]) -> dict[str, Figure]:
    found = {name: figure([value for each in calls for value in getattr(each, name)]) for name in _LISTS}
    for name in ("heard_error", "heard_error_whole"):
        found[name] = figure([value for each in calls for value in getattr(each, name)], "words")
    return found


def _shares(calls: Sequence[CallFigures]) -> dict[str, Share]:
    def total(name: str) -> int:
        return int(sum(getattr(each, name) for each in calls))

    return {
        "missed_barge_ins": Share(hits=total("missed_barge_ins"), of=total("barge_ins")),
        "backchannel_stops": Share(hits=total("backchannel_stops"), of=total("backchannels")),
        "noise_stops": Share(hits=total("false_stops"), of=total("noises")),
        "cut_offs_in_pauses": Share(hits=total("cut_offs"), of=total("pauses")),
        "late_frames": Share(hits=total("late_frames"), of=total("agent_frames")),
    }


def _numbers(calls: Sequence[CallFigures], notes: Sequence[Mapping[str, object]]) -> dict[str, float]:
    talked = sum(each.seconds for each in calls) / 60
    found = {
        "discarded": float(sum(each.discarded for each in calls)),
        "unanswered": float(sum(each.unanswered for each in calls)),
        "double_talk_s_per_minute": round(sum(each.double_talk for each in calls) / max(talked, 1e-9), 2),
    }
    return found | load_of(notes)


def load_of(notes: Sequence[Mapping[str, object]], least: int = 1) -> dict[str, float]:
    """What the engine's calls cost it, over the seconds in which at least `least` of them were live."""
    seconds = [note for note in notes if "lag_p99" in note]
    cpu = call_seconds = 0.0
    lags: list[float] = []
    for before, after in itertools.pairwise(seconds):
        live = _number(after, "calls")
        if live < least:
            continue
        cpu += _number(after, "cpu") - _number(before, "cpu")
        call_seconds += live * (_number(after, "at") - _number(before, "at"))
        lags.append(_number(after, "lag_p99"))
    if not lags:
        return {}
    return {
        "cpu_ms_per_call_second": round(1000 * cpu / call_seconds, 3),
        "lag_p99_median_ms": round(1000 * sorted(lags)[len(lags) // 2], 2),
    }


def _number(note: Mapping[str, object], name: str) -> float:
    value = note.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


@contextmanager
def a_place(keep: Path | None, cache: Path) -> Iterator[Place]:
    """A folder for a measurement: the given one, or one that is gone afterwards. Speech is kept in `cache` between runs."""
    cache.mkdir(parents=True, exist_ok=True)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield _linked(keep, cache)
        return
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as folder:
        yield _linked(Path(folder), cache)


def _linked(folder: Path, cache: Path) -> Place:
    speech = folder / "speech"
    if not speech.exists():
        speech.symlink_to(cache.resolve(), target_is_directory=True)
    return Place(folder)
