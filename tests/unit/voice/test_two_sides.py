"""The small machines beside the conversation: the caller's turn, a supervisor's orders."""

from __future__ import annotations

from voice.actions import FinishUtterance, Note
from voice.course import Course, Phase
from voice.events import CallId, Transcribed
from voice.listening import Listening
from voice.memory import Memory
from voice.policy import Policy
from voice.supervision import Supervision
from voice.waits import Waits
from voice.wishes import HandOver, Say


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


def a_supervision(phase: Phase = Phase.TALKING) -> Supervision:
    course = Course(Policy(), Waits())
    course.phase = phase
    return Supervision(course, Memory(CallId("c")))


def test_words_wait_until_nobody_is_interrupted():
    supervision = a_supervision()
    supervision.says("Please", is_free=False)
    supervision.says("wait.", is_free=False)
    assert supervision.is_waiting
    assert supervision.obey() == [Say("Please wait.")]
    assert not supervision.is_waiting
    assert supervision.says("Now.", is_free=True)[1:] == [Say("Now.")]


def test_a_hand_over_makes_words_needless():
    supervision = a_supervision()
    supervision.says("Hello.", is_free=False)
    assert len(supervision.transfers("+16145550199", is_free=False)) == 1
    assert supervision.obey() == [HandOver("+16145550199")]
    assert not supervision.is_waiting
    assert supervision.transfers("+16145550199", is_free=True)[1:] == [HandOver("+16145550199")]


def test_a_call_that_is_ending_heeds_nobody():
    supervision = a_supervision(Phase.LEAVING)
    refusals = [*supervision.says("Wait.", is_free=True), *supervision.transfers("+16145550199", is_free=True)]
    assert all(isinstance(step, Note) and "the call is ending" in step.text for step in refusals)
    assert supervision.whispers("be brief") == []
    assert not supervision.is_waiting
