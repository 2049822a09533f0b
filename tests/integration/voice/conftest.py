"""A leg without a carrier, and a session on it with scripted parts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from context.briefing import Briefing
from telephony.leg import AudioReceived, LegEvent, LegStopped, LinkStart, MarkReceived
from voice.actions import Note
from voice.agent import AgentDefinition
from voice.conversation import Conversation
from voice.errors import ProviderError
from voice.events import CallId, Direction, Samples, ToneHeard, VoiceEvidence
from voice.journal import VERSION, JournalHeader, JournalWriter
from voice.policy import Policy
from voice.ports import SpokenAudio, ToolOutcome
from voice.providers.scripted import ScriptedEars, ScriptedMind, ScriptedMouth, ScriptedSpeaker, ScriptedTranscriber
from voice.report import CallReport
from voice.session import Providers, Session
from voice.wheel import Wheel

AGENT = AgentDefinition("test", "Acme", "Ava", "to test", "Hello?", "Bye.", transfer_to="+16145550199")
SPEECH, QUIET = b"\x00" * 256, b"\xff" * 256


class Leg:
    """A media link whose other side plays everything at once. Tests push what the caller does."""

    def __init__(self) -> None:
        self.start = LinkStart("MZ1", "CA1", {})
        self.sent = bytearray()
        self.marks: list[str] = []
        self.cleared = 0
        self.is_deaf = False  # returns no marks
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._marked = asyncio.Event()
        self._position = 0

    async def until_marks(self, count: int) -> None:
        """Wait until so many words have been played."""
        async with asyncio.timeout(10):
            while len(self.marks) < count:
                self._marked.clear()
                await self._marked.wait()

    def push(self, event: LegEvent) -> None:
        self._events.put_nowait(event)

    def caller(self, audio: bytes, windows: int) -> None:
        for _ in range(windows):
            self.push(AudioReceived(self._position, audio))
            self._position += len(audio)

    async def listen(self, tell: Callable[[LegEvent], None]) -> None:
        while True:
            event = await self._events.get()
            tell(event)
            if isinstance(event, LegStopped):
                return

    def send(self, items: Sequence[bytes | str]) -> None:
        for item in items:
            if isinstance(item, bytes):
                self.sent += item
            else:
                self._send_mark(item)

    def _send_mark(self, name: str) -> None:
        if not name.startswith("0/"):  # a probe of the line is no word
            self.marks.append(name)
        self._marked.set()
        if not self.is_deaf:
            self.push(MarkReceived(name))

    def clear(self) -> None:
        self.cleared += 1

    async def close(self) -> None:
        self.push(LegStopped("closed"))


class Activity:
    """Windows of zeros are speech, everything else is silence."""

    def __init__(self) -> None:
        self._position = 0
        self._tell: Callable[[VoiceEvidence | ToneHeard], None] | None = None

    def begin(self, tell: Callable[[VoiceEvidence | ToneHeard], None]) -> None:
        self._tell = tell

    def feed(self, audio: bytes) -> None:
        assert self._tell is not None
        self._position += len(audio)
        is_speech = audio[:1] == b"\x00"
        self._tell(VoiceEvidence(Samples(self._position), 0.95 if is_speech else 0.01, -20.0 if is_speech else -90.0))

    def played(self, audio: bytes) -> None:
        pass

    def cleared(self) -> None:
        pass

    def end(self) -> None:
        self._tell = None


class Tools:
    """Remembers what was run; with an outcome that is an error, raises it."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, str, str]] = []

    async def run(self, name: str, arguments: str, key: str) -> ToolOutcome:
        self.runs.append((name, arguments, key))
        return ToolOutcome(True, "done")


class Control:
    def __init__(self) -> None:
        self.transfers: list[str] = []
        self.refusal = ""
        self.leg: Leg | None = None

    async def transfer(self, to: str) -> str:
        self.transfers.append(to)
        if not self.refusal and self.leg is not None:
            self.leg.push(LegStopped("hangup"))
        return self.refusal


class Notes:
    """What was shown; `until` waits for a note."""

    def __init__(self) -> None:
        self.all: list[Note] = []
        self._more = asyncio.Event()

    def note(self, note: Note) -> None:
        self.all.append(note)
        self._more.set()

    async def until(self, kind: str, text: str) -> None:
        async with asyncio.timeout(10):
            while not any(note.kind == kind and text in note.text for note in self.all):
                self._more.clear()
                await self._more.wait()


@dataclass
class Rig:
    """A session and everything it talks to."""

    session: Session
    leg: Leg
    ears: ScriptedTranscriber
    mind: ScriptedMind
    mouth: ScriptedSpeaker
    tools: Tools
    control: Control
    notes: Notes
    journal: Path
    _running: asyncio.Task[CallReport] | None = field(default=None)

    def start(self) -> None:
        self._running = asyncio.create_task(self.session.run())

    async def report(self) -> CallReport:
        assert self._running is not None
        async with asyncio.timeout(20):
            return await self._running

    def caller_says(self, windows: int = 15) -> None:
        """Half a second of speech and enough silence for the turn to be over."""
        self.leg.caller(SPEECH, windows)
        self.leg.caller(QUIET, 45)


MakeRig = Callable[..., Awaitable[Rig]]


@pytest.fixture
def make_rig(tmp_path: Path) -> MakeRig:
    async def make(
        finals: Sequence[str] = (),
        replies: Sequence[object] = (),
        failures: dict[str, ProviderError] | None = None,
        gate: asyncio.Event | None = None,
        agent: AgentDefinition = AGENT,
        ready: Mapping[str, Sequence[SpokenAudio]] | None = None,
        policy: Policy | None = None,
        *,
        may_rejoin: bool = False,
    ) -> Rig:
        ears = await ScriptedEars(finals).open(agent, Briefing())
        mouth = await ScriptedMouth(gate=gate, failures=failures).open(agent)
        mind = ScriptedMind(replies)  # type: ignore[arg-type]
        conversation = Conversation(CallId("ca_1"), agent, Direction.OUTBOUND, agent.opening, policy)
        leg, tools, control, notes = Leg(), Tools(), Control(), Notes()
        control.leg = leg
        at = datetime(2026, 11, 20, tzinfo=UTC)
        path = tmp_path / "ca_1.jsonl"
        header = JournalHeader(VERSION, conversation.call, agent, Direction.OUTBOUND, agent.opening, conversation.policy, at)
        session = Session(
            conversation,
            leg,
            Providers(ears, Activity(), mind, mouth, ready or {}),
            Briefing(),
            tools,
            control,
            Wheel(),
            JournalWriter(path, header),
            notes,
            may_rejoin=may_rejoin,
        )
        return Rig(session, leg, ears, mind, mouth, tools, control, notes, path)

    return make
