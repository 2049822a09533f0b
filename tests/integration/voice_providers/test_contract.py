"""What every ears, mind and mouth must do: the scripted ones and the embedded ones alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import TypeVar, cast

import pytest

from context.briefing import Briefing
from voice.actions import AgentSaid, CallerSaid, Happened
from voice.agent import AgentDefinition
from voice.events import Direction, Transcribed
from voice.ports import LanguageModel, Prompt, SpeechToText, TextDelta, TextToSpeech, ToolRequest, Usage
from voice.providers.embedded.ears import EmbeddedEars
from voice.providers.embedded.mind import EmbeddedMind
from voice.providers.embedded.mouth import EmbeddedMouth, best_engine
from voice.providers.scripted import ScriptedEars, ScriptedMind, ScriptedMouth
from voice.tools import parse_arguments

Item = TypeVar("Item")
SILENCE = b"\xff" * 160


@pytest.fixture(params=["scripted", "embedded"])
async def any_ears(request: pytest.FixtureRequest, models: Path) -> AsyncIterator[SpeechToText]:
    ears = ScriptedEars() if request.param == "scripted" else EmbeddedEars(models, processes=1)
    yield ears
    await ears.close()


@pytest.fixture(params=["scripted", "embedded"])
def any_mind(request: pytest.FixtureRequest) -> LanguageModel:
    if request.param == "embedded":
        return EmbeddedMind()
    return ScriptedMind(["Do you own your home? It is a simple question.", "And now goodbye."])


@pytest.fixture(params=["scripted", *dict.fromkeys(["espeak", best_engine()])])
async def any_mouth(request: pytest.FixtureRequest) -> AsyncIterator[TextToSpeech]:
    mouth = ScriptedMouth() if request.param == "scripted" else EmbeddedMouth(request.param)
    yield mouth
    await mouth.close()


class TestEars:
    async def test_every_finish_is_answered_by_a_final(self, any_ears: SpeechToText, agent: AgentDefinition) -> None:
        transcriber = await any_ears.open(agent, Briefing())
        events = transcriber.events()
        for _ in range(3):
            for _ in range(10):
                transcriber.hear(SILENCE)
            transcriber.finish_utterance()
            assert await anext(events) == Transcribed("", is_final=True, confidence=(await _zero(any_ears)))
        await transcriber.close()

    async def test_closing_ends_the_events_and_may_be_done_twice(
        self, any_ears: SpeechToText, agent: AgentDefinition
    ) -> None:
        transcriber = await any_ears.open(agent, Briefing())
        reading = asyncio.create_task(_all(transcriber.events()))
        await asyncio.sleep(0)
        await transcriber.close()
        await transcriber.close()
        assert await reading == []
        transcriber.hear(SILENCE)
        transcriber.finish_utterance()
        transcriber.expect(["yes"])

    async def test_audio_of_any_length_and_any_hint_is_taken(self, any_ears: SpeechToText, agent: AgentDefinition) -> None:
        transcriber = await any_ears.open(agent, Briefing())
        for audio in (b"", b"\xff", SILENCE * 50, bytes(range(256)) * 10):
            transcriber.hear(audio)
        for phrases in ((), ("yes",), ("a phrase nobody expects",), ("",)):
            transcriber.expect(phrases)
        transcriber.finish_utterance()
        async with aclosing(transcriber.events()) as events:
            async for event in events:
                if event.is_final:
                    break
        await transcriber.close()

    async def test_calls_do_not_hear_each_other(self, any_ears: SpeechToText, agent: AgentDefinition) -> None:
        first, second = await any_ears.open(agent, Briefing()), await any_ears.open(agent, Briefing())
        first.finish_utterance()
        assert (await anext(first.events())).is_final
        nothing = asyncio.create_task(_all(second.events()))
        await first.close()
        await second.close()
        assert await nothing == []


class TestMind:
    async def test_a_reply_is_text_in_pieces_and_ends_with_its_usage(
        self, any_mind: LanguageModel, agent: AgentDefinition
    ) -> None:
        outputs = await _all(any_mind.reply(_prompt(agent, "sure")))
        texts = [output.text for output in outputs if isinstance(output, TextDelta)]
        assert len(texts) > 1
        assert "".join(texts).strip().startswith("Do you own your home?")
        assert isinstance(outputs[-1], Usage)

    async def test_a_reply_may_be_closed_in_the_middle(self, any_mind: LanguageModel, agent: AgentDefinition) -> None:
        reply = any_mind.reply(_prompt(agent, "sure"))
        assert isinstance(await anext(reply), TextDelta)
        await reply.aclose()  # type: ignore[attr-defined]
        assert await _all(any_mind.reply(_prompt(agent, "goodbye")))

    async def test_replies_may_run_at_once(self, any_mind: LanguageModel, agent: AgentDefinition) -> None:
        both = await asyncio.gather(*(_all(any_mind.reply(_prompt(agent, "sure"))) for _ in range(2)))
        assert all(both)


class TestMouth:
    async def test_a_text_becomes_audio_with_its_words_in_order(
        self, any_mouth: TextToSpeech, agent: AgentDefinition
    ) -> None:
        speaker = await any_mouth.open(agent)
        at, words = 0.0, []
        async for piece in speaker.speak("Do you own your home, Maria?"):
            words += [(word.text, at + word.start, at + word.end) for word in piece.words]
            at += len(piece.audio) / 8000
        assert [word for word, _, _ in words] == ["Do", "you", "own", "your", "home,", "Maria?"]
        assert all(start <= end for _, start, end in words)
        assert all(one[1] < other[1] for one, other in pairwise(words))
        assert 1.0 < at < 4.0
        assert words[-1][2] <= at + 0.05
        await speaker.close()
        await speaker.close()

    async def test_a_text_may_be_closed_in_the_middle(self, any_mouth: TextToSpeech, agent: AgentDefinition) -> None:
        speaker = await any_mouth.open(agent)
        speech = speaker.speak("A long sentence that will not be heard to its end, because somebody talks over it.")
        assert (await anext(speech)).audio
        await speech.aclose()  # type: ignore[attr-defined]
        assert await _all(speaker.speak("Yes."))
        await speaker.close()

    async def test_texts_may_be_spoken_at_once(self, any_mouth: TextToSpeech, agent: AgentDefinition) -> None:
        speakers = [await any_mouth.open(agent) for _ in range(3)]
        spoken = await asyncio.gather(*(_all(speaker.speak(f"Number {n}, please.")) for n, speaker in enumerate(speakers)))
        assert all(sum(len(piece.audio) for piece in pieces) > 3000 for pieces in spoken)

    @pytest.mark.parametrize("text", ["", "   ", "...", "$1,250.75!", "naïve café — 你好", "<speak>&amp;", "a" * 300])
    async def test_odd_texts_do_no_harm(self, any_mouth: TextToSpeech, agent: AgentDefinition, text: str) -> None:
        speaker = await any_mouth.open(agent)
        await _all(speaker.speak(text))
        assert await _all(speaker.speak("Still here."))


class TestEmbeddedMind:
    async def test_its_tools_are_valid_and_the_wish_comes_before_the_words(self, agent: AgentDefinition) -> None:
        mind = EmbeddedMind()
        outputs = await _all(mind.reply(_prompt(agent, "please stop calling me")))
        requests = [output for output in outputs if isinstance(output, ToolRequest)]
        assert [request.name for request in requests] == ["opt_out", "end_call"]
        assert not any(isinstance(parse_arguments(request.name, request.arguments), str) for request in requests)
        assert outputs[0] == requests[0]
        assert isinstance(outputs[-2], ToolRequest)

    async def test_an_edited_agent_is_believed_at_once(self, agent: AgentDefinition) -> None:
        from dataclasses import replace

        mind = EmbeddedMind()
        await _all(mind.reply(_prompt(agent, "sure")))
        bare = replace(agent, questions=(), goodbye="That was all, goodbye.")
        outputs = await _all(mind.reply(_prompt(bare, "sure")))
        assert "".join(output.text for output in outputs if isinstance(output, TextDelta)) == "That was all, goodbye."

    async def test_it_keeps_only_so_many_agents(self, agent: AgentDefinition) -> None:
        from dataclasses import replace

        mind = EmbeddedMind()
        for number in range(34):
            await _all(mind.reply(_prompt(replace(agent, name=f"a{number}", questions=(), objections=()), "sure")))
        await mind.close()

    async def test_a_key_is_understood(self, agent: AgentDefinition) -> None:
        prompt = Prompt(agent, Briefing(), Direction.OUTBOUND, (AgentSaid(agent.opening), Happened("key:9")))
        outputs = await _all(EmbeddedMind().reply(prompt))
        assert cast(ToolRequest, outputs[0]).name == "opt_out"


def _prompt(agent: AgentDefinition, said: str) -> Prompt:
    return Prompt(agent, Briefing(), Direction.OUTBOUND, (AgentSaid("Do you have a minute?"), CallerSaid(said)))


async def _all(items: AsyncIterator[Item]) -> list[Item]:
    return [item async for item in items]


async def _zero(ears: SpeechToText) -> float | None:
    return 0.0 if ears.name == "embedded" else None
