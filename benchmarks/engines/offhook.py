"""offhook's conversation behind a web server, with the scripted parts: every call that comes in is talked with.

    python -m benchmarks.engines.offhook --port 9000 --bank bank.json --notes notes.jsonl --core 1

Variants, to see what a part costs: `alone` (every call judges its own windows on the event loop), `unjudged` (nobody is
asked whether a turn sounds complete), `bare` and `bare-unjudged` (no web framework).

The whole of `voice` is in the path (session, core, journal, detectors, pacing) and nothing else: no database, no dialer.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop

from benchmarks.engines import bare
from benchmarks.engines.options import Options, read
from benchmarks.engines.parts import PacedEars, PacedMind, PacedMouth
from benchmarks.engines.probe import Probe, pin, stall_every
from benchmarks.engines.scripted import PACES, Bank, Listener, pieces
from benchmarks.engines.sockets import AsgiSocket, Receive, Send
from context.briefing import Briefing
from telephony.twilio.stream import TextSocket, TwilioMediaLink, accept
from voice.actions import AgentSaid, Note
from voice.agent import AgentDefinition, Manners
from voice.conversation import Conversation
from voice.detectors.call import CallDetectors
from voice.detectors.smart_turn import shared_judge
from voice.events import CallId, Direction, Word
from voice.journal import VERSION, JournalHeader, JournalWriter
from voice.policy import Policy
from voice.ports import SpokenAudio, ToolOutcome, VoiceActivity
from voice.providers.silero import SileroActivity
from voice.providers.silero_shared import SharedActivity
from voice.report import CallReport
from voice.session import Providers, Session
from voice.wheel import Wheel


class Switchboard:
    """Answers every media stream."""

    def __init__(self, options: Options, journals: Path) -> None:
        self._bank = Bank(options.bank)
        self._pace = PACES[options.pace]
        self._seed = options.seed
        self._variant = options.variant
        self._journals = journals
        self._wheel = Wheel()
        self._count = 0
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
        self._count += 1
        rng = random.Random(f"{self._seed} {link.start.call_sid}")
        ears = PacedEars(Listener(self._bank.script(link.start.parameters.get("script", "")), self._pace, rng))
        session = self._session(link, ears, rng)
        self.probe.calls += 1
        report = await session.run()
        self.probe.calls -= 1
        self._note(link.start.call_sid, report, ears.listener, session.underruns)

    def _session(self, link: TwilioMediaLink, ears: PacedEars, rng: random.Random) -> Session:
        call = CallId(f"bench-{self._count}")
        script = self._bank.script(link.start.parameters.get("script", ""))
        mouth = _Ready(self._bank, PacedMouth(self._bank, self._pace, rng))
        header = JournalHeader(
            VERSION, call, self._agent, Direction.OUTBOUND, self._bank.opening, Policy(), datetime.now(UTC)
        )
        return Session(
            Conversation(call, self._agent, Direction.OUTBOUND, self._bank.opening, Policy()),
            link,
            Providers(ears, self._activity(), PacedMind(script, self._pace, rng), mouth),
            Briefing(),
            _NoTools(),
            _NoTransfer(),
            self._wheel,
            JournalWriter(self._journals / f"{call}.jsonl", header),
            _Unseen(),
        )

    def _activity(self) -> VoiceActivity:
        if self._variant == "alone":
            return CallDetectors(SileroActivity(), shared_judge())
        return CallDetectors(SharedActivity(), None if self._variant.endswith("unjudged") else shared_judge())

    def _note(self, call_sid: str, report: CallReport, listener: Listener, underruns: int) -> None:
        believed = [[message.text, message.is_cut] for message in report.messages if isinstance(message, AgentSaid)]
        self.probe.note(
            {
                "call_sid": call_sid,
                "believed": believed,
                "utterances": listener.utterances,
                "received": listener.received,
                "underruns": underruns,
                "ending": report.ending.value,
            }
        )


class _Ready:
    """A mouth whose opening was spoken before the answer, as the house does while it rings."""

    def __init__(self, bank: Bank, behind: PacedMouth) -> None:
        self._bank, self._behind = bank, behind

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        if text in self._bank.opening:
            for piece in pieces(self._bank.say(text)):
                yield SpokenAudio(piece.audio, tuple(Word(*word) for word in piece.words))
            return
        async for spoken in self._behind.speak(text):
            yield spoken

    async def close(self) -> None:
        await self._behind.close()


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
        await switchboard.media(AsgiSocket(receive, send))

    return app


async def serve(options: Options, journals: Path) -> None:
    switchboard = Switchboard(options, journals)
    switchboard.probe.start()
    if options.stall:
        stall_every(1.0, options.stall)
    if options.variant.startswith("bare"):
        await bare.serve(options.port, switchboard.media)
        return
    config = uvicorn.Config(
        app_of(switchboard),
        port=options.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    options = read()
    pin(options.core)
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(), wrapper_class=structlog.make_filtering_bound_logger(40)
    )
    with (
        tempfile.TemporaryDirectory(prefix="offhook-bench-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(serve(options, Path(folder)))


if __name__ == "__main__":
    main()
