"""The small machines beside the conversation: the caller's turn, a supervisor's orders."""

from __future__ import annotations

from voice.actions import FinishUtterance
from voice.events import Transcribed
from voice.listening import Listening
from voice.supervision import Supervision


def test_final_words_are_asked_for_once_a_turn():
    listening = Listening()
    assert listening.finish_utterance() == [FinishUtterance()]
    assert listening.finish_utterance() == []
    assert listening.is_waiting
    assert listening.hears(Transcribed("yes", is_final=True), 1.0)
    assert not listening.is_waiting
    assert listening.take_turn().text == "yes"
    assert listening.turn.text == ""


def test_words_of_a_turn_that_went_on_without_them_are_nobodys_once():
    listening = Listening()
    listening.give_up_waiting(until=3.0)
    assert not listening.hears(Transcribed("late", is_final=True), 2.0)
    assert listening.hears(Transcribed("new", is_final=True), 2.5)


def test_a_hand_over_makes_words_needless():
    supervision = Supervision()
    assert not supervision.is_waiting
    supervision.dictate("Please")
    supervision.dictate("wait.")
    assert supervision.take_hand_over() == ""
    assert supervision.take_words() == "Please wait."
    supervision.dictate("Hello.")
    supervision.connect("+16145550199")
    assert supervision.is_waiting
    assert supervision.take_hand_over() == "+16145550199"
    assert not supervision.is_waiting
