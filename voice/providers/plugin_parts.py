"""What ears and mouths made of other people's plug-ins have in common, whichever framework they come from.

A framework's stream is fed audio and gives words some time; what our port promises beside that is kept here: a final for
every one that was asked for, errors as ours, a close that may come twice, and an account of what was used.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import ClassVar, Final, Self

from context.briefing import Briefing
from telephony.audio import SILENCE, decode
from voice.actions import CallerSaid
from voice.agent import AgentDefinition
from voice.errors import ProviderError, ProviderUnavailable
from voice.events import SAMPLE_RATE, Direction, Transcribed
from voice.ports import ModelOutput, Prompt, SpeechToText, SpokenAudio, TextToSpeech
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.call_ears import CallEars
from voice.providers.plugin import LastInterim, PlugIn, parse_name

FINAL_AFTER: Final = 0.8  # seconds a plug-in may take for the final it was asked for
_COMPLAINS_WITHIN: Final = 3.0  # seconds in which ears that were refused have said so
_ASKED: Final = Prompt(AgentDefinition("", "", "", "", "", ""), Briefing(), Direction.OUTBOUND, (CallerSaid("hello"),))


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


async def check_ears(ears: SpeechToText) -> None:
    """Whether a plug-in's ears take some silence without a word of complaint: none has another way to ask its vendor.

    Raises `ProviderError`.
    """
    listening = await ears.open(_ASKED.agent, _ASKED.briefing)
    try:
        listening.hear(SILENCE * (SAMPLE_RATE // 2))
        listening.finish_utterance()
        async with asyncio.timeout(_COMPLAINS_WITHIN):
            async for _ in listening.events():
                pass
    except TimeoutError:
        return
    finally:
        await listening.close()


async def check_mind(reply: Callable[[Prompt], AsyncGenerator[ModelOutput, None]]) -> None:
    """Whether a plug-in's mind begins to answer, which costs a token and the question's. Raises `ProviderError`."""
    async with aclosing(reply(_ASKED)) as outputs:
        async for _ in outputs:
            return


async def check_mouth(mouth: TextToSpeech, agent: AgentDefinition) -> None:
    """Whether a plug-in's mouth says a word. Raises `ProviderError`."""
    speaking = await mouth.open(agent)
    try:
        if not [piece async for piece in speaking.speak("Hello.")]:
            raise ProviderUnavailable(mouth.name, "dropped", "it said nothing")
    finally:
        await speaking.close()


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
