"""Walking through a call by what is typed."""

from __future__ import annotations

import pytest

from voice.actions import ClearPlayout, Note, SetGain
from voice.drawing.walking import HELP, Walk
from voice.events import DeadlinePassed, KeyPressed


@pytest.fixture
def walk(step) -> Walk:
    return Walk(
        [
            step(1.0, DeadlinePassed(), [SetGain(0.3)]),
            step(2.0, KeyPressed("5"), [Note("caller", "[key 5]")]),
            step(3.0, DeadlinePassed(), [ClearPlayout()], []),
            step(4.0, DeadlinePassed(), [SetGain(1.0)]),
        ]
    )


def place(lines: list[str]) -> str:
    return lines[0].strip("─ ")


def test_forward_back_and_out_at_the_end(walk):
    assert place(walk.show()) == "1 of 4"
    assert place(walk.obey("")) == "2 of 4"
    assert place(walk.obey("n")) == "3 of 4"
    assert place(walk.obey("p")) == "2 of 4"
    assert place(walk.obey("g")) == "1 of 4"
    assert place(walk.obey("p")) == "1 of 4"
    for _ in range(3):
        walk.obey("")
    assert not walk.is_over
    assert walk.obey("") == ["the end"]
    assert walk.is_over


def test_each_step_tells_event_orders_and_belief(walk):
    lines = "\n".join(walk.show())
    assert "DeadlinePassed" in lines
    assert "SetGain gain=0.3" in lines
    assert "believes: ringing · caller quiet · agent silent" in lines


def test_to_a_second(walk):
    assert place(walk.obey("t 2.5")) == "3 of 4"
    assert place(walk.obey("t 99")) == "4 of 4"
    assert walk.obey("t soon") == ["t and a number of seconds: t 12.5"]


def test_to_a_word_and_to_a_difference(walk):
    assert place(walk.obey("/KEY 5")) == "2 of 4"
    assert walk.obey("/key 5") == ["not found from here on"]
    assert place(walk.obey("d")) == "3 of 4"
    assert walk.obey("d") == ["nothing differs from here on"]


def test_help_and_leave(walk):
    assert walk.obey("what") == list(HELP)
    assert walk.obey("q") == []
    assert walk.is_over


def test_nowhere_to_walk():
    assert Walk([]).is_over
