"""A small agent that has every kind of question and every way on, and a briefing to go with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from context.briefing import Briefing, ContactCard, KnownFact
from voice.agent import AgentDefinition, Answer, AnswerKind, Objection, Question, Then, Voicemail, VoicemailAction


@pytest.fixture
def agent() -> AgentDefinition:
    return AgentDefinition(
        name="panels",
        seller="Acme Panels",
        persona="Ava",
        goal="Book a visit.",
        opening="Hi {first_name}, this is {persona}, an AI assistant for {seller}. Do you have a minute?",
        inbound_opening="Thank you for calling {seller}. How are you?",
        goodbye="Thank you, goodbye!",
        callback_number="+13025550100",
        transfer_to="+13025550177",
        keyterms=("Acme Panels",),
        questions=(
            Question(
                "owner",
                "Do you own your home?",
                AnswerKind.YES_NO,
                (
                    Answer("yes", ("yes i own it", "we own the house")),
                    Answer("no", ("i rent", "no i rent"), "Then this is not for you. Goodbye.", Then.END),
                ),
                again="Is the home yours? Please say yes or no.",
                known="You told us {value} about owning your home. Is that still right?",
            ),
            Question(
                "bill",
                "How much is your electric bill?",
                AnswerKind.NUMBER,
                (Answer("unknown", ("i don't know",), "No problem."), Answer("{value}", (), "About {value} dollars.")),
                again="Roughly how many dollars a month?",
                known="Your bill is about {value} dollars, I see.",
            ),
            Question(
                "roof",
                "What kind of roof do you have?",
                AnswerKind.CHOICE,
                (Answer("metal", ("metal", "a metal roof")), Answer("tile", ("tile", "clay tiles"))),
            ),
            Question(
                "visit",
                "When could we come by?",
                AnswerKind.TIME,
                (
                    Answer("none", ("i need to think about it",), "That's fine."),
                    Answer("person", ("ask my wife to choose",), "I will let you talk.", Then.TRANSFER),
                    Answer("{value}", (), "Booked for {value}.", Then.BOOK),
                ),
            ),
            Question(
                "wish", "Anything we should know?", AnswerKind.OPEN, (Answer("nothing", ("nothing", "no that's all")),)
            ),
        ),
        objections=(
            Objection(
                "price", ("how much does it cost", "is it expensive"), "The visit is free.", remember="Asked the price."
            ),
            Objection("busy", ("i'm busy", "call me back tomorrow"), "Another time, then. Goodbye.", Then.END),
            Objection("refused", ("no thanks", "not interested"), "I see. Goodbye.", Then.END),
            Objection("moved", ("i sold the house",), "Good to know.", Then.GO_ON),
            Objection("human", ("talk to a person",), "I'll connect you.", Then.TRANSFER),
            Objection("stop", ("stop calling me", "take me off your list"), "You are off our list. Goodbye.", Then.OPT_OUT),
        ),
        voicemail=Voicemail(VoicemailAction.LEAVE_MESSAGE, "This is {persona} for {seller}, {callback_number}. Goodbye."),
        version="1",
    )


@pytest.fixture
def briefing() -> Callable[..., Briefing]:
    def make(**known: str) -> Briefing:
        at = datetime(2026, 3, 2, 12, tzinfo=UTC)
        facts = tuple(KnownFact("said so", "call 1", at, key, value) for key, value in known.items())
        contact = ContactCard("c1", "+13025550111", "Maria Lopez", "Maria", fields={"plan": "basic"})
        return Briefing(contact=contact, knowledge=facts)

    return make
