"""A stand-in for ElevenLabs: `multi-stream-input` over WebSocket, HTTP streaming with and without times, key checks.

Wire: elevenlabs-docs asyncapi.yml and the HTTP reference. Traps kept on purpose: without `auto_mode` or `flush` a short
text is never spoken; `flush` never yields isFinal, `close_context` does; a flushed text is spoken to its end although the
context is closed; a sixth context kills the socket; alignment times count from the start of their own message.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mouth import Hum, MouthPort, alignment
from benchmarks.vendors.presets import INSTANT, Preset
from benchmarks.vendors.standin import StandIn
from benchmarks.vendors.wire import ClientGone, Connection, Request, Socket
from telephony.audio import Resampler, decode
from voice.events import SAMPLE_RATE

MAX_CONTEXTS: Final = 5
_SCHEDULE: Final = 120  # characters before anything is spoken: the first of the default chunk_length_schedule
_WORDS: Final = {
    Kind.AUTH: ("invalid_api_key", "Invalid API key"),
    Kind.MISSING: ("voice_not_found", "A voice with that voice_id was not found."),
    Kind.QUOTA: ("quota_exceeded", "This request exceeds your quota."),
    Kind.RATE_LIMITED: ("too_many_concurrent_requests", "Too many concurrent requests."),
    Kind.OVERLOADED: ("system_busy", "The system is busy."),
    Kind.BROKEN: ("internal_error", "Internal server error."),
}


class ElevenLabsStandIn(StandIn):
    """Speaks with a hum, or with the injected voice. `times_for_all`: word times come with every message, asked for or not
    (the vendor sends some of them unasked, and says not which). `has_times` False: never, as of a voice that has none."""

    vendor = "elevenlabs"

    def __init__(
        self,
        preset: Preset = INSTANT,
        seed: int = 0,
        *,
        voice: MouthPort | None = None,
        times_for_all: bool = False,
        has_times: bool = True,
    ) -> None:
        super().__init__(preset, seed)
        self.voice: MouthPort = voice or Hum()
        self.times_for_all = times_for_all
        self.has_times = has_times

    def key(self, request: Request) -> str:
        return request.headers.get("xi-api-key", "")

    def asked_for(self, request: Request) -> str:
        parts = request.path.split("/")
        return parts[3] if len(parts) > 3 and parts[2] in ("text-to-speech", "voices") else ""

    def is_known(self, request: Request) -> bool:
        return request.path.endswith("/multi-stream-input")

    def refusal(self, fault: Fault) -> tuple[int, object, dict[str, str]]:
        status, _, headers = super().refusal(fault)
        if fault.kind is Kind.QUOTA:
            status = 401  # so documented, unlike everybody else's 402
        if fault.kind is Kind.OVERLOADED:
            status = 503
        code, message = _WORDS[fault.kind]
        return status, {"detail": {"status": code, "message": message}}, headers

    # --- HTTP ---

    async def answer(self, connection: Connection, request: Request) -> None:
        if request.method == "POST" and request.path.endswith(("/stream", "/stream/with-timestamps")):
            await self._stream(connection, request)
        elif request.path.startswith("/v1/voices/"):
            await connection.respond(200, {"voice_id": self.asked_for(request), "name": "Stand-in"})
        elif request.path == "/v1/models":
            await connection.respond(200, [{"model_id": "eleven_flash_v2_5", "name": "Stand-in"}])
        elif request.path == "/v1/user/subscription":
            await connection.respond(200, {"tier": "standin", "character_count": 0, "character_limit": 100_000})
        else:
            await connection.respond(404, {"detail": {"status": "not_found", "message": "Not found"}})

    async def _stream(self, connection: Connection, request: Request) -> None:
        text = str(request.json().get("text", ""))
        with_times = request.path.endswith("with-timestamps")
        rng = self.rng()
        sent = 0
        encoded = _encoder(request.first("output_format", "mp3_44100_128"))
        fields = json.dumps(sorted(request.json()))
        self.log.add(connection.number, "billed", characters=len(text), text=text, context="http", fields=fields)
        try:
            await connection.pause(self.preset.delay("elevenlabs.ttfb").draw(rng))
            connection.open_stream("application/json" if with_times else "audio/basic")
            async for piece in self.voice.speak(text):
                if not sent:
                    self.log.add(connection.number, "first_audio", context="http")
                sent += len(piece.audio)
                body = encoded(piece.audio)
                if with_times:
                    times = _seconds(alignment(piece)) if self.has_times else None
                    line = {"audio_base64": base64.b64encode(body).decode(), "alignment": times}
                    body = connection.garble(json.dumps(line)).encode() + b"\n"
                await connection.chunk(body)
                await connection.pause(len(piece.audio) / SAMPLE_RATE / self.preset.speech_rate)
            connection.end_stream()
            self.log.add(connection.number, "spoken", context="http", seconds=sent / SAMPLE_RATE)
        except ClientGone:
            self.log.add(connection.number, "cancelled", context="http", seconds=sent / SAMPLE_RATE)
            raise

    # --- the multi-context WebSocket ---

    async def converse(self, socket: Socket, request: Request) -> None:
        await _Contexts(self, socket, request).run()


@dataclass(slots=True)
class _Context:
    id: str
    text: str = ""
    is_closing: bool = False
    job: asyncio.Task[None] | None = None
    is_flushed: bool = False  # everything so far is to be spoken, closed or not
    queue: list[str] = field(default_factory=list)


class _Contexts:
    def __init__(self, vendor: ElevenLabsStandIn, socket: Socket, request: Request) -> None:
        self.vendor = vendor
        self.socket = socket
        self.number = socket.connection.number
        self.is_auto = request.first("auto_mode") == "true"
        self.with_alignment = vendor.has_times and (vendor.times_for_all or request.first("sync_alignment") == "true")
        self.idle_after = float(request.first("inactivity_timeout", "20"))
        self.voice_id = vendor.asked_for(request)
        self.encode = _encoder(request.first("output_format", "mp3_44100_128"))
        self._open: dict[str, _Context] = {}
        vendor.log.add(self.number, "opened", voice=self.voice_id, query=json.dumps(dict(request.query)))

    async def run(self) -> None:
        try:
            while True:
                async with asyncio.timeout(self.idle_after):
                    message = await self.socket.recv()
                if message is None or not await self._take(json.loads(message)):
                    return
        except TimeoutError:
            await self._fail("input_timeout_exceeded", "No new text was received within the timeout.")
        except (ClientGone, ValueError):
            pass
        finally:
            jobs = [context.job for context in self._open.values() if context.job]
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            self.vendor.log.add(self.number, "closed")

    async def _take(self, message: dict[str, object]) -> bool:
        if message.get("close_socket"):
            await self.socket.close(1000)
            return False
        name = str(message.get("context_id", ""))
        if message.get("close_context"):
            self._close(name)
            return True
        text = str(message.get("text", ""))
        if not name or (text == "" and not message.get("flush")):
            self.vendor.log.add(self.number, "keep_alive", context=name)
            return True
        if name not in self._open and not await self._begin(name, message):
            return False
        self._say(self._open[name], text, bool(message.get("flush")))
        return True

    async def _begin(self, name: str, message: dict[str, object]) -> bool:
        if len(self._open) >= MAX_CONTEXTS:
            await self._fail("max_active_conversations", f"Maximum simultaneous contexts exceeded ({MAX_CONTEXTS}).")
            return False
        self._open[name] = _Context(name)
        settings = json.dumps(message.get("voice_settings"))
        self.vendor.log.add(self.number, "context", context=name, settings=settings, fields=json.dumps(sorted(message)))
        return True

    def _say(self, context: _Context, text: str, is_flushed: bool) -> None:
        context.text += text
        context.is_flushed = is_flushed
        if not (is_flushed or self.is_auto or len(context.text) >= _SCHEDULE) or not context.text.strip():
            return
        context.queue.append(context.text.strip())
        context.text = ""
        if context.job is None or context.job.done():
            context.job = asyncio.create_task(self._speak(context))

    def _close(self, name: str) -> None:
        context = self._open.get(name)
        self.vendor.log.add(self.number, "close_context", context=name)
        if context is None:
            return
        context.is_closing = True
        context.text = ""
        if context.job is None or context.job.done():
            context.job = asyncio.create_task(self._speak(context))

    async def _speak(self, context: _Context) -> None:
        fault = self.vendor.faults.strike("context")
        rng = self.vendor.rng()
        try:
            while context.queue:
                text = context.queue.pop(0)
                if context.is_closing and not context.is_flushed:
                    continue
                self.vendor.log.add(self.number, "billed", context=context.id, characters=len(text), text=text)
                await self._speak_one(context, text, rng, fault)
            if context.is_closing:
                await self._final(context)
        except ClientGone:
            self.vendor.log.add(self.number, "cancelled", context=context.id)

    async def _speak_one(self, context: _Context, text: str, rng: random.Random, fault: Fault | None) -> None:
        connection = self.socket.connection
        ready = time.monotonic() + self.vendor.preset.delay("elevenlabs.ttfb").draw(rng)
        if fault is not None and fault.kind is Kind.SLOW:
            ready += fault.seconds
        sent = 0
        async for piece in self.vendor.voice.speak(text):
            if fault is not None and fault.kind is Kind.STALL and sent >= fault.after:
                await connection.gone.wait()
            if fault is not None and fault.kind is Kind.DROP and sent >= fault.after:
                connection.abort()
                raise ClientGone
            await connection.pause(ready - time.monotonic())
            if context.is_closing and not context.is_flushed:
                break
            message: dict[str, object] = {
                "audio": base64.b64encode(self.encode(piece.audio)).decode(),
                "alignment": alignment(piece) if self.with_alignment else None,
                "normalizedAlignment": alignment(piece) if self.with_alignment else None,
                "contextId": context.id,
            }
            await self.socket.send(json.dumps(message))
            if not sent:
                self.vendor.log.add(self.number, "first_audio", context=context.id)
            sent += len(piece.audio)
            ready += len(piece.audio) / SAMPLE_RATE / self.vendor.preset.speech_rate
        self.vendor.log.add(self.number, "spoken", context=context.id, seconds=sent / SAMPLE_RATE)

    async def _final(self, context: _Context) -> None:
        self._open.pop(context.id, None)
        await self.socket.send(json.dumps({"isFinal": True, "contextId": context.id}))
        self.vendor.log.add(self.number, "final", context=context.id)

    async def _fail(self, error: str, words: str) -> None:
        self.vendor.log.add(self.number, "error", error=error)
        try:
            await self.socket.send(json.dumps({"message": words, "error": error, "code": 1008}))
        except ClientGone:
            return
        await self.socket.close(1008, words)


def _encoder(output_format: str) -> Callable[[bytes], bytes]:
    """From mu-law to the format asked for. Only mu-law and linear audio are made; whoever asks for MP3 gets mu-law."""
    codec, _, rate = output_format.partition("_")
    if codec != "pcm":
        return lambda audio: audio
    if int(rate) == SAMPLE_RATE:
        return lambda audio: decode(audio).tobytes()
    return lambda audio: _resampled(audio, int(rate))


def _resampled(audio: bytes, rate: int) -> bytes:
    resampler = Resampler(SAMPLE_RATE, rate)
    return resampler.feed(decode(audio)).tobytes() + resampler.finish().tobytes()


def _seconds(times: dict[str, list[object]]) -> dict[str, list[object]]:
    """The same alignment under the names that HTTP uses."""
    starts = [float(str(value)) / 1000 for value in times["charStartTimesMs"]]
    durations = [float(str(value)) / 1000 for value in times["charDurationsMs"]]
    return {
        "characters": times["chars"],
        "character_start_times_seconds": list(starts),
        "character_end_times_seconds": [start + length for start, length in zip(starts, durations, strict=True)],
    }
