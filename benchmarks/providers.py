"""What the adapters add, what a failing vendor costs the caller, and what a barge-in wastes: measured against the stand-ins.

Everything goes over real sockets on this machine, with the published delays, through the adapters and the fallbacks exactly
as a call uses them. `providers()` returns the figures; it prints and asserts nothing. A turn here is: the caller's last
audio byte goes in, the final words come out, the mind answers, its first sentence is spoken, its first audio byte arrives.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.vendors.anthropic import AnthropicStandIn
from benchmarks.vendors.deepgram import DeepgramStandIn
from benchmarks.vendors.elevenlabs import ElevenLabsStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.log import Log
from benchmarks.vendors.mind import scripted
from benchmarks.vendors.mouth import CHARACTER, Hum
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
from voice.providers.resilience.paced import PacedSpeaker
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
LONG_REPLY: Final = ("First of all, thank you.", "We check roofs in your area.", "It takes half an hour.", "Is Friday good?")
_FRAME: Final = 160  # bytes: 20 ms
_PAUSE: Final = b"\xff" * 1600  # 0.2 s of silence, after which our own detectors ask for the final


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run: `calls` at the same time, `turns` each."""

    calls: int = 20
    turns: int = 10


SHORT: Final = Size(calls=10, turns=5)


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


# --- the figures ------------------------------------------------------------------------------------------------------


async def providers(size: Size | None = None, seed: int = 1) -> dict[str, object]:
    """All figures, in seconds, milliseconds or counts as their names say."""
    size = size or Size()
    healthy = await _scenario(size, seed)
    return {
        "preset": PUBLISHED.name,
        "calls": size.calls,
        "turns": size.calls * size.turns,
        "healthy_gap_p50_s": _quantile([turn.gap for turn in healthy.turns], 0.5),
        "healthy_gap_p95_s": _quantile([turn.gap for turn in healthy.turns], 0.95),
        "adapter": await adapter_overhead(size, seed),
        "connections": await connections(seed),
        "stalled": {
            stage: await stalled(size, seed, stage, [turn.gap for turn in healthy.turns])
            for stage in ("ears", "mind", "mouth")
        },
        "hedging": await hedging(size, seed),
        "barge_in": await barge_in(seed),
    }


async def adapter_overhead(size: Size, seed: int) -> dict[str, object]:
    """Milliseconds the adapters add to what the vendor itself took, one call at a time so that nothing queues."""
    count = max(size.calls * size.turns // 4, 10)
    return {
        "ears_ms": _milliseconds(await _ears_overhead(count, seed)),
        "mind_ms": _milliseconds(await _mind_overhead(count, seed)),
        "mouth_ms": _milliseconds(await _mouth_overhead(count, seed)),
        "target_p95_ms": 5.0,
    }


async def connections(seed: int) -> dict[str, object]:
    """TCP connections that a turn of a call had to open for itself, after barge-ins too. The target is none."""
    async with AsyncExitStack() as stack:
        vendors = await _vendors(stack, seed, lines=12)
        fleet = await _fleet(stack, vendors)
        await fleet.mind.warm(_prompt())
        call = await _Call.open(fleet)
        before = [vendor.log.count("connection") for vendor in (vendors.ears[0], vendors.mouths[0])]
        for number in range(12):
            if number % 3 == 2:
                await call.turn_cut_off()
            else:
                await call.turn()
        await call.close()
        after = [vendor.log.count("connection") for vendor in (vendors.ears[0], vendors.mouths[0])]
        return {
            "turns": 12,
            "barge_ins": 4,
            "ears_opened": after[0] - before[0],
            "mouth_opened": after[1] - before[1],
            "mind_opened_on_the_path": _on_the_path(vendors.minds[0].log),
            "mind_opened_in_advance": vendors.minds[0].log.count("connection") - _on_the_path(vendors.minds[0].log),
            "target_on_the_path": 0,
        }


async def stalled(size: Size, seed: int, stage: str, healthy: Sequence[float]) -> dict[str, object]:
    """What a vendor that takes requests and never answers costs the caller, at the 95th percentile of all turns."""

    def stall(vendors: Vendors) -> None:
        vendor = {"ears": vendors.ears[0], "mind": vendors.minds[0], "mouth": vendors.mouths[0]}[stage]
        vendor.faults.inject(Fault(Kind.STALL, path={"ears": "live", "mind": "/v1/messages", "mouth": "context"}[stage]))

    run = await _scenario(size, seed, stall)
    gaps = [turn.gap for turn in run.turns]
    return {
        "gap_p50_s": _quantile(gaps, 0.5),
        "gap_p95_s": _quantile(gaps, 0.95),
        "gap_worst_s": max(gaps),
        "cost_p95_s": round(_quantile(gaps, 0.95) - _quantile(healthy, 0.95), 3),
        "turns_lost": run.lost,
        "target_cost_p95_s": 1.0,
    }


async def hedging(size: Size, seed: int) -> dict[str, object]:
    """With 5 % of first tokens two seconds late: the p99 of the gap against a run without delays, and the price of it."""
    size = replace(size, calls=size.calls * 2)
    calm = await _scenario(size, seed)

    def delay(vendors: Vendors) -> None:
        vendors.minds[0].faults.inject(Fault(Kind.SLOW, chance=0.05, seconds=2.0, path="/v1/messages"))

    late = await _scenario(size, seed, delay)
    bare = await _scenario(size, seed, delay, hedged=False)
    base = _quantile([turn.gap for turn in calm.turns], 0.99)
    hedged = _quantile([turn.gap for turn in late.turns], 0.99)
    return {
        "turns": len(late.turns),
        "p99_without_delays_s": base,
        "p99_hedged_s": hedged,
        "p99_not_hedged_s": _quantile([turn.gap for turn in bare.turns], 0.99),
        "ratio": round(hedged / base, 3),
        "more_requests": round(late.requests / len(late.turns) - 1, 3),
        "target_ratio": 1.5,
        "target_more_requests": 0.10,
    }


async def barge_in(seed: int, calls: int = 20) -> dict[str, object]:
    """A reply of four sentences, cut off at a random moment: what was spoken after, and what was paid and not wanted."""
    async with AsyncExitStack() as stack:
        vendors = await _vendors(stack, seed)
        fleet = await _fleet(stack, vendors)
        cuts = await asyncio.gather(
            *(_cut(fleet, vendors.mouths[0].log, random.Random(f"{seed} {n}")) for n in range(calls))
        )
        return {
            "cut_replies": calls,
            "characters_spoken_after": sum(cut[0] for cut in cuts),
            "sentences_billed_not_wanted_most": max(cut[1] for cut in cuts),
            "sentences_billed_not_wanted_mean": round(sum(cut[1] for cut in cuts) / calls, 2),
            "target_most": 1,
        }


# --- one call ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Call:
    """One call's parts, and what has been said."""

    fleet: Fleet
    ears: Transcriber
    mouth: Speaker
    caller: bytes
    messages: tuple[Message, ...] = ()

    @classmethod
    async def open(cls, fleet: Fleet) -> _Call:
        ears = await fleet.ears.open(AGENT, Briefing())
        mouth = await fleet.mouth.open(AGENT)
        return cls(fleet, ears, mouth, await _speech(LINE))

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
            async with aclosing(_generator(self.mouth, REPLY)) as pieces:
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
        await self._say(_PAUSE)
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
        async with aclosing(_generator(self.mouth, text)) as pieces:
            await anext(pieces)


@dataclass(slots=True)
class _Run:
    turns: list[Turn]
    requests: int
    lost: int


async def _scenario(size: Size, seed: int, prepare: Callable[[Vendors], None] | None = None, *, hedged: bool = True) -> _Run:
    """Calls at the same time against fresh stand-ins; `prepare` makes something go wrong once all calls are up."""
    async with AsyncExitStack() as stack:
        vendors = await _vendors(stack, seed, lines=size.calls * size.turns)
        fleet = await _fleet(stack, vendors, hedged=hedged)
        await fleet.mind.warm(_prompt())
        calls = await asyncio.gather(*(_Call.open(fleet) for _ in range(size.calls)))
        await asyncio.gather(*(call.turn() for call in calls))  # the first turn finds cold caches: not measured
        asked = sum(vendor.log.count("asked") for vendor in vendors.minds)
        if prepare is not None:
            prepare(vendors)
        spread = random.Random(seed)
        results = await asyncio.gather(*(_talk(call, size.turns, spread.random()) for call in calls), return_exceptions=True)
        await asyncio.gather(*(call.close() for call in calls))
        turns = [turn for result in results if isinstance(result, list) for turn in result]
        lost = size.calls * size.turns - len(turns)
        return _Run(turns, sum(vendor.log.count("asked") for vendor in vendors.minds) - asked, lost)


async def _talk(call: _Call, turns: int, after: float) -> list[Turn]:
    await asyncio.sleep(after)  # callers do not finish their sentences in step
    return [await call.turn() for _ in range(turns)]


async def _vendors(stack: AsyncExitStack, seed: int, lines: int = 0, preset: Preset = PUBLISHED) -> Vendors:
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


async def _fleet(stack: AsyncExitStack, vendors: Vendors, *, hedged: bool = True) -> Fleet:
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


# --- what an adapter adds ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Added:
    """Seconds on the clock, and of CPU in the same time: the process's, the stand-in's work included. On a machine that is
    busy with something else only the second says what is ours."""

    clock: float
    cpu: float


async def _ears_overhead(count: int, seed: int) -> list[_Added]:
    """Last audio byte in to final text out, less the vendor's own time from taking Finalize to sending the final."""
    async with DeepgramStandIn(PUBLISHED, seed, script=[LINE] * count) as vendor:
        provider = DeepgramEars(DeepgramSettings("k", vendor.ws_url, endpointing=10.0, final_after=5.0))
        ears = await provider.open(AGENT, Briefing())
        caller = await _speech(LINE)
        events = ears.events()
        added = []
        for number in range(1, count + 1):
            ears.hear(caller)
            async for heard in events:  # the interims first, so that only the last bytes are on the clock
                if heard.text.split()[-1:] == ["is"]:
                    break
            ears.hear(_PAUSE)
            began, worked = time.monotonic(), time.process_time()
            ears.finish_utterance()
            async for heard in events:
                if heard.is_final:
                    break
            took, worked = time.monotonic() - began, time.process_time() - worked
            asked, sent = await _entries(vendor.log, number, "Finalize", "final")
            added.append(_Added(took - (sent - asked), worked))
        await ears.close()
        await provider.close()
        return added


async def _mind_overhead(count: int, seed: int) -> list[_Added]:
    """Prompt in to first text out, less the vendor's own time from the request to its first token."""
    async with AnthropicStandIn(PUBLISHED, seed, mind=scripted(REPLY)) as vendor:
        model = AnthropicModel(AnthropicSettings("k", vendor.url))
        await model.warm(_prompt())
        added = []
        for number in range(1, count + 1):
            began, worked = time.monotonic(), time.process_time()
            took = 0.0
            async for output in model.reply(_prompt()):
                if isinstance(output, TextDelta) and not took:
                    took, worked = time.monotonic() - began, time.process_time() - worked
            sent = (await vendor.log.wait_for("first_token", count=number)).at
            asked = vendor.log.of("request", path="/v1/messages")[number].at  # the first one warmed it
            added.append(_Added(took - (sent - asked), worked))
        await model.close()
        return added


async def _mouth_overhead(count: int, seed: int) -> list[_Added]:
    """Text in to first audio out, less the vendor's own time from the text to its first audio."""
    async with ElevenLabsStandIn(PUBLISHED, seed) as vendor:
        provider = ElevenLabsVoice(ElevenLabsSettings("k", vendor.url))
        mouth = await provider.open(AGENT)
        added = []
        for number in range(1, count + 1):
            began, worked = time.monotonic(), time.process_time()
            took = 0.0
            async for _ in mouth.speak(REPLY):
                if not took:
                    took, worked = time.monotonic() - began, time.process_time() - worked
            billed, sent = await _entries(vendor.log, number, "billed", "first_audio")
            added.append(_Added(took - (sent - billed), worked))
        await mouth.close()
        await provider.close()
        return added


async def _entries(log: Log, number: int, first: str, last: str) -> tuple[float, float]:
    begun = await log.wait_for(first, count=number)
    return begun.at, (await log.wait_for(last, count=number)).at


# --- what a barge-in wastes -------------------------------------------------------------------------------------------


async def _cut(fleet: Fleet, log: Log, rng: random.Random) -> tuple[int, int]:
    """Speak the long reply as a session does, one segment after the other, and stop somewhere in it.

    Returns the characters that still came after the cut, and the sentences billed that had not begun to be heard.
    """
    mouth = PacedSpeaker(await fleet.mouth.open(AGENT))
    mark = f" {rng.getrandbits(40):x}"  # tells this call's sentences from the others' in the log
    lengths = [len(sentence + mark) * CHARACTER for sentence in LONG_REPLY]
    begun = asyncio.Event()
    arrived: list[str] = []

    async def reply() -> None:
        for sentence in LONG_REPLY:
            async for piece in mouth.speak(sentence + mark):
                begun.set()
                arrived.extend(word.text for word in piece.words)

    task = asyncio.create_task(reply())
    await begun.wait()
    heard = rng.uniform(0.2, sum(lengths) - 0.2)
    await asyncio.sleep(heard)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    at_the_cut = len(arrived)
    next_reply = [word.text async for piece in mouth.speak("Yes?") for word in piece.words]
    late = len("".join(arrived[at_the_cut:])) + len("".join(word for word in next_reply if word != "Yes?"))
    wanted = sum(1 for n in range(len(lengths)) if sum(lengths[:n]) <= heard)
    billed = sum(1 for entry in log.of("billed") if str(entry["text"]).endswith(mark))
    await mouth.close()
    return late, max(billed - wanted, 0)


# --- small things -----------------------------------------------------------------------------------------------------


def _prompt() -> Prompt:
    return Prompt(AGENT, Briefing(), Direction.OUTBOUND, (CallerSaid("hello"),))


async def _speech(text: str) -> bytes:
    """Caller audio in the rhythm of a text, 0.3 s a word so that the ears' script keeps in step."""
    audio = b"".join([piece.audio async for piece in Hum().speak(text)])
    voiced = audio.replace(b"\xff", audio[:1])
    return (voiced * 3)[: round(len(text.split()) * 0.3 * SAMPLE_RATE)]


def _generator(mouth: Speaker, text: str) -> AsyncGenerator[SpokenAudio, None]:
    pieces = mouth.speak(text)
    assert isinstance(pieces, AsyncGenerator)
    return pieces


def _on_the_path(log: Log) -> int:
    """Connections whose first request was a reply: somebody waited for their handshake."""
    first: dict[int, str] = {}
    for entry in log.of("request"):
        first.setdefault(entry.connection, str(entry["path"]))
    return sum(1 for path in first.values() if path == "/v1/messages") - 1  # the pre-warming opens one, while it rings


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3) if ordered else 0.0


def _milliseconds(values: Sequence[_Added]) -> dict[str, float]:
    clock, cpu = [value.clock * 1000 for value in values], [value.cpu * 1000 for value in values]
    return {"p50": _quantile(clock, 0.5), "p95": _quantile(clock, 0.95), "cpu_p95": _quantile(cpu, 0.95)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(providers()), indent=2))
