"""The scripted parts behind offhook's own ports."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

from benchmarks.engines.scripted import BETWEEN_PIECES, TOKENS_AT_ONCE, Bank, Listener, Pace, Script, Words, pieces, tokens
from voice.actions import AgentSaid
from voice.events import Transcribed, Word
from voice.ports import ModelOutput, Prompt, SpokenAudio, TextDelta, Usage


class PacedEars:
    """The ears of one call (`ports.Transcriber`)."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.told: list[tuple[int, bool]] = []  # of each event: samples heard by then, and whether it was asked for
        self._queue: asyncio.Queue[Transcribed | None] = asyncio.Queue()

    def hear(self, audio: bytes) -> None:
        for words in self.listener.hear(audio):
            self._tell(words, is_asked=False)

    def finish_utterance(self) -> None:
        for words in self.listener.finish():
            self._tell(words, is_asked=True)

    def expect(self, phrases: Sequence[str]) -> None:
        pass

    async def events(self) -> AsyncIterator[Transcribed]:
        while (event := await self._queue.get()) is not None:
            yield event

    async def close(self) -> None:
        self._queue.put_nowait(None)

    def _tell(self, words: Words, *, is_asked: bool) -> None:
        self.told.append((self.listener.received, is_asked))
        self._queue.put_nowait(Transcribed(words.text, words.is_final, confidence=0.95))


class PacedMind:
    """The mind of one call (`ports.LanguageModel`): the script's replies, one for each the caller has heard something of."""

    name = "scripted"

    def __init__(self, script: Script, pace: Pace, rng: random.Random) -> None:
        self._script, self._pace, self._rng = script, pace, rng

    async def reply(self, prompt: Prompt) -> AsyncIterator[ModelOutput]:
        said = sum(isinstance(message, AgentSaid) for message in prompt.messages)
        text = self._script.replies[max(0, said - 1) % len(self._script.replies)]
        await asyncio.sleep(self._pace.token.draw(self._rng))
        for token in tokens(text):
            yield TextDelta(token)
            await asyncio.sleep(TOKENS_AT_ONCE / self._pace.tokens_per_second)
        yield Usage(1000, len(text.split()))


class PacedMouth:
    """The mouth of one call (`ports.Speaker`)."""

    def __init__(self, bank: Bank, pace: Pace, rng: random.Random) -> None:
        self._bank, self._pace, self._rng = bank, pace, rng

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        await asyncio.sleep(self._pace.audio.draw(self._rng))
        for piece in pieces(self._bank.say(text)):
            yield SpokenAudio(piece.audio, tuple(Word(word, start, end) for word, start, end in piece.words))
            await asyncio.sleep(BETWEEN_PIECES)

    async def close(self) -> None:
        pass
