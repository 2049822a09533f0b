"""pipecat behind FastAPI, as its documentation sets it up for Twilio, with the scripted parts.

    python -m benchmarks.peers.pipecat_server --port 9000 --bank bank.json --notes notes.jsonl

Silero VAD in the user aggregator; the default turn strategies (VAD and transcription start a turn, smart-turn v3 ends it).
Variant `vad`: a turn ends by silence alone (`SpeechTimeoutUserTurnStopStrategy`), the fastest documented setting.
"""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path

import uvicorn
import uvloop
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    InterimTranscriptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from benchmarks.engines.options import Options, read
from benchmarks.engines.probe import Probe, pin, stall_every
from benchmarks.engines.scripted import (
    BETWEEN_PIECES,
    PACES,
    TOKENS_AT_ONCE,
    Bank,
    Listener,
    is_loud_pcm,
    pieces,
    to_pcm,
    tokens,
)

FRAME_BYTES = 320  # 20 ms of 16-bit PCM at 8 kHz


class ScriptedSTT(STTService):
    def __init__(self, listener: Listener, **arguments) -> None:
        super().__init__(
            sample_rate=8000,
            ttfs_p99_latency=0.35,
            settings=STTSettings(model="scripted", language=None),
            **arguments,
        )
        self._listener = listener
        self._rest = b""

    async def run_stt(self, audio: bytes):
        self._rest += audio
        while len(self._rest) >= FRAME_BYTES:
            frame, self._rest = self._rest[:FRAME_BYTES], self._rest[FRAME_BYTES:]
            for words in self._listener.step(is_loud=is_loud_pcm(frame)):
                if not words.text:
                    continue
                shape = TranscriptionFrame if words.is_final else InterimTranscriptionFrame
                heard = shape(words.text, "", time.strftime("%FT%TZ"))
                if words.is_final:
                    heard.finalized = True
                yield heard
        if False:
            yield None


class ScriptedLLM(LLMService):
    def __init__(self, script, pace, rng) -> None:
        nothing = dict.fromkeys(
            (
                "system_instruction",
                "temperature",
                "max_tokens",
                "top_p",
                "top_k",
                "frequency_penalty",
                "presence_penalty",
                "seed",
                "filter_incomplete_user_turns",
                "user_turn_completion_config",
            )
        )
        super().__init__(settings=LLMSettings(model="scripted", **nothing))
        self._script, self._pace, self._rng = script, pace, rng

    async def process_frame(self, frame, direction) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        said = sum(message.get("role") == "assistant" for message in frame.context.messages)
        text = self._script.replies[max(0, said - 1) % len(self._script.replies)]
        await asyncio.sleep(self._pace.token.draw(self._rng))
        for token in tokens(text):
            await self.push_frame(LLMTextFrame(token))
            await asyncio.sleep(TOKENS_AT_ONCE / self._pace.tokens_per_second)
        await self.push_frame(LLMFullResponseEndFrame())


class ScriptedTTS(TTSService):
    def __init__(self, bank: Bank, pace, rng) -> None:
        super().__init__(
            push_text_frames=False,
            push_stop_frames=True,
            push_start_frame=True,
            sample_rate=8000,
            settings=TTSSettings(model="scripted", voice="ann", language=None),
        )
        self._bank, self._pace, self._rng = bank, pace, rng
        self._context, self._spoken = "", 0.0  # word times count from the beginning of a context

    async def run_tts(self, text: str, context_id: str):
        await asyncio.sleep(self._pace.audio.draw(self._rng))
        spoken = self._bank.say(text)
        if context_id != self._context:
            self._context, self._spoken = context_id, 0.0
        at, self._spoken = self._spoken, self._spoken + len(spoken.audio) / 8000
        for piece in pieces(spoken):
            yield TTSAudioRawFrame(to_pcm(piece.audio), 8000, 1, context_id=context_id)
            if piece.words:
                await self.add_word_timestamps([(word, at + start) for word, start, _ in piece.words], context_id)
            at += len(piece.audio) / 8000
            await asyncio.sleep(BETWEEN_PIECES)


class Bots:
    """One bot a call, as the quickstart has it."""

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
        transport = FastAPIWebsocketTransport(
            websocket=websocket,
            params=FastAPIWebsocketParams(
                audio_in_enabled=True,
                audio_out_enabled=True,
                add_wav_header=False,
                serializer=TwilioFrameSerializer(
                    stream_sid=body["streamSid"],
                    call_sid=body["callSid"],
                    params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
                ),
            ),
        )
        context = LLMContext([])
        pair = LLMContextAggregatorPair(context, user_params=self._user_params())
        pipeline = Pipeline(
            [
                transport.input(),
                ScriptedSTT(listener),
                pair.user(),
                ScriptedLLM(script, self._pace, rng),
                ScriptedTTS(self._bank, self._pace, rng),
                transport.output(),
                pair.assistant(),
            ]
        )
        worker = PipelineWorker(
            pipeline,
            params=PipelineParams(audio_in_sample_rate=8000, audio_out_sample_rate=8000),
            cancel_on_idle_timeout=False,
        )

        @transport.event_handler("on_client_connected")
        async def on_connected(*_) -> None:
            await worker.queue_frames([TTSSpeakFrame(self._bank.opening)])

        @transport.event_handler("on_client_disconnected")
        async def on_disconnected(*_) -> None:
            await worker.cancel()

        self.probe.calls += 1
        try:
            await WorkerRunner(handle_sigint=False).run(worker)
        finally:
            self.probe.calls -= 1
            said = [message for message in context.messages if message.get("role") == "assistant"]
            self.probe.note(
                {
                    "call_sid": body["callSid"],
                    "believed": [[str(message.get("content", "")), False] for message in said],
                    "utterances": listener.utterances,
                    "received": listener.received,
                }
            )

    def _user_params(self) -> LLMUserAggregatorParams:
        if self._options.variant == "vad":
            strategies = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()])
            return LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer(), user_turn_strategies=strategies)
        return LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())


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
    logger.remove()
    logger.add("/dev/stderr", level="WARNING")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(options))


if __name__ == "__main__":
    main()
