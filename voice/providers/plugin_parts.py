"""What ears and mouths made of other people's plug-ins have in common, whichever framework they come from.

A framework's stream is fed audio and gives words some time; what our port promises beside that is kept here: a final for
every one that was asked for, errors as ours, a close that may come twice, and an account of what was used.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import ClassVar, Final, Self

from telephony.audio import decode
from voice.errors import ProviderError
from voice.events import SAMPLE_RATE, Transcribed
from voice.ports import SpokenAudio
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.call_ears import CallEars
from voice.providers.plugin import LastInterim, PlugIn, parse_name

FINAL_AFTER: Final = 0.8  # seconds a plug-in may take for the final it was asked for


class PlugInPart:
    """A plug-in of a framework as one of our parts."""

    framework: ClassVar[str]

    def __init__(self, plugin: PlugIn) -> None:
        self.name = plugin.name
        self.plugin = plugin

    @classmethod
    def named(cls, name: str) -> Self:
        """The part behind `name?option=value&...`. Raises `ProviderRejected`: no such plug-in, or it is not installed."""
        return cls(parse_name(cls.framework, name))


class PlugInEars(CallEars):
    """The ears of one call. A framework says how its stream is fed, asked for a final and ended."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._last = LastInterim()
        self._sent = 0  # bytes of caller audio, one a sample

    @abstractmethod
    def _feed(self, pcm: bytes, samples: int) -> None:
        """Give linear audio to the stream; never waits."""

    @abstractmethod
    def _flush(self) -> None:
        """Ask the stream for a final."""

    @abstractmethod
    async def _stop(self) -> None:
        """Stop reading and close the stream."""

    # --- the port ---

    def hear(self, audio: bytes) -> None:
        if audio and not self._is_closed:
            self._sent += len(audio)
            self._feed(decode(audio).tobytes(), len(audio))

    def finish_utterance(self) -> None:
        if self._is_closed or self._timer is not None:
            return
        self._flush()
        self._start_timer(FINAL_AFTER, self._too_late)

    def expect(self, phrases: Sequence[str]) -> None:
        """Plug-ins take no hints in mid-stream."""

    async def _end(self) -> None:
        await self._stop()
        bill(Consumption(Stage.EARS, self._name, seconds=self._sent / SAMPLE_RATE))

    # --- what the stream says ---

    def told(self, words: Transcribed) -> None:
        if words.is_final:
            self._stop_timer()
        self._tell(self._last.heard(words))

    def failed(self, error: ProviderError) -> None:
        self._tell(error)

    def _too_late(self) -> None:
        self._timer = None
        self._tell(self._last.close())


async def spoken(name: str, text: str, pieces: AsyncGenerator[SpokenAudio, None]) -> AsyncGenerator[SpokenAudio, None]:
    """One segment as a plug-in speaks it, accounted for, whole or cut off; a segment without words is none."""
    if not text.strip():
        await pieces.aclose()
        return
    is_whole = False
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
        is_whole = True
    finally:
        bill(Consumption(Stage.MOUTH, name, characters=len(text.strip()), is_wasted=not is_whole))
