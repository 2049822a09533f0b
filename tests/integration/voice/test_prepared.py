"""What is made ready while it rings: an opening that is spoken, ears that miss nothing while they open."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from context.briefing import Briefing
from voice.agent import AgentDefinition, Manners
from voice.errors import ProviderError, ProviderUnavailable
from voice.events import Transcribed
from voice.ports import Transcriber
from voice.prepared import EarsAhead, PreparedSpeaker
from voice.providers.scripted import ScriptedEars, ScriptedMouth
from voice.ready import ReadyWords

AGENT = AgentDefinition("a", "Acme", "Ava", "g", "Hello there. How are you?", "Bye.")


async def test_a_prepared_segment_is_not_synthesised_again():
    behind = await ScriptedMouth().open(AGENT)
    speaker = PreparedSpeaker(behind)
    speaker.prepare(AGENT.opening)
    speaker.prepare("Hello there.")
    await speaker.prepared()
    assert behind.spoken == ["Hello there.", "How are you?"]
    pieces = [piece async for piece in speaker.speak("How are you?")]
    assert [piece.words[0].text for piece in pieces] == ["How", "are", "you?"]
    assert behind.spoken == ["Hello there.", "How are you?"]


async def test_a_segment_that_is_still_being_made_is_waited_for():
    gate = asyncio.Event()
    behind = await ScriptedMouth(gate=gate).open(AGENT)
    speaker = PreparedSpeaker(behind)
    speaker.prepare(AGENT.opening, "One moment.")
    asking = asyncio.ensure_future(anext(aiter(speaker.speak("How are you?"))))
    gate.set()
    assert (await asking).words[0].text == "How"
    await speaker.prepared()
    assert behind.spoken == ["Hello there.", "How are you?", "One moment."]


async def test_what_could_not_be_prepared_is_asked_for_again_when_it_is_needed():
    failures = {"How are you?": ProviderUnavailable("mouth", "dropped")}
    behind = await ScriptedMouth(failures=failures).open(AGENT)
    speaker = PreparedSpeaker(behind)
    speaker.prepare(AGENT.opening)
    await speaker.prepared()
    failures.clear()
    assert len([piece async for piece in speaker.speak("How are you?")]) == 3


async def test_closing_ends_the_making():
    behind = await ScriptedMouth(gate=asyncio.Event()).open(AGENT)
    speaker = PreparedSpeaker(behind)
    speaker.prepare(AGENT.opening)
    await speaker.close()
    assert behind.is_closed
    await speaker.prepared()


async def test_anything_else_is_asked_of_the_mouth_behind():
    behind = await ScriptedMouth().open(AGENT)
    speaker = PreparedSpeaker(behind)
    assert len([piece async for piece in speaker.speak("Good morning.")]) == 2
    await speaker.close()
    assert behind.is_closed


async def test_ears_that_open_late_have_heard_everything_in_order():
    may_open = asyncio.Event()
    ears = await ScriptedEars(["yes"]).open(AGENT, Briefing())

    async def opening() -> Transcriber:
        await may_open.wait()
        return ears

    ahead = EarsAhead(opening())
    ahead.hear(b"one")
    ahead.expect(["yes"])
    ahead.finish_utterance()
    ahead.hear(b"two")
    assert ears.heard == b""
    may_open.set()
    assert await anext(aiter(ahead.events())) == Transcribed("yes", is_final=True, confidence=0.9)
    assert (bytes(ears.heard), ears.expected, ears.finished) == (b"onetwo", [("yes",)], 1)
    ahead.hear(b"three")
    ahead.expect(["no"])
    ahead.finish_utterance()
    assert (bytes(ears.heard), ears.expected, ears.finished) == (b"onetwothree", [("yes",), ("no",)], 2)
    await ahead.close()
    assert ears.is_closed


async def test_ears_that_do_not_open_say_so_when_listened_to():
    async def opening() -> Transcriber:
        raise ProviderUnavailable("ears", "refused")

    ahead = EarsAhead(opening())
    ahead.hear(b"one")
    with pytest.raises(ProviderError, match="refused"):
        await anext(aiter(ahead.events()))
    await ahead.close()


async def test_closing_ears_that_are_still_opening_gives_up():
    async def opening() -> Transcriber:
        await asyncio.Event().wait()
        raise AssertionError

    ahead = EarsAhead(opening())
    await ahead.close()
    assert len(asyncio.all_tasks()) == 1


async def test_words_in_between_are_spoken_once_for_a_voice():
    mouths, words = ScriptedMouth(), ReadyWords()
    agent = replace(AGENT, manners=Manners(acknowledgements=("Okay.", "I see."), fillers=("Okay.",)))
    await words.make(agent, mouths)
    await words.make(agent, mouths)
    assert [(mouth.spoken, mouth.is_closed) for mouth in mouths.opened] == [(["Okay.", "I see."], True)]
    assert set(words.of(agent)) == {"Okay.", "I see."}
    assert not words.of(replace(agent, voice="male"))


async def test_only_one_call_at_a_time_makes_them():
    gate = asyncio.Event()
    mouths, words = ScriptedMouth(gate=gate), ReadyWords()
    making = asyncio.create_task(words.make(AGENT, mouths))
    await asyncio.sleep(0)
    await words.make(AGENT, mouths)
    gate.set()
    await making
    assert len(mouths.opened) == 1


async def test_a_word_that_cannot_be_made_is_made_with_a_later_call():
    failures = {"I see.": ProviderUnavailable("mouth", "dropped")}
    mouths, words = ScriptedMouth(failures=failures), ReadyWords()
    agent = replace(AGENT, manners=Manners(acknowledgements=("Okay.", "I see."), fillers=()))
    await words.make(agent, mouths)
    assert set(words.of(agent)) == {"Okay."}
    failures.clear()
    await words.make(agent, mouths)
    assert set(words.of(agent)) == {"Okay.", "I see."}
