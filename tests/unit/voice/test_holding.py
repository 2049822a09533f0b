from __future__ import annotations

from voice.actions import ClearPlayout
from voice.delivery import Delivery
from voice.events import ReplyId, ReplyText, SegmentSpoken, SpeechArrived
from voice.holding import Holding
from voice.reply import Reply
from voice.waits import Wait, Waits

HOLD_FOR = 4.0


def audible(text: str = "Shall I go on?") -> tuple[Holding, Reply, Waits, Delivery]:
    """A reply whose first segment is being heard."""
    delivery, waits, reply = Delivery(0.3), Waits(), Reply(ReplyId(1))
    reply.speak(text)
    delivery.play(reply, SpeechArrived(reply.id, 0, b"\xff" * 8000), 1.0)
    return Holding(delivery, waits, HOLD_FOR), reply, waits, delivery


def test_nothing_is_held_at_first() -> None:
    holding, _, _, _ = audible()
    assert holding.reply is None
    assert not holding.is_asking
    assert holding.release() is None


def test_holding_falls_silent_and_waits() -> None:
    holding, reply, waits, _ = audible()
    assert ClearPlayout() in holding.hold(reply, 1.5)
    assert holding.reply is reply
    assert waits.instants[Wait.HELD] == 1.5 + HOLD_FOR


def test_only_what_belongs_to_it_is_kept() -> None:
    holding, reply, _, _ = audible()
    own, other = SegmentSpoken(reply.id, 0), ReplyText(ReplyId(2), "Other.")
    assert not holding.keeps(own), "nothing is held yet"
    holding.hold(reply, 1.5)
    assert holding.keeps(own)
    assert not holding.keeps(other)
    assert holding.take_up().events == [own]


def test_it_is_taken_up_once() -> None:
    holding, reply, waits, _ = audible()
    holding.hold(reply, 1.5)
    assert holding.take_up().reply is reply
    assert holding.reply is None
    assert Wait.HELD not in waits.instants
    assert holding.release() is None


def test_what_is_released_will_not_be_said() -> None:
    holding, reply, waits, delivery = audible()
    holding.hold(reply, 1.5)
    assert holding.release() is reply
    assert Wait.HELD not in waits.instants
    assert delivery.take_up(2.0) == [], "its audio is forgotten"


def test_a_question_counts_once_it_has_been_heard() -> None:
    holding, reply, _, delivery = audible()
    holding.hold(reply, 1.0)
    assert not holding.is_asking
    holding.take_up()
    delivery.playout.hold(4000)
    holding.hold(reply, 1.5)
    assert holding.is_asking
