"""Decisions in words, and what became of them since."""

from __future__ import annotations

import pytest

from voice.actions import (
    ClearPlayout,
    Expect,
    FinishUtterance,
    Hangup,
    Note,
    Play,
    RunTool,
    SetGain,
    Speak,
    StartReply,
    StopReply,
    Transfer,
)
from voice.drawing.decisions import decisions, difference, told
from voice.drawing.story import Time
from voice.events import DeadlinePassed, ReplyId, Samples, VoiceEvidence
from voice.journal import plain

ONE = ReplyId(1)


@pytest.mark.parametrize(
    ("action", "kind", "says"),
    [
        (Note("decision", "turn over: 0.4 s"), "decision", "turn over: 0.4 s"),
        (StartReply(ONE, ()), "reply", "start reply 1"),
        (StartReply(ONE, (), speculative=True), "reply", "prepare reply 1"),
        (StopReply(ONE), "stop", "stop reply 1"),
        (ClearPlayout(), "stop", "clear"),
        (SetGain(0.3), "gain", "duck to 0.3"),
        (SetGain(1.0), "gain", "full voice"),
        (Speak(ONE, 0, "Hello.", is_protected=True), "speak", "say “Hello.”"),
        (RunTool("t1", "save_answer", "{}", "k"), "tool", "run save_answer"),
        (Transfer("t1", "+16145550123"), "leave", "transfer to +1614•••0123"),
        (Hangup("done"), "leave", "hang up"),
        (Expect(("yes", "no")), "listen", "expect an answer"),
        (FinishUtterance(), "listen", "ask for the last words"),
    ],
)
def test_every_order_has_its_words(step, action, kind, says):
    (found,) = decisions(step(1.0, DeadlinePassed(), [action]))
    assert (found.kind, found.label, found.time) == (kind, says, Time.SAME)
    assert found.cause == "DeadlinePassed"


def test_what_other_lanes_show_is_left_out(step):
    run = RunTool("t1", "save_answer", "{}", "k")
    shown = [Play(b"\xff" * 80, ()), Note("agent", "hi"), Note("caller_interim", "y"), run, Note("tool", "save_answer")]
    assert [each.label for each in decisions(step(1.0, DeadlinePassed(), shown))] == ["run save_answer"]


def test_then_and_now_are_told_apart(step):
    then, now = [SetGain(0.3), ClearPlayout()], [SetGain(0.3), Play(b"\xff" * 8000, ())]
    otherwise = step(1.0, VoiceEvidence(Samples(8000), 0.9, -20.0), then, now)
    assert [(each.label, each.time) for each in decisions(otherwise)] == [
        ("duck to 0.3", Time.SAME),
        ("clear", Time.THEN),
        ("play 1.00 s", Time.NOW),
    ]
    found = difference(otherwise)
    assert found is not None
    assert found.then == ("clear what is queued is thrown away, here and at the carrier",)
    assert found.now == ("play 1.00 s",)
    assert found.cause == "the sound at 1.00 s: speech 90%, -20 dBFS"


def test_another_order_of_the_same_is_a_difference(step):
    found = difference(step(1.0, DeadlinePassed(), [SetGain(0.3), ClearPlayout()], [ClearPlayout(), SetGain(0.3)]))
    assert found is not None
    assert found.then == ("the same orders",)


def test_no_difference_is_none(step):
    assert difference(step(1.0, DeadlinePassed(), [ClearPlayout()])) is None


def test_an_event_that_cannot_be_taken_is_a_difference(step):
    found = difference(step(1.0, DeadlinePassed(), broke="IndexError: 3"))
    assert found is not None
    assert found.broke == "IndexError: 3"


def test_orders_of_other_versions_are_shown_by_name():
    assert told(["Dance", {"speed": 2}]) == "Dance"
    assert told(plain(Note("", "x"))) == "x"
    assert told(["Expect", {"phrases": 3}]) == "expect an answer"
