"""How well the embedded ears and mind understand callers: `python -m voice.providers.embedded.accuracy --engine espeak`.

Speaks the sentences of a demo call in voices other than the agent's, sends them through a telephone's band and codec
into the real ears (frame by frame, as a call would), and asks the real understanding what they meant.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from context.briefing import Briefing
from telephony.audio import decode, encode
from voice.agent import AgentDefinition, Question
from voice.agent_file import parse_agent
from voice.events import SAMPLE_RATE, Transcribed
from voice.language.words import normalise
from voice.providers.embedded.ears import EmbeddedEars, EmbeddedTranscriber
from voice.providers.embedded.expected import hint_for
from voice.providers.embedded.mouth import EmbeddedMouth
from voice.providers.embedded.understanding import Act, Answered, BroughtUp, HalfTime, Understanding

_FRAME: Final = 160
_PACE: Final = 0.25  # of real time: the ears keep up, and a run takes minutes, not hours
_CALLERS: Final = ("caller", "caller_female", "caller_deep", "caller_old", "caller_plain")
_SILENCE: Final = 2400  # samples before and after a sentence


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, the question that is open when it is said ('' none), and what it must be understood as."""

    text: str
    asked: str
    meant: str


CASES: Final = tuple(
    Case(text, asked, meant)
    for asked, meant, texts in (
        ("", "greeting", ("hello", "hi this is maria", "good morning")),
        ("", "yes", ("sure", "yes go ahead", "okay")),
        (
            "home_owner",
            "home_owner=yes",
            ("yes", "yes i do", "yes i own my home", "yes i own it", "yes we own the house", "i am the owner"),
        ),
        ("home_owner", "home_owner=no", ("no", "no i don't", "no i rent", "i live in an apartment")),
        (
            "monthly_bill",
            "monthly_bill=150",
            ("about one hundred and fifty dollars", "one hundred fifty", "about one fifty"),
        ),
        ("monthly_bill", "monthly_bill=200", ("about two hundred dollars", "two hundred")),
        ("monthly_bill", "monthly_bill=85", ("around eighty five dollars",)),
        ("monthly_bill", "monthly_bill=unknown", ("i don't know", "i am not sure")),
        ("roof", "roof=shingle", ("it's shingle", "it's a shingle roof")),
        ("roof", "roof=metal", ("i think it's a metal roof", "metal")),
        ("roof", "roof=tile", ("clay tiles",)),
        ("roof", "roof=flat", ("the roof is flat",)),
        ("appointment", "appointment=Friday at 3:30 PM", ("friday at three thirty",)),
        ("appointment", "appointment=Tuesday at 10 AM", ("how about tuesday at ten in the morning",)),
        ("appointment", "appointment=Friday at 3 PM", ("friday at three",)),
        ("appointment", "appointment=tomorrow at 4 PM", ("tomorrow at four",)),
        ("appointment", "appointment=next Monday afternoon", ("next monday afternoon",)),
        ("appointment", "appointment=none", ("i need to think about it",)),
        ("home_owner", "price", ("how much does it cost", "what does it cost")),
        ("monthly_bill", "dog", ("i have a dog in the yard",)),
        ("home_owner", "not_interested", ("i'm not interested", "no thank you")),
        ("", "busy", ("i'm busy right now", "i am at work call me back later", "can you call me back tomorrow")),
        ("", "identity", ("who is this", "who is calling please", "hello who's there")),
        ("home_owner", "robot", ("are you a robot", "are you a real person")),
        ("monthly_bill", "person", ("i want to talk to a person", "can i speak to a person")),
        ("", "wrong_number", ("you have the wrong number",)),
        ("home_owner", "stop", ("stop calling me", "please take me off your list", "don't call me again")),
        ("roof", "again", ("could you repeat that", "what did you say")),
        ("", "number_source", ("where did you get my number",)),
        ("", "voicemail", ("please leave a message after the beep", "hi you have reached the voicemail of maria")),
        ("home_owner", "home_owner=yes price", ("yes i own it but how much does it cost",)),
        ("home_owner", "home_owner=yes monthly_bill=150", ("yes i do and i pay about one hundred fifty dollars",)),
    )
    for text in texts
)
FOREIGN: Final = (
    "my dog ate the remote control last week",
    "the quick brown fox jumps over the lazy dog",
    "seventeen elephants marched through the circus",
    "i would like a large pizza with mushrooms",
    "my grandmother plays the violin beautifully",
)  # none of an agent's business: the ears should hear nothing rather than nonsense


@dataclass(slots=True)
class Tally:
    errors: int = 0
    words: int = 0
    understood: int = 0
    cases: int = 0
    finals: list[float] = field(default_factory=list)  # seconds from finish_utterance to the final
    misses: list[str] = field(default_factory=list)


def telephone(mulaw: bytes, level: float = 1.0, noise: float = 3e-4, seed: int = 1) -> bytes:
    """Audio as a telephone hands it over: 300-3400 Hz, some noise, mu-law again. `level` and `noise` are linear."""
    samples = decode(mulaw).astype(np.float64) / 32768 * level
    samples = np.concatenate([np.zeros(_SILENCE), samples, np.zeros(_SILENCE)])
    frequencies = np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE)
    band = 1 / (1 + np.exp(-(frequencies - 290) / 20)) / (1 + np.exp((frequencies - 3420) / 40))
    line = np.fft.irfft(np.fft.rfft(samples) * band, samples.size)
    line += np.random.default_rng(seed).standard_normal(samples.size) * noise
    return encode(np.clip(line * 32768, -32768, 32767).astype(np.int16))


def word_errors(wanted: str, heard: str) -> int:
    """Words to insert, drop or change to make one text of the other."""
    truth, guess = wanted.split(), heard.split()
    row = list(range(len(guess) + 1))
    for number, word in enumerate(truth, 1):
        fresh = [number]
        for column, other in enumerate(guess, 1):
            fresh.append(min(row[column] + 1, fresh[-1] + 1, row[column - 1] + (word != other)))
        row = fresh
    return row[-1]


def meaning(act: Act) -> str:
    match act:
        case Answered(question, value, _):
            return f"{question.id}={value}" if question.id else value
        case HalfTime(question, spoken):
            return f"{question.id}~{spoken}"
        case BroughtUp(objection):
            return objection.id
        case _:
            return str(act)


class _Ear:
    """One call's ears and what has come out of them."""

    def __init__(self, ears: EmbeddedTranscriber) -> None:
        self._ears = ears
        self._finals: asyncio.Queue[Transcribed] = asyncio.Queue()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._ears.events():
            if event.is_final:
                self._finals.put_nowait(event)

    async def hear(self, audio: bytes, phrases: Sequence[str]) -> tuple[Transcribed, float]:
        """The final of an utterance, and how long it took after it was asked for."""
        self._ears.expect(phrases)
        for start in range(0, len(audio), _FRAME):
            self._ears.hear(audio[start : start + _FRAME])
            await asyncio.sleep(_FRAME / SAMPLE_RATE * _PACE)
        asked_at = time.perf_counter()
        self._ears.finish_utterance()
        final = await self._finals.get()
        return final, time.perf_counter() - asked_at

    async def close(self) -> None:
        await self._ears.close()
        await self._task


async def measure(agent: AgentDefinition, engine: str, home: Path, voices: Sequence[str], level: float) -> dict[str, Tally]:
    """Every case in every voice, one call a voice."""
    mouth, ears = EmbeddedMouth(engine), EmbeddedEars(home, processes=1)
    understanding = Understanding(agent)
    questions: dict[str, Question] = {question.id: question for question in agent.questions}
    tallies: dict[str, Tally] = {}
    try:
        await ears.start([agent])
        for voice in voices:
            started = time.perf_counter()
            ear = _Ear(await ears.open(agent, Briefing()))
            print(f"{engine} {voice}: ears open in {(time.perf_counter() - started) * 1e3:.1f} ms", flush=True)
            tally = tallies.setdefault(voice, Tally())
            for case in CASES:
                asked = questions.get(case.asked)
                audio = telephone(await mouth.say(case.text, voice), level)
                final, took = await ear.hear(audio, hint_for(asked) if asked else ())
                _count(tally, case, final, took, understanding.acts(final.text, asked))
            for text in FOREIGN:
                final, _ = await ear.hear(telephone(await mouth.say(text, voice), level), ())
                if final.text:
                    tally.misses.append(f"    believed nonsense: {text!r} as {final.text!r} ({final.confidence:.2f})")
            await ear.close()
    finally:
        await ears.close()
        await mouth.close()
    return tallies


def _count(tally: Tally, case: Case, final: Transcribed, took: float, acts: Sequence[Act]) -> None:
    meant = sorted({meaning(act) for act in acts})
    is_right = meant == sorted(case.meant.split(" ") if "=" in case.meant and " at " not in case.meant else [case.meant])
    is_right |= meant == [case.meant]
    tally.cases += 1
    tally.understood += is_right
    tally.words += len(case.text.split())
    tally.errors += word_errors(normalise(case.text), final.text)
    tally.finals.append(took)
    if not is_right:
        tally.misses.append(f"    {case.text!r} -> {final.text!r} ({final.confidence:.2f}) {meant}, not {case.meant}")


def report(tallies: dict[str, Tally]) -> None:
    for voice, tally in tallies.items():
        took = np.array(tally.finals) * 1e3
        print(
            f"{voice:16s} understood {100 * tally.understood / tally.cases:5.1f} %"
            f"  words wrong {100 * tally.errors / tally.words:5.1f} %"
            f"  final p50 {np.median(took):.0f} ms p95 {np.percentile(took, 95):.0f} ms"
        )
        print(*tally.misses, sep="\n")
    understood = sum(tally.understood for tally in tallies.values()) / sum(tally.cases for tally in tallies.values())
    wrong = sum(tally.errors for tally in tallies.values()) / sum(tally.words for tally in tallies.values())
    print(f"all: understood {100 * understood:.1f} %, words wrong {100 * wrong:.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", choices=("flite", "espeak"), default="espeak")
    parser.add_argument("--agent", type=Path, default=Path("agents/solar.toml"))
    parser.add_argument("--home", type=Path, default=Path(".offhook"))
    parser.add_argument("--voices", nargs="*", default=_CALLERS)
    parser.add_argument("--level", type=float, default=1.0, help="how loud the line is, 1.0 as synthesised")
    chosen = parser.parse_args()
    agent = parse_agent(chosen.agent.read_bytes(), chosen.agent.name)
    report(asyncio.run(measure(agent, chosen.engine, chosen.home, chosen.voices, chosen.level)))


if __name__ == "__main__":
    main()
