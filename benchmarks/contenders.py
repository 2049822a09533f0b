"""Engines that take turns in one run, because machines drift: each with its own process, and callers that come when it is
its turn. The shell of `density` and `soak`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.callers.fleet import scenarios
from benchmarks.callers.load import Order
from benchmarks.callers.scenario import OPENING, sentences
from benchmarks.callers.speech import Speech, texts_of, write_bank
from benchmarks.callers.step import Step
from benchmarks.errors import BenchmarkError, EngineNotReady
from benchmarks.plan import Place, Plan
from benchmarks.processes import running, tail, vendors_running
from benchmarks.run import engine_notes
from benchmarks.target import Engine

SCRIPTS: Final = 16  # different callers; more calls share them
WARM_UP: Final = Order(2, 6.0)  # an opening, and a turn heard, thought about and answered
AT_REST: Final = 3.5  # seconds after the last call in which an engine has put away all it used
RESTS_WITHIN: Final = 30.0
_DEAD: Final = 10.0  # seconds without a line from the probe, which writes one a second


class Contender:
    """One engine, up and warmed. Use `contenders` to have several."""

    def __init__(self, engine: Engine, plan: Plan, folder: Path) -> None:
        self.engine, self.plan, self.folder = engine, plan, folder
        self._stack = ExitStack()
        self._callers: subprocess.Popen[bytes] | None = None

    def start(self, speech: Path) -> None:
        """Raises `EngineNotReady`."""
        vendors = self._stack.enter_context(vendors_running(self.engine, self.plan, self.folder))
        url = self._stack.enter_context(running(self.engine, self.plan, self.folder, vendors))
        command = [
            *(sys.executable, "-m", "benchmarks.callers.load", "--target", url, "--scripts", str(SCRIPTS)),
            *("--seed", str(self.plan.seed), "--speech", str(speech), "--core", str(self.plan.core_callers)),
        ]
        log = self._stack.enter_context((self.folder / "callers.log").open("wb"))
        pipe = subprocess.PIPE
        self._callers = self._stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log))
        self.step(WARM_UP)
        self.rest()

    def step(self, order: Order) -> Step:
        """Blocks until the callers have hung up. Raises `EngineNotReady` when they are gone themselves."""
        assert self._callers is not None
        assert self._callers.stdin is not None
        assert self._callers.stdout is not None
        try:
            self._callers.stdin.write(msgspec.json.encode(order) + b"\n")
            self._callers.stdin.flush()
            return msgspec.json.decode(self._callers.stdout.readline(), type=Step)
        except (OSError, msgspec.MsgspecError) as error:
            raise EngineNotReady(f"the callers are gone: {tail(self.folder / 'callers.log')}") from error

    def rest(self, seconds: float = AT_REST) -> bool:
        """Wait until the engine has had nobody on the line for so long. False when it does not come to rest."""
        if self.engine.url:
            time.sleep(seconds)
            return True
        began = time.time()
        while time.time() - began < RESTS_WITHIN:
            last = next((note for note in reversed(self.notes()) if "lag_p99" in note), {})
            at = _number(last, "at")
            if _number(last, "calls") == 0 and at > began + seconds:
                return True
            if time.time() - max(at, began) > _DEAD:
                return False
            time.sleep(0.2)
        return False

    def notes(self) -> list[dict[str, object]]:
        """What the engine's probe has written so far; nothing of an engine that is only a URL."""
        return engine_notes(self.folder)

    def close(self) -> None:
        """Raises `EngineNotReady` when the engine had ended before."""
        self._stack.close()


async def contenders(
    engines: Sequence[Engine], plan: Plan, suite: str, place: Place, failures: list[str], stack: ExitStack
) -> list[Contender]:
    """Every engine that comes up; of the others, why, among the failures. `stack` ends them all."""
    found = []
    for engine in engines:
        folder = await _bank(engine, plan, place, suite)
        contender = Contender(engine, plan, folder)
        stack.callback(_closed, contender, suite, failures)
        try:
            contender.start(place.speech)
            found.append(contender)
        except BenchmarkError as error:
            failures.append(f"{suite}, {engine.title}: {error}")
    return found


def _closed(contender: Contender, suite: str, failures: list[str]) -> None:
    """One engine's bad end does not lose what was measured of the others, nor of itself until then."""
    try:
        contender.close()
    except BenchmarkError as error:
        failures.append(f"{suite}, {contender.engine.title}: {error}")


async def _bank(engine: Engine, plan: Plan, place: Place, suite: str) -> Path:
    folder = place.fresh(f"{suite}-{engine.name}{'-' + engine.variant if engine.variant else ''}")
    cast = scenarios("density", 0, SCRIPTS, plan.seed)
    speech = Speech(place.speech)
    await speech.learn(texts_of(cast))
    write_bank(folder / "bank.json", cast, speech, opening=sentences(OPENING)[-1])  # its question: a step is short
    return folder


def _number(note: dict[str, object], name: str) -> float:
    value = note.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
