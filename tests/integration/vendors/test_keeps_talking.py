"""Ordered providers behind one port: what the caller hears when one of them is late, silent, cut off or gone.

The providers are scripted and wait for events, never for time; the deadlines are short so that the tests are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs

from context.briefing import Briefing
from voice.actions import AgentSaid, CallerSaid, Happened, ToolUsed
from voice.agent import AgentDefinition, Manners
from voice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from voice.events import Transcribed, Word
from voice.ports import ModelOutput, Prompt, SpokenAudio, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Stage
from voice.providers.resilience.ears import FallbackEars
from voice.providers.resilience.health import Health
from voice.providers.resilience.latency import DeadlinePolicy
from voice.providers.resilience.mind import FallbackMind
from voice.providers.resilience.mouth import FallbackMouth
from voice.providers.resilience.paced import PacedSpeaker
from voice.providers.scripted import ScriptedEars, ScriptedMind, ScriptedTranscriber
from voice.ready import ReadyWords

SHORT = DeadlinePolicy(
    hedge_bounds=(0.1, 0.1),
    give_up_bounds=(1.0, 10.0),
    connect_bounds=(1.0, 10.0),
    stall_bounds=(0.2, 0.2),
    final_bounds=(0.2, 0.2),
)
DOWN = ProviderUnavailable("a", "overloaded")
WORD = b"\x7f" * 2400  # 0.3 s


@pytest.fixture
def health() -> Health:
    return Health(deadlines=SHORT)


def text(outputs: Sequence[ModelOutput]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, TextDelta))


# --- minds ------------------------------------------------------------------------------------------------------------


@dataclass
class Mind:
    """Gives its outputs, then raises its error, or waits for ever if it is `stuck`."""

    name: str
    outputs: Sequence[ModelOutput | ProviderError] = ()
    stuck: bool = False
    prompts: list[Prompt] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def reply(self, prompt: Prompt) -> AsyncIterator[ModelOutput]:
        self.prompts.append(prompt)
        try:
            for output in self.outputs:
                if isinstance(output, ProviderError):
                    raise output
                yield output
            if self.stuck:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def answer(mind: FallbackMind, prompt: Prompt) -> list[ModelOutput]:
    async with asyncio.timeout(10):
        return [output async for output in mind.reply(prompt)]


async def test_a_late_mind_is_hedged_and_the_loser_is_cancelled(health: Health, prompt: Prompt) -> None:
    late, quick = Mind("a", stuck=True), Mind("b", [TextDelta("Quick."), Usage(1, 1)])
    mind = FallbackMind([late, quick], health)
    assert text(await answer(mind, prompt)) == "Quick."
    async with asyncio.timeout(5):
        await late.cancelled.wait()
    assert health.hedges[Stage.MIND].hedges == 1


async def test_late_five_times_in_a_row_it_is_not_asked_any_more(health: Health, prompt: Prompt) -> None:
    late, quick = Mind("a", stuck=True), Mind("b", [TextDelta("Quick.")])
    mind = FallbackMind([late, quick], health)
    with capture_logs() as lines:
        for _ in range(8):
            await answer(mind, prompt)
    assert len(late.prompts) == 5
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["provider_down"]


class Twins(Mind):
    """The first request is stuck, whatever comes after is answered."""

    async def reply(self, prompt: Prompt) -> AsyncIterator[ModelOutput]:
        self.stuck = not self.prompts
        async with aclosing(super().reply(prompt)) as outputs:
            async for output in outputs:
                yield output


async def test_two_are_asked_at_once_and_the_slower_is_cancelled_at_the_first_word(prompt: Prompt) -> None:
    twins, other = Twins("a"), Mind("b", [TextDelta("Other.")])
    health = Health(minds_at_once=2)
    mind = FallbackMind([twins, other], health)
    task = asyncio.create_task(answer(mind, prompt))
    async with asyncio.timeout(5):
        await twins.cancelled.wait()
    await task
    assert (len(twins.prompts), other.prompts) == (2, [])
    budget = health.hedges[Stage.MIND]
    assert (budget.requests, budget.twins, budget.hedges) == (1, 1, 0)
    assert health.record(Stage.MIND, "a").breaker.is_steady


async def test_only_a_mind_that_is_well_is_asked_twice(prompt: Prompt) -> None:
    health = Health(minds_at_once=2)
    ill = Mind("a", [DOWN])
    mind = FallbackMind([ill, Mind("b", [TextDelta("Here.")])], health)
    await answer(mind, prompt)
    assert len(ill.prompts) == 2
    await answer(mind, prompt)
    assert len(ill.prompts) == 3


async def test_our_own_mind_is_never_asked_twice(prompt: Prompt) -> None:
    own = Mind("embedded", [TextDelta("Here.")])
    await answer(FallbackMind([own], Health(minds_at_once=3)), prompt)
    assert len(own.prompts) == 1


async def test_a_single_mind_is_asked_again_when_it_is_late(health: Health, prompt: Prompt) -> None:
    gate = asyncio.Event()
    mind = ScriptedMind(["never", "again"], gate=gate)
    task = asyncio.create_task(answer(FallbackMind([mind], health), prompt))
    await until(lambda: len(mind.prompts) == 2)
    gate.set()
    assert text(await task).strip() in ("never", "again")


async def test_the_only_mind_is_not_held_to_be_late(health: Health, prompt: Prompt) -> None:
    gate = asyncio.Event()
    slow = ScriptedMind(["fine"] * 9, gate=gate)
    slow.name = "embedded"
    mind = FallbackMind([slow], health)
    task = asyncio.create_task(answer(mind, prompt))
    await until(lambda: bool(slow.prompts))
    asyncio.get_running_loop().call_later(0.25, gate.set)  # past its deadline
    assert text(await task).strip() == "fine"
    assert len(slow.prompts) == 1
    assert health.record(Stage.MIND, "embedded").last_error == ""


async def test_one_that_refuses_is_replaced_before_anybody_notices(health: Health, prompt: Prompt) -> None:
    mind = FallbackMind([Mind("a", [DOWN]), Mind("b", [TextDelta("Here.")])], health)
    assert text(await answer(mind, prompt)) == "Here."
    assert health.hedges[Stage.MIND].hedges == 0


async def test_one_that_breaks_off_is_continued_from_the_next_word(health: Health, prompt: Prompt) -> None:
    for broken in (Mind("a", [TextDelta("I am"), DOWN]), Mind("a", [TextDelta("I am")], stuck=True)):
        other = Mind("b", [TextDelta(" calling.")])
        mind = FallbackMind([broken, other], Health(deadlines=SHORT))
        assert text(await answer(mind, replace(prompt, messages=(CallerSaid("hi"),)))) == "I am calling."
        assert other.prompts[0].messages == (CallerSaid("hi"), AgentSaid("I am"), Happened("cut_off"))


async def test_a_tool_that_was_called_is_not_called_again_by_the_next_mind(health: Health, prompt: Prompt) -> None:
    call = ToolRequest("t", "opt_out", "{}")
    other = Mind("b", [call])
    outputs = await answer(FallbackMind([Mind("a", [TextDelta("Okay."), call, DOWN]), other], health), prompt)
    assert outputs == [TextDelta("Okay."), call]
    assert other.prompts == []


async def test_bad_tool_arguments_go_back_once_and_then_to_the_next_mind(health: Health, prompt: Prompt) -> None:
    bad, good = ToolRequest("t", "save_answer", "{oops"), ToolRequest("u", "end_call", "{}")
    first, second = Mind("a", [TextDelta("So."), bad]), Mind("b", [good])
    outputs = await answer(FallbackMind([first, second], health), prompt)
    assert outputs[-1] == good
    told = first.prompts[1].messages[-1]
    assert isinstance(told, ToolUsed)
    assert not told.ok
    assert "not valid" in str(told.result)
    assert len(first.prompts) == 2


async def test_a_mind_that_cannot_use_its_tools_leaves_it_to_the_playbook(health: Health, prompt: Prompt) -> None:
    bad, good = ToolRequest("t", "save_answer", "{oops"), ToolRequest("u", "end_call", "{}")
    for said, expected in (("", "Let us go on."), ("Fine. ", "Fine. "), ("So", "SoLet us go on.")):
        playbook, unasked = Mind("playbook", [TextDelta("Let us go on."), good]), Mind("b", [good])
        first = Mind("a", [*([TextDelta(said)] if said else []), bad])
        outputs = await answer(FallbackMind([first, unasked], Health(deadlines=SHORT), playbook), prompt)
        assert text(outputs)[-len(expected) :] == expected
        assert outputs[-1] == good
        assert unasked.prompts == []
        assert playbook.prompts == [prompt]


async def test_without_a_playbook_a_mind_without_its_tools_has_failed(health: Health, prompt: Prompt) -> None:
    bad = ToolRequest("t", "save_answer", "{oops")
    with pytest.raises(ProviderRejected, match="bad_tool_arguments"):
        await answer(FallbackMind([Mind("c", [bad])], health), prompt)


async def test_when_everybody_is_down_it_says_so_and_calls_are_not_to_be_placed(health: Health, prompt: Prompt) -> None:
    wrong = ProviderRejected("a", "wrong_key")
    mind = FallbackMind([Mind("a", [wrong]), Mind("b", [wrong])], health)
    with pytest.raises(ProviderRejected, match="wrong_key"):
        await answer(mind, prompt)
    assert not health.can_take_calls()
    with pytest.raises(ProviderUnavailable, match="all_down"):
        await answer(mind, prompt)


async def test_breaking_off_a_reply_stops_the_mind_behind_it(health: Health, prompt: Prompt) -> None:
    inner = Mind("a", [TextDelta("One"), TextDelta(" two")], stuck=True)
    async with aclosing(FallbackMind([inner], health).reply(prompt)) as outputs:
        await anext(outputs)
    async with asyncio.timeout(5):
        await inner.cancelled.wait()


async def test_warming_and_closing_reach_those_who_can(health: Health, prompt: Prompt) -> None:
    scripted = ScriptedMind(["x"])
    mind = FallbackMind([scripted, Mind("b")], health)
    await mind.warm(prompt)
    await mind.close()
    assert mind.name == "scripted+b"


# --- mouths -----------------------------------------------------------------------------------------------------------


@dataclass
class Mouth:
    """Says a text word by word; after `words` of them it raises its error, or waits for ever if it is `stuck`."""

    name: str
    words: int = 1000
    error: ProviderError | None = None
    stuck: bool = False
    timed: bool = True
    refuse: ProviderError | None = None
    asked: list[str] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    async def open(self, agent: AgentDefinition) -> Mouth:
        self.opened += 1
        if self.refuse is not None:
            raise self.refuse
        return self

    async def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        self.asked.append(text)
        for number, word in enumerate(text.split()):
            if number == self.words:
                break
            yield SpokenAudio(WORD, (Word(word, 0.0, 0.3),) if self.timed else ())
        else:
            return
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed += 1


async def say(mouth: FallbackMouth, agent: AgentDefinition, line: str) -> list[str]:
    speaker = await mouth.open(agent)
    async with asyncio.timeout(10):
        said = [word.text for word in [w async for piece in speaker.speak(line) for w in piece.words]]
    await speaker.close()
    await speaker.close()
    return said


@pytest.mark.parametrize("error", [DOWN, None])
async def test_the_next_voice_goes_on_from_the_word_that_was_heard(
    health: Health, agent: AgentDefinition, error: ProviderError | None
) -> None:
    first, second = Mouth("a", words=2, error=error), Mouth("b")
    mouth = FallbackMouth([first, second], health)
    assert await say(mouth, agent, "This is Ann speaking.") == ["This", "is", "Ann", "speaking."]
    assert second.asked == ["Ann speaking."]
    assert first.closed == 1


async def test_a_voice_without_word_times_is_continued_by_the_time_it_spoke(health: Health, agent: AgentDefinition) -> None:
    second = Mouth("b")
    await say(FallbackMouth([Mouth("a", words=2, error=DOWN, timed=False), second], health), agent, "One two three four.")
    assert second.asked == ["three four."]


async def test_a_silent_mouth_is_hedged(health: Health, agent: AgentDefinition) -> None:
    mouth = FallbackMouth([Mouth("a", words=0), Mouth("b")], health)
    assert await say(mouth, agent, "Hello there.") == ["Hello", "there."]
    assert health.hedges[Stage.MOUTH].hedges == 1


async def test_a_mouth_that_cannot_be_opened_is_passed_over_and_all_of_them_is_an_error(
    health: Health, agent: AgentDefinition
) -> None:
    refusing = Mouth("a", refuse=ProviderRejected("a", "wrong_key"))
    assert await say(FallbackMouth([refusing, Mouth("b")], health), agent, "Hello.") == ["Hello."]
    with pytest.raises(ProviderRejected):
        await FallbackMouth([Mouth("c", refuse=ProviderRejected("c", "wrong_key"))], health).open(agent)
    with pytest.raises(ProviderUnavailable, match="all_down"):
        await FallbackMouth([Mouth("c")], health).open(agent)


async def test_the_last_voice_to_fail_is_the_error(health: Health, agent: AgentDefinition) -> None:
    mouth = FallbackMouth([Mouth("a", words=1, error=DOWN)], health)
    with pytest.raises(ProviderUnavailable):
        await say(mouth, agent, "One two three.")
    await mouth.close()


async def test_the_last_resort_speaks_the_apology_and_does_not_count_as_up(health: Health, agent: AgentDefinition) -> None:
    wrong = ProviderRejected("a", "quota")
    mouth = FallbackMouth([Mouth("a", words=0, error=wrong)], health, Mouth("spare"))
    assert await say(mouth, agent, "We will call you back.") == ["We", "will", "call", "you", "back."]
    assert not health.can_take_calls()


async def test_a_live_call_is_not_spoken_far_ahead_of_the_ear(agent: AgentDefinition) -> None:
    now = 0.0
    behind = Mouth("a")
    speaker = PacedSpeaker(await behind.open(agent), lead=0.9, clock=lambda: now)
    assert len([piece async for piece in speaker.speak("One two three four.")]) == 4  # 1.2 s
    waiting = asyncio.create_task(anext(speaker.speak("Five.")))
    await asyncio.sleep(0)
    assert behind.asked == ["One two three four."]  # 0.3 s too early
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with aclosing(speaker.speak("What?")) as pieces:  # after a cut nothing is held back
        await anext(pieces)
    assert behind.asked[-1] == "What?"
    await speaker.close()


# --- words in between -------------------------------------------------------------------------------------------------


def test_nobody_knows_the_next_voice_while_the_first_one_has_just_failed(health: Health) -> None:
    mouth = FallbackMouth([Mouth("a"), Mouth("b")], health, Mouth("last"))
    first, second = health.record(Stage.MOUTH, "a"), health.record(Stage.MOUTH, "b")
    assert mouth.voice() == "a"
    first.failed(DOWN, health.clock())
    assert mouth.voice() is None, "it is asked again, and may fail again"
    first.succeeded(0.1)
    assert mouth.voice() == "a"
    for record in (first, second):
        record.failed(ProviderRejected(record.provider, "bad_key"), health.clock())
    assert mouth.voice() == "last"


def in_voice(words: ReadyWords, agent: AgentDefinition) -> set[tuple[str, str]]:
    return {(text, piece.voice) for text, pieces in words.of(agent).items() for piece in pieces}


async def test_words_in_between_have_the_voice_of_the_reply_before_and_after_a_fallback(agent: AgentDefinition) -> None:
    """Made while the mouth was on a fallback they are that voice's; mended, the first voice has its own made."""
    now = [100.0]
    health = Health(clock=lambda: now[0], deadlines=SHORT)
    first, second = Mouth("a", words=0, error=DOWN), Mouth("b")
    mouth = FallbackMouth([first, second], health)
    words = ReadyWords(mouth.voice)
    agent = replace(agent, manners=Manners(acknowledgements=("Okay.", "I see.", "Right.", "Noted."), fillers=()))
    await words.make(agent, mouth)  # three failures, and the first voice is down
    assert mouth.voice() == "b"
    assert in_voice(words, agent) == {(text, "b") for text in agent.manners.acknowledgements}

    now[0] += 6.0  # it may be tried again: until it has answered nobody knows
    ready = words.of(agent)
    assert not ready
    assert ready.get("Okay.") is None
    first.words, first.error = 1000, None
    speaker = await mouth.open(agent)
    async with asyncio.timeout(5):
        assert [piece async for piece in speaker.speak("The reply.")]
    await speaker.close()
    assert mouth.voice() == "a"
    assert not ready, "what the other voice has said is not said by this one"
    await words.make(agent, mouth)
    assert in_voice(words, agent) == {(text, "a") for text in agent.manners.acknowledgements}


async def test_a_word_in_two_voices_is_not_kept(agent: AgentDefinition) -> None:
    health = Health(deadlines=SHORT)
    mouth = FallbackMouth([Mouth("a", words=1, error=DOWN), Mouth("b")], health)
    words = ReadyWords(mouth.voice)
    agent = replace(agent, manners=Manners(acknowledgements=("Okay, got it.",), fillers=()))
    await words.make(agent, mouth)
    health.record(Stage.MOUTH, "a").succeeded(0.1)
    assert not words.of(agent)


async def test_no_words_are_made_while_the_voice_is_not_sure(agent: AgentDefinition) -> None:
    health = Health(deadlines=SHORT)
    second = Mouth("b")
    mouth = FallbackMouth([Mouth("a"), second], health)
    health.record(Stage.MOUTH, "a").failed(DOWN, health.clock())
    await ReadyWords(mouth.voice).make(agent, mouth)
    assert not second.opened


# --- ears -------------------------------------------------------------------------------------------------------------


@dataclass
class Ears(ScriptedEars):
    """Scripted ears with a name."""

    def __init__(self, name: str, finals: Sequence[str] = (), refuse: ProviderError | None = None) -> None:
        super().__init__(finals, refuse=refuse)
        self.name = name


class DeafTranscriber(ScriptedTranscriber):
    """Never gives a final."""

    def finish_utterance(self) -> None:
        pass


class Deaf(Ears):
    async def open(self, agent: AgentDefinition, briefing: Briefing) -> ScriptedTranscriber:
        self.opened.append(DeafTranscriber([]))
        return self.opened[-1]


async def final(heard: AsyncIterator[Transcribed]) -> Transcribed:
    async with asyncio.timeout(10):
        async for event in heard:
            if event.is_final:
                return event
    raise AssertionError("closed")


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not fact():  # noqa: ASYNC110 (the scripted parts have no event for it)
            await asyncio.sleep(0)


async def test_the_next_ears_hear_again_what_is_not_final(
    health: Health, agent: AgentDefinition, briefing: Briefing
) -> None:
    first, second = Ears("a", ["well"]), Ears("b", ["yes please"])
    ears = await FallbackEars([first, second], health).open(agent, briefing)
    events = ears.events()
    ears.expect(["yes", "no"])
    ears.hear(b"1" * 8000)
    ears.finish_utterance()
    assert (await final(events)).text == "well"
    ears.hear(b"2" * 4000)
    first.opened[0].fail(DOWN)
    await until(lambda: bool(second.opened))
    ears.hear(b"3" * 4000)
    assert bytes(second.opened[0].heard) == b"2" * 4000 + b"3" * 4000
    assert second.opened[0].expected == [("yes", "no")]
    second.opened[0].say(Transcribed("yes", True, words=(Word("yes", 0.25, 0.5),)))
    assert (await final(events)).words == (Word("yes", 1.25, 1.5),)
    await ears.close()
    await ears.close()


async def test_ears_that_do_not_give_the_final_in_time_are_replaced(
    health: Health, agent: AgentDefinition, briefing: Briefing
) -> None:
    deaf, second = Deaf("a"), Ears("b", ["call me back"])
    ears = await FallbackEars([deaf, second], health).open(agent, briefing)
    ears.hear(b"1" * 8000)
    ears.finish_utterance()
    assert (await final(ears.events())).text == "call me back"
    assert bytes(second.opened[0].heard) == b"1" * 8000
    assert deaf.opened[0].is_closed
    await ears.close()


async def test_the_only_ears_are_opened_again_and_hear_it_again(
    health: Health, agent: AgentDefinition, briefing: Briefing
) -> None:
    only = Ears("a", ["hello"])
    ears = await FallbackEars([only], health).open(agent, briefing)
    ears.hear(b"1" * 800)
    only.opened[0].fail(DOWN)
    await until(lambda: len(only.opened) == 2)
    ears.finish_utterance()
    assert (await final(ears.events())).text == "hello"
    assert bytes(only.opened[1].heard) == b"1" * 800
    await ears.close()


async def test_when_no_ears_are_left_the_events_end_with_the_error(
    health: Health, agent: AgentDefinition, briefing: Briefing
) -> None:
    only = Ears("a")
    ears = await FallbackEars([only], health).open(agent, briefing)
    only._refuse = ProviderRejected("a", "quota")
    only.opened[0].fail(DOWN)
    with pytest.raises(ProviderRejected, match="quota"):
        await final(ears.events())
    await ears.close()


async def test_ears_that_stop_without_a_word_are_replaced(
    health: Health, agent: AgentDefinition, briefing: Briefing
) -> None:
    first, second = Ears("a"), Ears("b", ["still here"])
    provider = FallbackEars([first, second], health)
    ears = await provider.open(agent, briefing)
    await first.opened[0].close()
    await until(lambda: bool(second.opened))
    ears.finish_utterance()
    assert (await final(ears.events())).text == "still here"
    await ears.close()
    await provider.close()


async def test_ears_that_cannot_be_opened_are_passed_over(
    health: Health, agent: AgentDefinition, briefing: Briefing
) -> None:
    provider = FallbackEars([Ears("a", refuse=DOWN), Ears("b", ["hi"])], health)
    ears = await provider.open(agent, briefing)
    ears.finish_utterance()
    assert (await final(ears.events())).text == "hi"
    await ears.close()
    with pytest.raises(ProviderUnavailable):
        await FallbackEars([Ears("c", refuse=DOWN)], health).open(agent, briefing)
