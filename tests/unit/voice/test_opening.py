"""Fixed sentences, filled with what is known."""

from __future__ import annotations

from datetime import UTC, datetime

from context.briefing import Briefing, ContactCard, KnownFact
from voice.agent import AgentDefinition, Answer, AnswerKind, Manners, Question, Voicemail
from voice.events import Direction
from voice.opening import dressed, opening_of

AGENT = AgentDefinition(
    name="a",
    seller="Acme",
    persona="Ava",
    goal="g",
    opening="Hi {first_name}, this is {persona} of {seller}.",
    inbound_opening="Welcome to {seller}.",
    goodbye="Goodbye {first_name}.",
    voicemail=Voicemail(text="Call {callback_number}."),
    callback_number="+13025550100",
    manners=Manners(identity="This is {persona}.", which_time="What time {value}?"),
    questions=(Question("roof", "Is it {roof}?", AnswerKind.YES_NO, (Answer("yes", ("yes",)),), again="{roof}?"),),
)
KNOWN = Briefing(
    contact=ContactCard("c1", "+16145550101", "Ann Lee", "Ann"),
    knowledge=(KnownFact("The roof is slate.", "call 1", datetime(2026, 1, 1, tzinfo=UTC), "roof", "slate"),),
)


def test_the_opening_names_who_is_known():
    assert opening_of(AGENT, Direction.OUTBOUND, KNOWN) == "Hi Ann, this is Ava of Acme."


def test_what_is_not_known_leaves_no_hole():
    assert opening_of(AGENT, Direction.OUTBOUND, Briefing()) == "Hi, this is Ava of Acme."


def test_somebody_who_rings_is_welcomed():
    assert opening_of(AGENT, Direction.INBOUND, KNOWN) == "Welcome to Acme."
    without = AgentDefinition("a", "Acme", "Ava", "g", "Hello.", "Bye.")
    assert opening_of(without, Direction.INBOUND, KNOWN) == "Hello."


def test_everything_fixed_is_filled_but_what_is_only_known_later():
    agent = dressed(AGENT, KNOWN)
    assert agent.goodbye == "Goodbye Ann."
    assert agent.voicemail.text == "Call 3 0 2, 5 5 5, 0 1 0 0."
    assert agent.manners.identity == "This is Ava."
    assert agent.manners.which_time == "What time {value}?"
    assert (agent.questions[0].ask, agent.questions[0].again) == ("Is it slate?", "slate?")
    assert agent.manners.silence_after == AGENT.manners.silence_after
