"""Ears, mind and mouth for our engine under test: scripted ones in its own process, or our adapters to sockets of vendors.

Sockets are opened as the house opens them (`voice/prepared.py`): caller audio that comes earlier is kept for the ears. The
opening was spoken while it rang.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.engines.parts import PacedEars, PacedMind, PacedMouth
from benchmarks.engines.scripted import PACES, UNTIMED, Bank, Listener, Spoken, mouth_of, pieces
from context.briefing import Briefing
from voice.agent import ACKNOWLEDGEMENTS, FILLERS, AgentDefinition
from voice.events import Direction, Word
from voice.ports import LanguageModel, Prompt, Speaker, SpokenAudio, TextToSpeech, Transcriber
from voice.prepared import EarsAhead
from voice.providers.resilience.health import MINDS_AT_ONCE, Health
from voice.providers.resilience.paced import PacedSpeaker
from voice.providers.vendors import Access, Fleet, keep_talking, make_ears, make_mind, make_mouth
from voice.ready import closely


@dataclass(frozen=True, slots=True)
class CallParts:
    """The parts of one call; `paced` are its ears where they are scripted and know what they received."""

    ears: Transcriber
    mind: LanguageModel
    mouth: Speaker
    paced: PacedEars | None = None
    ready: Mapping[str, tuple[SpokenAudio, ...]] = field(default_factory=dict, repr=False)
    warming: asyncio.Task[None] | None = field(default=None, repr=False)


class Parts(Protocol):
    def open(self, agent: AgentDefinition, script: str, rng: random.Random) -> CallParts: ...

    async def close(self) -> None: ...


class ScriptedParts:
    """In this process, driven by audio and sleeps."""

    def __init__(self, bank: Bank, pace: str) -> None:
        self._bank, self._pace, self._ready = bank, PACES[pace], ready(bank)

    def open(self, agent: AgentDefinition, script: str, rng: random.Random) -> CallParts:
        known = self._bank.script(script)
        ears = PacedEars(Listener(known, self._pace, rng))
        mouth = Ready(self._bank, PacedMouth(self._bank, self._pace, rng))
        return CallParts(ears, PacedMind(known, self._pace, rng), mouth, ears, self._ready)

    async def close(self) -> None:
        """Nothing is open."""


class VendorParts:
    """Our adapters, behind the same fallbacks and health as in the house. `vendors`: addresses by name."""

    def __init__(self, bank: Bank, vendors: Mapping[str, str], seed: int) -> None:
        self._bank, self._vendors, self._seed = bank, vendors, seed
        self._fleets = {url: _fleet(vendors, url) for name, url in vendors.items() if name in ("elevenlabs", UNTIMED)}
        self._ready = {url: ready(bank, is_timed=url != vendors.get(UNTIMED)) for url in self._fleets}

    def open(self, agent: AgentDefinition, script: str, rng: random.Random) -> CallParts:
        """Connects to all three at once, without waiting."""
        voice = mouth_of(self._vendors, script, self._seed)
        fleet = self._fleets[voice]
        mouth = Ready(self._bank, _MouthAhead(fleet.mouth, agent))
        warming = asyncio.create_task(fleet.mind.warm(Prompt(agent, Briefing(), Direction.OUTBOUND, ())))
        ears = EarsAhead(fleet.ears.open(agent, Briefing()))
        return CallParts(ears, fleet.mind, PacedSpeaker(mouth), ready=self._ready[voice], warming=warming)

    async def close(self) -> None:
        for fleet in self._fleets.values():
            await fleet.close()


def _fleet(vendors: Mapping[str, str], mouth: str) -> Fleet:
    """Our three adapters, with that voice."""
    access = Access(
        deepgram_api_key="stand-in",
        deepgram_url=vendors["deepgram"],
        elevenlabs_api_key="stand-in",
        elevenlabs_url=mouth,
        openai_api_key="stand-in",
        openai_base_url=vendors["openai"],
    )
    parts = make_ears("deepgram", access), make_mind("openai", access), make_mouth("elevenlabs", access)
    return keep_talking([parts[0]], [parts[1]], [parts[2]], Health(minds_at_once=MINDS_AT_ONCE))


def ready(bank: Bank, *, is_timed: bool = True) -> dict[str, tuple[SpokenAudio, ...]]:
    """The words in between, spoken once for all calls of a voice, as the house does; with word times where it tells them."""
    texts = [text for text in (*ACKNOWLEDGEMENTS, *FILLERS) if text in bank.speech]
    return {text: (closely([_spoken(each, is_timed=is_timed) for each in pieces(bank.say(text))]),) for text in texts}


def _spoken(each: Spoken, *, is_timed: bool) -> SpokenAudio:
    return SpokenAudio(each.audio, tuple(Word(*word) for word in each.words) if is_timed else ())


class Ready:
    """A mouth whose opening was spoken before the answer, as the house does while it rings."""

    def __init__(self, bank: Bank, behind: Speaker) -> None:
        self._bank, self._behind = bank, behind

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        if text in self._bank.opening:
            for piece in pieces(self._bank.say(text)):
                yield SpokenAudio(piece.audio, tuple(Word(*word) for word in piece.words))
            return
        async for spoken in self._behind.speak(text):
            yield spoken

    async def close(self) -> None:
        await self._behind.close()


class _MouthAhead:
    """A mouth that may still be connecting."""

    def __init__(self, mouths: TextToSpeech, agent: AgentDefinition) -> None:
        self._opening = asyncio.create_task(self._open(mouths, agent))

    async def _open(self, mouths: TextToSpeech, agent: AgentDefinition) -> Speaker:
        return await mouths.open(agent)

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        mouth = await asyncio.shield(self._opening)
        async for spoken in mouth.speak(text):
            yield spoken

    async def close(self) -> None:
        await asyncio.wait([self._opening])
        if self._opening.exception() is None:
            await self._opening.result().close()


def parts_of(bank: Bank, pace: str, vendors: Mapping[str, str], seed: int = 1) -> Parts:
    """Over sockets where vendors are given, scripted otherwise."""
    return VendorParts(bank, vendors, seed) if vendors else ScriptedParts(bank, pace)
