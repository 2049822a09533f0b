"""The words in between, spoken once for each voice and kept for every call: they are said without asking anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import structlog

from voice.agent import AgentDefinition
from voice.errors import ProviderError
from voice.ports import SpokenAudio, TextToSpeech

_Voice: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
_MOST: Final = 64 * 1024  # bytes of one word in between, eight seconds: longer is no word in between, or a fault

log = structlog.get_logger()


class ReadyWords:
    """One for the process."""

    def __init__(self) -> None:
        self._spoken: defaultdict[_Voice, dict[str, tuple[SpokenAudio, ...]]] = defaultdict(dict)
        self._making: set[_Voice] = set()

    def of(self, agent: AgentDefinition) -> Mapping[str, tuple[SpokenAudio, ...]]:
        """What is ready in this agent's voice, now and as it is made."""
        return MappingProxyType(self._spoken[_voice(agent)])

    async def make(self, agent: AgentDefinition, mouths: TextToSpeech) -> None:
        """Have spoken what is not yet. What cannot be made now is tried again with the next call."""
        voice = _voice(agent)
        wanted = (*agent.manners.acknowledgements, *agent.manners.fillers)
        missing = [text for text in dict.fromkeys(wanted) if text not in self._spoken[voice]]
        if not missing or voice in self._making:
            return
        self._making.add(voice)
        try:
            await self._speak(missing, self._spoken[voice], agent, mouths)
        except ProviderError as error:
            log.warning("words_not_ready", agent=agent.name, provider=error.provider, code=error.code)
        finally:
            self._making.discard(voice)

    async def _speak(
        self, texts: list[str], spoken: dict[str, tuple[SpokenAudio, ...]], agent: AgentDefinition, mouths: TextToSpeech
    ) -> None:
        mouth = await mouths.open(agent)
        try:
            for text in texts:
                pieces = tuple([piece async for piece in mouth.speak(text)])
                if 0 < sum(len(piece.audio) for piece in pieces) <= _MOST:
                    spoken[text] = pieces
        finally:
            await mouth.close()


def _voice(agent: AgentDefinition) -> _Voice:
    return agent.voice, tuple(sorted(agent.voices.items()))
