"""Calls as timelines: what the caller does and says, and what the conversation makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from benchmarks.simulate import Call, Delays, Mind, Utterance, World
from voice.actions import (
    AgentSaid,
    CallerSaid,
    ClearPlayout,
    Expect,
    FinishUtterance,
    Hangup,
    Happened,
    Message,
    Note,
    Play,
    RunTool,
    SetGain,
    Speak,
    StartReply,
    StopReply,
    ToolUsed,
    Transfer,
)
from voice.agent import AgentDefinition, Answer, AnswerKind, Manners, Question, Voicemail, VoicemailAction
from voice.bargein import BargePolicy
from voice.conversation import Conversation
from voice.course import Phase
from voice.endpointing import EndpointPolicy
from voice.events import (
    CallId,
    DeadlinePassed,
    Direction,
    EarsFailed,
    HangupRequested,
    KeyPressed,
    LegEnded,
    MarkReturned,
    MediaStarted,
    Party,
    PartyDetected,
    ReplyId,
    ReplyText,
    ReplyWritten,
    Samples,
    SegmentSpoken,
    SpeechArrived,
    SpeechFailed,
    SupervisorSays,
    ToneHeard,
    ToolCalled,
    ToolFinished,
    Transcribed,
    TransferRequested,
    Whispered,
    Word,
)
from voice.floor import Agent, FloorPolicy
from voice.policy import Policy
from voice.report import Ending

AGENT = AgentDefinition(
    name="test",
    seller="Acme",
    persona="Ava",
    goal="ask",
    opening="Hello, this is Ava. Do you own your home?",
    goodbye="Goodbye.",
    transfer_to="+16145550199",
    voicemail=Voicemail(VoicemailAction.LEAVE_MESSAGE, "Please call us back."),
    manners=Manners(acknowledgements=(), fillers=()),
    questions=(
        Question(
            "owner", "Do you own your home?", AnswerKind.YES_NO, (Answer("yes", ("yes", "i do")), Answer("no", ("no",)))
        ),
    ),
)
OPENING_ENDS = 0.05 + 9 * 0.3  # nine words behind the mouth's delay


def call(agent: AgentDefinition = AGENT, direction: Direction = Direction.OUTBOUND, **world: object) -> World:
    conversation = Conversation(CallId("CA1"), agent, direction, agent.opening)
    return World(conversation, **world)  # type: ignore[arg-type]


def says(*texts: str) -> Mind:
    """A mind that answers the caller's turns with these, one after the other; then it says goodbye."""

    def reply(messages: Sequence[Message]) -> Sequence[str | Call]:
        turn = sum(isinstance(message, CallerSaid) for message in messages)
        return (texts[max(turn, 1) - 1],) if turn <= len(texts) else ("Goodbye.", Call("end_call", '{"outcome":"done"}'))

    return reply


def test_opening_is_spoken_as_soon_as_the_media_starts():
    world = call().run(until=1.0)
    assert [action.text for _, action in world.orders(Speak)] == ["Hello, this is Ava.", "Do you own your home?"]
    assert world.orders(Speak)[0][0] == 0.0


def test_our_words_are_shown_when_they_sound():
    world = call().run(until=4.0)
    shown = [(instant, note.text) for instant, note in world.orders(Note) if isinstance(note, Note) and note.kind == "agent"]
    assert [text for _, text in shown] == ["Hello, this is Ava.", "Do you own your home?"]
    assert [instant for instant, _ in shown] == pytest.approx([0.05, 0.05 + 4 * 0.3], abs=0.05)


def test_an_answer_is_answered_with_the_words_in_memory():
    world = call(utterances=[Utterance(4.0, 0.6, "yes I do")], mind=says("Great, thanks. Goodbye then."))
    world.run(until=6.5)
    assert world.conversation.messages[:2] == [AgentSaid(AGENT.opening), CallerSaid("yes I do")]
    ((asked, order),) = world.orders(StartReply)
    assert isinstance(order, StartReply)
    assert order.messages == (AgentSaid(AGENT.opening), CallerSaid("yes I do"))
    assert 4.6 < asked < 5.3


def test_what_was_asked_is_expected():
    world = call().run(until=1.0)
    assert world.orders(Expect) == [(0.0, Expect(("yes", "i do", "no")))]


def test_an_opening_that_asks_nothing_is_continued_by_the_mind():
    agent = AgentDefinition("a", "Acme", "Ava", "ask", "Hello, this is Ava.", "Bye.")
    world = call(agent, mind=says("Do you own your home?")).run(until=4.0)
    assert [action.text for _, action in world.orders(Speak)] == ["Hello, this is Ava.", "Do you own your home?"]


def test_barge_in_stops_clears_and_keeps_only_what_was_heard():
    long = "one two three four five six seven eight nine ten eleven twelve."
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.5, 1.0, "wait what is that")], mind=says(long, "Well."))
    world.run(until=12.0)
    cut = next(message for message in world.conversation.messages if isinstance(message, AgentSaid) and message.is_cut)
    assert long.startswith(cut.text)
    assert cut.text
    cleared = world.orders(ClearPlayout)[-1][0]  # the first one was for a lower voice
    assert 6.6 < cleared < 6.95
    heard = [sound.word for sound in world.played if sound.word in long.split() and sound.end <= cleared]
    assert cut.text.split() == heard or cut.text.split() == heard[:-1]
    assert CallerSaid("wait what is that") in world.conversation.messages


def test_marks_of_cleared_audio_are_not_heard():
    long = "one two three four five six seven eight nine ten."
    world = call(
        utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.0, 1.0, "stop right there now")], mind=says(long, "Well.")
    )
    world.run(until=12.0)
    (cut, *_) = [message for message in world.conversation.messages if isinstance(message, AgentSaid) and message.is_cut]
    assert "ten" not in cut.text


LONG = "one two three, four five six seven eight nine ten."


@pytest.mark.parametrize("order", [0.0, 0.07])
def test_a_short_noise_is_given_way_to_at_once_and_nobody_notices(order):
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.0, 0.09)], mind=says(LONG), delays=Delays(order=order))
    world.run(until=10.0)
    assert [action.gain for _, action in world.orders(SetGain)] == [0.3, 1.0]
    assert [instant for instant, _ in world.orders(ClearPlayout)] == [instant for instant, _ in world.orders(SetGain)]
    full, soft, again = world.stretches[-3:]
    assert 6.08 + order <= soft.start < 6.1 + order  # the frame that has begun is played to its end
    assert (soft.first, again.first) == (pytest.approx(full.last, abs=16), pytest.approx(soft.last, abs=16))
    assert AgentSaid(LONG) in world.conversation.messages
    assert world.conversation.playout.strays == 0


def murmured(text: str, length: float, reply: str = LONG, level: float = -25.0) -> World:
    """Somebody says something over us as softly as people murmur."""
    return call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.2, length, text, level)], mind=says(reply, "Well."))


def silences(world: World) -> list[float]:
    """Seconds between the parts of what we say, where it was cut."""
    parts = [stretch for stretch in world.stretches if stretch.last > stretch.first and stretch.reply == 2]
    gaps = [after.start - part.start - (part.last - part.first) / 8000 for part, after in pairwise(parts)]
    return [gap for gap in gaps if gap > 0.03]


@pytest.mark.parametrize(("length", "is_doubted"), [(0.25, False), (0.35, True), (0.45, True)])
@pytest.mark.parametrize("text", ["mhm", "okay", ""])
def test_a_murmur_makes_us_pause_at_most(text, length, is_doubted):
    world = murmured(text, length).run(until=12.0)
    assert [0.0 < silence <= 0.3 for silence in silences(world)] == [True] * is_doubted
    assert AgentSaid(LONG) in world.conversation.messages
    assert not any(isinstance(m, AgentSaid) and m.is_cut for m in world.conversation.messages)
    assert len(world.orders(StartReply)) == 1


def test_a_pause_lasts_a_little_longer_while_the_voice_goes_on():
    undecided = Policy(floor=FloorPolicy(barge=BargePolicy(latest=2.0, loud_early=99.0, loud_late=99.0)))
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.2, 0.9)], mind=says(LONG, "Well."))
    world.conversation = Conversation(CallId("call"), AGENT, Direction.OUTBOUND, AGENT.opening, undecided)
    world.run(until=12.0)
    assert silences(world) == [pytest.approx(undecided.pause_for + undecided.pause_on, abs=0.03)]
    assert AgentSaid(LONG) in world.conversation.messages


def test_a_murmur_that_may_be_an_answer_is_waited_for():
    world = murmured("yeah", 0.45, reply="Do you own it? Or is it perhaps somebody else who owns all that?").run(until=12.0)
    assert CallerSaid("yeah") in world.conversation.messages


def test_a_soft_word_that_was_meant_is_answered_though_we_had_gone_on():
    world = murmured("wait", 0.45)
    world.delays = Delays(interim=30.0, final=0.3)
    world.run(until=12.0)
    assert any(isinstance(note, Note) and note.text.startswith("going on where") for _, note in world.orders(Note))
    assert CallerSaid("wait") in world.conversation.messages
    assert [sound.word for sound in world.played][-1] == "Well."


def test_a_soft_voice_that_goes_on_has_the_floor():
    world = murmured("wait a moment what is that", 1.5).run(until=12.0)
    assert CallerSaid("wait a moment what is that") in world.conversation.messages
    assert not any(isinstance(note, Note) and note.text.startswith("going on where") for _, note in world.orders(Note))


def stopped_by(text: str, length: float = 0.7, reply: str = LONG) -> World:
    return call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.2, length, text)], mind=says(reply, "Well."))


@pytest.mark.parametrize("text", ["mhm", "", "okay"])
def test_a_wrong_stop_is_taken_back_from_the_beginning_of_the_clause(text):
    world = stopped_by(text).run(until=12.0)
    assert any(isinstance(note, Note) and note.text.startswith("going on where") for _, note in world.orders(Note))
    assert AgentSaid(LONG) in world.conversation.messages
    assert not any(isinstance(m, AgentSaid) and m.is_cut for m in world.conversation.messages)
    assert [line.text for line in world.conversation.transcript if line.speaker == "agent"] == [AGENT.opening, LONG]
    words = [sound.word for sound in world.played if sound.word in LONG.split()]
    again = words.index("four", words.index("four") + 1)
    assert words[:3] == ["one", "two", "three,"]
    assert words[again:] == ["four", "five", "six", "seven", "eight", "nine", "ten."]
    assert len(world.orders(StartReply)) == 1


def test_words_that_want_the_floor_get_it():
    world = stopped_by("wait what").run(until=12.0)
    assert CallerSaid("wait what") in world.conversation.messages
    assert [sound.word for sound in world.played][-1] == "Well."
    assert any(isinstance(m, AgentSaid) and m.is_cut for m in world.conversation.messages)


def test_a_yes_to_a_question_that_was_heard_is_its_answer():
    world = stopped_by("yeah", reply="Do you own it? Or is it perhaps somebody else who owns all that?").run(until=12.0)
    assert CallerSaid("yeah") in world.conversation.messages


def test_a_long_sound_without_words_is_somebody_we_did_not_understand():
    world = stopped_by("", 2.0).run(until=12.0)
    assert CallerSaid("") in world.conversation.messages


def test_what_the_mind_writes_while_it_is_unclear_who_has_the_floor_is_said_afterwards():
    save = Call("save_answer", '{"question":"owner","value":"yes"}')
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(5.6, 0.7, "mhm")], mind=lambda m: ())
    world.delays = Delays(mind=500.0)
    for instant, event in (
        (5.0, ReplyText(ReplyId(2), "one two three four five six seven. ")),
        (6.4, ReplyText(ReplyId(2), "And eight. ")),
        (6.45, SegmentSpoken(ReplyId(2), 0)),
        (6.5, ToolCalled(ReplyId(2), "c", save.name, save.arguments)),
        (6.6, ReplyWritten(ReplyId(2))),
    ):
        world.at(instant, event)
    world.run(until=14.0)
    ((ran, _),) = world.orders(RunTool)
    (taken_up,) = [t for t, note in world.orders(Note) if isinstance(note, Note) and note.text.startswith("going on where")]
    assert ran == taken_up > 6.6
    assert AgentSaid("one two three four five six seven. And eight.") in world.conversation.messages


def test_a_supervisors_words_come_before_what_was_stopped():
    world = stopped_by("mhm")
    world.at(6.6, SupervisorSays("Please hold on."))
    world.run(until=12.0)
    assert [sound.word for sound in world.played][-3:] == ["Please", "hold", "on."]


def test_a_tool_that_ran_before_the_stop_still_tells_the_mind():
    save = Call("save_answer", '{"question":"owner","value":"yes"}')
    world = call(
        utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.2, 0.7, "mhm")],
        mind=lambda m: (LONG, save),
        delays=Delays(tool=2.0),
    ).run(until=12.0)
    used = [message for message in world.conversation.messages if isinstance(message, ToolUsed)]
    assert used[0].result == "save_answer done"
    assert AgentSaid(LONG) in world.conversation.messages


def test_a_mhm_over_the_opening_is_a_line_and_no_turn():
    world = call(utterances=[Utterance(0.5, 0.5, "mhm")])
    world.at(1.2, Transcribed("mhm", is_final=True))
    world.run(until=3.0)
    assert [line.text for line in world.conversation.transcript] == ["mhm", AGENT.opening]
    assert CallerSaid("mhm") not in world.conversation.messages


def test_a_no_over_the_opening_counts_in_two_halves_too():
    world = call(utterances=[Utterance(0.5, 0.9, "")])
    world.at(0.9, Transcribed("Please don't", is_final=True))
    world.at(1.3, Transcribed("call me again.", is_final=True))
    assert world.run(until=6.0).conversation.report().ending is Ending.OPTED_OUT


def test_halves_that_lie_apart_are_no_sentence():
    world = call(utterances=[Utterance(0.5, 0.9, "")])
    world.at(0.9, Transcribed("Please don't", is_final=True))
    world.at(2.9, Transcribed("call me again.", is_final=True))
    assert world.run(until=6.0).conversation.report().ending is not Ending.OPTED_OUT


def test_a_reply_that_was_stopped_before_its_first_word_is_taken_up_whole():
    began = next(sound.start for sound in stopped_by("mhm").run(until=7.0).played if sound.word == "one")
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(began - 0.03, 0.5, "mhm")], mind=says(LONG))
    world.run(until=12.0)
    assert any(isinstance(note, Note) and note.text.startswith("going on where") for _, note in world.orders(Note))
    assert [sound.word for sound in world.played if sound.word in LONG.split()] == LONG.split()
    assert world.conversation.messages[-1] == AgentSaid(LONG)


def test_a_reply_that_is_over_but_for_its_last_mark_is_not_held():
    ended = max(sound.end for sound in stopped_by("mhm", length=0.05).run(until=9.5).played if sound.word == "ten.")
    world = call(
        utterances=[Utterance(4.0, 0.5, "yes"), Utterance(ended - 0.1, 0.7, "mhm")], mind=says(LONG), delays=Delays(mark=0.4)
    ).run(until=ended + 1.0)
    assert AgentSaid(LONG) in world.conversation.messages
    assert not any(isinstance(note, Note) and note.text.startswith("going on where") for _, note in world.orders(Note))


def test_a_transfer_that_was_announced_is_given_up_with_its_reply():
    replies = [("I will connect you now to a colleague of mine.", Call("transfer")), ("Yes?",)]
    world = call(
        utterances=[Utterance(4.0, 0.8, "a person please"), Utterance(6.4, 1.2, "no wait a moment")],
        mind=lambda m: replies.pop(0) if replies else ("Okay.",),
    ).run(until=10.0)
    assert not world.orders(Transfer)
    assert "Yes?" in [sound.word for sound in world.played]


def late_ears(final: float) -> World:
    words = Delays(interim=30.0, final=final)
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.2, 0.7, "wait what is that")], mind=says(LONG, "Well."))
    world.at(4.75, Transcribed("yes", is_final=True))
    world.run(until=6.0)
    world.delays = words
    return world.run(until=16.0)


def test_ears_that_are_slow_have_not_said_that_nothing_was_said():
    world = late_ears(1.4)
    assert not any(isinstance(note, Note) and note.text.startswith("going on where") for _, note in world.orders(Note))
    assert "Well." in [sound.word for sound in world.played]


def test_words_that_come_after_we_went_on_are_answered_all_the_same():
    world = late_ears(3.4)
    assert any(isinstance(note, Note) and note.text.startswith("going on where") for _, note in world.orders(Note))
    assert CallerSaid("wait what is that") in world.conversation.messages
    assert "Well." in [sound.word for sound in world.played]


def test_what_nobody_decides_about_is_not_held_for_ever():
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.2, 9.0, "mhm")], mind=says(LONG, "Well."))
    world.run(until=11.5)
    assert any(isinstance(order, StopReply) and order.reply == 2 for _, order in world.orders(StopReply))


def test_the_opening_is_protected():
    world = call(utterances=[Utterance(0.5, 1.5, "hello who is there")]).run(until=3.5)
    assert not world.orders(ClearPlayout)
    assert AgentSaid(AGENT.opening) in world.conversation.messages


def test_a_caller_who_goes_on_before_the_reply_is_audible_makes_one_turn():
    world = call(
        utterances=[Utterance(4.0, 0.5, "yes"), Utterance(5.3, 0.5, "but I rent")],
        mind=says("Oh.", "I see."),
        delays=Delays(mind=0.8),
    ).run(until=9.0)
    assert CallerSaid("yes but I rent") in world.conversation.messages
    assert CallerSaid("yes") not in world.conversation.messages
    assert [sound.word for sound in world.played].count("Oh.") == 1
    assert [line.text for line in world.conversation.transcript if line.speaker == "caller"] == ["yes but I rent"]


def test_goodbye_is_heard_to_its_end_before_the_hang_up():
    world = call(utterances=[Utterance(4.0, 0.5, "no")], mind=lambda m: ("Goodbye my friend.", Call("end_call"))).run()
    ((hung_up, _),) = world.orders(Hangup)
    spoken = next(t for t, a in world.done if isinstance(a, Speak) and a.text == "Goodbye my friend.")
    assert hung_up >= spoken + 0.05 + 3 * 0.3
    assert world.conversation.report().ending is Ending.COMPLETED
    assert world.conversation.messages[-1] == AgentSaid("Goodbye my friend.")


def test_an_interrupted_goodbye_does_not_hang_up():
    world = call(
        utterances=[Utterance(4.0, 0.5, "no"), Utterance(5.8, 0.8, "wait one more thing")],
        mind=says_then_end(),
    ).run(until=8.0)
    assert world.orders(Hangup) == []


def says_then_end() -> object:
    replies = [("Goodbye my dear old friend and thank you.", Call("end_call")), ("Yes, what is it?",)]
    return lambda messages: replies.pop(0) if replies else ("Okay.",)


def test_silence_is_prompted_once_then_the_call_ends_politely():
    world = call().run()
    texts = [action.text for _, action in world.orders(Speak)]
    assert texts[2:] == [AGENT.manners.still_there, AGENT.manners.silence_goodbye]
    assert world.conversation.report().ending is Ending.SILENCE
    assert world.conversation.messages.count(Happened("silence")) == 2


def test_the_longest_call_ends():
    assert Manners().longest_call == 600.0
    agent = replace(AGENT, manners=replace(AGENT.manners, longest_call=60.0))
    utterances = [Utterance(2.0 + 3 * n, 0.8, f"and thing number {n} here") for n in range(30)]
    world = call(agent, utterances=utterances, mind=lambda m: ("Okay.",)).run(until=100.0)
    assert world.conversation.report().ending is Ending.TIME_UP
    assert world.conversation.report().duration == pytest.approx(60, abs=15)
    assert sum(isinstance(message, CallerSaid) for message in world.conversation.messages) > 15


@pytest.mark.parametrize("words", ["stop calling me", "take me off your list please", "no me llame"])
def test_an_opt_out_is_written_said_and_ends_the_call_whatever_the_mind_says(words):
    world = call(utterances=[Utterance(4.0, 0.9, words)], mind=says("But we have an offer!")).run()
    ((_, tool),) = world.orders(RunTool)
    assert isinstance(tool, RunTool)
    assert (tool.name, tool.key) == ("opt_out", "CA1:opt_out")
    assert world.conversation.messages[-1] == AgentSaid(AGENT.manners.opted_out)
    assert world.conversation.report().ending is Ending.OPTED_OUT
    assert all(order.speculative for _, order in world.orders(StartReply))


def test_the_hang_up_waits_for_the_opt_out_to_be_written():
    world = call(utterances=[Utterance(4.0, 0.9, "stop calling me")], delays=Delays(tool=5.0)).run()
    ((hung_up, _),) = world.orders(Hangup)
    written = next(t for t, e, _ in world.log if isinstance(e, ToolFinished))
    assert hung_up >= written


def test_a_hang_up_does_not_wait_for_ever_for_a_tool():
    world = call(utterances=[Utterance(4.0, 0.9, "stop calling me")], delays=Delays(tool=500.0)).run()
    assert world.orders(Hangup)


def test_the_opt_out_key():
    world = call()
    world.at(1.0, KeyPressed("9"))
    world.run()
    assert world.conversation.report().ending is Ending.OPTED_OUT
    assert world.orders(ClearPlayout)  # the opening need not be heard to its end by somebody who refuses it


def test_another_key_is_told_to_the_mind():
    world = call()
    world.at(4.0, KeyPressed("1"))
    world.run(until=6.0)
    ((_, order),) = world.orders(StartReply)
    assert isinstance(order, StartReply)
    assert order.messages[-1] == Happened("key:1")


def test_a_key_does_not_cut_the_laws_text_short_and_a_late_answer_to_one_is_bridged():
    patient = replace(AGENT, manners=Manners(acknowledgements=(), fillers=("Let me see.",)))
    world = call(patient, delays=Delays(mind=2.0))
    world.at(1.0, KeyPressed("1"))
    world.at(4.0, KeyPressed("1"))
    world.run(until=9.0)
    assert world.conversation.messages[:2] == [Happened("key:1"), AgentSaid(AGENT.opening)]
    assert AgentSaid("Let me see. Okay.") in world.conversation.messages


def test_an_opt_out_in_the_last_words_is_still_written():
    world = call(utterances=[Utterance(4.0, 2.0, "stop calling me now please")], hangs_up_at=5.9).run()
    assert [action.name for _, action in world.orders(RunTool)] == ["opt_out"]
    assert world.conversation.report().ending is Ending.OPTED_OUT


def test_transfer_is_announced_heard_and_then_done():
    world = call(utterances=[Utterance(4.0, 0.8, "a person please")], mind=lambda m: (Call("transfer"),)).run()
    ((moved, order),) = world.orders(Transfer)
    assert isinstance(order, Transfer)
    assert order.to == "+16145550199"
    assert world.conversation.messages[-1] == AgentSaid(AGENT.manners.transferring)
    report = world.conversation.report()
    assert (report.ending, report.transferred_to) == (Ending.TRANSFERRED, "+16145550199")
    assert moved > 5.0


def test_a_transfer_that_fails_is_told_to_the_mind():
    world = call(utterances=[Utterance(4.0, 0.8, "a person please")], mind=lambda m: (Call("transfer"),))
    conversation = world.conversation
    while conversation.phase is not Phase.LEAVING:
        world.run(until=world.now + 0.05)
    (used,) = [message for message in conversation.messages if isinstance(message, ToolUsed)]
    actions = conversation.handle(ToolFinished(used.call, False, "busy"), world.now)
    assert any(isinstance(action, StartReply) for action in actions)
    assert conversation.report().transferred_to == ""


def test_nobody_to_transfer_to_is_said_by_the_mind():
    agent = AgentDefinition("a", "Acme", "Ava", "ask", "Hello?", "Bye.")
    replies = [(Call("transfer"),), ("Sorry, nobody is here.",)]
    world = call(agent, utterances=[Utterance(3.0, 0.8, "a person please")], mind=lambda m: replies.pop(0)).run(until=6.0)
    assert "Sorry, nobody is here." in [action.text for _, action in world.orders(Speak)]


def test_bad_arguments_go_back_to_the_mind():
    replies = [(Call("save_answer", '{"quest": 1}'),), (Call("nonsense"),), ("Well then.",)]
    world = call(utterances=[Utterance(4.0, 0.5, "yes")], mind=lambda m: replies.pop(0)).run(until=7.0)
    used = [message for message in world.conversation.messages if isinstance(message, ToolUsed)]
    assert [tool.ok for tool in used] == [False, False]
    assert not world.orders(RunTool)


def test_the_same_effect_is_run_once():
    save = Call("save_answer", '{"question":"owner","value":"yes"}')
    replies = [("Good.", save, save), ("And again.", save)]
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(7.0, 0.5, "yes")], mind=lambda m: replies.pop(0)).run(
        until=9.0
    )
    assert len(world.orders(RunTool)) == 1


def test_tools_without_words_for_ever_end_in_an_apology():
    calls = iter(range(1000))
    world = call(
        utterances=[Utterance(4.0, 0.5, "yes")],
        mind=lambda m: (Call("remember", f'{{"fact":"{next(calls)}"}}'),),
    ).run()
    assert world.conversation.report().ending is Ending.TROUBLE


def test_a_failed_tool_is_told_to_the_mind():
    replies = [("You are booked.", Call("book_appointment", '{"when":"friday"}')), ("Sorry, that failed.",)]
    world = call(
        utterances=[Utterance(4.0, 0.5, "friday")], mind=lambda m: replies.pop(0), tool_succeeds=lambda order: False
    ).run(until=9.0)
    assert "Sorry, that failed." in [action.text for _, action in world.orders(Speak)]


@pytest.mark.parametrize("mind", [lambda m: ("!",), lambda m: ()])
def test_a_mind_that_fails_or_says_nothing_is_covered(mind):
    world = call(utterances=[Utterance(4.0, 0.5, "yes")], mind=mind).run()
    said = [action.text for _, action in world.orders(Speak)]
    assert AGENT.manners.trouble.split(".")[0] + "." in said or AGENT.manners.not_understood in said


def test_a_mind_that_never_answers_is_waited_for_and_then_covered():
    world = call(utterances=[Utterance(4.0, 0.5, "yes")], delays=Delays(mind=500.0)).run()
    assert world.conversation.report().ending is Ending.TROUBLE
    assert world.conversation.report().detail == "model_too_slow"


def test_ears_that_fail_end_the_call_with_an_apology():
    world = call()
    world.at(4.0, EarsFailed("dropped"))
    assert world.run().conversation.report().ending is Ending.TROUBLE


def test_a_voice_that_fails_ends_the_call():
    world = call()
    world.at(0.2, SpeechFailed(ReplyId(1), 1, "dropped"))
    report = world.run().conversation.report()
    assert (report.ending, report.detail) == (Ending.TROUBLE, "dropped")


def test_a_turn_whose_final_never_comes_uses_the_interim_and_drops_the_late_final():
    world = call(utterances=[Utterance(4.0, 0.9, "yes I do own it")], mind=says("Good."), delays=Delays(final=0.9))
    world.run(until=8.0)
    assert [m for m in world.conversation.messages if isinstance(m, CallerSaid)] == [CallerSaid("yes I do own it")]


def test_a_wordless_sound_is_nobodys_turn():
    world = call(utterances=[Utterance(4.0, 0.2)]).run(until=6.0)
    assert not world.orders(StartReply)


def test_speech_without_understood_words_is_a_turn():
    world = call(utterances=[Utterance(4.0, 1.2)], mind=says("Sorry?")).run(until=7.0)
    assert CallerSaid("") in world.conversation.messages


def test_words_without_voice_are_answered_too():
    world = call(mind=says("Hello to you."))
    world.at(4.0, Transcribed("hello there", is_final=True))
    world.run(until=6.0)
    assert CallerSaid("hello there") in world.conversation.messages


# --- machines ---------------------------------------------------------------------------------------------------------

GREETING = [Utterance(0.2, 3.5, "hi we are not here please leave a message after the tone")]


def test_a_voicemail_gets_its_message_after_the_beep():
    world = call(utterances=GREETING)
    world.at(4.5, ToneHeard(Samples(36000), 1000.0, 0.4))
    world.run()
    spoken = next(t for t, a in world.done if isinstance(a, Speak) and a.text == "Please call us back.")
    assert spoken == 4.5
    report = world.conversation.report()
    assert (report.ending, report.party) == (Ending.MACHINE, Party.MACHINE)
    shown = [note.text for _, note in world.orders(Note) if isinstance(note, Note) and note.kind == "caller"]
    assert shown == [line.text for line in report.transcript if line.speaker == "caller"]


def test_a_greeting_that_ends_without_a_beep_gets_its_message_after_a_silence():
    world = call(utterances=GREETING).run()
    spoken = next(t for t, a in world.done if isinstance(a, Speak) and a.text == "Please call us back.")
    assert spoken == pytest.approx(5.7, abs=0.15)


def test_a_beep_that_never_comes_is_not_waited_for_for_ever():
    world = call(utterances=[Utterance(0.2, 60.0, "please leave a message after the tone " + "la " * 60)]).run()
    assert world.conversation.report().ending is Ending.MACHINE


def test_a_machine_may_be_hung_up_on():
    agent = AgentDefinition("a", "Acme", "Ava", "ask", "Hello?", "Bye.")
    world = call(agent)
    world.at(2.0, PartyDetected(Party.MACHINE, "carrier"))
    world.run()
    assert world.conversation.report().ending is Ending.MACHINE
    assert world.orders(Hangup)[0][0] == 2.0


def test_a_late_verdict_does_not_cut_off_a_person():
    world = call(utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.0, 0.5, "yes")], mind=says("Ok.", "Ok.", "Ok."))
    world.at(8.0, PartyDetected(Party.MACHINE, "carrier"))
    world.run(until=9.0)
    assert world.conversation.phase is Phase.TALKING


def test_a_human_is_noted():
    world = call()
    world.at(1.0, PartyDetected(Party.HUMAN, "carrier"))
    assert world.run(until=2.0).conversation.party is Party.HUMAN


# --- endings ----------------------------------------------------------------------------------------------------------


def test_a_caller_who_hangs_up_in_the_middle_of_our_words():
    world = call(hangs_up_at=1.3).run()
    report = world.conversation.report()
    assert report.ending is Ending.CALLER_LEFT
    (line,) = report.transcript
    assert line.is_cut
    assert AGENT.opening.startswith(line.text)


def test_a_supervisor_ends_the_call():
    world = call()
    world.at(2.0, HangupRequested("supervisor"))
    world.at(2.02, HangupRequested("supervisor"))
    report = world.run().conversation.report()
    assert (report.ending, report.detail) == (Ending.STOPPED, "supervisor")


# --- a supervisor's hand ------------------------------------------------------------------------------------------------


def spoken(world: World) -> list[str]:
    return [action.text for _, action in world.orders(Speak)]


def test_a_supervisors_words_are_said_instead_of_the_minds():
    world = call(utterances=[Utterance(4.0, 0.5, "yes")], mind=says("This goes on for a good while, as you hear now."))
    world.at(5.9, SupervisorSays("One moment please. I am told we can do better."))
    world.run(until=12.0)
    assert spoken(world)[-2:] == ["One moment please.", "I am told we can do better."]
    assert world.orders(ClearPlayout)[0][0] == 5.9
    assert AgentSaid("One moment please. I am told we can do better.") in world.conversation.messages


def test_a_supervisor_waits_for_the_laws_text():
    world = call()
    world.at(1.0, SupervisorSays("Please hold on."))
    world.at(1.1, SupervisorSays("Thank you."))
    world.run(until=6.0)
    assert not world.orders(ClearPlayout)
    assert spoken(world)[2:] == ["Please hold on.", "Thank you."]
    assert AgentSaid(AGENT.opening) in world.conversation.messages


def test_an_opening_that_asks_nothing_is_continued_by_the_supervisor():
    agent = AgentDefinition("a", "Acme", "Ava", "ask", "Hello, this is Ava.", "Bye.")
    world = call(agent, mind=says("Do you own your home?"))
    world.at(0.5, SupervisorSays("Please hold on."))
    world.run(until=4.0)
    assert spoken(world) == ["Hello, this is Ava.", "Please hold on."]


def test_a_supervisor_waits_for_the_caller_and_then_answers_them():
    world = call(utterances=[Utterance(4.0, 2.0, "yes but what does it cost")], mind=says("Nothing."))
    world.at(5.0, SupervisorSays("It costs nothing."))
    world.run(until=9.0)
    assert spoken(world)[2:] == ["It costs nothing."]
    assert world.conversation.messages[-2:] == [CallerSaid("yes but what does it cost"), AgentSaid("It costs nothing.")]


def test_a_supervisor_waits_for_a_sound_that_was_nobodys_turn():
    world = call(utterances=[Utterance(4.0, 0.2)])
    world.at(4.15, SupervisorSays("Hello there."))
    world.run(until=6.0)
    assert spoken(world)[2:] == ["Hello there."]


def test_a_whisper_is_for_the_minds_next_reply_alone():
    world = call(utterances=[Utterance(4.0, 0.5, "yes")], mind=says("Great."))
    world.at(-0.0, Whispered("too early to tell"))
    world.at(1.0, Whispered("they are\nan old customer"))
    world.run(until=7.0)
    ((_, order),) = world.orders(StartReply)
    assert isinstance(order, StartReply)
    told = [message.what for message in order.messages if isinstance(message, Happened)]
    assert told == ["a supervisor tells you, unheard by the caller: they are an old customer"]
    assert not world.orders(ClearPlayout)


def test_a_supervisor_transfers_the_caller():
    world = call(utterances=[Utterance(4.0, 0.5, "yes")], mind=says("This goes on for a good while, as you hear now."))
    world.at(5.9, TransferRequested("sip:desk@example.com"))
    world.run()
    ((_, order),) = world.orders(Transfer)
    assert isinstance(order, Transfer)
    assert order.to == "sip:desk@example.com"
    assert world.conversation.messages[-1] == AgentSaid(AGENT.manners.transferring)
    report = world.conversation.report()
    assert (report.ending, report.transferred_to) == (Ending.TRANSFERRED, "sip:desk@example.com")


def test_a_transfer_waits_for_the_laws_text():
    world = call()
    world.at(1.0, TransferRequested("+16145550199"))
    world.at(1.1, SupervisorSays("They will be glad to hear you."))
    world.run()
    assert AgentSaid(AGENT.opening) in world.conversation.messages
    assert spoken(world)[2:] == [AGENT.manners.transferring]
    ((_, order),) = world.orders(Transfer)
    assert isinstance(order, Transfer)
    assert order.to == "+16145550199"


@pytest.mark.parametrize("order", [SupervisorSays("But wait."), TransferRequested("+16145550199")])
def test_a_supervisor_cannot_talk_an_opt_out_away(order):
    world = call(utterances=[Utterance(4.0, 0.9, "stop calling me")])
    world.at(6.0, order)
    world.run()
    assert world.conversation.messages[-1] == AgentSaid(AGENT.manners.opted_out)
    assert world.conversation.report().ending is Ending.OPTED_OUT
    assert not world.orders(Transfer)


def test_a_carrier_that_never_confirms_the_end_does_not_keep_the_call():
    world = call(delays=Delays(gone=500.0))
    world.at(2.0, HangupRequested("supervisor"))
    assert world.run().conversation.ended


def test_a_carrier_that_returns_no_marks_does_not_hang_the_call():
    world = call(delays=Delays(mark=500.0)).run(until=20.0)
    assert world.conversation.messages[:1] == [Happened("silence")]


def test_nothing_stale_has_any_effect():
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening)
    assert conversation.handle(KeyPressed("1"), 0.0) == []
    assert conversation.handle(Transcribed("hello", is_final=True), 0.0) == []
    conversation.handle(MediaStarted(), 1.0)
    for event in (
        MediaStarted(),
        MarkReturned("9/9"),
        ReplyText(ReplyId(7), "x. "),
        SpeechFailed(ReplyId(7), 0, "x"),
        ToolFinished("x", True, ""),
        ToneHeard(Samples(1), 1000.0, 0.3),
        DeadlinePassed(),
    ):
        assert conversation.handle(event, 1.0) == []
    assert conversation.handle(LegEnded("hangup"), 2.0)
    assert conversation.handle(LegEnded("hangup"), 2.0) == []
    assert conversation.report().duration == 1.0


# --- speculation ------------------------------------------------------------------------------------------------------


def drafts(world: World) -> list[StartReply]:
    return [order for _, order in world.orders(StartReply) if isinstance(order, StartReply) and order.speculative]


def test_a_reply_is_prepared_in_the_pause_and_heard_the_moment_the_turn_is_over():
    slow = Delays(mind=0.05, mouth=0.02)
    world = call(utterances=[Utterance(4.0, 0.8, "well I own it all")], mind=says("Great. Thanks a lot."), delays=slow).run(
        until=8.0
    )
    (over,) = [t for t, a in world.done if isinstance(a, Note) and a.text.startswith("turn over")]
    first = min(sound.start for sound in world.played if sound.word == "Great.")
    assert first == pytest.approx(over, abs=0.02)
    assert world.conversation.report().speculated == 1
    assert world.conversation.report().wasted == 0
    assert AgentSaid("Great. Thanks a lot.") in world.conversation.messages


def test_words_that_come_in_the_pause_are_answered_without_waiting_for_the_final():
    world = call(
        utterances=[Utterance(4.0, 0.8, "well I own it all")], mind=says("Great."), delays=Delays(interim=0.3, final=0.6)
    ).run(until=5.3)
    (begun,) = [instant for instant, order in world.orders(StartReply) if isinstance(order, StartReply)]
    assert begun == pytest.approx(4.8 + 0.3, abs=0.05)


def test_an_interim_whose_words_reach_to_the_end_of_the_voice_is_answered_at_once():
    for end, begun in ((4.75, [4.95]), (4.4, [])):
        world = call(mind=says("Great."), utterances=[Utterance(4.0, 0.8)], delays=Delays(final=0.9))
        words = (Word("own", end - 0.3, end),)
        world.at(4.95, Transcribed("well I own", is_final=False, words=words))
        world.run(until=5.1)
        assert [instant for instant, _ in world.orders(StartReply)] == begun


def test_a_voice_that_goes_on_before_the_final_comes_is_asked_about_again():
    world = call(
        utterances=[Utterance(4.0, 0.6, "well I"), Utterance(4.75, 0.5, "own it all")],
        mind=says("Great."),
        delays=Delays(final=0.65),
    ).run(until=9.0)
    assert CallerSaid("well I own it all") in world.conversation.messages
    asked = [instant for instant, _ in world.orders(FinishUtterance)]
    assert asked == [pytest.approx(4.7, abs=0.05), pytest.approx(4.7 + 0.65, abs=0.05)]


def test_words_that_come_after_their_turn_was_closed_without_them_are_nobodys():
    world = call(utterances=[Utterance(4.0, 0.8, "well I own it all")], delays=Delays(interim=9.0, final=2.0)).run(until=9.0)
    assert CallerSaid("") in world.conversation.messages
    assert world.conversation.report().oddities["late final"] == 1


def test_a_prepared_reply_is_dropped_when_the_caller_goes_on():
    world = call(
        utterances=[Utterance(4.0, 0.6, "well we"), Utterance(4.95, 0.8, "rent it really")],
        mind=says("Great."),
        delays=Delays(final=0.03),
    ).run(until=9.0)
    assert CallerSaid("well we rent it really") in world.conversation.messages
    assert world.conversation.report().wasted == world.conversation.report().speculated - 1
    assert [sound.word for sound in world.played].count("Great.") == 1


def test_tools_of_a_prepared_reply_wait_for_the_end_of_the_turn():
    save = Call("save_answer", '{"question":"owner","value":"yes"}')
    world = call(utterances=[Utterance(4.0, 0.8, "well I own it all")], mind=lambda m: ("Good.", save)).run(until=8.0)
    (over,) = [t for t, a in world.done if isinstance(a, Note) and a.text.startswith("turn over")]
    ((ran, _),) = world.orders(RunTool)
    assert ran >= over
    assert drafts(world)[0].messages[-1] == CallerSaid("well I own it all")


def test_nothing_is_prepared_for_half_a_sentence_or_a_no():
    world = call(utterances=[Utterance(4.0, 0.8, "well my")], mind=says("Yes?")).run(until=5.2)
    assert drafts(world) == []
    world = call(utterances=[Utterance(4.0, 0.8, "stop calling me")]).run(until=8.0)
    assert all("stop" not in order.messages[-1].text for order in drafts(world))


def test_a_prepared_reply_that_fails_is_asked_for_again():
    replies = [("!",), ("All right.",)]
    world = call(
        utterances=[Utterance(4.0, 0.8, "well I own it all")], mind=lambda m: replies.pop(0), delays=Delays(mind=0.05)
    ).run(until=8.0)
    assert AgentSaid("All right.") in world.conversation.messages


def test_a_hang_up_drops_what_was_prepared():
    world = call(utterances=[Utterance(4.0, 0.8, "well I own it all")], mind=says("Great."), hangs_up_at=5.15).run()
    assert [order for _, order in world.orders(StopReply)]
    assert "Great." not in [sound.word for sound in world.played]


# --- no dead air ------------------------------------------------------------------------------------------------------

PATIENT = replace(AGENT, manners=Manners(acknowledgements=("Okay.", "I see."), fillers=("Let me see.", "One moment.")))


def test_a_late_mind_is_bridged_never_twice_with_the_same_words():
    world = call(
        PATIENT,
        utterances=[Utterance(4.0, 0.6, "yes"), Utterance(9.0, 0.6, "yes")],
        mind=says("Good to know.", "Fine."),
        delays=Delays(mind=2.0),
    ).run(until=14.0)
    assert spoken(world)[2:] == ["Okay.", "Good to know.", "I see.", "Fine."]
    assert AgentSaid("Okay. Good to know.") in world.conversation.messages


def test_when_the_words_in_between_are_used_up_there_are_none():
    world = call(
        PATIENT,
        utterances=[Utterance(4.0 + 5 * n, 0.6, "yes") for n in range(3)],
        mind=says("Good to know.", "Fine.", "Well."),
        delays=Delays(mind=2.0),
    ).run(until=19.0)
    assert spoken(world)[2:] == ["Okay.", "Good to know.", "I see.", "Fine.", "Well."]


def test_before_bad_news_there_is_no_word_in_between():
    world = call(PATIENT, utterances=[Utterance(4.0, 0.8, "no he passed away")], mind=says("I am sorry."))
    world.delays = Delays(mind=2.0)
    world.run(until=9.0)
    assert spoken(world)[2:] == ["I am sorry."]
    book = Call("book_appointment", '{"when":"friday"}')
    replies = [("Booked.", book), ("Sorry, that failed.",)]
    world = call(PATIENT, utterances=[Utterance(4.0, 0.5, "friday")], mind=lambda m: replies.pop(0))
    world.delays, world.tool_succeeds = Delays(mind=2.0), lambda order: False
    world.run(until=12.0)
    assert spoken(world)[2:] == ["Okay.", "Booked.", "Sorry, that failed."]


BOOK = Call("book_appointment", '{"when":"friday"}')


def booked(messages: Sequence[Message]) -> bool:
    return any(isinstance(message, ToolUsed) and message.result is not None for message in messages)


def test_a_tool_that_takes_long_is_spoken_about_and_its_result_told():
    world = call(
        utterances=[Utterance(4.0, 0.5, "friday")],
        mind=lambda m: ("It is done.",) if booked(m) else (BOOK,),
        delays=Delays(tool=30.0),
    ).run(until=50.0)
    manners = AGENT.manners
    assert spoken(world)[2:5] == [manners.looking_up, manners.still_looking, "It is done."]
    assert spoken(world).count("It is done.") == 1


def test_a_result_is_told_once_though_the_caller_talks_meanwhile():
    def mind(messages: Sequence[Message]) -> Sequence[str | Call]:
        if booked(messages):
            return ("It is done.",)
        return (BOOK,) if messages[-1] == CallerSaid("friday") else ("Still working on it.",)

    for talks, tool in ((7.0, 6.0), (6.0, 6.0), (6.0, 2.8)):
        world = call(
            utterances=[Utterance(4.0, 0.5, "friday"), Utterance(talks, 0.8, "are you there")],
            mind=mind,
            delays=Delays(tool=tool),
        ).run(until=20.0)
        heard = [message.text for message in world.conversation.messages if isinstance(message, AgentSaid)]
        assert sum("It is done." in text for text in heard) == 1
        assert any("Still working" in text for text in heard)
        assert len(world.orders(RunTool)) == 1


def test_a_result_waits_for_the_caller_to_finish():
    def mind(messages: Sequence[Message]) -> Sequence[str | Call]:
        return ("It is done.",) if booked(messages) else (BOOK,)

    world = call(
        utterances=[Utterance(4.0, 0.5, "friday"), Utterance(5.9, 4.0, "oh and by the way how much would it all be")],
        mind=mind,
        delays=Delays(tool=2.0),
    ).run(until=18.0)
    (heard,) = [sound.start for sound in world.played if sound.word == "done."]
    assert heard > 9.9


def test_a_bridge_is_no_answer():
    world = call(PATIENT, utterances=[Utterance(4.0, 0.6, "yes")], delays=Delays(mind=500.0)).run()
    assert world.conversation.report().detail == "model_too_slow"


def test_outbound_may_wait_for_the_hello():
    agent = replace(AGENT, manners=Manners(hello_within=1.2))
    world = call(agent, utterances=[Utterance(0.4, 0.5, "hello")]).run(until=4.0)
    (first, _), *_ = world.orders(Speak)
    assert 0.9 < first < 2.0
    assert world.conversation.messages[0] == CallerSaid("hello")


def test_without_a_hello_the_opening_comes_by_itself():
    agent = replace(AGENT, manners=Manners(hello_within=1.2))
    assert call(agent).run(until=3.0).orders(Speak)[0][0] == pytest.approx(1.2, abs=0.01)
    cough = call(agent, utterances=[Utterance(0.3, 0.1)]).run(until=3.0)
    assert cough.orders(Speak)[0][0] < 2.0


def test_the_opening_comes_within_two_seconds_of_a_greeting_that_promises_more():
    agent = replace(AGENT, manners=Manners(hello_within=1.2))
    world = call(agent, utterances=[Utterance(0.4, 0.9, "hello this is the")], delays=Delays(final=0.4)).run(until=5.0)
    assert world.orders(Speak)[0][0] < 1.3 + 1.5
    going_on = [Utterance(0.4, 0.9, "hello this is the"), Utterance(1.7, 1.4, "home of the smiths")]
    world = call(agent, utterances=going_on, delays=Delays(final=0.4)).run(until=6.0)
    assert 3.1 < world.orders(Speak)[0][0] < 3.1 + 1.5


def test_inbound_nobody_waits_for_a_hello():
    agent = replace(AGENT, manners=Manners(hello_within=1.2))
    assert call(agent, Direction.INBOUND).run(until=1.0).orders(Speak)[0][0] == 0.0


# --- corners ----------------------------------------------------------------------------------------------------------


def test_a_mind_that_stalls_half_way_is_taken_at_its_word():
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, "Hello?")
    world = World(conversation, utterances=[Utterance(2.0, 0.6, "yes")], mind=lambda messages: ())
    world.delays = Delays(mind=500.0)
    world.at(4.0, ReplyText(ReplyId(2), "I see. And "))
    world.run(until=20.0)
    assert AgentSaid("I see. And") in conversation.messages


def test_an_opt_out_by_the_mind_in_the_middle_of_a_reply_protects_the_rest():
    replies = [("Of course, I will take you off. ", Call("opt_out"), "You will not hear from us again, goodbye.")]
    world = call(utterances=[Utterance(4.0, 0.8, "leave me in peace")], mind=lambda m: replies.pop(0))
    world.run()
    assert world.conversation.report().ending is Ending.OPTED_OUT


def test_a_reply_that_becomes_an_opt_out_while_it_sounds_is_protected_from_then_on():
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, "Hello?")
    world = World(conversation, utterances=[Utterance(2.0, 0.6, "leave me in peace")], mind=lambda messages: ())
    world.delays = Delays(mind=500.0)
    world.at(4.0, ReplyText(ReplyId(2), "Of course, I will take you off. "))
    world.at(5.0, ToolCalled(ReplyId(2), "c", "opt_out", "{}"))
    world.run(until=5.5)
    assert conversation.floor.agent is Agent.PROTECTED


def test_of_waits_that_pass_together_one_may_make_another_meaningless():
    world = call().run(until=4.0)
    actions = world.conversation.handle(DeadlinePassed(), 10_000.0)
    said = [action.text for action in actions if isinstance(action, Speak)]
    assert " ".join(said) == AGENT.manners.time_is_up


def test_somebody_is_heard_while_words_are_to_come():
    world = call(utterances=[Utterance(4.0, 0.8, "yes I do")]).run(until=4.5)
    assert world.conversation.is_hearing
    assert not call().run(until=1.0).conversation.is_hearing


def test_words_may_come_before_the_voice_takes_the_floor():
    long = "one two three four five six seven eight nine ten eleven twelve."
    world = call(
        utterances=[Utterance(4.0, 0.5, "yes"), Utterance(6.5, 1.2, "wait wait what is that")], mind=says(long, "Well.")
    )
    world.at(6.55, Transcribed("wait", is_final=False))
    world.run(until=12.0)
    assert world.orders(ClearPlayout)


def test_a_segment_may_come_in_pieces():
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, "Hello there?")
    conversation.handle(MediaStarted(), 0.0)
    piece = SpeechArrived(ReplyId(1), 0, b"\x00" * 800, ())
    played = [action for now in (0.1, 0.2) for action in conversation.handle(piece, now) if isinstance(action, Play)]
    assert len(played) == 2
    assert conversation.playout.queued == 1600


def test_a_no_said_over_the_protected_opening_is_taken_at_once():
    long = replace(AGENT, opening="Hello, this is Ava. " + "This is a very long notice indeed. " * 6)
    world = call(long, utterances=[Utterance(1.0, 1.2, "stop calling me now")]).run()
    ((written, _),) = world.orders(RunTool)
    assert 1.5 < written < 2.6
    assert world.orders(ClearPlayout)
    assert world.conversation.report().ending is Ending.OPTED_OUT


def number_in_two_parts(*rest: Utterance) -> World:
    """A turn that is over by its sound before the ears have its last words, which promise more."""
    hasty = Policy(floor=FloorPolicy(endpoint=EndpointPolicy(most=0.3)))
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening, hasty)
    number = Utterance(4.0, 1.2, "my number is five five five")
    return World(conversation, [number, *rest], says("Thanks."), Delays(interim=9.0, final=0.4))


def test_last_words_that_promise_more_are_waited_for_after_all():
    world = number_in_two_parts(Utterance(6.3, 1.0, "oh one oh nine"))
    world.run(until=12.0)
    said = [message.text for message in world.conversation.messages if isinstance(message, CallerSaid)]
    assert said == ["my number is five five five oh one oh nine"]
    assert any(isinstance(note, Note) and "the last words promise more" in note.text for _, note in world.orders(Note))


def test_and_answered_when_no_more_comes():
    world = number_in_two_parts().run(until=8.0)
    (asked,) = [instant for instant, _ in world.orders(StartReply)]
    assert 1.4 <= asked - 5.2 <= 1.9


@pytest.mark.parametrize(("until", "is_prepared"), [(5.15, True), (4.4, False)])
def test_a_final_that_reaches_the_end_of_the_voice_is_answered_however_late_that_is_seen(until: float, *, is_prepared: bool):
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening)
    world = World(conversation, [Utterance(4.0, 1.2, "")], delays=Delays(final=5.0, evidence=1.0))
    world.at(5.4, Transcribed("yes I do own it.", is_final=True, words=(Word("it.", until - 0.2, until),)))
    world.run(until=6.36)
    begun = [order for _, order in world.orders(StartReply)]
    assert bool(begun) is is_prepared
