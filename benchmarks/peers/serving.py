"""What both peers' launchers share: options, probe, a FastAPI socket at `/`, uvloop. Imports nothing of offhook's own.

Each peer lives in an environment of its own, in which offhook is not installed: what it imports of this tree (`options`,
`probe`, `scripted`) is standard library alone, as this module is but for the web server that every such environment has.
"""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import json
import random
from abc import ABC, abstractmethod

import uvicorn
import uvloop
from fastapi import FastAPI, WebSocket

from benchmarks.engines.options import Options, read
from benchmarks.engines.probe import Probe, pin, stall_every
from benchmarks.engines.scripted import PACES, Bank, Listener, mouth_of


class Incoming:
    """One call that has come in: its socket, what the carrier's `start` says, its script, and seeded delays of its own."""

    def __init__(self, websocket: WebSocket, start: dict, options: Options, bank: Bank) -> None:
        self.websocket = websocket
        self.stream_sid, self.call_sid = start["streamSid"], start["callSid"]
        self.script_name = start["customParameters"].get("script", "")
        self.script = bank.script(self.script_name)
        self.bank, self.pace, self.vendors, self.variant = bank, PACES[options.pace], options.vendors, options.variant
        self.mouth = mouth_of(options.vendors, self.script_name, options.seed) if options.vendors else ""
        self.rng = random.Random(f"{options.seed} {self.call_sid}")
        self.listener = Listener(self.script, self.pace, self.rng)
        self.instructions = f"You are Ann from Acme. To be measured: {self.script_name}."

    def noted(self, believed: list, claimed: list) -> dict:
        """What the engine says of a call that is over: the agent's turns as (text, was it cut) and the waits it claims."""
        heard = [] if self.vendors else self.listener.utterances
        return {"call_sid": self.call_sid, "believed": believed, "claimed": claimed, "utterances": heard}


class Peer(ABC):
    """Answers every media stream with a bot of its own."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.bank = Bank(options.bank)
        self.probe = Probe(options.notes)

    async def prepare(self) -> None:  # noqa: B027  (most make nothing)
        """What is made once for the process, on its loop."""

    @abstractmethod
    async def talk(self, call: Incoming) -> dict:
        """One call from its start to its end; what `noted` makes of it."""

    async def answer(self, websocket: WebSocket) -> None:
        await websocket.accept()
        event = {}
        while event.get("event") != "start":
            event = json.loads(await websocket.receive_text())
        self.probe.calls += 1
        try:
            self.probe.note(await self.talk(Incoming(websocket, event["start"], self.options, self.bank)))
        finally:
            self.probe.calls -= 1


async def _serve(peer: Peer) -> None:
    app = FastAPI()

    @app.websocket("/")
    async def media(websocket: WebSocket) -> None:
        await peer.answer(websocket)

    await peer.prepare()
    peer.probe.start()
    if peer.options.stall:
        stall_every(1.0, peer.options.stall)
    await uvicorn.Server(uvicorn.Config(app, port=peer.options.port, log_level="error", lifespan="off")).serve()


def main(peer: type[Peer]) -> None:
    """Run until a signal comes."""
    options = read()
    pin(options.core)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(peer(options)))
