import pytest

from context.transcript import Speaker, Turn, in_order, render, words_of


def test_a_turn_cannot_run_backwards_nor_begin_before_the_answer():
    for started, ended in ((2.0, 1.0), (-0.1, 1.0), (float("nan"), 1.0)):
        with pytest.raises(ValueError):
            Turn(Speaker.AGENT, "hello", started, ended)


def test_turns_are_told_in_the_order_they_began():
    late, early, short = (
        Turn(Speaker.AGENT, text, start, end) for text, start, end in (("c", 5, 6), ("b", 1, 4), ("a", 1, 2))
    )
    assert [turn.text for turn in in_order([late, early, short])] == ["a", "b", "c"]


def test_words_of_one_side_leave_out_the_silent_turns(talk):
    assert words_of(Speaker.CALLER, talk("c: hi", "a: hello", "c:   ", "c: bye ")) == ("hi", "bye")


def test_rendering_marks_what_was_cut_and_what_was_not_understood():
    turns = [
        Turn(Speaker.CALLER, " ", 64.0, 65.0),
        Turn(Speaker.AGENT, "Hello,\n this is", 3.2, 4.0, is_cut=True),
    ]
    assert render(turns) == "0:03  Agent: Hello, this is--\n1:04  Caller: (nothing intelligible)"
    assert render(turns, names=("Jo", "Ann")).startswith("0:03  Ann:")
    assert render([]) == ""
