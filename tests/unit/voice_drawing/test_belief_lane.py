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


def decision(text: str) -> Order:
    return Order("Note", {"kind": "decision", "text": text})


def test_what_was_stopped_is_taken_up_again_or_given_up():
    taken, again = (
        decision("the caller takes the floor: voice"),
        decision("going on where we were stopped: nothing was said"),
    )
    beliefs = Beliefs()
    beliefs.decided(1.0, (taken, Order("ClearPlayout", {})))
    beliefs.decided(2.0, (again, Order("Play", {})))
    beliefs.decided(3.0, (taken, Order("ClearPlayout", {})))
    beliefs.decided(4.0, (Order("StopReply", {"reply": 2}),))
    beliefs.decided(5.0, (taken, Order("StopReply", {"reply": 3})))
    assert [(span.row, span.began, span.ended, span.detail) for span in beliefs.finish(9.0)] == [
        ("held", 1.0, 2.0, "taken up again"),
        ("held", 3.0, 4.0, "given up"),
    ]


def test_a_lead_that_changes_is_a_stretch():
    beliefs = Beliefs()
    beliefs.decided(1.0, (Order("SetLead", {"seconds": 0.28}),))
    beliefs.decided(3.0, (Order("SetLead", {"seconds": 0.4}),))
    assert [(span.name, span.began, span.ended) for span in beliefs.finish(5.0)] == [
        ("280 ms ahead", 1.0, 3.0),
        ("400 ms ahead", 3.0, 5.0),
    ]
