"""Callers as a process of its own: they ring any server of media streams, talk by their scenarios, and are recorded.

    python -m benchmarks.callers.fleet --target ws://127.0.0.1:9000/ --suite latency --first 0 --calls 10 --out calls/

Line, playout buffer and person are the phone network's own. One JSON line a finished call on standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
import uvloop

from benchmarks.callers.scenario import SCENARIOS, Scenario
from benchmarks.callers.speech import Speech, pauses, person, texts_of
from benchmarks.engines.probe import pin
from telephony.simulator.faults import Faults
from telephony.simulator.instructions import ConnectStream, read
from telephony.simulator.ledger import CallLedger, Json
from telephony.simulator.line import Line, Stream
from telephony.simulator.media import StreamFailed, run_stream
from telephony.simulator.person import PersonOnPhone
from telephony.simulator.recording import keep, truth_of
from telephony.simulator.server import DEFAULT_AUTH_TOKEN
from telephony.simulator.webhooks import Webhooks
from telephony.simulator.wheel import Wheel

ACCOUNT: Final = "AC" + "0" * 32
OURS: Final = "+13025550100"
LATE_MS: Final = 30.0  # lateness of a tick, ours, that an engine's lead must not be blamed for
LOOK_EVERY: Final = 10  # ticks between two looks into the playout buffer
LONGEST_CALL: Final = 180.0  # seconds


@dataclass(frozen=True, slots=True)
class Order:
    """What this process is to do. Times in seconds."""

    target: str
    suite: str
    first: int
    calls: int
    seed: int
    out: Path
    speech: Path
    stagger: float
    longest: float
    core: int
    number: str = OURS
    token: str = DEFAULT_AUTH_TOKEN


class _Watched:
    """A line whose late ticks are written down: what happens to its buffer then is our doing, not the engine's. And how full
    that buffer is: how early the engine's frames come."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ticks = 0
        self.late: list[tuple[int, float]] = []
        self.ahead: list[int] = []

    def tick(self, late_ms: float) -> None:
        if late_ms > LATE_MS:
            self.late.append((self._line.position, round(late_ms, 1)))
        self._ticks += 1
        if self._ticks % LOOK_EVERY == 0 and isinstance(self._line.far, Stream) and self._line.far.buffered:
            self.ahead.append(self._line.far.buffered)
        self._line.tick(late_ms)


class Caller:
    """One call, from the answer to the recording."""

    def __init__(self, order: Order, number: int, speech: Speech, wheel: Wheel) -> None:
        self._order, self._number, self._speech, self._wheel = order, number, speech, wheel
        self._scenario = SCENARIOS[order.suite](number, order.seed)
        self._has_hung_up = asyncio.Event()

    async def run(self) -> dict[str, Json]:
        sid = call_sid(self._order.suite, self._order.seed, self._number)
        caller = f"+1614555{self._number % 10_000:04d}"
        ledger = CallLedger(sid, ACCOUNT, self._order.number, caller, "inbound", datetime.now(UTC))
        ledger.answer(datetime.now(UTC))
        line = Line(PersonOnPhone(person(self._scenario, self._speech)), self._has_hung_up.set)
        watched = _Watched(line)
        ended_by = await self._talk(ledger, line, watched)
        ledger.end("completed", datetime.now(UTC))
        found = truth_of(ledger, line, "answers", ended_by) | {
            "scenario": self._scenario.name,
            "has_echo": self._scenario.echo is not None,
            "has_noise": self._scenario.noise is not None,
            "late": [list(each) for each in watched.late],
            "ahead": list(watched.ahead),
            "acts": list(self._acts())[: len(line.person.uttered)],
        }
        return await asyncio.to_thread(keep, self._order.out, found, line)

    async def _talk(self, ledger: CallLedger, line: Line, watched: _Watched) -> str:
        try:
            verb = await self._instructions(ledger)
        except StreamFailed as failed:
            ledger.note(str(failed))
            return "nobody"
        stream = asyncio.create_task(run_stream(verb, "MZ" + ledger.sid[2:], ledger, line, self._order.token, Faults()))
        hang_up = asyncio.create_task(self._has_hung_up.wait())
        self._wheel.join(watched)
        try:
            await asyncio.wait([stream, hang_up], timeout=self._order.longest, return_when=asyncio.FIRST_COMPLETED)
            ended_by = "person" if hang_up.done() else "engine" if stream.done() else "time"
        finally:
            self._wheel.leave(watched)
            for task in (stream, hang_up):
                task.cancel()
            results = await asyncio.gather(stream, hang_up, return_exceptions=True)
        if isinstance(results[0], StreamFailed):
            ledger.note(str(results[0]))
            return "nobody"
        return ended_by

    async def _instructions(self, ledger: CallLedger) -> ConnectStream:
        """Where to connect: the target itself, or what the application at the target says to a call that comes in."""
        if self._order.target.startswith("ws"):
            return ConnectStream(self._order.target, (("script", self._scenario.name), ("call", ledger.sid)))
        webhooks = Webhooks(self._order.token)
        try:
            fetched = await webhooks.instructions(self._order.target, ledger.voice_form())
        finally:
            await webhooks.close()
        verbs = read(fetched.document, self._order.target) if fetched.error is None else ()
        found = next((verb for verb in verbs if isinstance(verb, ConnectStream)), None)
        if found is None:
            raise StreamFailed(fetched.error or 12100, "no stream in what the application answered")
        return found

    def _acts(self) -> list[Json]:
        return [
            {
                "kind": act.kind.value,
                "text": " ".join(act.text),
                "pauses": [list(each) for each in pauses(act, self._scenario, self._speech)],
            }
            for act in self._scenario.acts
        ]


def call_sid(suite: str, seed: int, number: int) -> str:
    """A call's name, the same for every engine: so that the same calls can be set side by side."""
    return f"CA{SUITE_CODES.get(suite, 0):02x}{seed:010x}{number:020x}"


SUITE_CODES: Final = {name: index for index, name in enumerate(SCENARIOS, 1)}


def scenarios(suite: str, first: int, calls: int, seed: int) -> list[Scenario]:
    return [SCENARIOS[suite](number, seed) for number in range(first, first + calls)]


async def call_all(order: Order) -> int:
    """Place every call; how many came to be."""
    speech = Speech(order.speech)
    await speech.learn(texts_of(scenarios(order.suite, order.first, order.calls, order.seed)))
    wheel = Wheel()
    answered = 0

    async def one(number: int) -> None:
        nonlocal answered
        await asyncio.sleep((number - order.first) * order.stagger)
        found = await Caller(order, number, speech, wheel).run()
        answered += found["ended_by"] != "nobody"
        ended = {
            "call_sid": found["call_sid"],
            "json": found["json"],
            "ended_by": found["ended_by"],
            "notes": found["notes"],
        }
        print(json.dumps(ended), flush=True)

    await asyncio.gather(*(one(number) for number in range(order.first, order.first + order.calls)))
    counters = wheel.counters
    print(
        json.dumps({"turns": counters.turns, "late_turns": counters.late_turns, "latest_ms": round(counters.latest_ms, 1)}),
        flush=True,
    )
    return answered


def read_order(arguments: list[str] | None = None) -> Order:
    parser = argparse.ArgumentParser(description="Callers for any server that speaks Twilio media streams.")
    parser.add_argument("--target", required=True)
    parser.add_argument("--suite", choices=sorted(SCENARIOS), default="latency")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--stagger", type=float, default=0.37, help="seconds between two calls")
    parser.add_argument("--longest", type=float, default=LONGEST_CALL)
    parser.add_argument("--core", type=int, default=-1)
    parser.add_argument("--number", default=OURS, help="which of the application's numbers is rung, for an http target")
    parser.add_argument("--token", default=DEFAULT_AUTH_TOKEN, help="signs the webhook, for an http target")
    return Order(**vars(parser.parse_args(arguments)))


def main() -> None:
    order = read_order()
    pin(order.core)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answered = runner.run(call_all(order))
    raise SystemExit(0 if answered else 1)


if __name__ == "__main__":
    main()
