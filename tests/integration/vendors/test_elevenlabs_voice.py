"""The mouth's adapter against the stand-in: the multi-context socket, and ElevenLabs' SDK for its fallback and checks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mouth import CHARACTER
from benchmarks.vendors.presets import INSTANT, Delay
from voice.agent import AgentDefinition
from voice.errors import ProviderRejected, ProviderUnavailable
from voice.events import Word
from voice.ports import Speaker, SpokenAudio
from voice.pricing.consumption import Account, Stage, bill_to
from voice.providers.elevenlabs import ElevenLabsSettings, ElevenLabsVoice, VoiceChoice, voice_of


@pytest.fixture
def mouth_of(agent: AgentDefinition):  # type: ignore[no-untyped-def]
    @asynccontextmanager
    async def opened(vendor: ElevenLabsStandIn, **voices: str) -> AsyncIterator[Speaker]:
        provider = ElevenLabsVoice(ElevenLabsSettings("k", url=vendor.url, connect_timeout=1.0))
        try:
            mouth = await provider.open(replace(agent, voices={"elevenlabs": "voice-1", **voices}))
            yield mouth
            await mouth.close()
        finally:
            await provider.close()

    return opened


async def spoken(mouth: Speaker, text: str) -> list[SpokenAudio]:
    async with asyncio.timeout(10):
        return [piece async for piece in mouth.speak(text)]


def words(pieces: list[SpokenAudio]) -> list[str]:
    return [word.text for piece in pieces for word in piece.words]


async def test_a_segment_is_a_context_and_its_words_are_timed(mouth_of) -> None:
    async with ElevenLabsStandIn() as vendor, mouth_of(vendor) as mouth:
        pieces = await spoken(mouth, "Hello there.")
        again = await spoken(mouth, "Bye.")
    assert b"".join(piece.audio for piece in pieces) != b""
    assert words(pieces) == ["Hello", "there."]
    assert pieces[0].words == (Word("Hello", 0.0, pytest.approx(5 * CHARACTER)),)
    assert words(again) == ["Bye."]
    assert vendor.log.count("connection") == 1
    assert [entry["context"] for entry in vendor.log.of("final")] == ["s1", "s2"]


async def test_the_agent_files_voice_settings_and_pronunciation_are_sent_once_a_context(mouth_of) -> None:
    voices = {"elevenlabs.speed": "1.1", "elevenlabs.style": "loud", "elevenlabs.pronunciation": "dict:v1"}
    async with ElevenLabsStandIn() as vendor, mouth_of(vendor, **voices) as mouth:
        await spoken(mouth, "Hello.")
    (context,) = vendor.log.of("context")
    assert json.loads(str(context["settings"])) == {"speed": 1.1}
    assert "pronunciation_dictionary_locators" in str(context["fields"])
    query = json.loads(str(vendor.log.of("opened")[0]["query"]))
    assert query["output_format"] == ["ulaw_8000"]
    assert query["sync_alignment"] == ["true"]


async def test_an_agents_voice_has_a_default(agent: AgentDefinition) -> None:
    assert voice_of(replace(agent, voices={}, voice="male")).id != voice_of(replace(agent, voices={})).id
    assert voice_of(agent) == VoiceChoice("voice-1")


async def test_a_reply_cut_off_drops_its_late_frames_by_context_and_the_next_is_clean(mouth_of) -> None:
    preset = replace(INSTANT.slower("elevenlabs.ttfb", Delay(0.02, 0.02)), speech_rate=20.0)
    with bill_to(Account()) as account:
        async with ElevenLabsStandIn(preset) as vendor, mouth_of(vendor) as mouth:
            async with aclosing(mouth.speak("This is going to be cut off very soon.")) as cut:
                await anext(cut)
            pieces = await spoken(mouth, "Yes?")
            assert words(pieces) == ["Yes?"]
            await vendor.log.wait_for("final", count=2)
    assert vendor.log.count("connection") == 1
    assert [(entry.characters, entry.is_wasted) for entry in account.of(Stage.MOUTH)] == [(38, True), (4, False)]


async def test_more_cuts_than_there_are_contexts_open_a_new_socket_instead_of_killing_the_old(mouth_of) -> None:
    preset = INSTANT.slower("elevenlabs.ttfb", Delay(5, 5))
    async with ElevenLabsStandIn(preset) as vendor, mouth_of(vendor) as mouth:
        for count in range(1, 7):
            task = asyncio.create_task(spoken(mouth, "Never heard."))
            await vendor.log.wait_for("billed", count=count)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert vendor.log.count("error") == 0
    assert vendor.log.count("connection") == 2


async def test_nothing_to_say_is_said_at_once(mouth_of) -> None:
    async with ElevenLabsStandIn() as vendor, mouth_of(vendor) as mouth:
        assert await spoken(mouth, "  ") == []
        assert vendor.log.count("context") == 0


async def test_a_socket_that_was_dropped_between_segments_is_replaced(mouth_of) -> None:
    async with ElevenLabsStandIn() as vendor, mouth_of(vendor) as mouth:
        await spoken(mouth, "One.")
        vendor.faults.inject(Fault(Kind.DROP, path="context", times=1))
        assert words(await spoken(mouth, "Two.")) == ["Two."]  # by HTTP: nothing had been heard of it
        assert words(await spoken(mouth, "Three.")) == ["Three."]
    assert vendor.log.of("billed")[2]["context"] == "http"
    assert vendor.log.of("billed")[3]["context"] == "s3"


async def test_a_drop_after_the_first_words_is_told_to_the_caller(mouth_of) -> None:
    async with ElevenLabsStandIn() as vendor, mouth_of(vendor) as mouth:
        vendor.faults.inject(Fault(Kind.DROP, path="context", after=1, times=1))
        segment = mouth.speak("One two three.")
        assert words([await anext(segment)]) == ["One"]
        with pytest.raises(ProviderUnavailable, match="dropped"):
            await anext(segment)


async def test_without_a_socket_it_speaks_by_http_with_word_times(mouth_of) -> None:
    async with ElevenLabsStandIn() as vendor:
        vendor.faults.inject(Fault(Kind.BROKEN, path="multi-stream-input"))
        voices = {"elevenlabs.speed": "1.1", "elevenlabs.pronunciation": "dict:v1"}
        async with mouth_of(vendor, **voices) as mouth:
            pieces = await spoken(mouth, "Hello there.")
    assert words(pieces) == ["Hello", "there."]
    assert pieces[1].words[0].end == pytest.approx(6 * CHARACTER)
    assert {"voice_settings", "pronunciation_dictionary_locators"} <= set(
        json.loads(str(vendor.log.of("billed")[0]["fields"]))
    )


@pytest.mark.parametrize(("fault", "code"), [(Kind.AUTH, "wrong_key"), (Kind.MISSING, "not_found"), (Kind.QUOTA, "quota")])
async def test_what_trying_again_cannot_mend_is_rejected(mouth_of, fault: Kind, code: str) -> None:
    async with ElevenLabsStandIn() as vendor:
        vendor.faults.inject(Fault(fault))
        with pytest.raises(ProviderRejected) as refused:
            async with mouth_of(vendor):
                pass
    assert refused.value.code == code


async def test_a_malformed_message_is_survived(mouth_of) -> None:
    async with ElevenLabsStandIn() as vendor:
        vendor.faults.inject(Fault(Kind.MALFORMED, path="multi-stream-input"))
        async with mouth_of(vendor) as mouth:
            assert words(await spoken(mouth, "One two.")) == ["two."]


async def test_the_socket_is_kept_alive(mouth_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice.providers.elevenlabs_socket.KEEP_ALIVE_EVERY", 0.02)
    async with ElevenLabsStandIn() as vendor, mouth_of(vendor):
        await vendor.log.wait_for("keep_alive", count=2)


async def test_the_check_tells_what_is_wrong(agent: AgentDefinition) -> None:
    async with ElevenLabsStandIn() as vendor:
        provider = ElevenLabsVoice(ElevenLabsSettings("k", url=vendor.url))
        await provider.check(agent)
        vendor.names = frozenset({"voice-2"})
        with pytest.raises(ProviderRejected, match="not_found"):
            await provider.check(agent)
        vendor.keys = frozenset({"other"})
        with pytest.raises(ProviderRejected, match="wrong_key"):
            await provider.check(agent)
        await provider.close()
