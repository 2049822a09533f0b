"""What the figures are measured on: stand-ins with published delays, adapters and fallbacks as a call uses them, turns.

A turn here is: the caller's last audio byte goes in, the final words come out, the mind answers, its first sentence is
spoken, its first audio byte arrives.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from math import ceil
from typing import Final

from benchmarks.vendors.anthropic import AnthropicStandIn
from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.mind import scripted
from benchmarks.vendors.mouth import Hum
from benchmarks.vendors.openai import OpenAIStandIn
from benchmarks.vendors.presets import PUBLISHED, Preset
from context.briefing import Briefing
from voice.actions import AgentSaid, CallerSaid, Message
from voice.agent import AgentDefinition
from voice.events import SAMPLE_RATE, Direction
from voice.ports import LanguageModel, Prompt, Speaker, SpeechToText, SpokenAudio, TextDelta, TextToSpeech, Transcriber
from voice.pricing.consumption import Stage
from voice.providers.anthropic import AnthropicModel, AnthropicSettings
from voice.providers.deepgram import DeepgramEars, DeepgramSettings
from voice.providers.elevenlabs import ElevenLabsSettings, ElevenLabsVoice
from voice.providers.openai import OpenAIModel, OpenAISettings
from voice.providers.resilience.health import Health
from voice.providers.resilience.race import HedgeBudget
from voice.providers.vendors import Fleet, keep_talking

AGENT: Final = AgentDefinition(
    name="bench",
    seller="Acme Roofing",
    persona="Ann",
    goal="Find out whether the roof needs a check.",
    opening="Hello, this is Ann.",
    goodbye="Goodbye.",
    instructions="Speak plainly and briefly. " * 60,
    voices={"elevenlabs": "bench"},
)
LINE: Final = "yes that is fine"
REPLY: Final = "Thank you, that helps. "
_FRAME: Final = 160  # bytes: 20 ms
PAUSE: Final = b"\xff" * 1600  # 0.2 s of silence, after which our own detectors ask for the final


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run: `calls` at the same time, `turns` each, so many `exchanges` with each vendor, and so many runs
    `at_once`. A run of twenty calls takes a fifth of a core; all of a comparison are run in the same company.

    Under two hundred turns a p95 or p99 is an anecdote: with 32 of them the same policy cost 0.3 to 1.4 s, as it fell.
    """

    calls: int = 20
    turns: int = 10
    exchanges: int = 40
    at_once: int = 1
    preset: str = "published"  # of the exchanges, whose vendors' own delays are taken off again


SHORT: Final = Size(exchanges=20, at_once=3, preset="instant")


@dataclass(frozen=True, slots=True)
class Vendors:
    """The stand-ins of one run: two of each stage, the second being the fallback."""

    ears: tuple[DeepgramStandIn, DeepgramStandIn]
    minds: tuple[AnthropicStandIn, OpenAIStandIn]
    mouths: tuple[ElevenLabsStandIn, ElevenLabsStandIn]


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds from the caller's last byte to: the final words, the first token, the first audio byte (the gap)."""

    words: float
    token: float
    gap: float


@dataclass(slots=True)
class Call:
    """One call's parts, and what has been said."""

    fleet: Fleet
    ears: Transcriber
    mouth: Speaker
    caller: bytes
    messages: tuple[Message, ...] = ()

    @classmethod
    async def open(cls, fleet: Fleet) -> Call:
        ears = await fleet.ears.open(AGENT, Briefing())
        mouth = await fleet.mouth.open(AGENT)
        return cls(fleet, ears, mouth, await speech(LINE))

    async def turn(self) -> Turn:
        """One turn: the caller says the line, we answer."""
        began = await self._hear()
        words = time.monotonic()
        text, token = await self._first_sentence()
        await self._speak(text)
        heard = time.monotonic()
        self.messages = (*self.messages, AgentSaid(text))
        return Turn(words - began, token - began, heard - began)

    async def turn_cut_off(self) -> None:
        """The caller talks over the first words of the answer: mind and mouth are stopped."""
        await self._hear()
        async with aclosing(self.fleet.mind.reply(self._prompt())) as outputs:
            await anext(outputs)
            async with aclosing(closable(self.mouth, REPLY)) as pieces:
                await anext(pieces)
        self.messages = (*self.messages, AgentSaid("Thank", is_cut=True))

    async def close(self) -> None:
        await self.ears.close()
        await self.mouth.close()

    async def _say(self, audio: bytes) -> float:
        """Caller audio at the pace of a carrier; returns when the last byte went in."""
        began = time.monotonic()
        for start in range(0, len(audio), _FRAME):
            await asyncio.sleep(max(began + start / SAMPLE_RATE - time.monotonic(), 0.0))
            self.ears.hear(audio[start : start + _FRAME])
        return time.monotonic()

    async def _hear(self) -> float:
        began = await self._say(self.caller)
        await self._say(PAUSE)
        self.ears.finish_utterance()
        async for heard in self.ears.events():
            if heard.is_final:
                self.messages = (*self.messages, CallerSaid(heard.text))
                return began
        raise RuntimeError("the ears were closed")

    def _prompt(self) -> Prompt:
        return Prompt(AGENT, Briefing(), Direction.OUTBOUND, self.messages)

    async def _first_sentence(self) -> tuple[str, float]:
        text, token = "", 0.0
        async for output in self.fleet.mind.reply(self._prompt()):
            if isinstance(output, TextDelta):
                token = token or time.monotonic()
                text += output.text
        return text, token

    async def _speak(self, text: str) -> None:
        async with aclosing(closable(self.mouth, text)) as pieces:
            await anext(pieces)


@dataclass(slots=True)
class Run:
    turns: list[Turn]
    requests: int
    lost: int

    @property
    def gaps(self) -> list[float]:
        return [turn.gap for turn in self.turns]


async def scenario(size: Size, seed: int, prepare: Callable[[Vendors], None] | None = None, *, hedged: bool = True) -> Run:
    """Calls at the same time against fresh stand-ins; `prepare` makes something go wrong once all calls are up."""
    async with AsyncExitStack() as stack:
        vendors = await vendors_of(stack, seed, lines=size.calls * size.turns)
        fleet = await fleet_of(stack, vendors, hedged=hedged)
        await fleet.mind.warm(prompt())
        calls = await asyncio.gather(*(Call.open(fleet) for _ in range(size.calls)))
        await asyncio.gather(*(call.turn() for call in calls))  # the first turn finds cold caches: not measured
        asked = sum(vendor.log.count("asked") for vendor in vendors.minds)
        if prepare is not None:
            prepare(vendors)
        spread = random.Random(seed)
        results = await asyncio.gather(*(_talk(call, size.turns, spread.random()) for call in calls), return_exceptions=True)
        await asyncio.gather(*(call.close() for call in calls))
        turns = [turn for result in results if isinstance(result, list) for turn in result]
        lost = size.calls * size.turns - len(turns)
        return Run(turns, sum(vendor.log.count("asked") for vendor in vendors.minds) - asked, lost)


async def _talk(call: Call, turns: int, after: float) -> list[Turn]:
    await asyncio.sleep(after)  # callers do not finish their sentences in step
    return [await call.turn() for _ in range(turns)]


async def vendors_of(stack: AsyncExitStack, seed: int, lines: int = 0, preset: Preset = PUBLISHED) -> Vendors:
    script = [LINE] * (lines * 2 + 100)
    mind = [scripted(REPLY) for _ in range(2)]
    vendors = Vendors(
        (DeepgramStandIn(preset, seed, script=script), DeepgramStandIn(preset, seed + 1, script=script)),
        (AnthropicStandIn(preset, seed, mind=mind[0]), OpenAIStandIn(preset, seed, mind=mind[1])),
        (ElevenLabsStandIn(preset, seed), ElevenLabsStandIn(preset, seed + 1)),
    )
    for vendor in (*vendors.ears, *vendors.minds, *vendors.mouths):
        await stack.enter_async_context(vendor)
    return vendors


async def fleet_of(stack: AsyncExitStack, vendors: Vendors, *, hedged: bool = True) -> Fleet:
    ears: list[SpeechToText] = [_named_ears(vendor, n) for n, vendor in enumerate(vendors.ears)]
    minds: list[LanguageModel] = [
        AnthropicModel(AnthropicSettings("k", vendors.minds[0].url)),
        OpenAIModel(OpenAISettings("k", f"{vendors.minds[1].url}/v1", "bench")),
    ]
    mouths: list[TextToSpeech] = [_named_mouth(vendor, n) for n, vendor in enumerate(vendors.mouths)]
    health = Health()
    if not hedged:
        health.hedges = {stage: HedgeBudget(share=0.0, burst=0.0) for stage in Stage}
    fleet = keep_talking(ears, minds, mouths, health)
    stack.push_async_callback(fleet.close)
    return fleet


def _named_ears(vendor: DeepgramStandIn, number: int) -> DeepgramEars:
    ears = DeepgramEars(DeepgramSettings("k", vendor.ws_url, endpointing=10.0))
    ears.name = f"deepgram-{number}"
    return ears


def _named_mouth(vendor: ElevenLabsStandIn, number: int) -> ElevenLabsVoice:
    mouth = ElevenLabsVoice(ElevenLabsSettings("k", vendor.url))
    mouth.name = f"elevenlabs-{number}"
    return mouth


def prompt() -> Prompt:
    return Prompt(AGENT, Briefing(), Direction.OUTBOUND, (CallerSaid("hello"),))


async def speech(text: str) -> bytes:
    """Caller audio in the rhythm of a text, 0.3 s a word so that the ears' script keeps in step."""
    audio = b"".join([piece.audio async for piece in Hum().speak(text)])
    voiced = audio.replace(b"\xff", audio[:1])
    return (voiced * 3)[: round(len(text.split()) * 0.3 * SAMPLE_RATE)]


def closable(mouth: Speaker, text: str) -> AsyncGenerator[SpokenAudio, None]:
    pieces = mouth.speak(text)
    assert isinstance(pieces, AsyncGenerator)
    return pieces


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed (nearest rank); 0 of none."""
    ordered = sorted(values)
    return round(ordered[max(ceil(share * len(ordered)) - 1, 0)], 3) if ordered else 0.0
