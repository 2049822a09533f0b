"""Real `livekit-agents` plug-ins behind our ports, against the stand-ins. Collected where livekit-agents is installed."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.vendors.anthropic import AnthropicStandIn
from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mind import Call, scripted
from benchmarks.vendors.mouth import CHARACTER
from benchmarks.vendors.openai import OpenAIStandIn
from context.briefing import Briefing
from voice.actions import AgentSaid, CallerSaid, ToolUsed
from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderRejected
from voice.ports import Prompt, TextDelta, ToolRequest, Usage
from voice.providers.livekit import LiveKitEars, LiveKitMind, LiveKitMouth

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # theirs, not ours
Audio = Callable[[float], bytes]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("DEEPGRAM_API_KEY", "ELEVEN_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "k")
    yield
    gc.collect()  # what they leave open is found here, and not in somebody else\'s test


async def test_deepgrams_plugin_listens(agent: AgentDefinition, briefing: Briefing, speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["yes I think so"]) as vendor:
        provider = LiveKitEars.named(f"deepgram?base_url={vendor.url}/v1/listen&endpointing_ms=1000")
        ears = await provider.open(agent, briefing)
        ears.hear(speech(1.2) + silence(0.3))
        ears.finish_utterance()
        async with asyncio.timeout(20):
            heard = [event async for event in _until_final(ears)]
        await ears.close()
        await provider.close()
    assert heard[-1].text == "yes I think so"
    assert heard[-1].words[0].text == "yes"


@pytest.mark.parametrize(
    ("option", "ours", "asked", "found"),
    [("&language=multi", "en-US", "multi", "es"), ("", "en-US", "en-US", ""), ("", "es-US", "es-US", "")],
)
async def test_a_language_is_told_where_it_was_found_and_not_only_asked_for(
    option: str, ours: str, asked: str, found: str, agent: AgentDefinition, briefing: Briefing, speech: Audio, silence: Audio
) -> None:
    async with DeepgramStandIn(script=["[es] no hablo inglés"]) as vendor:
        provider = LiveKitEars.named(f"deepgram?base_url={vendor.url}/v1/listen&endpointing_ms=1000{option}")
        ears = await provider.open(replace(agent, language=ours), briefing)
        ears.hear(speech(1.2) + silence(0.3))
        ears.finish_utterance()
        async with asyncio.timeout(20):
            heard = [event async for event in _until_final(ears)]
        await ears.close()
        await provider.close()
    assert (heard[-1].text, heard[-1].language) == ("no hablo inglés", found)
    assert f'"language": ["{asked}"]' in str(vendor.log.of("opened")[0]["query"])


async def _until_final(ears: Any) -> Any:
    async for event in ears.events():
        yield event
        if event.is_final:
            return


@pytest.mark.parametrize(
    ("stand_in", "name", "path"), [(OpenAIStandIn, "openai", "/v1"), (AnthropicStandIn, "anthropic", "")]
)
async def test_two_minds_answer_and_call_tools(stand_in: Any, name: str, path: str, agent: AgentDefinition) -> None:
    memory = (
        AgentSaid("Hi."),
        CallerSaid("Book me."),
        ToolUsed("t", "book_appointment", "{}", "booked"),
        CallerSaid("Bye."),
    )
    async with stand_in(mind=scripted(["Goodbye.", Call("end_call", '{"outcome": "done"}')])) as vendor:
        mind = LiveKitMind.named(f"{name}?model=m&base_url={vendor.url}{path}")
        outputs = [output async for output in mind.reply(Prompt(agent, Briefing(), "outbound", memory))]  # type: ignore[arg-type]
        await mind.close()
    assert outputs[0] == TextDelta("Goodbye.")
    assert isinstance(outputs[1], ToolRequest)
    assert json.loads(outputs[1].arguments) == {"outcome": "done"}
    assert isinstance(outputs[2], Usage)


async def test_elevenlabs_plugin_speaks(agent: AgentDefinition) -> None:
    async with ElevenLabsStandIn() as vendor:
        provider = LiveKitMouth.named(f"elevenlabs?base_url={vendor.url}/v1&encoding=pcm_16000&voice_id=v")
        mouth = await provider.open(agent)
        audio = b"".join([piece.audio async for piece in mouth.speak("Hello there.")])
        await mouth.close()
        await provider.close()
    assert len(audio) == pytest.approx(13 * CHARACTER * 8000, rel=0.05)


async def test_a_plugins_errors_are_ours(prompt: Prompt) -> None:
    async with OpenAIStandIn() as vendor:
        vendor.faults.inject(Fault(Kind.AUTH))
        mind = LiveKitMind.named(f"openai?model=m&base_url={vendor.url}/v1")
        with pytest.raises(ProviderRejected, match="wrong_key"):
            await anext(mind.reply(prompt))
        await mind.close()
    with pytest.raises(ProviderError, match="extra_missing"):
        LiveKitMind.named("no_such_plugin")
    with pytest.raises(ProviderRejected, match="bad_request"):
        await anext(LiveKitMind.named("openai?nonsense=1").reply(prompt))
    with pytest.raises(ProviderRejected, match="has no TTS"):
        LiveKitMouth.named("anthropic")


@pytest.mark.parametrize("known", [(), ("another",)])
async def test_they_are_asked_before_any_call(agent: AgentDefinition, known: tuple[str, ...]) -> None:
    async with DeepgramStandIn() as ears, OpenAIStandIn() as mind, ElevenLabsStandIn() as mouth:
        for vendor in (ears, mind, mouth):
            vendor.keys = frozenset(known)
        listening = LiveKitEars.named(f"deepgram?base_url={ears.url}/v1/listen")
        thinking = LiveKitMind.named(f"openai?model=m&base_url={mind.url}/v1")
        speaking = LiveKitMouth.named(f"elevenlabs?base_url={mouth.url}/v1&encoding=pcm_16000&voice_id=v")
        found = await asyncio.gather(listening.check(), thinking.check(), speaking.check(agent), return_exceptions=True)
        assert [isinstance(error, ProviderError) for error in found] == [bool(known)] * 3
        for part in (listening, thinking, speaking):
            await part.close()
