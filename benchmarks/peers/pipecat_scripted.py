"""The scripted parts behind pipecat's own service classes: no socket, no computing, the delays of a pace."""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import time

from pipecat.frames.frames import (
    InterimTranscriptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService

from benchmarks.engines.scripted import BETWEEN_PIECES, TOKENS_AT_ONCE, Bank, Listener, is_loud_pcm, pieces, to_pcm, tokens

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
