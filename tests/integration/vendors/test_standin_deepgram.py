"""The ears' stand-in, driven by Deepgram's own SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.ears import RealListener
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.presets import INSTANT, Delay
from voice.events import Transcribed
from voice.providers.extras import load

Audio = Callable[[float], bytes]
NOVA = {"model": "nova-3", "encoding": "mulaw", "sample_rate": 8000, "interim_results": True, "endpointing": 100}
FLUX = {"model": "flux-general-en", "encoding": "mulaw", "sample_rate": 8000}


def client(vendor: DeepgramStandIn, key: str = "k") -> Any:
    load("deepgram.listen.v1.client", "deepgram")
    sdk = load("deepgram", "deepgram")
    environment = sdk.environment.DeepgramClientEnvironment(
        base=vendor.url, production=vendor.ws_url, agent=vendor.ws_url, agent_rest=vendor.url
    )
    return sdk.AsyncDeepgramClient(api_key=key, environment=environment)


@asynccontextmanager
async def nova(vendor: DeepgramStandIn, **options: object) -> AsyncIterator[Any]:
    async with client(vendor).listen.v1.connect(**{**NOVA, **options}) as socket:
        yield socket


@asynccontextmanager
async def flux(vendor: DeepgramStandIn, **options: object) -> AsyncIterator[Any]:
    async with client(vendor).listen.v2.connect(**{**FLUX, **options}) as socket:
        yield socket


async def until(socket: Any, wanted: Callable[[Any], bool]) -> list[Any]:
    seen = []
    async with asyncio.timeout(10):
        while not seen or not wanted(seen[-1]):
            seen.append(await socket.recv())
    return seen


async def test_a_line_of_the_script_comes_word_by_word_and_is_final_after_the_silence(speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["yes I think so"]) as vendor, nova(vendor) as socket:
        await socket.send_media(speech(1.2) + silence(0.3))
        seen = await until(socket, lambda message: message.speech_final)
    interims = [message.channel.alternatives[0].transcript for message in seen if not message.is_final]
    assert "yes I think" in interims
    words = seen[-1].channel.alternatives[0].words
    assert [word.word for word in words] == ["yes", "I", "think", "so"]
    assert words[0].start == 0.0
    assert words[-1].end == pytest.approx(1.2, abs=0.03)


async def test_finalize_answers_with_from_finalize_and_not_speech_final(speech: Audio) -> None:
    async with DeepgramStandIn(script=["no"]) as vendor, nova(vendor, endpointing="false") as socket:
        await socket.send_media(speech(0.5) + b"\xff" * 800)
        await socket.send_finalize()
        last = (await until(socket, lambda message: message.is_final))[-1]
    assert (last.from_finalize, last.speech_final) == (True, False)
    assert last.channel.alternatives[0].transcript == "no"


async def test_finalize_with_nothing_heard_is_not_answered(silence: Audio) -> None:
    async with DeepgramStandIn() as vendor, nova(vendor) as socket:
        await socket.send_media(silence(0.5))
        await socket.send_finalize()
        await vendor.log.wait_for("Finalize")
        await socket.send_close_stream()
        seen = await until(socket, lambda message: message.type == "Metadata")
    assert not any(message.type == "Results" and message.is_final for message in seen)


async def test_a_client_that_leaves_without_waiting_is_let_go(speech: Audio, silence: Audio) -> None:
    preset = INSTANT.slower("deepgram.final", Delay(0.05, 0.05))
    async with DeepgramStandIn(preset, script=["yes"]) as vendor:
        async with nova(vendor) as socket:
            await socket.send_media(speech(0.5) + silence(0.3))
            await socket.send_close_stream()
        assert (await vendor.log.wait_for("closed"))["audio_seconds"] == 0.8


async def test_an_empty_frame_closes_the_stream(speech: Audio) -> None:
    async with DeepgramStandIn() as vendor, nova(vendor) as socket:
        await socket.send_media(speech(0.1))
        await socket.send_media(b"")
        await vendor.log.wait_for("closed")
    assert vendor.log.count("empty_frame") == 1


async def test_a_silent_client_is_closed_unless_it_keeps_alive() -> None:
    async with DeepgramStandIn(idle_after=0.05) as vendor, nova(vendor):
        await vendor.log.wait_for("closed")
    assert vendor.log.count("idle") == 1


async def test_keyterms_arrive_one_by_one_and_may_be_changed(speech: Audio) -> None:
    async with DeepgramStandIn() as vendor, nova(vendor, keyterm=["Acme", "shingles"]) as socket:
        sdk = load("deepgram.listen.v1.types", "deepgram")
        await socket.send_configure(sdk.ListenV1Configure(keyterms=["gutter"]))
        assert (await until(socket, lambda message: message.type == "ConfigureSuccess"))[-1]
    assert vendor.log.of("opened")[0]["keyterms"] == "Acme, shingles"


async def test_flux_tells_of_turns_in_order_and_agrees_with_its_eager_self(speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["call me back"]) as vendor, flux(vendor, eager_eot_threshold=0.4) as socket:
        await socket.send_media(speech(0.9) + silence(0.4))
        seen = await until(socket, lambda message: getattr(message, "event", "") == "EndOfTurn")
    events = [message.event for message in seen if message.type == "TurnInfo" and message.event != "Update"]
    assert events == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]
    eager, end = (next(message for message in seen if getattr(message, "event", "") == name) for name in events[1:])
    assert eager.transcript == end.transcript == "call me back"
    assert end.trigger == "model"


async def test_flux_takes_back_an_eager_end_when_the_speech_goes_on(speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["well now"]) as vendor, flux(vendor, eager_eot_threshold=0.4) as socket:
        await socket.send_media(speech(0.9) + silence(0.14) + speech(0.3) + silence(0.4))
        seen = await until(socket, lambda message: getattr(message, "event", "") == "EndOfTurn")
    assert "TurnResumed" in [getattr(message, "event", "") for message in seen]


async def test_flux_leaves_the_turn_to_us_at_threshold_one(speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["hello"]) as vendor, flux(vendor, eot_threshold=1.0) as socket:
        await socket.send_media(speech(0.6) + silence(2.0))
        await socket.send_force_end_turn()
        seen = await until(socket, lambda message: getattr(message, "event", "") == "EndOfTurn")
    assert seen[-1].trigger == "manual"


async def test_a_wrong_key_and_an_unknown_model_are_refused_in_the_handshake() -> None:
    api_error = load("deepgram.core.api_error", "deepgram").ApiError
    async with DeepgramStandIn() as vendor:
        vendor.keys = frozenset({"right"})
        with pytest.raises(api_error) as refused:
            async with client(vendor, "wrong").listen.v1.connect(**NOVA):
                pass
        assert refused.value.status_code == 401
        vendor.keys, vendor.names = frozenset(), frozenset({"nova-2"})
        with pytest.raises(api_error) as unknown:
            async with client(vendor).listen.v1.connect(**NOVA):
                pass
        assert unknown.value.status_code == 400


async def test_a_malformed_message_is_not_json(speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["yes"]) as vendor:
        vendor.faults.inject(Fault(Kind.MALFORMED, times=1))
        async with nova(vendor) as socket:
            await socket.send_media(speech(0.5) + silence(0.3))
            with pytest.raises(json.JSONDecodeError):
                await socket.recv()


async def test_a_drop_ends_a_socket_that_is_already_open(speech: Audio, silence: Audio) -> None:
    from websockets.exceptions import ConnectionClosedError

    async with DeepgramStandIn(script=["yes", "no"]) as vendor, nova(vendor) as socket:
        await socket.send_media(speech(0.5) + silence(0.3))
        await until(socket, lambda message: message.is_final)
        vendor.faults.inject(Fault(Kind.DROP, path="live"))
        await socket.send_media(speech(0.5) + silence(0.3))
        with pytest.raises(ConnectionClosedError):
            await until(socket, lambda message: False)
        await vendor.log.wait_for("closed")
    assert vendor.log.count("idle") == 0


class Parrot:
    """A recogniser that hears what it is told to, when asked for its final."""

    def __init__(self) -> None:
        self.heard = 0
        self.words: asyncio.Queue[Transcribed] = asyncio.Queue()

    def hear(self, audio: bytes) -> None:
        self.heard += len(audio)

    def expect(self, phrases: Sequence[str]) -> None:
        pass

    def finish_utterance(self) -> None:
        self.words.put_nowait(Transcribed("polly", is_final=True))

    async def events(self) -> AsyncIterator[Transcribed]:
        while True:
            yield await self.words.get()

    async def close(self) -> None:
        pass


async def test_it_can_really_listen(speech: Audio, silence: Audio) -> None:
    parrot = Parrot()
    vendor = DeepgramStandIn(listen=lambda tell: RealListener(tell, parrot))
    async with vendor, nova(vendor, endpointing=300) as socket:
        await socket.send_media(speech(0.5) + silence(0.2))
        await until(socket, lambda message: message.channel.alternatives[0].transcript == "")
        await socket.send_media(silence(0.2))
        seen = await until(socket, lambda message: message.is_final)
    assert seen[-1].channel.alternatives[0].transcript == "polly"
    assert parrot.heard == 7200


async def test_the_language_of_a_line_is_told_where_the_model_tells_languages_apart(speech: Audio, silence: Audio) -> None:
    async with DeepgramStandIn(script=["[es] no hablo inglés"]) as vendor, nova(vendor, language="multi") as socket:
        await socket.send_media(speech(0.9) + silence(0.3))
        best = (await until(socket, lambda message: message.speech_final))[-1].channel.alternatives[0]
    assert (best.languages, best.words[0].language) == (["es"], "es")
    async with DeepgramStandIn(script=["[es] no hablo"]) as vendor, flux(vendor, model="flux-general-multi") as socket:
        await socket.send_media(speech(0.6) + silence(0.4))
        seen = await until(socket, lambda message: getattr(message, "event", "") == "EndOfTurn")
    assert seen[-1].languages == ["es"]
