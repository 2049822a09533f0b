"""livekit-agents on the media stream itself, with the scripted parts: an `AgentSession` with audio in and out of our own.

    python -m benchmarks.peers.livekit_server --port 9000 --bank bank.json --notes notes.jsonl

LiveKit's own way to the telephone is its SIP service and a room; here the session's audio ports are put on the socket, which
spares it both. Everything else is the default: bundled Silero VAD, interruption and false-interruption handling, endpointing
delays. The output keeps 200 ms ahead, as its room output does. Variant `vad`: a turn ends by
silence alone.
"""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import audioop
import base64
import json
import logging
import random
import time
import warnings
from pathlib import Path

import uvicorn
import uvloop
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from livekit import rtc
from livekit.agents import Agent, AgentSession, llm, stt, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, TimedString
from livekit.agents.voice import io
from livekit.agents.voice.transcription.synchronizer import TranscriptSynchronizer

from benchmarks.engines.options import Options, read
from benchmarks.engines.probe import Probe, pin, stall_every
from benchmarks.engines.scripted import BETWEEN_PIECES, PACES, TOKENS_AT_ONCE, Bank, Listener, pieces, to_pcm, tokens

RATE = 8000
AHEAD = 0.2  # seconds: the queue of livekit's own room output
CHUNK = 320  # samples sent at a time: 40 ms


class ScriptedSTT(stt.STT):
    def __init__(self, listener: Listener) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.listener = listener

    async def _recognize_impl(self, buffer, *, language=NOT_GIVEN, conn_options=None):
        raise NotImplementedError

    def stream(self, *, language=NOT_GIVEN, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return _Recognizing(stt=self, conn_options=conn_options, sample_rate=RATE)


class _Recognizing(stt.RecognizeStream):
    async def _run(self) -> None:
        rest = b""
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            rest += audioop.lin2ulaw(bytes(frame.data), 2)
            whole = len(rest) // 160 * 160
            for words in self._stt.listener.hear(rest[:whole]):
                if not words.text:
                    continue
                kind = stt.SpeechEventType.FINAL_TRANSCRIPT if words.is_final else stt.SpeechEventType.INTERIM_TRANSCRIPT
                data = stt.SpeechData(language="en", text=words.text, confidence=0.95)
                self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=[data]))
            rest = rest[whole:]


class ScriptedLLM(llm.LLM):
    def __init__(self, script, pace, rng) -> None:
        super().__init__()
        self.script, self.pace, self.rng = script, pace, rng

    def chat(self, *, chat_ctx, tools=None, conn_options=DEFAULT_API_CONNECT_OPTIONS, **_):
        return _Writing(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Writing(llm.LLMStream):
    async def _run(self) -> None:
        mind = self._llm
        said = sum(getattr(item, "role", "") == "assistant" for item in self._chat_ctx.items)
        text = mind.script.replies[max(0, said - 1) % len(mind.script.replies)]
        await asyncio.sleep(mind.pace.token.draw(mind.rng))
        for token in tokens(text):
            delta = llm.ChoiceDelta(role="assistant", content=token)
            self._event_ch.send_nowait(llm.ChatChunk(id="scripted", delta=delta))
            await asyncio.sleep(TOKENS_AT_ONCE / mind.pace.tokens_per_second)


class ScriptedTTS(tts.TTS):
    def __init__(self, bank: Bank, pace, rng) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False, aligned_transcript=True), sample_rate=RATE, num_channels=1
        )
        self.bank, self.pace, self.rng = bank, pace, rng

    def synthesize(self, text, *, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return _Speaking(tts=self, input_text=text, conn_options=conn_options)


class _Speaking(tts.ChunkedStream):
    async def _run(self, output_emitter) -> None:
        mouth = self._tts
        output_emitter.initialize(
            request_id=utils.shortuuid(), sample_rate=RATE, num_channels=1, mime_type="audio/pcm", frame_size_ms=100
        )
        await asyncio.sleep(mouth.pace.audio.draw(mouth.rng))
        at = 0.0
        for piece in pieces(mouth.bank.say(self._input_text)):
            for word, start, end in piece.words:
                output_emitter.push_timed_transcript(TimedString(f"{word} ", start_time=at + start, end_time=at + end))
            output_emitter.push(to_pcm(piece.audio))
            at += len(piece.audio) / RATE
            await asyncio.sleep(BETWEEN_PIECES)
        output_emitter.flush()


class SocketInput(io.AudioInput):
    def __init__(self) -> None:
        super().__init__(label="socket")
        self.frames = utils.aio.Chan[rtc.AudioFrame]()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self.frames.__anext__()


class SocketOutput(io.AudioOutput):
    """Sends a little ahead of real time, as livekit's room output does; playback is followed by the clock."""

    def __init__(self, websocket: WebSocket, stream_sid: str) -> None:
        super().__init__(label="socket", sample_rate=RATE, capabilities=io.AudioOutputCapabilities(pause=True))
        self._websocket, self._sid = websocket, stream_sid
        self._buffer = bytearray()
        self._pushed = self._sent = 0.0  # seconds of the present segment
        self._dry_at = 0.0
        self._more = asyncio.Event()
        self._enabled = asyncio.Event()
        self._enabled.set()
        self._ending = self._clearing = None
        self._is_started = False
        self.task = asyncio.create_task(self._forward())

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self._buffer += audioop.lin2ulaw(bytes(frame.data), 2)
        self._pushed += frame.duration
        self._more.set()

    def flush(self) -> None:
        super().flush()
        if self._pushed:
            self._ending = asyncio.create_task(self._finish())

    def clear_buffer(self) -> None:
        if not self._pushed:
            return
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        loop = asyncio.get_running_loop()
        played = max(0.0, self._sent - max(0.0, self._dry_at - loop.time()))
        self._buffer.clear()
        self._dry_at = 0.0
        self._clearing = asyncio.create_task(self._send({"event": "clear", "streamSid": self._sid}))
        self._end(played, interrupted=True)

    def pause(self) -> None:
        super().pause()
        self._enabled.clear()

    def resume(self) -> None:
        super().resume()
        self._enabled.set()

    async def _finish(self) -> None:
        loop = asyncio.get_running_loop()
        while self._buffer or self._dry_at > loop.time():  # noqa: ASYNC110
            await asyncio.sleep(max(0.02, self._dry_at - loop.time()))
        self._end(self._pushed, interrupted=False)

    def _end(self, position: float, *, interrupted: bool) -> None:
        self._pushed = self._sent = 0.0
        self._is_started = False
        self._ending = None
        self.on_playback_finished(playback_position=position, interrupted=interrupted)

    async def _forward(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._buffer:
                self._more.clear()
                await self._more.wait()
            await self._enabled.wait()
            ahead = self._dry_at - loop.time()
            if ahead >= AHEAD:
                await asyncio.sleep(ahead - AHEAD + CHUNK / RATE / 2)
                continue
            chunk = bytes(self._buffer[:CHUNK])
            if not chunk:
                continue
            del self._buffer[: len(chunk)]
            if not self._is_started:
                self._is_started = True
                self.on_playback_started(created_at=time.time())
            self._sent += len(chunk) / RATE
            self._dry_at = max(self._dry_at, loop.time()) + len(chunk) / RATE
            payload = base64.b64encode(chunk).decode()
            await self._send({"event": "media", "streamSid": self._sid, "media": {"payload": payload}})

    async def _send(self, message) -> None:
        try:
            await self._websocket.send_text(json.dumps(message))
        except (RuntimeError, WebSocketDisconnect):
            pass


class Bots:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._bank = Bank(options.bank)
        self._pace = PACES[options.pace]
        self.probe = Probe(Path(options.notes))

    async def run(self, websocket: WebSocket) -> None:
        await websocket.accept()
        start = {}
        while start.get("event") != "start":
            start = json.loads(await websocket.receive_text())
        body = start["start"]
        rng = random.Random(f"{self._options.seed} {body['callSid']}")
        script = self._bank.script(body["customParameters"].get("script", ""))
        listener = Listener(script, self._pace, rng)
        arguments = {}
        if self._options.variant == "vad":
            arguments["turn_handling"] = {"turn_detection": "vad"}
        session = AgentSession(
            stt=ScriptedSTT(listener),
            llm=ScriptedLLM(script, self._pace, rng),
            tts=ScriptedTTS(self._bank, self._pace, rng),
            use_tts_aligned_transcript=True,
            user_away_timeout=None,
            **arguments,
        )
        source, sink = SocketInput(), SocketOutput(websocket, body["streamSid"])
        # As its room does: the transcript follows the playback, which is how livekit knows what was heard.
        synchronizer = TranscriptSynchronizer(next_in_chain_audio=sink, next_in_chain_text=None)
        session.input.audio = source
        session.output.audio, session.output.transcription = synchronizer.audio_output, synchronizer.text_output
        self.probe.calls += 1
        try:
            await session.start(Agent(instructions="You are Ann."))
            session.say(self._bank.opening)
            await self._carry(websocket, source)
        finally:
            self.probe.calls -= 1
            sink.task.cancel()
            said = [item for item in session.history.items if getattr(item, "role", "") == "assistant"]
            self.probe.note(
                {
                    "call_sid": body["callSid"],
                    "believed": [[item.text_content or "", bool(item.interrupted)] for item in said],
                    "utterances": listener.utterances,
                    "received": listener.received,
                }
            )
            await session.aclose()

    async def _carry(self, websocket: WebSocket, source: SocketInput) -> None:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            event = json.loads(message["text"])
            if event["event"] == "stop":
                return
            if event["event"] == "media":
                pcm = audioop.ulaw2lin(base64.b64decode(event["media"]["payload"]), 2)
                source.frames.send_nowait(rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2))


async def serve(options: Options) -> None:
    bots = Bots(options)
    app = FastAPI()

    @app.websocket("/")
    async def media(websocket: WebSocket) -> None:
        await bots.run(websocket)

    bots.probe.start()
    if options.stall:
        stall_every(1.0, options.stall)
    await uvicorn.Server(uvicorn.Config(app, port=options.port, log_level="error", lifespan="off")).serve()


def main() -> None:
    options = read()
    pin(options.core)
    warnings.simplefilter("ignore")
    logging.basicConfig(level=logging.ERROR)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options))


if __name__ == "__main__":
    main()
