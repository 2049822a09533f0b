"""Who is at the other end, and what is wanted of the call because of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voice.actions import Note
from voice.agent import AgentDefinition, EncounterPolicy, LanguageAction, ScreenerAction, Voicemail, VoicemailAction
from voice.company import Company
from voice.course import Course, Phase
from voice.events import CallId, Direction, Party, Samples, ToneHeard, Transcribed
from voice.listening import Listening
from voice.memory import Memory
from voice.policy import Policy
from voice.report import Ending
from voice.waits import Wait, Waits
from voice.wishes import Answer, FallSilent, HandOver, Introduce, LeaveNow, Say, Step

AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Hello.", "Goodbye.", transfer_to="+16145550199")
SCREEN = "please say your name and why you are calling"


class Rig:
    """A company with everything of the call that it touches."""

    def __init__(self, agent: AgentDefinition = AGENT, direction: Direction = Direction.OUTBOUND) -> None:
        self.waits, self.memory, self.listening = Waits(), Memory(CallId("c")), Listening()
        self.memory.began = 0.0
        self.course = Course(Policy(), self.waits)
        self.course.phase = Phase.TALKING
        self.course.is_opened = True
        self.company = Company(agent, direction, Policy(), self.course, self.listening, self.memory, self.waits)

    def hears(self, words: str, now: float = 3.0, *, is_protected: bool = False) -> list[Step] | None:
        return wishes(self.company.words(words, "", now, is_protected=is_protected))


def wishes(steps: list[Step] | None) -> list[Step] | None:
    return None if steps is None else [step for step in steps if not isinstance(step, Note)]


def test_a_screener_is_told_who_calls_and_whoever_comes_hears_the_opening():
    rig = Rig(replace(AGENT, encounters=EncounterPolicy(screener_says="This is Ava.", wait_for=20.0)))
    assert rig.hears(SCREEN) == [Say("This is Ava.", is_protected=True)]
    assert (rig.company.is_away, rig.course.is_opened, rig.waits.instants[Wait.AWAY]) == (True, False, 23.0)
    assert rig.company.seen == (f"screener: {SCREEN}",)
    assert wishes(rig.company.is_back("hello?")) == [Introduce()]
    assert not rig.company.is_away


def test_a_queue_is_waited_for_in_silence():
    rig = Rig()
    assert rig.hears("your call is important to us") == [FallSilent()]
    assert wishes(rig.company.is_back("hello?")) == [FallSilent(), Answer()]


def test_a_queue_that_cuts_the_law_s_text_short_makes_it_unsaid():
    rig = Rig()
    rig.hears("your call is important to us", is_protected=True)
    assert wishes(rig.company.is_back("hello?")) == [Introduce()]


def test_what_is_not_worth_a_wait_is_left():
    rig = Rig(replace(AGENT, encounters=EncounterPolicy(screener=ScreenerAction.HANG_UP)))
    assert rig.hears(SCREEN) == [LeaveNow(Ending.AWAY, "screener")]


def test_another_language_is_told_once_and_then_left():
    rig = Rig(replace(AGENT, encounters=EncounterPolicy(language=LanguageAction.SAY, language_says="English only.")))
    assert rig.hears("no hablo inglés") == [Say("English only.")]
    again = rig.hears("no hablo inglés")
    assert again is not None
    assert isinstance(again[0], Say)
    assert again[0].leave is not None
    assert rig.course.ending is Ending.COMPLETED
    assert rig.hears("no hablo inglés") is None


def test_another_language_may_be_connected():
    rig = Rig(replace(AGENT, encounters=EncounterPolicy(language=LanguageAction.TRANSFER)))
    assert rig.hears("no hablo inglés") == [HandOver("+16145550199")]


def test_a_person_is_nothing_to_be_met():
    rig = Rig()
    assert rig.hears("yes this is she") is None
    assert rig.company.silence(9.0, is_protected=False) is None


def test_a_fax_is_left_and_a_beep_means_nothing_to_a_person():
    rig = Rig()
    beep = ToneHeard(Samples(8000), 1000.0, 0.4)
    assert rig.company.tone(beep, 3.0, is_speaking=False, is_protected=False) == []
    fax = ToneHeard(Samples(16000), 2100.0, 2.0)
    steps = rig.company.tone(fax, 4.0, is_speaking=False, is_protected=False)
    assert wishes(steps) == [LeaveNow(Ending.MACHINE, "2100 Hz for 2.0 s")]
    assert rig.company.party is Party.FAX


@pytest.mark.parametrize(("direction", "now", "is_one"), [(Direction.OUTBOUND, 3.0, True), (Direction.OUTBOUND, 99.0, False),
                                                          (Direction.INBOUND, 3.0, False)])  # fmt: skip
def test_a_greeting_is_early_and_of_whom_we_rang(direction: Direction, now: float, is_one: bool):
    greeting = "you have reached the smiths please leave a message after the tone"
    assert Rig(direction=direction).company.sounds_like_machine(greeting, now) is is_one


def test_a_screener_is_no_machine_and_before_the_media_nothing_is():
    rig = Rig()
    assert not rig.company.sounds_like_machine(SCREEN, 3.0)
    rig.memory.began = None
    assert not rig.company.sounds_like_machine("leave a message after the tone", 3.0)
    assert rig.hears("yes") is None


def test_a_machine_is_listened_to_until_its_beep_and_gets_one_message():
    rig = Rig(replace(AGENT, voicemail=Voicemail(VoicemailAction.LEAVE_MESSAGE, "Ava called.")))
    rig.listening.turn.begins(1.0)
    rig.listening.hears(Transcribed("you have reached", is_final=False), 2.0)
    steps = rig.company.detected(Party.MACHINE, "its greeting", 3.0)
    assert Note("caller", "you have reached") in steps
    assert wishes(steps) == [FallSilent()]
    assert (rig.course.phase, rig.waits.instants[Wait.BEEP]) == (Phase.MACHINE, 23.0)
    assert rig.company.leave_message("no beep", is_speaking=True) == []
    beep = rig.company.tone(ToneHeard(Samples(80000), 1000.0, 0.4), 10.0, is_speaking=False, is_protected=False)
    said = wishes(beep)
    assert said is not None
    assert isinstance(said[0], Say)
    assert (said[0].text, said[0].is_protected, rig.course.ending) == ("Ava called.", True, Ending.MACHINE)


def test_a_machine_may_be_hung_up_on_and_a_person_is_only_noted():
    rig = Rig(replace(AGENT, voicemail=Voicemail(VoicemailAction.HANG_UP)))
    assert wishes(rig.company.detected(Party.HUMAN, "carrier", 2.0)) == []
    assert wishes(rig.company.detected(Party.MACHINE, "carrier", 3.0)) == [LeaveNow(Ending.MACHINE, "carrier")]


def test_whoever_has_been_talked_with_is_no_machine():
    rig = Rig()
    rig.memory.caller_said("yes", 1.0, 2.0)
    rig.memory.caller_said("I do", 3.0, 4.0)
    assert rig.company.detected(Party.MACHINE, "carrier", 5.0) == []
