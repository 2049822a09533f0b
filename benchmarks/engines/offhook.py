"""offhook's conversation behind a web server: every call that comes in is talked with.

    python -m benchmarks.engines.offhook --port 9000 --bank bank.json --notes notes.jsonl --core 1

Variant `unjudged`, to see what a part costs: nobody is asked whether a turn sounds complete.

The whole of `voice` is in the path (session, core, journal, detectors, pacing) and nothing else: no database, no dialer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop

from benchmarks.engines.offhook_parts import CallParts, parts_of
from benchmarks.engines.options import Options, read
from benchmarks.engines.probe import Probe, pin, stall_every
from benchmarks.engines.scripted import Bank
from benchmarks.plan import JOURNALS
from context.briefing import Briefing
from telephony.direct import DirectProtocol, direct_of
from telephony.errors import ProtocolViolation
from telephony.twilio.stream import TextSocket, TwilioMediaLink, accept
from voice.actions import AgentSaid, Note
from voice.agent import AgentDefinition, Manners
from voice.collector import settle
from voice.conversation import Conversation
from voice.detectors.pool import DetectorPool
from voice.detectors.pulse import Pulse
from voice.detectors.smart_turn import shared_judge
from voice.events import CallId, Direction
from voice.journal import VERSION, JournalHeader, JournalWriter
from voice.policy import Policy
from voice.ports import ToolOutcome
from voice.promptness import Lately
from voice.providers.silero import SileroRows
from voice.report import CallReport
from voice.session import Providers, Session
from voice.wheel import Wheel

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Switchboard:
    """Answers every media stream."""

    def __init__(self, options: Options, journals: Path) -> None:
        self._bank = Bank(options.bank)
        self._parts = parts_of(self._bank, options.pace, options.vendors, options.seed)
        self._seed = options.seed
        self._journals = journals
        self._wheel = Wheel()
        self._lately = Lately()
        judge = None if options.variant == "unjudged" else shared_judge()
        self._detectors = Pulse(DetectorPool(SileroRows(), judge))
        self.probe = Probe(options.notes)
        self._agent = AgentDefinition(
            name="bench",
            seller="Acme",
            persona="Ann",
            goal="To be measured.",
            opening=self._bank.opening,
            goodbye="Goodbye.",
            manners=Manners(silence_after=20.0, longest_call=7200.0),
        )

    async def media(self, socket: TextSocket) -> None:
        link = await accept(socket)
        rng = random.Random(f"{self._seed} {link.start.call_sid}")
        script = link.start.parameters.get("script", "")
        agent = replace(self._agent, goal=f"To be measured: {script}.", keyterms=(script,))
        parts = self._parts.open(agent, script, rng)
        session = self._session(link, agent, parts)
        self.probe.calls += 1
        report = await session.run()
        self.probe.calls -= 1
        self._lately.add(report.mind_took, report.mouth_took)
        self._note(link.start.call_sid, report, parts, session.underruns)

    async def close(self) -> None:
        await self._parts.close()

    def _session(self, link: TwilioMediaLink, agent: AgentDefinition, parts: CallParts) -> Session:
        call = CallId(link.start.call_sid)
        opening, policy = self._bank.opening, self._lately.told(Policy())
        header = JournalHeader(VERSION, call, agent, Direction.OUTBOUND, opening, policy, datetime.now(UTC))
        return Session(
            Conversation(call, agent, Direction.OUTBOUND, opening, policy),
            link,
            Providers(parts.ears, self._detectors.enter(), parts.mind, parts.mouth, parts.ready),
            Briefing(),
            _NoTools(),
            _NoTransfer(),
            self._wheel,
            JournalWriter(self._journals / f"{call}.jsonl", header),
            _Unseen(),
        )

    def _note(self, call_sid: str, report: CallReport, parts: CallParts, underruns: int) -> None:
        believed = [[message.text, message.is_cut] for message in report.messages if isinstance(message, AgentSaid)]
        self.probe.note(
            {
                "call_sid": call_sid,
                "believed": believed,
                "utterances": parts.paced.listener.utterances if parts.paced else [],
                "told": parts.paced.told if parts.paced else [],
                "underruns": underruns,
                "speculated": report.speculated,
                "wasted": report.wasted,
                "ending": report.ending.value,
            }
        )


class _NoTools:
    async def run(self, name: str, arguments: str, key: str) -> ToolOutcome:
        return ToolOutcome(False, "there are no tools here")


class _NoTransfer:
    async def transfer(self, to: str) -> str:
        return "there is nobody to transfer to"


class _Unseen:
    def note(self, note: Note) -> None:
        pass


def app_of(switchboard: Switchboard) -> Any:
    """The bare ASGI application: one path, one protocol."""

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        socket = direct_of(scope)
        assert socket is not None, "the server is told to use `DirectProtocol`"
        with suppress(ProtocolViolation):  # of a caller who went away again: the link has closed the socket
            await switchboard.media(socket)

    return app


async def serve(options: Options, journals: Path) -> None:
    switchboard = Switchboard(options, journals)
    settle()
    switchboard.probe.start()
    if options.stall:
        stall_every(1.0, options.stall)
    config = uvicorn.Config(
        app_of(switchboard),
        port=options.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws=DirectProtocol,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
    )
    await uvicorn.Server(config).serve()
    await switchboard.close()


def main() -> None:
    options = read()
    pin(options.core)
    structlog.configure(  # as a server logs: structlog's own console draws a fault for 100 ms, all its variables with it
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(40),
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options, options.notes.parent / JOURNALS))


if __name__ == "__main__":
    main()
