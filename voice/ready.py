"""The words in between, spoken once for each voice and kept for every call: they are said without asking anybody.

A word in between and the reply after it must be one voice. Where several mouths stand in for each other, what one of them
has spoken is kept as its own, and said only while that mouth is the one the reply will come from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import structlog

from telephony.audio import SAMPLE_RATE, level
from voice.agent import AgentDefinition
from voice.errors import ProviderError
from voice.ports import SpokenAudio, TextToSpeech

_Words: TypeAlias = dict[str, tuple[SpokenAudio, ...]]
_Voice: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
_MOST: Final = 64 * 1024  # bytes of one word in between, eight seconds: longer is no word in between, or a fault
_REST: Final = 0.04  # seconds of silence that stay at the end: voices leave a tenth, and the reply goes on from here
_QUIET: Final = -45.0  # dBFS
_STEP: Final = 80  # samples

log = structlog.get_logger()


class ReadyWords:
    """One for the process. `whose` tells which provider would speak now, as `SpokenAudio.voice` names it; None: not sure."""

    def __init__(self, whose: Callable[[], str | None] = str) -> None:
        self._whose = whose
        self._spoken: defaultdict[_Voice, _Words] = defaultdict(dict)
        self._making: set[_Voice] = set()

    def of(self, agent: AgentDefinition) -> Mapping[str, tuple[SpokenAudio, ...]]:
        """What is ready in the voice this agent has at the moment of asking, now and as it is made."""
        return _Ready(lambda: self._in_voice(agent))

    async def make(self, agent: AgentDefinition, mouths: TextToSpeech) -> None:
        """Have spoken what is not yet, in the present voice. What cannot be made now is tried again with the next call."""
        whose = self._whose()
        if whose is None:
            return
        voice = _voice(whose, agent)
        wanted = (*agent.manners.acknowledgements, *agent.manners.fillers)
        missing = [text for text in dict.fromkeys(wanted) if text not in self._spoken[voice]]
        if not missing or voice in self._making:
            return
        self._making.add(voice)
        try:
            await self._speak(missing, agent, mouths)
        except ProviderError as error:
            log.warning("words_not_ready", agent=agent.name, provider=error.provider, code=error.code)
        finally:
            self._making.discard(voice)

    async def _speak(self, texts: list[str], agent: AgentDefinition, mouths: TextToSpeech) -> None:
        """Whoever speaks them has them: it may be another than was expected, and words of two voices are nobody's."""
        mouth = await mouths.open(agent)
        try:
            for text in texts:
                pieces = tuple([piece async for piece in mouth.speak(text)])
                voices = {piece.voice for piece in pieces}
                if len(voices) == 1 and 0 < sum(len(piece.audio) for piece in pieces) <= _MOST:
                    self._spoken[_voice(voices.pop(), agent)][text] = (closely(pieces),)
        finally:
            await mouth.close()

    def _in_voice(self, agent: AgentDefinition) -> _Words:
        whose = self._whose()
        return self._spoken[_voice(whose, agent)] if whose is not None else {}


class _Ready(Mapping[str, tuple[SpokenAudio, ...]]):
    """Asks anew at each look: the voice may have changed in the middle of a call."""

    def __init__(self, now: Callable[[], _Words]) -> None:
        self._now = now

    def __getitem__(self, text: str) -> tuple[SpokenAudio, ...]:
        return self._now()[text]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())


def _voice(whose: str, agent: AgentDefinition) -> _Voice:
    return whose, agent.voice, tuple(sorted(agent.voices.items()))


def closely(pieces: Sequence[SpokenAudio]) -> SpokenAudio:
    """Words in one piece, without the rest that a voice ends in: what comes next would have to wait for it."""
    audio, words = b"", []
    for piece in pieces:
        began = len(audio) / SAMPLE_RATE
        words += [replace(word, start=word.start + began, end=word.end + began) for word in piece.words]
        audio += piece.audio
    end = len(audio)
    while end > 0 and level(audio[max(0, end - _STEP) : end]) < _QUIET:
        end -= _STEP
    audio = audio[: end + int(_REST * SAMPLE_RATE)] if end > 0 else audio
    last = len(audio) / SAMPLE_RATE
    timed = tuple(replace(word, start=min(word.start, last), end=min(word.end, last)) for word in words)
    return replace(pieces[0], audio=audio, words=timed)
