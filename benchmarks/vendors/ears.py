"""What the ears' stand-in hears: a script in step with the speech energy that arrives, or a real recogniser's words.

Positions and times are seconds of audio since the stream began, never wall time: a stand-in that is sent no audio hears
nothing, exactly like the vendor.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from telephony.audio import level
from voice.events import Transcribed, Word

_FRAME: Final = 160  # samples: 20 ms at 8 kHz
_VOICED: Final = -45.0  # dBFS; line noise lies below, quiet speech above
_IN_LANGUAGE: Final = re.compile(r"\[([a-z]{2}(?:-[A-Za-z]+)?)\] ")  # before a line of a script: what it is spoken in


@dataclass(frozen=True, slots=True)
class Heard:
    """What the listener has of the present utterance. `words` are timed from the start of the stream."""

    text: str
    words: tuple[Word, ...]
    start: float
    end: float
    is_speaking: bool
    silence: float = 0.0  # seconds since the last voice
    language: str = "en"


class Listener(Protocol):
    """Takes caller audio and tells what it has, by calling `tell` as often as it likes."""

    def hear(self, audio: bytes) -> None: ...

    @property
    def is_settled(self) -> bool:
        """Whether no more words will come for the audio heard so far."""

    def settle(self) -> None:
        """Make up your mind about the audio heard so far."""

    def finish(self) -> None:
        """Close the present utterance: the next `Heard` belongs to another."""

    def expect(self, phrases: Sequence[str]) -> None:
        """These are likely to be said."""

    async def close(self) -> None: ...


Tell = Callable[[Heard], None]
ListenerFactory = Callable[[Tell], Listener]


@dataclass(slots=True)
class ScriptedListener:
    """Says the next line of a script whenever it hears speech, word by word as the speech goes on. A line may begin with
    its language: `[es] hola`.

    Words are taken to be spoken at `word_seconds` each from the onset; when the speech ends earlier, the rest is heard at
    once, so that the whole line is always understood, and never before it was said.
    """

    tell: Tell
    script: deque[str]
    word_seconds: float = 0.3
    end_after: float = 0.06  # seconds of silence after which the words are all there
    _rest: bytearray = field(default_factory=bytearray)
    _position: float = 0.0
    _onset: float | None = None
    _last_voice: float = 0.0
    _line: list[str] = field(default_factory=list)
    _language: str = "en"

    def hear(self, audio: bytes) -> None:
        self._rest += audio
        while len(self._rest) >= _FRAME:
            frame = bytes(self._rest[:_FRAME])
            del self._rest[:_FRAME]
            self._position += _FRAME / 8000
            self._frame(level(frame) > _VOICED)

    @property
    def is_settled(self) -> bool:
        return True

    def settle(self) -> None:
        pass

    def finish(self) -> None:
        self._onset = None
        self._line = []

    def expect(self, phrases: Sequence[str]) -> None:
        pass

    async def close(self) -> None:
        pass

    def _frame(self, is_voiced: bool) -> None:
        if is_voiced:
            if self._onset is None:
                self._onset = self._position - _FRAME / 8000
                self._begin(self.script.popleft() if self.script else "")
            self._last_voice = self._position
        self.tell(self._heard())

    def _begin(self, line: str) -> None:
        told = _IN_LANGUAGE.match(line)
        self._language = told[1] if told else "en"
        self._line = line[told.end() if told else 0 :].split()

    def _heard(self) -> Heard:
        if self._onset is None:
            return Heard(
                "", (), self._position, self._position, is_speaking=False, silence=self._position - self._last_voice
            )
        silence = self._position - self._last_voice
        spoken = self._last_voice - self._onset
        is_whole = silence >= self.end_after
        count = len(self._line) if is_whole else min(int(spoken / self.word_seconds), max(len(self._line) - 1, 0))
        step = spoken / len(self._line) if is_whole and self._line else self.word_seconds
        words = tuple(
            Word(text, round(self._onset + step * i, 3), round(self._onset + step * (i + 1), 3))
            for i, text in enumerate(self._line[:count])
        )
        text, is_speaking = " ".join(self._line[:count]), silence < self.end_after
        return Heard(text, words, self._onset, self._last_voice, is_speaking, silence, self._language)


class EarsPort(Protocol):
    """The part of a `Transcriber` that is needed to really listen."""

    def hear(self, audio: bytes) -> None: ...

    def finish_utterance(self) -> None: ...

    def expect(self, phrases: Sequence[str]) -> None: ...

    def events(self) -> AsyncIterator[Transcribed]: ...

    async def close(self) -> None: ...


class RealListener:
    """Really listens, through a recogniser behind our own port; silence is measured by energy.

    A recogniser closes an utterance at every short pause, a vendor does not: the closed parts are kept together until
    `finish`.
    """

    def __init__(self, tell: Tell, ears: EarsPort) -> None:
        self._tell = tell
        self._ears = ears
        self._position = 0.0
        self._last_voice = 0.0
        self._onset = 0.0
        self._closed: list[Transcribed] = []
        self._open = Transcribed("", is_final=False)
        self._asked_at = 0.0  # position up to which it was asked for a final
        self._waiting = 0  # finals asked for and not come
        self._reading = asyncio.create_task(self._read())

    @property
    def is_settled(self) -> bool:
        return self._waiting == 0

    def settle(self) -> None:
        if self._last_voice > self._asked_at:
            self._asked_at = self._position
            self._waiting += 1
            self._ears.finish_utterance()

    def hear(self, audio: bytes) -> None:
        self._ears.hear(audio)
        for start in range(0, len(audio), _FRAME):
            frame = audio[start : start + _FRAME]
            self._position += len(frame) / 8000
            if level(frame) > _VOICED:
                if not self._closed and not self._open.text and self._position - self._last_voice > 0.3:
                    self._onset = self._position
                self._last_voice = self._position
        if self._position - self._last_voice >= 0.2:  # whoever listens through us asks sooner
            self.settle()
        self._tell(self._heard())

    def finish(self) -> None:
        self._closed.clear()
        self._open = Transcribed("", is_final=False)
        self._onset = self._position

    def expect(self, phrases: Sequence[str]) -> None:
        self._ears.expect(phrases)

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._ears.close()

    async def _read(self) -> None:
        async for event in self._ears.events():
            if event.is_final:
                self._waiting = max(self._waiting - 1, 0)
                self._open = Transcribed("", is_final=False)
                self._closed += [event] if event.text else []
            else:
                self._open = event
            self._tell(self._heard())

    def _heard(self) -> Heard:
        silence = self._position - self._last_voice
        parts = [*self._closed, *([self._open] if self._open.text else [])]
        text = " ".join(part.text for part in parts)
        words = tuple(word for part in parts for word in part.words)
        return Heard(text, words, self._onset, self._last_voice, silence < 0.1, silence)


def scripted(lines: Sequence[str]) -> ListenerFactory:
    """Listeners that share one script: the n-th utterance on any connection is the n-th line."""
    script = deque(lines)
    return lambda tell: ScriptedListener(tell, script)
