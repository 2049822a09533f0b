"""The mouth's stand-in: HTTP by ElevenLabs' own SDK, the multi-context WebSocket (which the SDK lacks) by hand."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mouth import CHARACTER
from benchmarks.vendors.presets import INSTANT, Delay
from voice.providers.extras import load


@asynccontextmanager
async def client(vendor: ElevenLabsStandIn) -> AsyncIterator[Any]:
    async with httpx.AsyncClient() as http:
        sdk = load("elevenlabs.client", "elevenlabs")
        yield sdk.AsyncElevenLabs(api_key="k", base_url=vendor.url, httpx_client=http)


@asynccontextmanager
async def contexts(vendor: ElevenLabsStandIn, query: str = "sync_alignment=true") -> AsyncIterator[ClientConnection]:
    url = f"{vendor.ws_url}/v1/text-to-speech/voice-1/multi-stream-input?{query}"
    async with connect(url, additional_headers={"xi-api-key": "k"}, compression=None) as socket:
        yield socket


async def say(socket: ClientConnection, **fields: object) -> None:
    await socket.send(json.dumps(fields))


async def hear(socket: ClientConnection) -> list[dict[str, Any]]:
    """All messages up to the next isFinal."""
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not seen or not seen[-1].get("isFinal"):
            seen.append(json.loads(await socket.recv()))
    return seen


async def test_http_streams_mulaw_at_the_length_of_the_text() -> None:
    async with ElevenLabsStandIn() as vendor, client(vendor) as sdk:
        stream = sdk.text_to_speech.stream(
            "voice-1", text="one two", output_format="ulaw_8000", request_options={"chunk_size": 160}
        )
        async with aclosing(stream):
            audio = b"".join([piece async for piece in stream])
    assert len(audio) == 8 * CHARACTER * 8000
    assert vendor.log.total("billed", "characters") == 7


async def test_http_streams_times_of_characters() -> None:
    async with ElevenLabsStandIn() as vendor, client(vendor) as sdk:
        stream = sdk.text_to_speech.stream_with_timestamps("voice-1", text="hi", output_format="ulaw_8000")
        lines = [line async for line in stream]
    assert lines[0].alignment.characters == ["h", "i", " "]
    assert lines[0].alignment.character_end_times_seconds == pytest.approx(
        [0.06, 0.12, 0.18]
    )  # the space lasts to the end of the audio


async def test_http_refuses_in_the_vendors_words() -> None:
    api_error = load("elevenlabs.core.api_error", "elevenlabs").ApiError
    async with ElevenLabsStandIn() as vendor, client(vendor) as sdk:
        for kind, status in ((Kind.AUTH, 401), (Kind.MISSING, 404), (Kind.QUOTA, 401), (Kind.RATE_LIMITED, 429)):
            vendor.faults.inject(Fault(kind, times=1))
            with pytest.raises(api_error) as refused:
                async for _ in sdk.text_to_speech.stream("voice-1", text="hi"):
                    pass
            assert refused.value.status_code == status
    assert refused.value.body["detail"]["status"] == "too_many_concurrent_requests"


async def test_a_client_that_leaves_is_seen_and_what_it_wasted_is_counted() -> None:
    preset = INSTANT.slower("elevenlabs.ttfb", Delay(5, 5))
    async with ElevenLabsStandIn(preset) as vendor, client(vendor) as sdk:

        async def listen() -> None:
            async for _ in sdk.text_to_speech.stream("voice-1", text="never heard"):
                pass

        task = asyncio.create_task(listen())
        await vendor.log.wait_for("billed")
        task.cancel()
        assert (await vendor.log.wait_for("cancelled"))["seconds"] == 0


async def test_a_flushed_context_speaks_and_is_final_once_closed() -> None:
    async with ElevenLabsStandIn() as vendor, contexts(vendor) as socket:
        await say(socket, text=" ", context_id="a", voice_settings={"speed": 1.1})
        await say(socket, text="one two ", context_id="a", flush=True)
        await say(socket, context_id="a", close_context=True)
        seen = await hear(socket)
    assert [message["contextId"] for message in seen] == ["a", "a", "a"]
    audio = b"".join(base64.b64decode(message["audio"]) for message in seen[:-1])
    assert len(audio) == 8 * CHARACTER * 8000
    assert "".join(seen[1]["alignment"]["chars"]) == "two "
    assert seen[1]["alignment"]["charStartTimesMs"][0] == 0  # from the start of its own message


async def test_a_short_text_without_flush_or_auto_mode_is_never_spoken() -> None:
    async with ElevenLabsStandIn() as vendor, contexts(vendor) as socket:
        await say(socket, text="short ", context_id="a")
        await say(socket, context_id="a", close_context=True)
        assert len(await hear(socket)) == 1
    assert vendor.log.count("billed") == 0


async def test_auto_mode_speaks_without_flush_and_closing_cuts_it_off() -> None:
    preset = INSTANT.slower("elevenlabs.ttfb", Delay(0.05, 0.05))
    async with ElevenLabsStandIn(preset) as vendor, contexts(vendor, "auto_mode=true") as socket:
        await say(socket, text="cut me off ", context_id="a")
        await vendor.log.wait_for("billed")
        await say(socket, context_id="a", close_context=True)
        assert len(await hear(socket)) == 1


async def test_the_sixth_context_kills_the_socket() -> None:
    async with ElevenLabsStandIn() as vendor, contexts(vendor) as socket:
        for name in "abcdef":
            await say(socket, text=" ", context_id=name)
        assert json.loads(await socket.recv())["error"] == "max_active_conversations"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_a_silent_socket_times_out_and_an_empty_text_keeps_it() -> None:
    async with ElevenLabsStandIn() as vendor, contexts(vendor, "inactivity_timeout=0.5") as socket:
        await say(socket, text="", context_id="")
        assert json.loads(await socket.recv())["error"] == "input_timeout_exceeded"
    assert vendor.log.count("keep_alive") == 1


async def test_a_stalled_context_does_not_stall_the_others() -> None:
    async with ElevenLabsStandIn() as vendor, contexts(vendor) as socket:
        vendor.faults.inject(Fault(Kind.STALL, times=1, path="context"))
        for name in "ab":
            await say(socket, text="hello ", context_id=name, flush=True)
            await say(socket, context_id=name, close_context=True)
        assert {message["contextId"] for message in await hear(socket)} == {"b"}
