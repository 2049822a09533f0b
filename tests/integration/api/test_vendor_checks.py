"""The doctor asks every provider that is named, by its adapter, against the stand-ins with what can be wrong with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api import vendor_checks
from api.findings import Finding, State
from api.settings import Settings
from api.vendor_checks import vendors
from benchmarks.vendors.anthropic import AnthropicStandIn
from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.openai import OpenAIStandIn
from benchmarks.vendors.standin import StandIn

SOLAR = (Path(__file__).parents[3] / "agents" / "solar.toml").read_text()


class Fleet:
    """A stand-in for every vendor, and what the doctor finds of them."""

    def __init__(self, agents: Path) -> None:
        self.agents = agents
        self.deepgram = DeepgramStandIn()
        self.anthropic = AnthropicStandIn()
        self.openai = OpenAIStandIn()
        self.elevenlabs = ElevenLabsStandIn()

    @property
    def all(self) -> tuple[StandIn, ...]:
        return (self.deepgram, self.anthropic, self.openai, self.elevenlabs)

    async def findings(self, **changes: Any) -> dict[str, Finding]:
        chosen = {"stt": "deepgram", "llm": "anthropic,openai:standin", "tts": "elevenlabs", **changes}
        found = {name: value for one in self.all for name, value in one.settings().items()}
        settings = Settings(_env_file=None, agents=self.agents, **{**found, **chosen})  # type: ignore[call-arg]
        return {finding.part: finding for finding in await vendors(settings)}


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    (tmp_path / "solar.toml").write_text(SOLAR)
    made = Fleet(tmp_path)
    for one in made.all:
        await one.start()
    yield made
    for one in made.all:
        await one.close()


async def test_what_is_well_is_said_in_the_order_of_the_settings(fleet: Fleet) -> None:
    found = await fleet.findings()
    assert list(found) == ["deepgram", "anthropic", "openai:standin", "elevenlabs"]
    assert {finding.state for finding in found.values()} == {State.OK}


@pytest.mark.parametrize(
    ("kind", "state", "cures"),
    [
        (Kind.AUTH, State.FAIL, ("DEEPGRAM_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "ELEVENLABS_API_KEY")),
        (Kind.QUOTA, State.FAIL, ("top up", "top up", "top up", "top up")),
        (Kind.BROKEN, State.WARN, ("try later",) * 4),
        (Kind.OVERLOADED, State.WARN, ("try later",) * 4),
        (Kind.REFUSED, State.FAIL, ("DEEPGRAM_URL", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "ELEVENLABS_URL")),
    ],
)
async def test_every_fault_is_one_line_with_its_cure(fleet: Fleet, kind: Kind, state: State, cures: tuple[str, ...]) -> None:
    for one in fleet.all:
        one.faults.inject(Fault(kind))
    found = await fleet.findings()
    assert [finding.state for finding in found.values()] == [state] * 4
    for finding, cure in zip(found.values(), cures, strict=True):
        assert cure in finding.do
        assert "\n" not in finding.detail


async def test_a_model_and_a_voice_that_do_not_exist_are_named(fleet: Fleet) -> None:
    for one in fleet.all:
        one.names = frozenset({"something-else"})
    found = await fleet.findings()
    assert [finding.state for finding in found.values()] == [State.FAIL] * 4
    assert found["deepgram"].do == "name a model there is: OFFHOOK_STT=deepgram:MODEL"
    assert found["anthropic"].do == "name a model there is: OFFHOOK_LLM=anthropic:MODEL"
    assert "[voices]" in found["elevenlabs"].do
    unknown = await fleet.findings(tts="elevenlabs:eleven_flash_v9")
    assert "eleven_flash_v9" in unknown["elevenlabs:eleven_flash_v9"].detail


async def test_every_agents_voice_is_asked_for_once(fleet: Fleet) -> None:
    voice = '[voices]\nelevenlabs = "gone"\n'
    (fleet.agents / "other.toml").write_text(SOLAR.replace('name = "solar"', 'name = "other"') + voice)
    (fleet.agents / "third.toml").write_text(SOLAR.replace('name = "solar"', 'name = "third"') + voice)
    fleet.elevenlabs.names = frozenset({"EXAVITQu4vr4xnSDxMaL"})
    found = await fleet.findings()
    assert found["elevenlabs (agent other)"].state is State.FAIL
    assert found["elevenlabs (agent solar)"].state is State.OK
    assert "elevenlabs (agent third)" not in found


async def test_one_that_does_not_answer_in_time_is_said_to(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_checks, "CHECKED_WITHIN", 0.05)
    fleet.anthropic.faults.inject(Fault(Kind.SLOW, seconds=30))
    found = await fleet.findings(stt="", tts="", llm="anthropic")
    assert found["anthropic"].state is State.FAIL
    assert "no answer" in found["anthropic"].detail


async def test_what_is_not_named_is_not_asked_and_what_is_not_installed_says_how(fleet: Fleet) -> None:
    found = await fleet.findings(stt="embedded", llm="livekit:nobody", tts="embedded")
    assert found["livekit:nobody"].do == "pip install 'offhook[livekit]'"
    assert found["anthropic"].detail == "configured, but no stage names it: not asked"
    assert fleet.anthropic.log.count("request") == 0
    nothing_set = await vendors(Settings(_env_file=None))  # type: ignore[call-arg]
    assert {finding.detail for finding in nothing_set} == {"not configured"}
