"""Real pipecat services behind our ports, against the stand-ins. Collected where pipecat is installed."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mind import Call, scripted
from benchmarks.vendors.mouth import CHARACTER
from benchmarks.vendors.openai import OpenAIStandIn
from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderRejected
from voice.ports import Prompt, TextDelta, ToolRequest
from voice.providers.pipecat import PipecatEars, PipecatMind, PipecatMouth

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # theirs, not ours
Audio = Callable[[float], bytes]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("DEEPGRAM_API_KEY", "ELEVENLABS_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "k")
    yield
    gc.collect()  # what they leave open is found here, and not in somebody else\'s test


async def test_deepgrams_service_listens(agent: AgentDefinition, briefing: Briefing, speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["yes I think so"]) as vendor:
        ears = await PipecatEars.named(f"deepgram?base_url={vendor.ws_url}").open(agent, briefing)
        await vendor.log.wait_for("opened")
        ears.hear(speech(1.2) + silence(0.3))
        ears.finish_utterance()
        async with asyncio.timeout(20):
            async for heard in ears.events():
                if heard.is_final and heard.text:
                    break
        await ears.close()
        await ears.close()
    assert heard.text == "yes I think so"


@pytest.mark.parametrize(
    ("option", "ours", "asked", "found"),
    [("&language=multi", "en-US", "multi", "es"), ("", "en-US", "en", ""), ("", "es-US", "es", "")],
)
async def test_a_language_is_told_where_it_was_found_and_not_only_asked_for(
    option: str, ours: str, asked: str, found: str, agent: AgentDefinition, briefing: Briefing, speech: Audio, silence: Audio
) -> None:
    async with DeepgramStandIn(script=["[es] no hablo inglés"]) as vendor:
        provider = PipecatEars.named(f"deepgram?base_url={vendor.ws_url}{option}")
        ears = await provider.open(replace(agent, language=ours), briefing)
        opened = await vendor.log.wait_for("opened")
        ears.hear(speech(1.2) + silence(0.3))
        ears.finish_utterance()
        async with asyncio.timeout(20):
            async for heard in ears.events():
                if heard.is_final and heard.text:
                    break
        await ears.close()
    assert (heard.text, heard.language) == ("no hablo inglés", found)
    assert f'"language": ["{asked}' in str(opened["query"])


async def test_openais_service_answers_calls_tools_and_is_used_again(prompt: Prompt) -> None:
    async with OpenAIStandIn(mind=scripted(["Goodbye.", Call("end_call", '{"outcome": "done"}')])) as vendor:
        mind = PipecatMind.named(f"openai?model=m&base_url={vendor.url}/v1")
        for _ in range(2):
            outputs = [output async for output in mind.reply(prompt)]
            assert outputs[0] == TextDelta("Goodbye.")
            assert isinstance(outputs[1], ToolRequest)
            assert json.loads(outputs[1].arguments) == {"outcome": "done"}
        await mind.close()
    assert vendor.log.count("answered") == 2


async def test_a_reply_that_is_cut_off_stops_at_the_far_end(prompt: Prompt) -> None:
    async with OpenAIStandIn(mind=scripted("word " * 500)) as vendor:
        vendor.faults.inject(Fault(Kind.STALL, after=3000))
        mind = PipecatMind.named(f"openai?model=m&base_url={vendor.url}/v1")
        async with aclosing(mind.reply(prompt)) as outputs:
            await anext(outputs)
        await vendor.log.wait_for("cancelled", within=20)
        await mind.close()


async def test_elevenlabs_service_speaks(agent: AgentDefinition) -> None:
    async with ElevenLabsStandIn() as vendor:
        mouth = await PipecatMouth.named(f"elevenlabs?url={vendor.ws_url}&voice=v").open(agent)
        for _ in range(2):
            audio = b"".join([piece.audio async for piece in mouth.speak("Hello there.")])
            assert len(audio) == pytest.approx(13 * CHARACTER * 8000, rel=0.05)
        await mouth.close()


async def test_what_cannot_be_made_is_rejected(prompt: Prompt) -> None:
    with pytest.raises(ProviderError, match="extra_missing"):
        PipecatMind.named("no_such_vendor")
    with pytest.raises(ProviderRejected, match="needs the name"):
        PipecatMouth.named("?voice=x")


@pytest.mark.parametrize("known", [(), ("another",)])
async def test_they_are_asked_before_any_call(agent: AgentDefinition, known: tuple[str, ...]) -> None:
    async with DeepgramStandIn() as ears, OpenAIStandIn() as mind, ElevenLabsStandIn() as mouth:
        for vendor in (ears, mind, mouth):
            vendor.keys = frozenset(known)
        listening = PipecatEars.named(f"deepgram?base_url={ears.ws_url}")
        thinking = PipecatMind.named(f"openai?model=m&base_url={mind.url}/v1")
        speaking = PipecatMouth.named(f"elevenlabs?url={mouth.ws_url}&voice=v")
        found = await asyncio.gather(listening.check(), thinking.check(), speaking.check(agent), return_exceptions=True)
        assert [isinstance(error, ProviderError) for error in found] == [bool(known)] * 3
        for part in (listening, thinking, speaking):
            await part.close()
