"""Tools, turns, expectations, machines: small values with small rules."""

from __future__ import annotations

import pytest

from voice.agent import AgentDefinition, Answer, AnswerKind, Question
from voice.events import Transcribed
from voice.expectation import expectation_of
from voice.machine import is_voicemail_greeting
from voice.tools import TOOLS, EndCall, SaveAnswer, parse_arguments, schema
from voice.turn import CallerTurn


def test_arguments_are_typed():
    assert parse_arguments("save_answer", '{"question":"q","value":"v"}') == SaveAnswer("q", "v")
    assert parse_arguments("end_call", "") == EndCall()


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("fly", "{}", "no tool named"),
        ("save_answer", "{}", "missing required field"),
        ("end_call", "{", "not valid"),
        ("end_call", '{"x":1}', "unknown field"),
    ],
)
def test_a_refusal_says_what_is_wrong(name: str, arguments: str, says: str):
    refusal = parse_arguments(name, arguments)
    assert isinstance(refusal, str)
    assert says in refusal


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_has_a_schema(name: str):
    assert schema(name)["type"] == "object"


def test_a_turn_collects_finals_and_replaces_interims():
    turn = CallerTurn()
    turn.hears(Transcribed("i", False))
    turn.hears(Transcribed("i think", False))
    assert turn.text == "i think"
    turn.hears(Transcribed("I think", True, confidence=0.9))
    turn.hears(Transcribed("", True))
    turn.hears(Transcribed("so", True, confidence=0.5))
    assert (turn.text, turn.confidence) == ("I think so", 0.5)


def test_a_turn_begins_once():
    turn = CallerTurn()
    turn.begins(1.0)
    turn.begins(2.0)
    assert turn.started_at == 1.0


def test_a_turn_that_goes_on():
    first, second = CallerTurn(started_at=1.0, finals=["yes"]), CallerTurn(started_at=2.0, finals=["but no"])
    second.continues(first)
    assert (second.text, second.started_at) == ("yes but no", 1.0)
    third = CallerTurn(started_at=3.0, finals=["x"])
    third.continues(CallerTurn(started_at=2.0))
    assert third.text == "x"


AGENT = AgentDefinition(
    "a",
    "s",
    "p",
    "g",
    "o",
    "b",
    questions=(
        Question("q1", "Do you own your home?", AnswerKind.YES_NO, (Answer("yes", ("yes",)),)),
        Question(
            "q2",
            "How much is your bill?",
            AnswerKind.NUMBER,
            (),
            again="Roughly how much?",
            known="Last time you said {value} dollars. Is that right?",
        ),
    ),
)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Great. Do you own your home?", AnswerKind.YES_NO),
        ("Do you own your home? No? How much is your bill?", AnswerKind.NUMBER),
        ("Sorry. Roughly how much?", AnswerKind.NUMBER),
        ("What would you like?", AnswerKind.OPEN),
        ("This call is recorded. Do you have a minute?", AnswerKind.YES_NO),
        ("…?", AnswerKind.OPEN),
        ("Hello. Last time you said two hundred dollars. Is that right?", AnswerKind.YES_NO),
    ],
)
def test_the_last_question_sets_the_expectation(said: str, kind: AnswerKind):
    expected = expectation_of(AGENT, said)
    assert expected is not None
    assert expected.kind is kind


def test_a_statement_expects_nothing():
    assert expectation_of(AGENT, "Goodbye.") is None


@pytest.mark.parametrize(
    "text", ["Please leave a message after the beep", "you have reached the voicemail of", "i can't come to the phone"]
)
def test_greetings(text: str):
    assert is_voicemail_greeting(text)


@pytest.mark.parametrize("text", ["hello", "who is this", "", "can you leave me alone"])
def test_people(text: str):
    assert not is_voicemail_greeting(text)
