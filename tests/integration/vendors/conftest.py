"""What the vendors' tests share: caller audio with and without energy in it, and an agent to speak as."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pytest

from benchmarks.vendors.mouth import _TONE, CHARACTER
from context.briefing import Briefing, ContactCard
from voice.agent import AgentDefinition, AnswerKind, Question
from voice.events import Direction
from voice.ports import Prompt

# The plug-ins' frameworks do not fit into one environment with everything else; where one is installed, it is tested.
collect_ignore = [
    *([] if find_spec("livekit") and find_spec("livekit.agents") else ["test_livekit_plugins.py"]),
    *([] if find_spec("pipecat") else ["test_pipecat_services.py"]),
]


@pytest.fixture
def speech() -> Callable[[float], bytes]:
    """That many seconds of caller audio loud enough to be speech."""
    return lambda seconds: (_TONE * (int(seconds / CHARACTER) + 1))[: int(seconds * 8000)]


@pytest.fixture
def silence() -> Callable[[float], bytes]:
    return lambda seconds: b"\xff" * int(seconds * 8000)


@pytest.fixture
def agent() -> AgentDefinition:
    return AgentDefinition(
        name="roofs",
        seller="Acme Roofing",
        persona="Ann",
        goal="Find out whether the roof needs a check.",
        opening="Hello {first_name}, this is Ann from Acme Roofing.",
        goodbye="Thank you, goodbye.",
        questions=(Question("age", "How old is your roof?", AnswerKind.NUMBER, ()),),
        instructions="Be brief. " * 150,
        keyterms=("Acme Roofing", "shingles"),
        voices={"elevenlabs": "voice-1"},
    )


@pytest.fixture
def briefing() -> Briefing:
    return Briefing(contact=ContactCard("c1", "+12025550123", "Zelda Quigley", "Zelda"))


@pytest.fixture
def prompt(agent: AgentDefinition, briefing: Briefing) -> Prompt:
    return Prompt(agent, briefing, Direction.OUTBOUND, ())
