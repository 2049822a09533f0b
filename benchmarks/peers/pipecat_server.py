"""pipecat behind FastAPI, as its documentation sets it up for Twilio.

    python -m benchmarks.peers.pipecat_server --port 9000 --bank bank.json --notes notes.jsonl --vendors '{...}'

Its own services for Deepgram, OpenAI and ElevenLabs at the addresses given (none: scripted parts), Silero VAD in the user
aggregator, metrics on; the default turn strategies (VAD and transcription start a turn, smart-turn v3 ends it). Variant
`vad`: a turn ends by silence alone (`SpeechTimeoutUserTurnStopStrategy`), the fastest documented setting.
"""
# mypy: ignore-errors

from __future__ import annotations

from collections import defaultdict

from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.observers.user_bot_latency_observer import UserBotLatencyObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.elevenlabs.tts import ElevenLabsTTSService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from benchmarks.peers.pipecat_scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS
from benchmarks.peers.serving import Incoming, Peer, main


def services(call: Incoming) -> tuple:
    """Ears, mind and mouth of one call."""
    if not call.vendors:
        return (
            ScriptedSTT(call.listener),
            ScriptedLLM(call.script, call.pace, call.rng),
            ScriptedTTS(call.bank, call.pace, call.rng),
        )
    return (
        DeepgramSTTService(
            api_key="stand-in",
            base_url=call.vendors["deepgram"],
            settings=DeepgramSTTService.Settings(keyterm=[call.script_name]),
        ),
        OpenAILLMService(
            api_key="stand-in",
            base_url=call.vendors["openai"],
            settings=OpenAILLMService.Settings(model="gpt-4.1", system_instruction=call.instructions),
        ),
        ElevenLabsTTSService(
            api_key="stand-in",
            url=call.mouth.replace("http", "ws", 1),
            settings=ElevenLabsTTSService.Settings(voice="ann", model="eleven_flash_v2_5"),
        ),
    )


class Claims:
    """What its own observer says the caller waited, and for which service."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.stages: dict[str, list[float]] = defaultdict(list)
        self.observer = UserBotLatencyObserver()

        @self.observer.event_handler("on_latency_measured")
        async def on_measured(_, seconds: float) -> None:
            self.waits.append(seconds)

        @self.observer.event_handler("on_latency_breakdown")
        async def on_breakdown(_, breakdown) -> None:
            for each in breakdown.ttfb:
                self.stages[each.processor.split("#")[0]].append(each.duration_secs)


class PipecatPeer(Peer):
    """One bot a call, as the quickstart has it."""

    async def talk(self, call: Incoming) -> dict:
        transport = FastAPIWebsocketTransport(
            websocket=call.websocket,
            params=FastAPIWebsocketParams(
                audio_in_enabled=True,
                audio_out_enabled=True,
                add_wav_header=False,
                serializer=TwilioFrameSerializer(
                    stream_sid=call.stream_sid,
                    call_sid=call.call_sid,
                    params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
                ),
            ),
        )
        context = LLMContext([])
        pair = LLMContextAggregatorPair(context, user_params=_user_params(call.variant))
        ears, mind, mouth = services(call)
        pipeline = Pipeline([transport.input(), ears, pair.user(), mind, mouth, transport.output(), pair.assistant()])
        claims = Claims()
        worker = PipelineWorker(
            pipeline,
            params=PipelineParams(audio_in_sample_rate=8000, audio_out_sample_rate=8000, enable_metrics=True),
            observers=[claims.observer],
            cancel_on_idle_timeout=False,
        )

        @transport.event_handler("on_client_connected")
        async def on_connected(*_) -> None:
            await worker.queue_frames([TTSSpeakFrame(self.bank.opening)])

        @transport.event_handler("on_client_disconnected")
        async def on_disconnected(*_) -> None:
            await worker.cancel()

        await WorkerRunner(handle_sigint=False).run(worker)
        said = [message for message in context.messages if message.get("role") == "assistant"]
        believed = [[str(message.get("content", "")), False] for message in said]
        return call.noted(believed, claims.waits) | {"stages": claims.stages}


def _user_params(variant: str) -> LLMUserAggregatorParams:
    if variant == "vad":
        strategies = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()])
        return LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer(), user_turn_strategies=strategies)
    return LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())


if __name__ == "__main__":
    logger.remove()
    logger.add("/dev/stderr", level="WARNING")
    main(PipecatPeer)
