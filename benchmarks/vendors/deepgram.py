"""A stand-in for Deepgram: Nova on `/v1/listen`, Flux on `/v2/listen`, and the one REST path that checks a key.

Wire: developers.deepgram.com reference (live-streaming, flux) and deepgram/deepgram-api-specs asyncapi.yml. Traps kept on
purpose: an empty binary frame closes the stream; ten seconds without audio or KeepAlive closes it with NET-0001;
`Finalize` gives `from_finalize`, not `speech_final`, and no answer at all when nothing was heard.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.vendors.ears import Heard, Listener, ListenerFactory, Tell, scripted
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.presets import INSTANT, Preset
from benchmarks.vendors.standin import StandIn
from benchmarks.vendors.wire import ClientGone, Connection, Request, Socket
from telephony.audio import encode
from voice.events import Word

_FRAME: Final = 160  # 20 ms
_INTERIM_EVERY: Final = 0.2  # seconds of audio between interims while somebody speaks
_EMPTY_EVERY: Final = 1.0  # and between empty results while nobody does
_UPDATE_EVERY: Final = 0.25  # flux: "Update ... approximately every 0.25 s"
_SUREST: Final = (
    0.2  # flux: seconds of silence before which it is never sure of an end; assumed, a stopped "t" is half of it
)
_WORDS: Final = {
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project has insufficient funds."),
}


class DeepgramStandIn(StandIn):
    """Listens on any number of sockets; every socket takes the next lines of the same script, or a listener of its own."""

    vendor = "deepgram"

    def __init__(
        self,
        preset: Preset = INSTANT,
        seed: int = 0,
        *,
        script: Sequence[str] = (),
        listen: ListenerFactory | None = None,
        idle_after: float = 10.0,
    ) -> None:
        super().__init__(preset, seed)
        self.listen = listen or scripted(script)
        self.idle_after = idle_after

    def listener(self, request: Request, tell: Tell) -> Listener:
        """Who listens on one socket. A subclass may choose by what the request asks for."""
        return self.listen(tell)

    def settings(self) -> dict[str, str]:
        return {"DEEPGRAM_API_KEY": "stand-in", "DEEPGRAM_URL": self.ws_url}

    def is_known(self, request: Request) -> bool:
        return request.path in ("/v1/listen", "/v2/listen")

    def asked_for(self, request: Request) -> str:
        return request.first("model")

    def refusal(self, fault: Fault) -> tuple[int, object, dict[str, str]]:
        status, _, headers = super().refusal(fault)
        if fault.kind is Kind.MISSING:
            status = 400  # "No such model/language/tier combination found."
        if fault.kind is Kind.OVERLOADED:
            status = 503
        code, message = _WORDS.get(status, ("Bad Request", "No such model/language/tier combination found."))
        body = {"err_code": code, "err_msg": message, "request_id": "standin"}
        return status, body, {**headers, "dg-error": message}

    async def answer(self, connection: Connection, request: Request) -> None:
        if request.path == "/v1/projects":
            await connection.respond(200, {"projects": [{"project_id": "standin", "name": "Stand-in"}]})
        else:
            await connection.respond(*self.refusal(Fault(Kind.MISSING)))

    async def converse(self, socket: Socket, request: Request) -> None:
        number = socket.connection.number
        self.log.add(
            number,
            "opened",
            path=request.path,
            model=request.first("model"),
            keyterms=", ".join(request.query.get("keyterm", [])),
            query=json.dumps(dict(request.query)),
        )
        session = (_Flux if request.path == "/v2/listen" else _Nova)(self, socket, request)
        await session.run()


class _Session:
    """One socket: audio and orders in, messages out, each after its delay and in order."""

    def __init__(self, vendor: DeepgramStandIn, socket: Socket, request: Request) -> None:
        self.vendor = vendor
        self.socket = socket
        self.request = request
        self.number = socket.connection.number
        self.rng: random.Random = vendor.rng()
        self.listener = vendor.listener(request, self.heard)
        self.bytes = 0
        self._outbox: asyncio.Queue[tuple[float, dict[str, object]]] = asyncio.Queue()
        self._last_due = 0.0
        self._convert = _converter(request.first("encoding", "linear16"), int(request.first("sample_rate", "16000")))

    def heard(self, heard: Heard) -> None:
        """What the listener has, after each frame."""

    def order(self, message: dict[str, object]) -> None:
        """A text message of the client."""

    def configured(self, message: dict[str, object]) -> None:
        """Keyterms may be changed in mid-stream: a listener that can use them is told."""
        terms = message.get("keyterms")
        if isinstance(terms, list):
            self.listener.expect([str(term) for term in terms])

    def farewell(self) -> dict[str, object] | None:
        """The last message after CloseStream."""

    def say(self, message: dict[str, object], delay: str) -> None:
        due = max(self._last_due, time.monotonic() + self.vendor.preset.delay(delay).draw(self.rng))
        self._last_due = due
        self._outbox.put_nowait((due, message))

    async def run(self) -> None:
        self._sender = asyncio.create_task(self._send())
        try:
            await self._receive()
        except ClientGone:
            pass
        finally:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
            await self.listener.close()
            self.vendor.log.add(self.number, "closed", audio_seconds=round(self.bytes / 8000, 3))

    async def _receive(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.vendor.idle_after):
                    message = await self.socket.recv()
            except TimeoutError:
                self.vendor.log.add(self.number, "idle")
                await self.socket.close(1011, "NET-0001: no audio data and no text message within the window.")
                return
            if message is None:
                return
            if isinstance(message, bytes):
                if not message:
                    self.vendor.log.add(self.number, "empty_frame")
                    await self._finish()
                    return
                self._take(message)
            elif await self._take_order(message):
                return

    def _take(self, audio: bytes) -> None:
        if not self.bytes:
            self.vendor.log.add(self.number, "audio")
        mulaw = self._convert(audio)
        for start in range(0, len(mulaw), _FRAME):  # so that positions are right for replayed audio too
            frame = mulaw[start : start + _FRAME]
            self.bytes += len(frame)
            self.listener.hear(frame)

    async def _take_order(self, text: str) -> bool:
        message = json.loads(text)
        kind = str(message.get("type"))
        self.vendor.log.add(self.number, kind, body=text)
        if kind == "CloseStream":
            await self._finish()
            return True
        self.order(message)
        return False

    async def _finish(self) -> None:
        if (last := self.farewell()) is not None:
            self.say(last, "none")
        emptied = asyncio.ensure_future(self._outbox.join())
        await asyncio.wait(
            [emptied, self._sender], return_when=asyncio.FIRST_COMPLETED
        )  # a client that left ends the sender
        emptied.cancel()
        await self.socket.close(1000)

    async def _send(self) -> None:
        try:
            while True:
                due, message = await self._outbox.get()
                await self._send_one(due, message)
                self._outbox.task_done()
        except ClientGone:
            return

    async def _send_one(self, due: float, message: dict[str, object]) -> None:
        await self.socket.connection.pause(due - time.monotonic())
        if self.socket.connection.is_error_due():
            await self.socket.close(1011, "NET-0000: internal server error")
            raise ClientGone
        await self.socket.send(json.dumps(message))
        self.sent(message)

    def sent(self, message: dict[str, object]) -> None:
        """Log what matters of a message that went out."""


class _Nova(_Session):
    def __init__(self, vendor: DeepgramStandIn, socket: Socket, request: Request) -> None:
        self._last_interim = 0.0
        self._is_open = False  # an utterance is under way
        self._closing: bool | None = None  # it is to be closed when the listener is sure; with speech_final or not
        endpointing = request.first("endpointing", "10")
        self._endpointing = None if endpointing == "false" else max(int(endpointing), 10) / 1000
        self._interims = request.first("interim_results") == "true"
        self._now: Heard | None = None
        super().__init__(vendor, socket, request)

    def heard(self, heard: Heard) -> None:
        self._now = heard
        position = self.bytes / 8000
        if heard.text or heard.is_speaking:
            self._is_open = True
        if self._closing is not None and self.listener.is_settled:
            self._close(speech_final=self._closing)
            return
        is_due = position - self._last_interim >= (_INTERIM_EVERY if heard.is_speaking else _EMPTY_EVERY)
        if self._is_open and self._endpointing is not None and heard.silence >= self._endpointing and not heard.is_speaking:
            self._close(speech_final=True)
        elif is_due and self._interims:
            self._last_interim = position
            self.say(self._results(heard), "deepgram.interim")

    def order(self, message: dict[str, object]) -> None:
        if message.get("type") == "Finalize" and self._is_open:
            self._close(speech_final=False)
        elif message.get("type") == "Configure":
            self.configured(message)
            self.say({"type": "ConfigureSuccess", "keyterms": message.get("keyterms", [])}, "none")

    def farewell(self) -> dict[str, object] | None:
        return {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": "standin",
            "sha256": "0",
            "created": "2026-11-01T00:00:00Z",
            "duration": self.bytes / 8000,
            "channels": 1,
        }

    def _close(self, *, speech_final: bool) -> None:
        assert self._now is not None
        self.listener.settle()
        if not self.listener.is_settled:
            self._closing = speech_final
            return
        self.say(self._results(self._now, is_final=True, speech_final=speech_final), "deepgram.final")
        self._is_open, self._closing = False, None
        self._last_interim = self.bytes / 8000
        self.listener.finish()

    def _results(self, heard: Heard, *, is_final: bool = False, speech_final: bool = False) -> dict[str, object]:
        tags = _tags(heard) if self.request.first("language") == "multi" else _Tags()
        alternative = {
            "transcript": heard.text,
            "confidence": 0.98 if heard.text else 0.0,
            "words": [{"word": word.text, "confidence": 0.98, **_times(word), **tags.of_words} for word in heard.words],
            **tags.of_all,
        }
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": round(heard.end - heard.start, 3),
            "start": round(heard.start, 3),
            "is_final": is_final,
            "speech_final": speech_final,
            "from_finalize": is_final and not speech_final,
            "channel": {"alternatives": [alternative]},
            "metadata": {
                "request_id": "standin",
                "model_info": {"name": "standin", "version": "0", "arch": "standin"},
                "model_uuid": "standin",
            },
        }

    def sent(self, message: dict[str, object]) -> None:
        if message.get("is_final"):
            channel = message["channel"]
            assert isinstance(channel, dict)
            self.vendor.log.add(self.number, "final", text=channel["alternatives"][0]["transcript"])


class _Flux(_Session):
    def __init__(self, vendor: DeepgramStandIn, socket: Socket, request: Request) -> None:
        self._turn = 0
        self._sequence = 0
        self._last_update = 0.0
        self._is_open = False
        self._is_eager = False
        self._is_forced = False
        self._now: Heard | None = None
        eager = request.first("eager_eot_threshold")
        self._eager_threshold = float(eager) if eager else None
        self._threshold = float(request.first("eot_threshold", "0.7"))
        self._timeout = int(request.first("eot_timeout_ms", "5000")) / 1000
        super().__init__(vendor, socket, request)
        self._patience = self._draw_patience()
        self.say({"type": "Connected", "request_id": "standin", "sequence_id": self._next()}, "none")

    def _draw_patience(self) -> float:
        """Seconds of silence after which the model is sure, decided on the audio it gets."""
        return max(self.vendor.preset.delay("deepgram.eot").draw(self.rng), _SUREST)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1

    def heard(self, heard: Heard) -> None:
        self._now = heard
        position = self.bytes / 8000
        if not self._is_open and heard.text:
            self._is_open = True
            self._tell("StartOfTurn", heard)
        elif self._is_open and self._is_eager and heard.is_speaking:
            self._is_eager = False
            self._tell("TurnResumed", heard)
        elif self._is_open and (self._is_forced or self._is_over(heard)) and self._is_sure():
            self._end("manual" if self._is_forced else "timeout" if heard.silence >= self._timeout else "model")
        elif self._is_open and not self._is_eager and self._is_likely_over(heard):
            self._is_eager = True
            self._tell("EagerEndOfTurn", heard)
        elif position - self._last_update >= _UPDATE_EVERY:
            self._last_update = position
            self._tell("Update", heard)

    def _is_over(self, heard: Heard) -> bool:
        by_model = self._threshold < 1.0 and heard.silence >= self._patience
        return not heard.is_speaking and bool(heard.text) and (by_model or heard.silence >= self._timeout)

    def _is_sure(self) -> bool:
        self.listener.settle()
        return self.listener.is_settled

    def _is_likely_over(self, heard: Heard) -> bool:
        if self._eager_threshold is None or heard.is_speaking or not heard.text:
            return False
        return heard.silence >= self._patience * self._eager_threshold / self._threshold

    def order(self, message: dict[str, object]) -> None:
        if message.get("type") == "ForceEndTurn" and self._is_open:
            self._is_forced = True
            if self._is_sure():
                self._end("manual")
        elif message.get("type") == "Configure":
            self.configured(message)
            self.say({"type": "ConfigureSuccess", "request_id": "standin", "sequence_id": self._next()}, "none")

    def _end(self, trigger: str) -> None:
        assert self._now is not None
        self._tell("EndOfTurn", self._now, trigger)
        self._is_open = self._is_eager = self._is_forced = False
        self._turn += 1
        self._patience = self._draw_patience()
        self.listener.finish()

    def _tell(self, event: str, heard: Heard, trigger: str | None = None) -> None:
        confidence = min(heard.silence / self._patience, 1.0) * self._threshold if heard.text else 0.0
        message: dict[str, object] = {
            "type": "TurnInfo",
            "request_id": "standin",
            "sequence_id": self._next(),
            "event": event,
            "turn_index": self._turn,
            "audio_window_start": round(heard.start, 3),
            "audio_window_end": round(self.bytes / 8000, 3),
            "transcript": heard.text,
            "words": [{"word": word.text, "confidence": 0.98, **_times(word)} for word in heard.words],
            "end_of_turn_confidence": round(confidence, 3),
            **(_tags(heard).of_all if self.request.first("model").endswith("-multi") else {}),
        }
        if trigger is not None:
            message["trigger"] = trigger
        self.say(message, "deepgram.final" if trigger == "manual" else "none")

    def sent(self, message: dict[str, object]) -> None:
        if message.get("event") == "EndOfTurn":
            self.vendor.log.add(self.number, "final", text=str(message["transcript"]), trigger=str(message["trigger"]))


@dataclass(frozen=True, slots=True)
class _Tags:
    """What is told of the language: with the whole, most spoken first, and with each word (`/v1/listen` alone)."""

    of_all: Mapping[str, object] = field(default_factory=dict)
    of_words: Mapping[str, object] = field(default_factory=dict)


def _tags(heard: Heard) -> _Tags:
    return _Tags({"languages": [heard.language]}, {"language": heard.language}) if heard.text else _Tags()


def _times(word: Word) -> dict[str, float]:
    return {"start": word.start, "end": word.end}


def _converter(encoding: str, rate: int) -> Callable[[bytes], bytes]:
    """To mu-law at 8 kHz, by plain decimation: good enough to find speech energy in."""
    if encoding == "mulaw":
        return lambda audio: audio
    step = max(rate // 8000, 1)
    return lambda audio: encode(np.frombuffer(audio[: len(audio) // 2 * 2], np.int16)[::step])
