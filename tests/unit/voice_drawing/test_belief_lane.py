"""Beliefs are stretches of time."""

from __future__ import annotations

from voice.drawing.beliefs import Beliefs
from voice.drawing.orders import Order
from voice.drawing.story import Span
from voice.replay import Belief

NOTE = Order("Note", {"kind": "decision", "text": "not an interruption: noise"})


def test_states_and_waits_last_from_when_to_when():
    beliefs = Beliefs()
    beliefs.take(0.0, Belief(phase="talking", waits=(("silence", 6.0),)))
    beliefs.take(1.0, Belief(phase="talking", caller="speaking", waits=(("silence", 7.0),), ending=0.5))
    beliefs.take(2.0, Belief(phase="talking", ending=0.5))
    beliefs.take(3.0, Belief(phase="talking"))
    spans = beliefs.finish(4.0)
    assert Span("phase", "talking", 0.0, 4.0) in spans
    assert Span("caller", "speaking", 1.0, 2.0) in spans
    assert Span("wait:silence", "silence", 0.0, 2.0, "due at 7.00 s") in spans
    assert beliefs.endings == [(1.0, 0.5), (3.0, 0.0)]
    assert not [span for span in spans if span.row == "agent"]


def test_a_doubt_is_ducked_and_settled():
    beliefs = Beliefs()
    beliefs.decided(1.0, (Order("SetGain", {"gain": 0.3}),))
    beliefs.decided(1.3, (Order("SetGain", {"gain": 1.0}), NOTE))
    beliefs.decided(2.0, (Order("SetGain", {"gain": 1.0}),))
    assert beliefs.finish(3.0) == (Span("doubt", "somebody speaks over us", 1.0, 1.3, "not an interruption: noise"),)


def test_a_draft_is_committed_dropped_or_left():
    beliefs = Beliefs()
    for reply in (2, 3, 4):
        beliefs.decided(float(reply), (Order("StartReply", {"reply": reply, "speculative": True}),))
    beliefs.decided(5.0, (Order("StartReply", {"reply": 9}), Order("Play", {"marks": [[5, "2/5"], [6, "x"]]})))
    dropped = Order("Note", {"kind": "decision", "text": "a prepared reply is dropped: the words changed"})
    beliefs.decided(6.0, (Order("StopReply", {"reply": 3}), dropped))
    beliefs.decided(6.5, (Order("StopReply", {"reply": 77}),))
    assert [(span.began, span.ended, span.detail) for span in beliefs.finish(7.0)] == [
        (2.0, 5.0, "committed"),
        (3.0, 6.0, "dropped: the words changed"),
        (4.0, 7.0, ""),
    ]
