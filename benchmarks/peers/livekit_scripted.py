"""The scripted parts behind livekit-agents' own interfaces: no socket, no computing, the delays of a pace."""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import audioop

from livekit import rtc
from livekit.agents import llm, stt, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, TimedString

from benchmarks.engines.scripted import BETWEEN_PIECES, RATE, TOKENS_AT_ONCE, Bank, Listener, pieces, to_pcm, tokens


class ScriptedSTT(stt.STT):
    def __init__(self, listener: Listener) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.listener = listener

    async def _recognize_impl(self, buffer, *, language=NOT_GIVEN, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        """A recording at once; a session listens to the stream instead."""
        frame = utils.merge_frames(buffer)
        pcm, _ = audioop.ratecv(bytes(frame.data), 2, frame.num_channels, frame.sample_rate, RATE, None)
        heard = [*self.listener.hear(audioop.lin2ulaw(pcm, 2)), *self.listener.finish()]
        return _event(" ".join(words.text for words in heard if words.is_final and words.text), is_final=True)

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
                if words.text:
                    self._event_ch.send_nowait(_event(words.text, is_final=words.is_final))
            rest = rest[whole:]


def _event(text: str, *, is_final: bool) -> stt.SpeechEvent:
    kind = stt.SpeechEventType.FINAL_TRANSCRIPT if is_final else stt.SpeechEventType.INTERIM_TRANSCRIPT
    return stt.SpeechEvent(type=kind, alternatives=[stt.SpeechData(language="en", text=text, confidence=0.95)])


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
