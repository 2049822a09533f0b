"""The word in between: when, which, and when none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.simulate import Delays, Mind, Utterance, World
from voice.acknowledging import Bridge
from voice.actions import AgentSaid, CallerSaid, Happened, Message, Speak, StartReply
from voice.agent import AgentDefinition, Manners
from voice.conversation import Conversation
from voice.events import CallId, DeadlinePassed, Direction, ReplyId
from voice.policy import Policy
from voice.promptness import Promptness
from voice.reply import Reply

MANNERS = Manners(acknowledgements=("Okay.", "I see."), fillers=("Let me see.", "One moment."))
AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Do you own your home?", "Goodbye.", manners=MANNERS)
POLICY = Policy(mind_takes=0.5, mouth_takes=0.2)


def bridge(policy: Policy = POLICY, manners: Manners = MANNERS) -> Bridge:
    return Bridge(manners, policy, Promptness((policy.mind_takes, policy.mouth_takes)))


def words(*messages: Message, reply: Reply | None = None) -> str:
    return bridge().words(reply or Reply(ReplyId(2)), messages, 4.0)


def test_a_reply_that_will_be_late_is_bridged_at_once():
    assert bridge().due(Reply(ReplyId(2)), 4.0, 4.4) == 4.4


def test_one_that_will_not_be_is_looked_at_again_when_it_should_have_come():
    promptness = Promptness((0.1, 0.05))
    promptness.saw(DeadlinePassed(), [StartReply(ReplyId(2), ())], 4.35)
    due = Bridge(MANNERS, POLICY, promptness).due(Reply(ReplyId(2)), 4.0, 4.4)
    assert due == pytest.approx(4.62)


@pytest.mark.parametrize(
    ("policy", "manners", "reply"),
    [
        (replace(POLICY, acknowledge_after=None), MANNERS, Reply(ReplyId(2))),
        (POLICY, Manners(acknowledgements=(), fillers=()), Reply(ReplyId(2))),
        (POLICY, MANNERS, Reply(ReplyId(2), is_protected=True)),
        (POLICY, MANNERS, Reply(ReplyId(2), told_at=4.3)),
        (POLICY, MANNERS, Reply(ReplyId(2), bridges=["Okay.", "One moment."])),
        (POLICY, MANNERS, Reply(ReplyId(2), segments=["Sure, that is no problem."])),
    ],
)
def test_never(policy: Policy, manners: Manners, reply: Reply):
    assert bridge(policy, manners).due(reply, 4.0, 4.4) is None


def test_not_before_there_is_a_silence_to_bridge():
    assert bridge().due(Reply(ReplyId(2)), 4.4, 4.4) == pytest.approx(4.65)


def test_a_wait_that_goes_on_is_explained_later():
    reply = Reply(ReplyId(2), bridges=["Okay."], bridged_until=5.0)
    assert bridge().due(reply, 4.0, 5.0) == pytest.approx(6.4 + 0.12)
    assert bridge().due(reply, 4.0, 6.0) == pytest.approx(6.4)
    assert bridge().due(reply, 4.0, 7.0) == 7.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I own it.", "Okay."),
        ("no I rent", "Okay."),
        ("What does it cost?", "Let me see."),
        ("well how long would that take", "Let me see."),
        ("Yes. Can you send me something", "Let me see."),
        ("", ""),
        ("this is ridiculous", ""),
        ("hold on, that is not right", ""),
        ("okay thank you goodbye", "Okay."),
        ("could you call back, bye", "Okay."),
    ],
)
def test_what_fits(text: str, said: str):
    assert words(CallerSaid(text)) == said


def test_what_follows_no_words_of_theirs_is_a_wait():
    assert words(CallerSaid("yes"), Happened("key:1")) == "Let me see."
    assert words() == "Let me see."
    assert words(CallerSaid("yes"), reply=Reply(ReplyId(2), bridges=["Okay."])) == "Let me see."


def test_nothing_is_said_twice():
    stock, said = bridge(), (CallerSaid("yes"),)
    assert [stock.words(Reply(ReplyId(n)), said, 4.0) for n in (1, 2, 3)] == ["Okay.", "I see.", ""]


def test_a_goodbye_is_acknowledged_and_never_explained():
    reply = Reply(ReplyId(1))
    assert bridge().words(reply, [CallerSaid("okay bye")], 4.0) == "Okay."
    reply.bridges.append("Okay.")
    assert bridge().words(reply, [CallerSaid("okay bye")], 5.6) == ""


def test_a_short_wait_gets_a_short_word():
    manners = Manners(acknowledgements=("All right then, I see.", "Okay, I see.", "Okay."), fillers=())
    for takes, fits in ((2.0, "All right then, I see."), (0.9, "Okay, I see."), (0.1, "Okay.")):
        assert bridge(Policy(mind_takes=takes), manners).words(Reply(ReplyId(2)), [CallerSaid("yes")], 4.0) == fits


# --- in a call --------------------------------------------------------------------------------------------------------


def call(replies: Mind, *utterances: Utterance, policy: Policy = POLICY, **delays: float) -> World:
    conversation = Conversation(CallId("CA1"), AGENT, Direction.OUTBOUND, AGENT.opening, policy)
    return World(conversation, utterances, replies, Delays(**{"mind": 0.8, "mouth": 0.2, **delays}))


def mind_of(*replies: str) -> Mind:
    def mind(messages: Sequence[Message]) -> Sequence[str]:
        return (replies[min(len(replies), sum(isinstance(each, CallerSaid) for each in messages)) - 1],)

    return mind


def said(world: World) -> list[str]:
    return [message.text for message in world.conversation.messages if isinstance(message, AgentSaid)][1:]


def test_it_is_heard_when_the_turn_is_over_and_the_reply_goes_on_from_it():
    world = call(mind_of("When shall we come?"), Utterance(3.0, 0.6, "I own it.")).run(until=8.0)
    assert said(world) == ["Okay. When shall we come?"]
    heard = [sound for sound in world.played if sound.reply == 2]
    assert [sound.word for sound in heard] == ["Okay.", "When", "shall", "we", "come?"]
    over = next(instant for instant, order in world.orders(Speak) if isinstance(order, Speak) and order.is_ready)
    assert heard[0].start == over
    assert [line.text for line in world.conversation.transcript[-1:]] == ["Okay. When shall we come?"]


def test_the_reply_leaves_out_what_has_been_said():
    world = call(mind_of("Okay, sure. All right, when shall we come?"), Utterance(3.0, 0.6, "I own it.")).run(until=8.0)
    assert said(world) == ["Okay. When shall we come?"]
    world = call(mind_of("Okay."), Utterance(3.0, 0.6, "I own it.")).run(until=8.0)
    assert said(world) == ["Okay."]


def test_a_question_is_considered_and_the_answer_left_as_it_is():
    world = call(mind_of("Sure, it is free."), Utterance(3.0, 0.9, "what does it cost?")).run(until=8.0)
    assert said(world) == ["Let me see. Sure, it is free."]


def test_a_quick_mind_needs_none():
    world = call(mind_of("Fine."), Utterance(3.0, 0.6, "I own it."), mind=0.05, mouth=0.02).run(until=8.0)
    assert said(world) == ["Fine."]


def test_a_mind_that_is_late_once_is_bridged_when_that_is_known():
    quick = Policy(mind_takes=0.05, mouth_takes=0.05)
    world = call(mind_of("Fine."), Utterance(3.0, 0.6, "I own it."), policy=quick).run(until=8.0)
    assert said(world) == ["Okay. Fine."]
    sounds = [sound.start for sound in world.played if sound.word == "Okay."]
    assert sounds == [pytest.approx(4.16, abs=0.05)]


def test_who_goes_on_over_it_goes_on_with_their_turn():
    world = call(
        mind_of("Fine.", "Fine.", "Very well."), Utterance(3.0, 0.6, "I own it."), Utterance(4.3, 1.0, "with my old wife")
    ).run(until=9.0)
    callers = [message.text for message in world.conversation.messages if isinstance(message, CallerSaid)]
    assert callers == ["I own it. with my old wife"]
    assert said(world) == ["Okay.", "I see. Fine."]


def test_words_that_were_not_made_ready_are_not_waited_for():
    world = call(mind_of("Fine."), Utterance(3.0, 0.6, "I own it."))
    world.voice_fault = lambda order: "mute" if order.is_ready else ""
    world.run(until=8.0)
    assert said(world) == ["Fine."]
