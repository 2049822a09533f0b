"""Ears, mind and mouth by name: which adapter is behind a name of OFFHOOK_STT, OFFHOOK_LLM, OFFHOOK_TTS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from api.settings import Settings
from api.switchboard import Engines
from voice.agent import AgentDefinition
from voice.providers.embedded.ears import EmbeddedEars
from voice.providers.embedded.mind import EmbeddedMind
from voice.providers.embedded.mouth import EmbeddedMouth
from voice.providers.silero import SileroActivity


@asynccontextmanager
async def open_engines(settings: Settings, agents: Sequence[AgentDefinition]) -> AsyncIterator[Engines]:
    """Start what the settings name and warm it up for `agents`; everything is closed at the end of the block."""
    async with AsyncExitStack() as stack:
        ears, mouth = EmbeddedEars(settings.home), EmbeddedMouth()
        stack.push_async_callback(ears.close)
        stack.push_async_callback(mouth.close)
        await mouth.start()
        await ears.start(agents)
        yield Engines(ears, EmbeddedMind(), mouth, SileroActivity)
