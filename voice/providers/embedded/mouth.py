"""Speaks without an account: flite where the system has it, espeak-ng otherwise, each in a process of its own."""

from __future__ import annotations

import asyncio
import ctypes
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from voice.agent import AgentDefinition
from voice.errors import ProviderUnavailable
from voice.ports import SpokenAudio
from voice.providers.embedded.synthesis import CATALOGUE
from voice.providers.embedded.wire import Audio, Ready, Say
from voice.providers.embedded.worker import Worker

_CACHE: Final = 16 * 1024 * 1024  # bytes of audio kept: about half an hour of speech
_STALLED: Final = 10.0  # seconds without audio: the longest sentence takes a twentieth of that


@dataclass(frozen=True, slots=True)
class _Line:
    voice: str
    text: str


class _Cache:
    """What was said before, least recently used thrown out first. An agent says the same greeting to everybody."""

    def __init__(self, largest: int) -> None:
        self._largest, self._size = largest, 0
        self._lines: OrderedDict[_Line, tuple[SpokenAudio, ...]] = OrderedDict()

    def get(self, line: _Line) -> tuple[SpokenAudio, ...] | None:
        if line in self._lines:
            self._lines.move_to_end(line)
        return self._lines.get(line)

    def put(self, line: _Line, pieces: tuple[SpokenAudio, ...]) -> None:
        if line in self._lines:
            return
        self._lines[line] = pieces
        self._size += sum(len(piece.audio) for piece in pieces)
        while self._size > self._largest:
            _, dropped = self._lines.popitem(last=False)
            self._size -= sum(len(piece.audio) for piece in dropped)


class EmbeddedMouth:
    """Text to speech on this machine. `engine` is `flite`, `espeak`, or empty for the best there is."""

    name = "embedded"

    def __init__(self, engine: str = "", cache_size: int = _CACHE) -> None:
        self.engine = engine or best_engine()
        self._worker = Worker("voice.providers.embedded.mouth_worker", (self.engine,))
        self._cache = _Cache(cache_size)

    @property
    def voices(self) -> tuple[str, ...]:
        return tuple(CATALOGUE[self.engine])

    @property
    def pid(self) -> int | None:
        """The engine's process, while there is one."""
        return self._worker.pid

    async def start(self) -> None:
        """Load the engine before the first call needs it. Raises `ProviderError`."""
        await self._worker.start()

    async def open(self, agent: AgentDefinition) -> EmbeddedSpeaker:
        """The mouth of one call, in the agent's voice (an unknown voice is `female`). Raises `ProviderError`."""
        await self._worker.start()
        voice = agent.voices.get(self.name, agent.voice)
        return EmbeddedSpeaker(self, voice if voice in CATALOGUE[self.engine] else "female")

    async def say(self, text: str, voice: str = "caller") -> bytes:
        """All of a text as mu-law, in any voice of `voices`: what simulated people say. Raises `ProviderError`."""
        return b"".join([piece.audio async for piece in self.stream(text, voice)])

    async def stream(self, text: str, voice: str) -> AsyncIterator[SpokenAudio]:
        """A text's audio as it is made. Closing the iterator stops the engine. Raises `ProviderError`."""
        line = _Line(voice, text)
        if (known := self._cache.get(line)) is not None:
            for piece in known:
                yield piece
            return
        channel = await self._worker.open()
        pieces: list[SpokenAudio] = []
        try:
            channel.send(Say(channel.number, text, voice))
            while True:
                match await asyncio.wait_for(channel.receive(), _STALLED):
                    case Audio(_, audio, words):
                        pieces.append(SpokenAudio(audio, words))
                        yield pieces[-1]
                    case Ready():
                        break
                    case _:
                        continue
        except TimeoutError:
            raise ProviderUnavailable(self.name, "stalled", self.engine) from None
        finally:
            channel.close()
        self._cache.put(line, tuple(pieces))

    async def close(self) -> None:
        """End the engine's process."""
        await self._worker.close()


class EmbeddedSpeaker:
    """The mouth of one call."""

    def __init__(self, mouth: EmbeddedMouth, voice: str) -> None:
        self._mouth, self.voice = mouth, voice

    def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        """Stream one segment."""
        return self._mouth.stream(text, self.voice)

    async def close(self) -> None:
        """Nothing is held for a call."""


def best_engine() -> str:
    """`flite` if the system's loader can find it and its voices, else `espeak`."""
    try:
        for library in ("libflite.so.1", "libflite_usenglish.so.1", "libflite_cmulex.so.1"):
            ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
        for voice in ("slt", "rms"):
            ctypes.CDLL(f"libflite_cmu_us_{voice}.so.1")
    except OSError:
        return "espeak"
    return "flite"
