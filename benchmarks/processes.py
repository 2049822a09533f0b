"""The processes of a measurement beside the callers: the engine under test, and the vendors it talks to. Started, waited
for, ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.engines.scripted import UNTIMED
from benchmarks.errors import EngineNotReady
from benchmarks.plan import Plan
from benchmarks.target import MODULES, Engine

VENDOR_NOTES: Final = "vendors.jsonl"
READY_WITHIN: Final = 180.0  # seconds; importing a framework takes a while on a busy machine


@contextmanager
def running(engine: Engine, plan: Plan, folder: Path, vendors: Mapping[str, str] | None = None) -> Iterator[str]:
    """The engine as a process, with the vendors it is to talk to, or scripted parts; its URL. Raises `EngineNotReady`."""
    if engine.url:
        yield engine.url
        return
    port = free_port()
    command = [
        *(engine.python, "-m", MODULES[engine.name], "--port", str(port), "--bank", str(folder / "bank.json")),
        *("--notes", str(folder / "notes.jsonl"), "--pace", plan.pace, "--seed", str(plan.seed)),
        *("--core", str(plan.core_engine), "--stall", str(plan.stall), "--variant", engine.variant),
        *("--vendors", json.dumps(vendors or {})),
    ]
    with _started(command, folder / "engine.log") as process:
        _wait_for(port, process, folder / "engine.log")
        yield f"ws://127.0.0.1:{port}/"
        if process.poll() is not None:
            raise EngineNotReady(f"{engine.title} ended while it was called: {tail(folder / 'engine.log')}")


@contextmanager
def vendors_running(engine: Engine, plan: Plan, folder: Path) -> Iterator[Mapping[str, str]]:
    """The vendors' stand-ins with the scripts of this run, on the callers' core: where they listen, by name. Nothing where
    the parts are inside the engine, or it was started by hand and told of no stand-ins. Raises `EngineNotReady`."""
    if plan.parts != "sockets" or (engine.url and not plan.vendors_at):
        yield {}
        return
    command = [
        *(sys.executable, "-m", "benchmarks.engines.vendors", "--bank", str(folder / "bank.json")),
        *("--notes", str(folder / VENDOR_NOTES), "--pace", plan.pace, "--seed", str(plan.seed)),
        *("--core", str(plan.core_callers), "--port", str(plan.vendors_at)),
    ]
    with _started(command, folder / "vendors.log", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise EngineNotReady(f"the vendors did not come up: {tail(folder / 'vendors.log')}")
        yield _offered(json.loads(line), plan.word_times)


def _offered(vendors: Mapping[str, str], word_times: str) -> Mapping[str, str]:
    """The vendors an engine is told of: with the voice that tells word times always, never, or in half of the calls."""
    match word_times:
        case "half":
            return vendors
        case "none":
            return {**{name: url for name, url in vendors.items() if name != UNTIMED}, "elevenlabs": vendors[UNTIMED]}
        case _:
            return {name: url for name, url in vendors.items() if name != UNTIMED}


@contextmanager
def _started(command: Sequence[str], log: Path, stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    root = str(Path(__file__).resolve().parent.parent)
    environment = os.environ | {"PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file if stdout is None else stdout, stderr=file, env=environment)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EngineNotReady(f"it ended with status {process.returncode}: {tail(log)}")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise EngineNotReady(f"it did not listen within {READY_WITHIN:.0f} s: {tail(log)}")


def tail(log: Path) -> str:
    """What it said last."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
