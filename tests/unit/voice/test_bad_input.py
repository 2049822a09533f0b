"""Parts that do what they should not: counted, and survived."""

from __future__ import annotations

import pytest

from benchmarks.simulate import Call, Delays, Utterance, World
from voice.actions import AgentSaid, CallerSaid
from voice.agent import AgentDefinition
from voice.conversation import Conversation
from voice.events import (
    CallId,
    Direction,
    MarkReturned,
    MediaStarted,
    Samples,
    Transcribed,
    VoiceEvidence,
    Word,
)
from voice.report import Ending

AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Hello, this is Ava. Do you own your home?", "Goodbye.")
LONG = "one two three four five six seven eight nine ten."


def call(*utterances: Utterance, says: str = LONG) -> World:
    replies = [(says,), ("Goodbye then.", Call("end_call"))]
    return World(
        Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening),
        utterances=utterances,
        mind=lambda messages: replies.pop(0) if replies else ("Well.",),
    )


def oddities(world: World) -> dict[str, int]:
    return {what: count for what, count in world.conversation.report().oddities.items() if count}


def turns(world: World) -> list[str]:
    return [message.text for message in world.conversation.messages if isinstance(message, CallerSaid)]


# --- the ears ---------------------------------------------------------------------------------------------------------


def test_a_final_that_is_revised_counts_once():
    world = call(Utterance(4.0, 0.5))
    world.at(4.55, Transcribed("yes I", is_final=True))
    world.at(4.60, Transcribed("Yes, I do.", is_final=True))
    world.run(until=7.0)
    assert turns(world) == ["Yes, I do."]
    assert oddities(world)["revised final"] == 1


@pytest.mark.parametrize(
    ("instant", "text", "known"),
    [(5.2, "yes I do", "yes I do"), (5.2, "Yes.", "yes"), (6.5, "yes I do", "yes")],
    ids=["more, before we are heard", "the same", "more, while we are heard"],
)
def test_a_final_that_is_revised_after_its_turn(instant: float, text: str, known: str):
    world = call(Utterance(4.0, 0.5, "yes"))
    world.delays = Delays(mind=1.0)
    world.at(instant, Transcribed(text, is_final=True))
    world.run(until=10.0)
    assert turns(world) == [known]
    assert oddities(world)["revised final"] == 1
    assert sum(isinstance(message, AgentSaid) for message in world.conversation.messages) == 2


def test_finals_that_follow_each_other_belong_together():
    world = call(Utterance(4.0, 0.5))
    world.at(4.75, Transcribed("I own it", is_final=True))
    world.at(4.80, Transcribed("with my wife", is_final=True))
    world.run(until=7.0)
    assert turns(world)[:1] == ["I own it with my wife"]
    assert "revised final" not in oddities(world)


def test_the_same_words_said_twice_are_two():
    world = call(Utterance(4.0, 0.4), Utterance(4.75, 0.4))
    world.at(4.65, Transcribed("no", is_final=True))
    world.at(5.35, Transcribed("no", is_final=True))
    world.run(until=8.0)
    assert turns(world)[:1] == ["no no"]


def test_words_for_silence_are_answered_and_counted():
    world = call()
    world.at(5.0, Transcribed("thank you", is_final=True))
    world.run(until=8.0)
    assert turns(world) == ["thank you"]
    assert oddities(world) == {"words without voice": 1}


def test_times_that_run_backwards_change_nothing():
    world = call(Utterance(4.0, 0.5))
    world.at(4.75, Transcribed("yes", is_final=True, words=(Word("do", 2.0, 2.1), Word("yes", 1.0, 1.1))))
    world.at(5.0, VoiceEvidence(Samples(256), 0.9, -20.0))
    world.run(until=8.0)
    assert turns(world)[:1] == ["yes"]
    assert oddities(world)["word times backwards"] == 1


def test_a_clock_that_runs_backwards_undoes_no_decision():
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening)
    conversation.handle(MediaStarted(), 100.0)
    conversation.handle(VoiceEvidence(Samples(256), 0.1, -80.0), 50.0)
    assert conversation.deadline is not None
    assert conversation.deadline > 100.0
    assert conversation.report().duration == 0.0


# --- the voice --------------------------------------------------------------------------------------------------------


def test_a_voice_without_audio_ends_the_call_and_is_not_remembered_as_heard():
    world = call(Utterance(4.0, 0.5, "yes"))
    world.voice_fault = lambda order: "mute" if order.text == LONG else ""
    report = world.run().conversation.report()
    assert (report.ending, report.detail) == (Ending.TROUBLE, "mute")
    assert [message.text for message in report.messages if isinstance(message, AgentSaid)] == [AGENT.opening]
    assert oddities(world)["mute voice"] == 1


def test_ten_minutes_of_audio_for_ten_words_are_not_played():
    world = call(Utterance(4.0, 0.5, "yes"), Utterance(22.0, 0.5, "yes"))
    world.voice_fault = lambda order: "endless" if order.text == LONG else ""
    report = world.run(until=40.0).conversation.report()
    assert oddities(world)["endless voice"] == 59
    assert AgentSaid(LONG) in report.messages
    assert report.ending is Ending.COMPLETED


@pytest.mark.parametrize("fault", ["untimed", "backwards"])
def test_word_times_that_are_missing_or_wrong_cost_words_but_invent_none(fault: str):
    world = call(Utterance(4.0, 0.5, "yes"), Utterance(6.5, 1.0, "wait wait please"))
    world.voice_fault = lambda order: fault
    world.run(until=9.0)
    cut = [message.text for message in world.conversation.messages if isinstance(message, AgentSaid) and message.is_cut]
    heard = [sound.word for sound in world.played if sound.word in LONG.split()]
    assert all(LONG.startswith(text) for text in cut)
    assert all(len(text.split()) <= len(heard) + 1 for text in cut)


# --- the carrier ------------------------------------------------------------------------------------------------------


def test_marks_of_another_call_or_returned_twice_are_counted():
    world = call(Utterance(4.0, 0.5, "yes"))
    for instant, name in ((1.0, "1/2400"), (1.1, "another call"), (1.2, "9/12345/3"), (1.3, "0/1")):
        world.at(instant, MarkReturned(name))
    world.run(until=8.0)
    assert AgentSaid(AGENT.opening) in world.conversation.messages
    assert oddities(world) == {"stray marks": 3}


def test_marks_that_never_return_cost_three_seconds_a_reply_and_nothing_is_believed_heard():
    world = call()
    world.mangle = lambda instant, event: () if isinstance(event, MarkReturned) else ((instant, event),)
    report = world.run().conversation.report()
    assert report.ending is Ending.SILENCE
    assert not [message for message in report.messages if isinstance(message, AgentSaid)]


def test_a_mark_lost_on_its_way_is_made_up_for_by_the_clock():
    world = call(Utterance(4.0, 0.5, "yes"))
    lost = "2/36000"
    world.mangle = lambda instant, event: () if event == MarkReturned(lost) else ((instant, event),)
    world.run(until=12.0)
    assert AgentSaid(LONG) in world.conversation.messages
