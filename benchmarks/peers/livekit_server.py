"""livekit-agents on the media stream itself: an `AgentSession` with audio in and out of our own.

    python -m benchmarks.peers.livekit_server --port 9000 --bank bank.json --notes notes.jsonl --vendors '{...}'

Its own plug-ins for Deepgram, OpenAI and ElevenLabs at the addresses given (none: scripted parts). LiveKit's own way to the
telephone is its SIP service and a room; here the session's audio ports are put on the socket, which spares it both.
Everything else is the default: bundled Silero VAD and turn detector, interruption and false-interruption handling,
endpointing delays, preemptive generation. Variant `vad`: a turn ends by silence alone, and preemptive speech is on.
"""
# mypy: ignore-errors

from __future__ import annotations

import logging
import warnings
from collections import defaultdict

import aiohttp
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.transcription.synchronizer import TranscriptSynchronizer
from livekit.plugins import deepgram, elevenlabs, openai

from benchmarks.peers.livekit_scripted import ScriptedLLM, ScriptedSTT, ScriptedTTS
from benchmarks.peers.livekit_socket import SocketInput, SocketOutput, carry
from benchmarks.peers.serving import Incoming, Peer, main

FASTEST = {"turn_detection": "vad", "preemptive_generation": {"preemptive_tts": True}}
STAGES = ("transcription_delay", "end_of_turn_delay", "llm_node_ttft", "tts_node_ttfb")


class LivekitPeer(Peer):
    """One session a call."""

    async def prepare(self) -> None:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def talk(self, call: Incoming) -> dict:
        ears, mind, mouth = self._parts(call)
        session = AgentSession(
            stt=ears,
            llm=mind,
            tts=mouth,
            use_tts_aligned_transcript=True,
            user_away_timeout=None,
            **({"turn_handling": FASTEST} if call.variant == "vad" else {}),
        )
        source, sink = SocketInput(), SocketOutput(call.websocket, call.stream_sid)
        # As its room does: the transcript follows the playback, which is how livekit knows what was heard.
        synchronizer = TranscriptSynchronizer(next_in_chain_audio=sink, next_in_chain_text=None)
        session.input.audio = source
        session.output.audio, session.output.transcription = synchronizer.audio_output, synchronizer.text_output
        try:
            await session.start(Agent(instructions=call.instructions))
            session.say(self.bank.opening)
            await carry(call.websocket, source)
        finally:
            sink.task.cancel()
            told = _told(call, session)
            await session.aclose()
        return told

    def _parts(self, call: Incoming) -> tuple:
        """Ears, mind and mouth of one call."""
        if not call.vendors:
            return (
                ScriptedSTT(call.listener),
                ScriptedLLM(call.script, call.pace, call.rng),
                ScriptedTTS(call.bank, call.pace, call.rng),
            )
        return (
            deepgram.STT(
                api_key="stand-in",
                base_url=f"{call.vendors['deepgram'].replace('ws', 'http', 1)}/v1/listen",
                keyterm=call.script_name,
                http_session=self._http,
            ),
            openai.LLM(api_key="stand-in", base_url=call.vendors["openai"]),
            elevenlabs.TTS(
                api_key="stand-in",
                base_url=f"{call.mouth}/v1",
                voice_id="ann",
                model="eleven_flash_v2_5",
                encoding="pcm_8000",
                http_session=self._http,
            ),
        )


def _told(call: Incoming, session: AgentSession) -> dict:
    """The session's history: what was said, and what its own metrics make of every turn."""
    believed, claimed, stages = [], [], defaultdict(list)
    for item in session.history.items:
        metrics = getattr(item, "metrics", None) or {}
        for name in STAGES:
            if name in metrics:
                stages[name].append(metrics[name])
        if getattr(item, "role", "") == "assistant":
            believed.append([item.text_content or "", bool(item.interrupted)])
            claimed += [metrics["e2e_latency"]] if "e2e_latency" in metrics else []
    return call.noted(believed, claimed) | {"stages": stages}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.basicConfig(level=logging.ERROR)
    main(LivekitPeer)
