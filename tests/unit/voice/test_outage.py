"""A media link that breaks: what is said again when the carrier opens another, and what is left when it does not."""

from __future__ import annotations

import pytest

from benchmarks.simulate import Call, Delays, Utterance, World
from voice.actions import AgentSaid, CallerSaid, ClearPlayout, Hangup, Happened, Play, RunTool, Speak, StartReply
from voice.agent import AgentDefinition, Manners
from voice.conversation import Conversation
from voice.course import Phase
from voice.events import (
    CallId,
    Direction,
    Event,
    HangupRequested,
    LegEnded,
    LinkBack,
    LinkLost,
    Party,
    PartyDetected,
    Samples,
    SegmentSpoken,
    SupervisorSays,
    Transcribed,
    VoiceEvidence,
)
from voice.outage import Outage
from voice.report import Ending
from voice.waits import Wait, Waits

OPENING = "Hello, this is Ava from Acme. This call is recorded and may be kept. Do you own your home?"
AGENT = AgentDefinition(
    "test", "Acme", "Ava", "ask", OPENING, "Goodbye.", manners=Manners(acknowledgements=(), fillers=(), silence_after=5.0)
)
LOST = LinkLost("dropped")


def call(**world: object) -> World:
    """A word takes 0.3 s: the opening's sentences begin at 0.05, 1.85 and 4.25 and end at 5.75."""
    return World(Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, OPENING), **world)  # type: ignore[arg-type]


def broken(world: World, at: float, until: float, *meanwhile: Event) -> World:
    """Nothing comes in while the link is broken."""

    def silent(instant: float, event: Event) -> tuple[tuple[float, Event], ...]:
        return () if isinstance(event, VoiceEvidence) and at <= instant < until else ((instant, event),)

    world.mangle = silent
    world.at(at, LOST)
    for number, event in enumerate(meanwhile):
        world.at(at + 0.2 + number / 100, event)
    world.at(until, LinkBack())
    return world


def heard(world: World, since: float = 0.0) -> str:
    """Words that sounded; less than ten milliseconds of one is none."""
    return " ".join(sound.word for sound in world.played if sound.start >= since and sound.end - sound.start > 0.01)


@pytest.mark.parametrize(
    ("at", "again"),
    [
        (1.0, OPENING),
        (3.0, "This call is recorded and may be kept. Do you own your home?"),
        (5.0, "Do you own your home?"),
    ],
)
def test_words_of_the_law_are_said_again_from_the_sentence_that_was_cut(at: float, again: str) -> None:
    world = broken(call(), at, at + 1.0).run(until=at + 7.0)
    assert heard(world, since=at + 1.0) == again
    assert next(message for message in world.conversation.messages if isinstance(message, AgentSaid)) == AgentSaid(OPENING)
    assert len([line for line in world.conversation.transcript if line.text == OPENING]) == 1
    assert Happened("the line was broken for 1 s") in world.conversation.messages
    assert world.conversation.report().oddities["broken media links"] == 1
    assert world.conversation.report().unheard == ""


def test_a_long_sentence_is_kept_until_all_of_it_was_heard() -> None:
    long = "This " + "very " * 25 + "long notice is read. Thanks."
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, long)
    world = broken(World(conversation), 8.0, 8.5).run(until=30.0)
    assert heard(world, since=8.5).startswith(long)


def test_other_words_go_on_where_they_were_cut() -> None:
    reply = "Our visit takes about an hour, and it is free of charge for you and your family."
    world = call(utterances=[Utterance(7.0, 0.6, "yes")], mind=lambda messages: (reply,))
    broken(world, 11.0, 12.0).run(until=20.0)
    rest = heard(world, since=12.0)
    assert reply.endswith(rest)
    assert 0 < len(rest) < len(reply)
    assert AgentSaid(reply) in world.conversation.messages


def test_a_reply_that_was_being_written_is_spoken_when_there_is_a_link_again() -> None:
    world = call(utterances=[Utterance(7.0, 0.6, "yes")], mind=lambda messages: ("Thank you.",), delays=Delays(mind=1.5))
    broken(world, 8.5, 10.5).run(until=14.0)
    assert heard(world, since=8.5) == "Thank you."
    assert next(sound.start for sound in world.played if sound.word == "Thank") >= 10.5


def test_all_that_was_heard_is_not_said_again() -> None:
    world = broken(call(), 7.5, 8.0).run(until=11.0)
    assert heard(world, since=7.0) == ""
    assert AgentSaid(OPENING) in world.conversation.messages


def test_time_stands_still() -> None:
    """Five seconds of silence since the question are asked about: the outage is none of them."""
    world = broken(call(), 7.0, 12.0).run(until=20.0)
    (asked,) = [instant for instant, order in world.orders(Speak) if order.text == AGENT.manners.still_there][:1]
    assert asked == pytest.approx(5.75 + 5.0 + 5.0, abs=0.6)


def test_what_happens_meanwhile_happens_afterwards() -> None:
    world = broken(call(), 7.0, 8.0, SupervisorSays("One moment please.")).run(until=12.0)
    (said,) = [instant for instant, order in world.orders(Speak) if order.text == "One moment please."]
    assert said == 8.0


def test_nothing_is_ordered_while_the_link_is_broken() -> None:
    world = broken(call(utterances=[Utterance(7.0, 0.6, "yes")]), 7.7, 9.7).run(until=9.6)
    assert not [order for instant, order in world.done if instant > 7.7 and isinstance(order, Play | Speak | StartReply)]
    assert world.conversation.is_cut_off
    assert set(world.conversation.waits) == {Wait.BACK}


def test_a_link_that_never_comes_back_ends_the_call_and_says_what_was_not_heard() -> None:
    world = call()
    world.at(1.0, LOST)
    world.run()
    report = world.conversation.report()
    assert (report.ending, report.detail) == (Ending.CALLER_LEFT, "dropped")
    assert report.unheard == OPENING
    assert report.duration == pytest.approx(11.0, abs=0.1)
    (said,) = [message for message in report.messages if isinstance(message, AgentSaid)]
    assert said.is_cut
    assert OPENING.startswith(said.text)


def test_the_carriers_word_that_the_call_is_over_ends_the_wait() -> None:
    world = call()
    world.at(1.0, LOST)
    world.at(2.0, LegEnded("hangup"))
    world.run()
    assert world.conversation.report().duration == pytest.approx(2.0, abs=0.1)
    assert not world.orders(Hangup)


def test_a_no_that_is_told_late_still_counts() -> None:
    world = call(utterances=[Utterance(7.0, 0.8, "yes")])
    world.at(7.5, LOST)
    world.at(7.9, Transcribed("please stop calling me", is_final=True))
    world.run()
    assert world.conversation.report().ending is Ending.OPTED_OUT
    assert [order.name for _, order in world.orders(RunTool)] == ["opt_out"]


def test_an_effect_that_is_told_late_is_in_the_report() -> None:
    def mind(messages: object) -> tuple[str | Call, ...]:
        return ("Good.", Call("book_appointment", '{"when":"Friday at 3"}'))

    world = call(utterances=[Utterance(7.0, 0.6, "friday")], mind=mind, delays=Delays(tool=3.0))
    world.run(until=9.5)
    world.at(9.6, LOST)
    world.run()
    (used,) = [message for message in world.conversation.messages if hasattr(message, "result")]
    assert used.result is not None


def test_a_supervisor_ends_a_call_whose_link_is_broken() -> None:
    world = call()
    world.at(1.0, LOST)
    world.at(2.0, HangupRequested("a supervisor"))
    world.run()
    report = world.conversation.report()
    assert (report.ending, report.detail) == (Ending.STOPPED, "a supervisor")
    assert report.duration == pytest.approx(2.0, abs=0.1)


def test_a_link_that_breaks_when_we_leave_is_the_end() -> None:
    world = call()
    world.at(3.0, HangupRequested("enough"))
    world.at(3.0, LOST)
    world.run()
    assert world.conversation.phase is Phase.ENDED
    assert world.conversation.report().ending is Ending.STOPPED


def test_links_are_lost_and_found_once() -> None:
    world = call()
    world.at(0.5, LinkBack())
    world.at(1.0, LOST)
    world.at(1.1, LinkLost("replaced"))
    world.at(2.0, LinkBack())
    world.at(2.1, LinkBack())
    world.run(until=9.0)
    assert world.conversation.report().oddities["broken media links"] == 1
    assert len(world.orders(ClearPlayout)) == 1
    assert heard(world, since=2.0) == OPENING


def test_a_second_break_is_waited_for_as_the_first() -> None:
    world = broken(call(), 1.0, 2.0)
    world.at(3.0, LOST)
    world.at(4.0, LinkBack())
    world.run(until=12.0)
    assert heard(world, since=4.0) == OPENING
    assert AgentSaid(OPENING) in world.conversation.messages
    assert CallerSaid("") not in world.conversation.messages


def stalls(*texts: str) -> World:
    """A voice that never ends these segments, the first time or, of several, ever: they begin, and nothing follows."""
    world = call()

    def stuck(instant: float, event: Event) -> tuple[tuple[float, Event], ...]:
        orders = [order for _, order in world.done if isinstance(order, Speak)]
        if isinstance(event, SegmentSpoken) and any(is_stuck(order, event) for order in orders):
            return ()
        return ((instant, event),)

    def is_stuck(order: Speak, event: SegmentSpoken) -> bool:
        is_that = (order.reply, order.segment) == (event.reply, event.segment)
        return is_that and order.text in texts and (event.reply == 1 or len(texts) > 1)

    world.mangle = stuck
    return world


def test_an_opening_whose_voice_stalls_is_said_again_from_the_sentence() -> None:
    world = stalls("Do you own your home?").run(until=20.0)
    said = [order.text for _, order in world.orders(Speak)]
    assert said[:4] == [
        *("Hello, this is Ava from Acme.", "This call is recorded and may be kept.", "Do you own your home?"),
        "Do you own your home?",
    ]
    assert world.conversation.report().unheard == ""


def test_an_opening_that_cannot_be_said_is_no_call() -> None:
    world = stalls("Do you own your home?", "This call is recorded and may be kept.").run()
    report = world.conversation.report()
    assert (report.ending, report.detail) == (Ending.TROUBLE, "stalled")
    assert world.orders(Speak)[-1][1].text == "Do you own your home?"


def test_what_a_machine_did_not_hear_is_no_loss() -> None:
    world = call()
    world.at(1.0, PartyDetected(Party.MACHINE, "carrier"))
    world.run()
    assert world.conversation.report().unheard == ""


def test_the_longest_call_is_not_made_longer() -> None:
    waits = Waits()
    waits.set(Wait.LONGEST, 600.0)
    waits.set(Wait.SILENCE, 20.0)
    outage = Outage(waits)
    outage.begin(10.0, 20.0)
    assert dict(waits.instants) == {Wait.BACK: 20.0}
    assert outage.keeps(VoiceEvidence(Samples(0), 0.0, -90.0))
    assert outage.end(14.0) == (4.0, [VoiceEvidence(Samples(0), 0.0, -90.0)])
    assert dict(waits.instants) == {Wait.LONGEST: 600.0, Wait.SILENCE: 24.0}
