"""The embedded ears on the embedded voices: words come as they are said, and silence stays silent."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from context.briefing import Briefing
from telephony.audio import encode
from voice.agent import AgentDefinition
from voice.errors import ProviderRejected
from voice.events import Transcribed
from voice.providers.embedded.ears import EmbeddedEars, EmbeddedTranscriber
from voice.providers.embedded.expected import hint_for
from voice.providers.embedded.mouth import EmbeddedMouth
from voice.providers.registry import make_ears, make_mind, make_mouth

QUIET = b"\xff" * 2400


async def heard(transcriber: EmbeddedTranscriber, audio: bytes) -> list[Transcribed]:
    """All that is told of this audio, the final last."""
    for start in range(0, len(audio), 160):
        transcriber.hear(audio[start : start + 160])
    transcriber.finish_utterance()
    told: list[Transcribed] = []
    async for event in transcriber.events():
        told.append(event)
        if event.is_final:
            break
    return told


async def test_what_is_said_is_heard(ears: EmbeddedEars, mouth: EmbeddedMouth, agent: AgentDefinition) -> None:
    transcriber = await ears.open(agent, Briefing())
    audio = QUIET + await mouth.say("Please take me off your list.", "caller") + QUIET
    told = await heard(transcriber, audio)
    assert told[-1].text == "please take me off your list"
    assert [word.text for word in told[-1].words] == told[-1].text.split()
    assert told[-1].words[0].start > 0.2
    assert told[-1].words[-1].end < len(audio) / 8000
    assert (told[-1].confidence or 0) > 0.4
    assert len(told) > 2
    assert told[0].text.startswith("please")
    await transcriber.close()


async def test_a_hint_is_listened_for(ears: EmbeddedEars, mouth: EmbeddedMouth, agent: AgentDefinition) -> None:
    transcriber = await ears.open(agent, Briefing())
    transcriber.expect(hint_for(agent.questions[0]))
    audio = QUIET + await mouth.say("Yes, I own it.", "caller") + QUIET
    assert (await heard(transcriber, audio))[-1].text == "yes i own it"
    await asyncio.sleep(0)
    assert (await heard(transcriber, audio))[-1].text == "yes i own it"
    await transcriber.close()


@pytest.mark.parametrize("kind", ["silence", "hiss", "hum", "clicks", "tones"])
async def test_what_is_not_speech_is_no_words(ears: EmbeddedEars, agent: AgentDefinition, kind: str) -> None:
    time = np.arange(40_000)
    chance = np.random.default_rng(3)
    samples = {
        "silence": np.zeros(time.size),
        "hiss": chance.standard_normal(time.size) * 1500,
        "hum": 3000 * np.sin(time * 2 * np.pi * 100 / 8000),
        "clicks": np.where(time % 4000 < 40, 20_000, 0),
        "tones": 5000
        * (np.sin(time * 2 * np.pi * 852 / 8000) + np.sin(time * 2 * np.pi * 1336 / 8000))
        * (time % 4000 < 1600),
    }[kind]
    transcriber = await ears.open(agent, Briefing())
    told = await heard(transcriber, encode(np.clip(samples, -32768, 32767).astype(np.int16)))
    assert [event.text for event in told] == [""]
    await transcriber.close()


async def test_parts_are_made_by_name(models: object, tmp_path: object) -> None:
    from pathlib import Path

    assert make_ears("embedded", Path(str(tmp_path))).name == "embedded"
    assert make_mind("embedded").name == "embedded"
    assert make_mouth("embedded").name == "embedded"
    for make in (
        lambda: make_ears("nobody", Path(str(tmp_path))),
        lambda: make_mind("nobody"),
        lambda: make_mouth("nobody"),
    ):
        with pytest.raises(ProviderRejected, match="unknown_provider"):
            make()
