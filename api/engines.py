"""Ears, mind and mouth by name: which adapter is behind a name of OFFHOOK_STT, OFFHOOK_LLM, OFFHOOK_TTS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from api.house import Engines
from api.settings import Settings
from voice.agent import AgentDefinition
from voice.detectors.pool import DetectorPool
from voice.detectors.pulse import Pulse
from voice.detectors.smart_turn import shared_judge
from voice.ports import Speaker
from voice.pricing.table import load
from voice.providers.embedded.ears import EmbeddedEars
from voice.providers.embedded.mind import EmbeddedMind
from voice.providers.embedded.mouth import EmbeddedMouth
from voice.providers.resilience.health import Health
from voice.providers.resilience.paced import PacedSpeaker
from voice.providers.silero import SileroRows
from voice.providers.vendors import EMBEDDED, Access, Embedded, fleet_of


def access_of(settings: Settings) -> Access:
    """Keys and addresses of the vendors, for those who make their parts."""
    return Access(
        settings.deepgram_api_key.get_secret_value(),
        settings.deepgram_url,
        settings.elevenlabs_api_key.get_secret_value(),
        settings.elevenlabs_url,
        settings.anthropic_api_key.get_secret_value(),
        settings.anthropic_base_url,
        settings.openai_api_key.get_secret_value(),
        settings.openai_base_url,
    )


@asynccontextmanager
async def open_engines(settings: Settings, agents: Sequence[AgentDefinition]) -> AsyncIterator[Engines]:
    """Start what the settings name and warm it up for `agents`; everything is closed at the end of the block.

    The embedded mouth is always there: when every other voice is down, it apologises. Raises `ProviderRejected` for an
    unknown provider or one whose extra is not installed.
    """
    async with AsyncExitStack() as stack:
        ears, mouth = EmbeddedEars(settings.home), EmbeddedMouth()
        stack.push_async_callback(ears.close)
        stack.push_async_callback(mouth.close)
        parts = Embedded(ears, EmbeddedMind(), mouth)
        health = Health(minds_at_once=settings.minds_at_once)
        fleet = fleet_of(settings.stt_order, settings.llm_order, settings.tts_order, access_of(settings), parts, health)
        stack.push_async_callback(fleet.close)
        await mouth.start()
        detectors = Pulse(DetectorPool(SileroRows(), shared_judge()))  # loads the models, not while the first caller speaks
        stack.callback(detectors.close)
        if EMBEDDED in settings.stt_order:
            await ears.start(agents)
        # Vendors bill by the letter: there, nothing is synthesised long before it is heard. Our own voice costs nothing.
        pace = _as_it_is if settings.tts_order == (EMBEDDED,) else PacedSpeaker
        yield Engines(
            fleet.ears,
            fleet.mind,
            fleet.mouth,
            detectors.enter,
            fleet.mind.warm,
            pace,
            load(settings.home),
            fleet.health.down,
            detectors.lag,
            fleet.mouth.voice,
        )


def _as_it_is(speaker: Speaker) -> Speaker:
    return speaker
