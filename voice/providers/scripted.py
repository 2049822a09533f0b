"""Ears, mind and mouth that do as they are told: for tests and rehearsals, behind the same ports as the real ones.

Nothing here sleeps. What shall wait, waits for an `asyncio.Event` that the test sets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.errors import ProviderError
from voice.events import SAMPLE_RATE, Transcribed, Word
from voice.ports import ModelOutput, Prompt, SpokenAudio, TextDelta, Usage

_SECONDS_PER_WORD = 0.3
_TONE = b"\x9a\x1a"  # mu-law of a loud 4 kHz square wave: audible to whoever looks for sound


@dataclass(slots=True)
class ScriptedTranscriber:
    """The ears of one call. Each `finish_utterance` gives the next of `finals`, and an empty final when there are none left.

    `say` puts any transcript into the stream at any moment, `fail` ends it with an error.
    """

    finals: list[Transcribed]
    heard: bytearray = field(default_factory=bytearray)
    expected: list[tuple[str, ...]] = field(default_factory=list)
    finished: int = 0
    is_closed: bool = False
    _queue: asyncio.Queue[Transcribed | ProviderError | None] = field(default_factory=asyncio.Queue)

    def hear(self, audio: bytes) -> None:
        if not self.is_closed:
            self.heard += audio

    def finish_utterance(self) -> None:
        self.finished += 1
        self.say(self.finals.pop(0) if self.finals else Transcribed("", is_final=True))

    def expect(self, phrases: Sequence[str]) -> None:
        self.expected.append(tuple(phrases))

    def say(self, transcribed: Transcribed) -> None:
        if not self.is_closed:
            self._queue.put_nowait(transcribed)

    def fail(self, error: ProviderError) -> None:
        self._queue.put_nowait(error)

    async def events(self) -> AsyncIterator[Transcribed]:
        while not self.is_closed and (event := await self._queue.get()) is not None:
            if isinstance(event, ProviderError):
                raise event
            yield event

    async def close(self) -> None:
        self.is_closed = True
        self._queue.put_nowait(None)


class ScriptedEars:
    """Speech to text whose calls hear `finals` one after the other. `opened` holds the ears of every call."""

    name = "scripted"

    def __init__(self, finals: Sequence[str] = (), *, refuse: ProviderError | None = None) -> None:
        self._finals, self._refuse = tuple(finals), refuse
        self.opened: list[ScriptedTranscriber] = []

    async def open(self, agent: AgentDefinition, briefing: Briefing) -> ScriptedTranscriber:
        if self._refuse is not None:
            raise self._refuse
        ears = ScriptedTranscriber([Transcribed(text, is_final=True, confidence=0.9) for text in self._finals])
        self.opened.append(ears)
        return ears

    async def close(self) -> None:
        for ears in self.opened:
            await ears.close()


class ScriptedMind:
    """A language model that gives `replies` one after the other: text, outputs, or an error to raise.

    With a `gate`, every reply waits for it before its first output. `prompts` holds what was asked.
    """

    name = "scripted"

    def __init__(
        self, replies: Sequence[str | Sequence[ModelOutput] | ProviderError] = (), *, gate: asyncio.Event | None = None
    ) -> None:
        self._replies = list(replies)
        self._gate = gate
        self.prompts: list[Prompt] = []
        self.cancelled = 0

    async def reply(self, prompt: Prompt) -> AsyncIterator[ModelOutput]:
        self.prompts.append(prompt)
        script = self._replies.pop(0) if self._replies else ""
        is_whole = False
        try:
            if self._gate is not None:
                await self._gate.wait()
            if isinstance(script, ProviderError):
                raise script
            for output in (*map(TextDelta, script.split(" ")),) if isinstance(script, str) else script:
                yield TextDelta(f"{output.text} ") if isinstance(script, str) and isinstance(output, TextDelta) else output
            yield Usage()
            is_whole = True
        finally:
            self.cancelled += not is_whole

    async def close(self) -> None:
        pass


class ScriptedSpeaker:
    """The mouth of one call: a tone, 0.3 s a word, in one piece a word."""

    def __init__(self, gate: asyncio.Event | None, failures: Mapping[str, ProviderError]) -> None:
        self._gate, self._failures = gate, failures
        self.spoken: list[str] = []
        self.is_closed = False

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        self.spoken.append(text)
        for word in text.split():
            if self._gate is not None:
                await self._gate.wait()
            if (failure := self._failures.get(text)) is not None:
                raise failure
            audio = _TONE * int(_SECONDS_PER_WORD * SAMPLE_RATE / len(_TONE))
            yield SpokenAudio(audio, (Word(word, 0.0, _SECONDS_PER_WORD),))

    async def close(self) -> None:
        self.is_closed = True


class ScriptedMouth:
    """Text to speech. `failures` are raised for these texts; with a `gate` every word waits for it."""

    name = "scripted"

    def __init__(self, *, gate: asyncio.Event | None = None, failures: Mapping[str, ProviderError] | None = None) -> None:
        self._gate, self._failures = gate, failures or {}
        self.opened: list[ScriptedSpeaker] = []

    async def open(self, agent: AgentDefinition) -> ScriptedSpeaker:
        speaker = ScriptedSpeaker(self._gate, self._failures)
        self.opened.append(speaker)
        return speaker

    async def close(self) -> None:
        for speaker in self.opened:
            await speaker.close()
