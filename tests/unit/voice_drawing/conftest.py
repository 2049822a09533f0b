"""A call to draw: scripted, talked through the real core in virtual time, its journal written, its line recorded."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks.simulate import Call, Utterance, World
from telephony.audio import SAMPLE_RATE, encode, silence, write_stereo
from voice.agent import AgentDefinition
from voice.conversation import Conversation
from voice.drawing.story import Story
from voice.drawing.telling import tell
from voice.events import CallId, Direction, MarkReturned
from voice.journal import VERSION, JournalHeader, JournalWriter, plain
from voice.policy import Policy
from voice.replay import Belief, Step

AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Hello, who is there?", "Bye.")
ANSWERED_AT = -0.2  # when the recording begins, on the journal's clock


@dataclass(frozen=True)
class Drawn:
    """A call that was held: what its journal says, and what really happened."""

    journal: Path
    world: World
    story: Story


def hold(path: Path, utterances: Sequence[Utterance], replies: Sequence[Sequence[str | Call]]) -> Drawn:
    """Talk a call through and write its journal."""
    left = list(replies)
    world = World(
        Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening),
        utterances=utterances,
        mind=lambda messages: left.pop(0) if left else ("Okay.",),
    ).run()
    at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    writer = JournalWriter(
        path, JournalHeader(VERSION, CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening, Policy(), at)
    )
    for now, event, actions in world.log:
        writer.write(1000.0 + now, event, actions)
    writer.close()
    return Drawn(path, world, tell(path))


@pytest.fixture
def barged(held: Drawn, tmp_path: Path) -> Drawn:
    """A turn, a reply that is talked over, another turn, and the end; with a journal that may be written over."""
    return replace(held, journal=Path(shutil.copy(held.journal, tmp_path)))


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return hold(
        tmp_path_factory.mktemp("calls") / "CA1.jsonl",
        [Utterance(2.5, 0.6, "yes hello"), Utterance(5.0, 1.2, "no thank you very much")],
        [
            ("I would like to tell you something very long that nobody wants to hear. And a second sentence.",),
            ("Fine, bye then.", Call("end_call")),
        ],
    )


@pytest.fixture
def recorded(barged: Drawn, tmp_path: Path) -> Path:
    """The line's own recording of that call, with the truth beside it."""
    return record(barged, tmp_path / "CA1.wav")


def record(drawn: Drawn, path: Path) -> Path:
    """Write what was on the line as the phone network would: tones for voices, marks as they were played or thrown away."""
    samples = round((drawn.story.length - ANSWERED_AT) * SAMPLE_RATE)
    said, heard = bytearray(silence(samples)), bytearray(silence(samples))
    for utterance in drawn.world.utterances:
        _tone(said, utterance.start, utterance.start + utterance.length)
    for word in drawn.world.played:
        _tone(heard, word.start, word.end)
    for barge in drawn.story.barge_ins:  # the word that was broken off
        _tone(heard, barge.began - 0.1, barge.stopped + 0.05)
    write_stereo(path, bytes(said), bytes(heard))
    heard_marks = {name: is_heard for name, _, is_heard in drawn.story.receipts}
    marks = [
        {
            "name": event.name,
            "returned": round((now - ANSWERED_AT) * SAMPLE_RATE),
            "why": "played" if heard_marks[event.name] else "cleared",
        }
        for now, event, _ in drawn.world.log
        if isinstance(event, MarkReturned)
    ]
    path.with_suffix(".json").write_bytes(msgspec.json.encode({"version": 1, "sample_rate": SAMPLE_RATE, "marks": marks}))
    return path


def _tone(track: bytearray, start: float, end: float) -> None:
    first, last = (max(0, round((at - ANSWERED_AT) * SAMPLE_RATE)) for at in (start, end))
    last = min(last, len(track))
    wave = np.sin(np.arange(max(0, last - first)) * 2 * np.pi * 300 / SAMPLE_RATE) * 6000
    track[first:last] = encode(wave.astype(np.int16))


@pytest.fixture
def step() -> Callable[..., Step]:
    """Makes a step out of an event, what was decided then, and what is decided now."""
    from voice.journal import Entry

    def make(at, event, then=(), now=None, belief=None, broke=""):
        before = msgspec.json.decode(msgspec.json.encode([plain(action) for action in then]))
        after = before if now is None else msgspec.json.decode(msgspec.json.encode([plain(action) for action in now]))
        return Step(at, Entry(at, event, before), after, belief or Belief(), broke)

    return make
