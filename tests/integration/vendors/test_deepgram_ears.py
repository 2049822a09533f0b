"""The ears' adapter, through Deepgram's SDK, against the stand-in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.faults import Fault, Kind
from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.errors import ProviderRejected, ProviderUnavailable
from voice.events import Transcribed
from voice.ports import Transcriber
from voice.pricing.consumption import Account, Stage, bill_to
from voice.providers.deepgram import DeepgramEars, DeepgramSettings
from voice.providers.resilience.ears import FallbackEars
from voice.providers.resilience.health import Health

Audio = Callable[[float], bytes]
NOVA = DeepgramSettings("k", model="nova-3", final_after=5.0, endpointing=10.0)
FLUX = DeepgramSettings("k", model="flux-general-en", final_after=5.0)


@pytest.fixture
def ears_of(agent: AgentDefinition, briefing: Briefing):  # type: ignore[no-untyped-def]
    @asynccontextmanager
    async def opened(vendor: DeepgramStandIn, settings: DeepgramSettings) -> AsyncIterator[Transcriber]:
        provider = DeepgramEars(replace(settings, url=vendor.ws_url))
        try:
            ears = await provider.open(agent, briefing)
            yield ears
            await ears.close()
        finally:
            await provider.close()

    return opened


async def final(ears: Transcriber) -> tuple[Transcribed, list[Transcribed]]:
    interims = []
    async with asyncio.timeout(10):
        async for heard in ears.events():
            if heard.is_final:
                return heard, interims
            interims.append(heard)
    raise AssertionError("the ears were closed")


async def test_nova_hears_interims_with_stability_and_a_final_with_word_times(
    ears_of, speech: Audio, silence: Audio
) -> None:
    async with DeepgramStandIn(script=["yes I think so"]) as vendor, ears_of(vendor, NOVA) as ears:
        ears.hear(speech(1.2) + silence(0.2))
        ears.finish_utterance()
        heard, interims = await final(ears)
    assert heard.text == "yes I think so"
    assert [word.text for word in heard.words] == ["yes", "I", "think", "so"]
    assert heard.words[-1].end == pytest.approx(1.2, abs=0.03)
    assert [interim.text for interim in interims][:3] == ["yes", "yes I", "yes I think"]
    assert interims[1].stability == 0.5
    assert vendor.log.count("Finalize") == 1


async def test_it_listens_for_the_agents_terms_and_the_callers_names_and_keeps_the_key_out(ears_of) -> None:
    async with DeepgramStandIn() as vendor, ears_of(vendor, NOVA):
        opened = await vendor.log.wait_for("opened")
    assert opened["keyterms"] == "Acme Roofing, shingles, Ann, Zelda Quigley, Zelda"
    assert '"encoding": ["mulaw"]' in str(opened["query"])
    assert '"sample_rate": ["8000"]' in str(opened["query"])


@pytest.mark.parametrize("asked", [replace(NOVA, language="multi"), replace(FLUX, model="flux-general-multi")])
async def test_the_language_that_was_spoken_is_told_by_models_that_know_several(
    ears_of, speech: Audio, silence: Audio, asked: DeepgramSettings
) -> None:
    async with DeepgramStandIn(script=["[es] no hablo inglés"]) as vendor, ears_of(vendor, asked) as ears:
        ears.hear(speech(0.9) + silence(0.3))
        ears.finish_utterance()
        heard, _ = await final(ears)
    assert (heard.text, heard.language) == ("no hablo inglés", "es")


async def test_the_language_is_not_told_by_a_model_that_knows_one(ears_of, speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["[es] no hablo inglés"]) as vendor, ears_of(vendor, NOVA) as ears:
        ears.hear(speech(0.9) + silence(0.3))
        ears.finish_utterance()
        heard, _ = await final(ears)
    assert heard.language == ""
    assert '"language": ["en-US"]' in str(vendor.log.of("opened")[0]["query"])


async def test_what_is_expected_next_is_listened_for_too(ears_of) -> None:
    for settings in (NOVA, FLUX):
        async with DeepgramStandIn() as vendor, ears_of(vendor, settings) as ears:
            ears.expect(["shingle roof", "x" * 2000])
            configured = await vendor.log.wait_for("Configure")
            ears.expect(["shingle roof", "x" * 2000])
        assert json.loads(str(configured["body"]))["keyterms"][-1] == "shingle roof"
        assert vendor.log.count("Configure") == 1


async def test_a_finalize_without_an_answer_is_answered_by_the_timer(ears_of, silence: Audio) -> None:
    settings = replace(NOVA, final_after=0.05)
    async with DeepgramStandIn() as vendor, ears_of(vendor, settings) as ears:
        ears.hear(silence(0.4))
        ears.finish_utterance()
        heard, _ = await final(ears)
    assert heard == Transcribed("", is_final=True)


async def test_the_timer_takes_the_last_interim_for_the_final(ears_of, speech: Audio) -> None:
    settings = replace(NOVA, final_after=0.2)
    async with DeepgramStandIn(script=["call me later please"]) as vendor, ears_of(vendor, settings) as ears:
        ears.hear(speech(0.9))
        first = await anext(aiter(ears.events()))
        assert first.text
        vendor.faults.inject(Fault(Kind.STALL, path="live"))
        ears.finish_utterance()
        heard, _ = await final(ears)
    assert heard.text
    assert heard.is_final


async def test_an_utterance_that_the_vendor_closed_itself_is_not_waited_for(ears_of, speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["no"]) as vendor, ears_of(vendor, replace(NOVA, endpointing=0.1)) as ears:
        ears.hear(speech(0.4) + silence(0.2))
        heard, _ = await final(ears)
        assert heard.text == "no"
        ears.finish_utterance()
        again, _ = await final(ears)
    assert again.text == ""
    assert vendor.log.count("Finalize") == 0


async def test_nova_is_kept_alive_while_it_rings(ears_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice.providers.deepgram._KEEP_ALIVE_EVERY", 0.02)
    async with DeepgramStandIn() as vendor, ears_of(vendor, NOVA):
        await vendor.log.wait_for("KeepAlive", count=2)


async def test_flux_is_given_silence_while_it_rings_and_its_times_are_those_of_the_caller(
    ears_of, speech: Audio, silence: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voice.providers.deepgram._FLUX_SILENCE_AFTER", 0.02)
    async with DeepgramStandIn(script=["hello there"]) as vendor, ears_of(vendor, FLUX) as ears:
        await vendor.log.wait_for("audio")
        monkeypatch.setattr("voice.providers.deepgram._FLUX_SILENCE_AFTER", 60.0)
        ears.hear(speech(0.8) + silence(0.4))
        heard, _ = await final(ears)
    assert heard.words[0].start == pytest.approx(0.0, abs=0.1)
    assert heard.end_of_turn == 1.0


async def test_flux_tells_how_sure_it_is_that_the_turn_is_over(ears_of, speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["call me back"]) as vendor, ears_of(vendor, FLUX) as ears:
        ears.hear(speech(0.88) + silence(0.4))
        heard, interims = await final(ears)
    assert heard.text == "call me back"
    assert max(interim.end_of_turn or 0.0 for interim in interims) >= 0.4
    assert vendor.log.of("final")[0]["trigger"] == "model"


async def test_flux_ends_the_turn_when_we_say_so(ears_of, speech: Audio) -> None:
    async with DeepgramStandIn(script=["one two three"]) as vendor, ears_of(vendor, FLUX) as ears:
        ears.hear(speech(0.96) + b"\xff" * 640)
        await anext(aiter(ears.events()))
        ears.finish_utterance()
        await final(ears)
    assert vendor.log.of("final")[0]["trigger"] == "manual"


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Kind.AUTH, ProviderRejected, "wrong_key"),
        (Kind.MISSING, ProviderRejected, "not_found"),
        (Kind.QUOTA, ProviderRejected, "quota"),
        (Kind.RATE_LIMITED, ProviderUnavailable, "rate_limited"),
        (Kind.OVERLOADED, ProviderUnavailable, "overloaded"),
        (Kind.REFUSED, ProviderUnavailable, "unreachable"),
    ],
)
async def test_a_refusal_is_one_of_ours(ears_of, fault: Kind, error: type[Exception], code: str) -> None:
    async with DeepgramStandIn() as vendor:
        vendor.faults.inject(Fault(fault))
        with pytest.raises(error) as refused:
            async with ears_of(vendor, NOVA):
                pass
    assert refused.value.code == code  # type: ignore[attr-defined]


async def test_nobody_there_and_a_handshake_that_never_ends(ears_of) -> None:
    async with DeepgramStandIn() as vendor:
        vendor.faults.inject(Fault(Kind.SLOW, seconds=30))
        with pytest.raises(ProviderUnavailable, match="timeout"):
            async with ears_of(vendor, replace(NOVA, connect_timeout=0.1)):
                pass
    await vendor.close()


async def test_a_drop_in_mid_call_is_told_and_a_malformed_message_survived(ears_of, speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["yes", "no"]) as vendor:
        vendor.faults.inject(Fault(Kind.MALFORMED, times=1))
        async with ears_of(vendor, NOVA) as ears:
            ears.hear(speech(0.4) + silence(0.2))
            ears.finish_utterance()
            assert (await final(ears))[0].text in ("", "yes")
            vendor.faults.inject(Fault(Kind.DROP, path="live"))
            ears.hear(speech(0.4) + silence(0.2))
            with pytest.raises(ProviderUnavailable, match="dropped"):
                await final(ears)


async def test_ears_that_say_nothing_to_all_that_audio_are_deaf(ears_of, speech: Audio) -> None:
    async with DeepgramStandIn(script=["yes"]) as vendor:
        vendor.faults.inject(Fault(Kind.STALL))
        async with ears_of(vendor, replace(NOVA, stall_after=0.0)) as ears:
            ears.hear(speech(0.5))
            with pytest.raises(ProviderUnavailable, match="deepgram: stalled"):
                await final(ears)
        async with ears_of(vendor, replace(NOVA, final_after=0.05, deaf_after=0.02)) as ears:
            ears.hear(speech(1.5))
            ears.finish_utterance()
            with pytest.raises(ProviderUnavailable, match="stalled"):
                await final(ears)


async def test_what_was_listened_to_is_billed_and_closing_twice_is_allowed(ears_of, silence: Audio) -> None:
    with bill_to(Account()) as account:
        async with DeepgramStandIn() as vendor, ears_of(vendor, NOVA) as ears:
            ears.hear(silence(0.5))
            await vendor.log.wait_for("audio")
            ears.finish_utterance()
            await vendor.log.wait_for("Finalize")
            await ears.close()
            assert [heard async for heard in ears.events() if heard.text] == []
    assert [entry.seconds for entry in account.of(Stage.EARS)] == [0.5]


async def test_the_check_tells_a_wrong_key_from_an_unknown_model() -> None:
    async with DeepgramStandIn() as vendor:
        ears = DeepgramEars(replace(NOVA, url=vendor.url))
        await ears.check()
        vendor.names = frozenset({"nova-2"})
        with pytest.raises(ProviderRejected, match="not_found"):
            await ears.check()
        vendor.keys = frozenset({"other"})
        with pytest.raises(ProviderRejected, match="wrong_key"):
            await ears.check()
        await ears.close()


async def test_a_socket_that_drops_in_mid_sentence_is_replaced_and_hears_the_gap_again(
    agent: AgentDefinition, briefing: Briefing, speech: Audio, silence: Audio
) -> None:
    async with DeepgramStandIn(script=["lost", "yes please do"]) as vendor:
        provider = FallbackEars([DeepgramEars(replace(NOVA, url=vendor.ws_url))], Health())
        ears = await provider.open(agent, briefing)
        ears.hear(silence(0.2) + speech(0.6))
        await vendor.log.wait_for("audio")
        vendor.faults.inject(Fault(Kind.DROP, path="live", times=1))
        await vendor.log.wait_for("opened", count=2)
        ears.hear(speech(0.3) + silence(0.2))
        ears.finish_utterance()
        heard, _ = await final(ears)
        await ears.close()
        await provider.close()
    assert heard.text == "yes please do"
    assert heard.words[0].start == pytest.approx(0.2, abs=0.05)  # of the call, not of the second socket
    assert vendor.log.of("closed")[-1]["audio_seconds"] == pytest.approx(1.3, abs=0.1)
