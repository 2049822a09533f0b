from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from benchmarks.vendors.mind import messages
from context.briefing import Absence, Briefing, CampaignRules, ContactCard, KnownFact, Missing, PastCall
from voice.actions import AgentSaid, CallerSaid, Happened, Message, ToolUsed
from voice.agent import AgentDefinition, Answer, AnswerKind, Objection, Question
from voice.events import Direction
from voice.providers.prompting import (
    ChatTurn,
    as_arguments,
    briefed,
    call_notes,
    chat_turns,
    happened,
    standing_orders,
    tool_cards,
)

AT = datetime(2026, 11, 1, tzinfo=UTC)
AGENT = AgentDefinition(
    "solar",
    "Acme Solar",
    "Ann",
    "Book a visit.",
    "Hello.",
    "Goodbye then.",
    questions=(Question("owner", "Do you own it?", AnswerKind.YES_NO, (Answer("yes", ("yes",), say="Good."),)),),
    objections=(Objection("price", ("how much",), "It is free."),),
    transfer_to="+12025550100",
    instructions="Be kind.",
)
FULL = Briefing(
    contact=ContactCard("c", "+12025550123", "Zelda Quigley", "Zelda", "TX", {"roof": "slate"}),
    history=(PastCall(AT, "outbound", "answered", "Asked to be called back."),),
    rules=CampaignRules("r", "Autumn", "Acme Solar", "solar", "Sell.", "Gently."),
    knowledge=(
        KnownFact("Owns the house.", "call CA1", AT, "owner", 'yes "really"'),
        KnownFact("Has a dog.", "call CA1", AT),
    ),
    absences=(Absence("crm", Missing.TOO_LATE),),
)


def test_the_first_tier_knows_the_agent_and_nothing_of_the_call() -> None:
    text = standing_orders(AGENT)
    for part in (
        "Ann",
        "Acme Solar",
        "Book a visit.",
        "Be kind.",
        "Do you own it?",
        "say: Good.",
        "It is free.",
        "transfer",
    ):
        assert part in text
    assert "connect the caller" in text
    assert "Zelda" not in text
    plain = standing_orders(AgentDefinition("a", "b", "c", "d", "e", "f"))
    assert "Ask these" not in plain
    assert "connect the caller" not in plain


def test_the_second_tier_knows_the_call_and_keeps_the_number_to_itself() -> None:
    text = call_notes(FULL, Direction.OUTBOUND)
    for part in ("We called them", "Zelda", "slate", "Asked to be called back.", "Autumn", "Has a dog.", "crm: too_late"):
        assert part in text
    assert "+1202" not in text
    assert "They called us" in call_notes(Briefing(), Direction.INBOUND)


def test_what_is_known_can_be_read_back() -> None:
    read = briefed(call_notes(FULL, Direction.OUTBOUND))
    assert read.contact is not None
    assert (read.contact.first_name, read.contact.fields) == ("Zelda", {"roof": "slate"})
    owner = read.slot("owner")
    assert owner is not None
    assert (owner.value, owner.text) == ('yes "really"', "Owns the house.")
    assert briefed("nothing here") == Briefing()


MEMORIES: list[tuple[Message, ...]] = [
    (),
    (AgentSaid("Hello."),),
    (CallerSaid(""), AgentSaid("", is_cut=True), CallerSaid("yes")),
    (AgentSaid("Do you own", is_cut=True), CallerSaid("stop it"), Happened("key:9"), Happened("music")),
    (CallerSaid("book me"), AgentSaid("Sure."), ToolUsed("t", "book_appointment", "{}", None), AgentSaid("Done.")),
    (ToolUsed("a", "opt_out", "{}", "written"), ToolUsed("b", "end_call", "{}", "no", ok=False)),
]


@pytest.mark.parametrize("memory", MEMORIES)
def test_turns_alternate_begin_and_end_with_the_user_and_answer_every_tool(memory: tuple[Message, ...]) -> None:
    turns = chat_turns(memory)
    assert [turn.role for turn in turns] == [("user", "assistant")[i % 2] for i in range(len(turns))]
    assert len(turns) % 2 == 1
    for turn, following in pairwise(turns):
        assert {use.call for use in turn.uses} == {result.call for result in following.results}


def test_a_call_that_has_just_been_answered_is_something_to_reply_to() -> None:
    assert chat_turns(()) == (ChatTurn("user", "[the call has been answered]"),)


@pytest.mark.parametrize("memory", MEMORIES[3:])
def test_a_memory_can_be_read_back(memory: tuple[Message, ...]) -> None:
    read = messages(chat_turns(memory))
    kept = [message for message in read if not (isinstance(message, Happened) and message.what in ("answered", "silence"))]
    expected = [
        ToolUsed(m.call, m.name, m.arguments, m.result or "(still running)", m.ok) if isinstance(m, ToolUsed) else m
        for m in memory
    ]
    assert kept == expected


def test_facts_are_told_apart_from_words() -> None:
    assert happened("[the caller pressed 5]") == "key:5"
    assert happened("[the caller is silent]") == "silence"
    assert happened("[hold music]") == "hold music"
    assert happened("[the caller spoke, but no words were understood]") == ""
    assert happened("hello") == ""


def test_arguments_that_are_not_an_object_are_kept_as_they_were() -> None:
    assert as_arguments('{"a": 1}') == {"a": 1}
    assert as_arguments("") == {}
    assert as_arguments("[1]") == {"unparsed": "[1]"}
    assert as_arguments("{oops") == {"unparsed": "{oops"}


def test_every_tool_has_a_description_and_a_schema() -> None:
    cards = {card.name: card for card in tool_cards()}
    assert cards["save_answer"].parameters["required"] == ["question", "value"]
    assert all(card.description for card in cards.values())
