"""What a turn means, with the mishearings of a recogniser in it."""

from __future__ import annotations

import pytest

from voice.agent import AgentDefinition
from voice.providers.embedded.accuracy import meaning
from voice.providers.embedded.understanding import Understanding


@pytest.mark.parametrize(
    ("asked", "said", "meant"),
    [
        ("owner", "yes", ["owner=yes"]),
        ("owner", "yeah sure", ["owner=yes"]),
        ("owner", "yeah no", ["owner=yes"]),
        ("owner", "well no i rent", ["owner=no"]),
        ("owner", "yes i own it but how much would it cost", ["owner=yes", "price"]),
        ("owner", "yes we own the house and the roof is metal", ["owner=yes", "roof=metal"]),
        ("owner", "i own it and pay two hundred dollars", ["owner=yes", "bill=200"]),
        ("owner", "we have two dogs", []),
        ("owner", "call me back tomorrow", ["busy"]),
        ("owner", "please take me off the list", ["stop"]),
        ("owner", "do not call me", ["stop"]),
        ("owner", "do not call this number ever again my friend", ["stop"]),
        ("owner", "i can't stop by on friday", []),
        ("owner", "what", ["again"]),
        ("owner", "what a day it was", []),
        ("bill", "about one fifty a month", ["bill=150"]),
        ("bill", "i don't know", ["bill=unknown"]),
        ("bill", "$150", ["bill=150"]),
        ("bill", "yes", ["yes"]),
        ("roof", "a meddle roof", ["roof=metal"]),
        ("roof", "nothing", []),
        ("visit", "friday at three thirty", ["visit=Friday at 3:30 PM"]),
        ("visit", "friday", ["visit~Friday"]),
        ("visit", "call me back tomorrow", ["busy"]),
        ("visit", "ask my wife to choose", ["visit=person"]),
        ("visit", "Tuesday at 10:30 a.m.", ["visit=Tuesday at 10:30 AM"]),
        ("wish", "there is a gate at the back", ["wish=there is a gate at the back"]),
        ("wish", "no that's all", ["wish=nothing"]),
        ("wish", "how much does it cost", ["price"]),
        ("wish", "thanks", ["thanks"]),
        ("visit", "no", ["visit=none"]),
        ("bill", "i am not there", ["no"]),
        ("owner", "i am not sure", ["unsure"]),
        ("owner", "i really don't know", ["unsure"]),
        ("bill", "no i don't", ["no"]),
        ("bill", "hello thanks", ["greeting", "thanks"]),
        ("owner", "no thanks", ["refused"]),
        ("roof", "no", ["no"]),
        ("", "tuesday at ten", ["visit=Tuesday at 10 AM"]),
        ("", "tuesday", []),
        ("", "one hundred dollars", ["bill=100"]),
        ("", "one hundred", []),
        ("", "metal", ["roof=metal"]),
        ("", "yes", ["yes"]),
        ("", "i own", ["owner=yes"]),
        ("", "who is calling please", ["identity"]),
        ("", "please leave a message after the tone", ["voicemail"]),
        ("", "", []),
        ("owner", "i do not own it", ["owner=no"]),
        ("owner", "can you call me talk to morning", []),
    ],
)
def test_a_turn_means(agent: AgentDefinition, asked: str, said: str, meant: list[str]) -> None:
    questions = {question.id: question for question in agent.questions}
    acts = Understanding(agent).acts(said, questions.get(asked))
    assert sorted({meaning(act) for act in acts}) == sorted(meant)


def test_an_answer_said_twice_counts_once_and_the_last_word_counts(agent: AgentDefinition) -> None:
    owner = agent.questions[0]
    acts = Understanding(agent).acts("we own the house no i rent", owner)
    assert [meaning(act) for act in acts] == ["owner=no"]
