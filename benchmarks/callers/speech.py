"""All speech of a run, made once and kept: what callers say, what agents answer, with word times. The shell around flite
or espeak-ng; callers, engines and measurements all read the one file it writes.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.callers.scenario import OPENING, Act, Kind, Scenario, sentences
from telephony.audio import SAMPLE_RATE, decode, level, scale, silence
from telephony.simulator.person import Cue, Script, sound
from voice.agent import ACKNOWLEDGEMENTS, FILLERS
from voice.providers.embedded.mouth import EmbeddedMouth

AGENT_VOICE: Final = "female"
SPOKEN: Final = -26.0  # dBFS: the nominal active speech level of telephony (ITU-T P.56, G.191)
MURMURED: Final = -29.0  # a little softer, as backchannels and coughs of recorded people are beside their interruptions
ABOVE_ROOM: Final = -46.0  # dBFS: over the noise of every room of the cast
ABOVE_ECHO: Final = -38.0  # and over the loudest syllable that comes back, -30 dB from a voice at -19
IN_BETWEEN: Final = (*ACKNOWLEDGEMENTS, *FILLERS)  # words that say nothing, which an engine may put before a late reply
_QUIET: Final = 330  # 16-bit amplitude under which a voice has not begun, or is over


@dataclass(frozen=True, slots=True)
class Recorded:
    """One text spoken: mu-law without silence at its ends, and its words with times in seconds."""

    audio: bytes = field(repr=False)
    words: tuple[tuple[str, float, float], ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.audio) / SAMPLE_RATE


class Speech:
    """Texts spoken, kept in a folder between runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[tuple[str, str], Recorded] = {}

    async def learn(self, texts: Sequence[tuple[str, str]]) -> None:
        """Make ready every (text, voice) that is not yet. Raises `ProviderError` when nothing here can speak."""
        missing = [each for each in dict.fromkeys(texts) if not self._load(*each)]
        if not missing:
            return
        mouth = EmbeddedMouth()
        await mouth.start()
        try:
            for text, voice in missing:
                await self._make(mouth, text, voice)
        finally:
            await mouth.close()

    def get(self, text: str, voice: str) -> Recorded:
        return self._known[text, voice]

    async def _make(self, mouth: EmbeddedMouth, text: str, voice: str) -> None:
        audio, words = b"", []
        async for piece in mouth.stream(text, voice):
            at = len(audio) / SAMPLE_RATE
            words += [(word.text, at + word.start, at + word.end) for word in piece.words]
            audio += piece.audio
        recorded = trimmed(audio, tuple(words))
        content = {"audio": b64encode(recorded.audio).decode(), "words": recorded.words}
        self._path(text, voice).write_text(json.dumps(content))
        self._known[text, voice] = recorded

    def _load(self, text: str, voice: str) -> bool:
        if (text, voice) in self._known:
            return True
        path = self._path(text, voice)
        if not path.exists():
            return False
        content = json.loads(path.read_text())
        words = tuple((str(word), float(start), float(end)) for word, start, end in content["words"])
        self._known[text, voice] = Recorded(b64decode(content["audio"]), words)
        return True

    def _path(self, text: str, voice: str) -> Path:
        return self._folder / (hashlib.sha256(f"{voice}\n{text}".encode()).hexdigest()[:24] + ".json")


def trimmed(audio: bytes, words: tuple[tuple[str, float, float], ...]) -> Recorded:
    """Without the silence a synthesiser puts around its speech: what begins when played begins to sound."""
    loud = np.flatnonzero(np.abs(decode(audio).astype(np.int32)) > _QUIET)
    if not len(loud):
        return Recorded(audio, words)
    first, last = int(loud[0]), int(loud[-1]) + 1
    moved = tuple((word, max(0.0, s - first / SAMPLE_RATE), max(0.0, e - first / SAMPLE_RATE)) for word, s, e in words)
    return Recorded(audio[first:last], moved)


def texts_of(scenarios: Sequence[Scenario]) -> list[tuple[str, str]]:
    """Every (text, voice) a run needs."""
    wanted = [(sentence, AGENT_VOICE) for sentence in (*sentences(OPENING), *IN_BETWEEN)]
    for scenario in scenarios:
        wanted += [(sentence, AGENT_VOICE) for reply in scenario.replies for sentence in sentences(reply)]
        wanted += [(part, scenario.voice) for act in scenario.acts for part in act.text]
    return wanted


def person(scenario: Scenario, speech: Speech) -> Script:
    """A scenario as a simulated person's script."""
    cues = tuple(
        Cue(act.when, _audio(act, scenario, speech), " ".join(act.text) or f"[{act.kind}]") for act in scenario.acts
    )
    return Script(
        cues,
        hang_up_after=scenario.hangs_up_after,
        patience=15.0,
        limit=12.0,
        noise=scenario.noise,
        echo=scenario.echo,
        seed=scenario.seed,
    )


def _audio(act: Act, scenario: Scenario, speech: Speech) -> bytes:
    """An act as it comes out of a telephone: at the level of a telephone, not of a synthesiser."""
    if act.kind is Kind.CLICK:
        return sound("click", scenario.seed)
    if act.kind is Kind.COUGH:
        return levelled(sound("cough", scenario.seed), MURMURED)
    gap = silence(round(act.pause * SAMPLE_RATE))
    loudness = MURMURED if act.kind is Kind.BACKCHANNEL else SPOKEN
    return gap.join(levelled(speech.get(part, scenario.voice).audio, loudness) for part in act.text)


def levelled(audio: bytes, dbfs: float) -> bytes:
    """The same sound at another mean level."""
    return scale(audio, dbfs - level(audio))


def pauses(act: Act, scenario: Scenario, speech: Speech) -> tuple[tuple[int, int], ...]:
    """Where, within the act's audio, its pauses lie (samples)."""
    found, at = [], 0
    for part in act.text[:-1]:
        at += len(speech.get(part, scenario.voice).audio)
        end = at + round(act.pause * SAMPLE_RATE)
        found.append((at, end))
        at = end
    return tuple(found)


def write_bank(path: Path, scenarios: Sequence[Scenario], speech: Speech, opening: str = OPENING) -> Path:
    """The file that engines read: the scripts of all callers and all speech of the agent."""
    agent = {text for text, voice in texts_of(scenarios) if voice == AGENT_VOICE}
    spoken = {text: speech.get(text, AGENT_VOICE) for text in sorted(agent)}
    path.write_text(
        json.dumps(
            {
                "opening": opening,
                "scripts": {scenario.name: _script(scenario, speech) for scenario in scenarios},
                "speech": {
                    text: {"audio": b64encode(each.audio + silence(800)).decode(), "words": each.words}
                    for text, each in spoken.items()
                },
            }
        )
    )
    return path


def _script(scenario: Scenario, speech: Speech) -> dict[str, object]:
    parts: list[tuple[str, float]] = []
    for act in scenario.acts:
        if act.text:
            parts += [(part, speech.get(part, scenario.voice).seconds) for part in act.text]
        elif act.kind is Kind.COUGH:
            parts.append(("", len(_audio(act, scenario, speech)) / SAMPLE_RATE))  # a click is too short for any ear
    return {"parts": parts, "replies": scenario.replies, "voiced": ABOVE_ROOM if scenario.echo is None else ABOVE_ECHO}
