from __future__ import annotations

import pytest

from voice.actions import CallerSaid, ClearPlayout, FinishUtterance, Note, Play
from voice.agent import AgentDefinition
from voice.course import Course, Phase
from voice.events import CallId, ReplyText, Samples, SpeechArrived, Transcribed, VoiceEvidence
from voice.floor import Caller, Floor
from voice.listening import Listening
from voice.memory import Memory
from voice.murmurs import Murmurs
from voice.outcomes import Audible
from voice.policy import Policy
from voice.promptness import Promptness
from voice.speaking import Speaking
from voice.supervision import Supervision
from voice.waits import Wait, Waits

AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Hello.", "Goodbye.")
POLICY = Policy()
WINDOW = 256


class Rig:
    """A judge of murmurs, and a reply of eight seconds that begins to be heard at 1.0."""

    def __init__(self, text: str = "Our visit takes an hour. ") -> None:
        self.waits, self.memory, self.listening, self.floor = Waits(), Memory(CallId("c")), Listening(), Floor()
        course = Course(POLICY, self.waits)
        course.phase = Phase.TALKING
        self.supervision = Supervision(course, self.memory)
        self.speaking = Speaking(AGENT, POLICY, self.memory, self.waits, Promptness((0.0, 0.0)))
        self.murmurs = Murmurs(POLICY, self.floor, self.listening, self.speaking, self.supervision, self.memory, self.waits)
        self._position = 0
        self.speaking.start(0.5)
        reply = self.speaking.reply
        assert reply is not None
        self.speaking.from_mind(ReplyText(reply.id, text), 0.9)
        self.speaking.from_mouth(SpeechArrived(reply.id, 0, b"\xff" * 64000), 1.0)

    def stopped(self, at: float = 2.0) -> Rig:
        """The caller has taken the floor, and what we said is held."""
        self.floor.caller = Caller.SPEAKING
        self.speaking.hold(at)
        return self

    def hears(self, level: float, windows: int = 3) -> Rig:
        for _ in range(windows):
            self._position += WINDOW
            self.floor.evidence(VoiceEvidence(Samples(self._position), 0.9 if level > -40 else 0.0, level))
        return self


def test_what_stopped_us_wants_something_unless_it_is_short_and_without_words():
    murmurs = Rig().stopped().murmurs
    assert murmurs.want_nothing("", POLICY.wordless - 0.1)
    assert not murmurs.want_nothing("", POLICY.wordless)
    assert murmurs.want_nothing("mhm", 9.0)
    assert not murmurs.want_nothing("what does it cost", 0.0)


def test_a_yes_after_a_question_that_was_heard_is_an_answer():
    rig = Rig("Do you own your home? ")
    rig.speaking.playout.hold(4000)
    assert not rig.stopped().murmurs.want_nothing("yes", 0.0)


def test_nothing_is_taken_up_over_a_supervisor():
    rig = Rig().stopped()
    rig.supervision.says("One moment.", is_free=False)
    assert not rig.murmurs.want_nothing("", 0.0)


def test_a_noise_is_nobodys_and_what_was_said_goes_on():
    rig = Rig().stopped()
    steps = rig.murmurs.take_up("", 2.0, 2.5)
    assert steps[:2] == [Note("decision", "going on where we were stopped: nothing was said"), Audible(is_protected=False)]
    assert any(isinstance(step, Play) for step in steps)
    assert not any(line.speaker == "caller" for line in rig.memory.transcript)


def test_a_murmur_is_in_the_transcript_and_no_turn_of_the_talk():
    rig = Rig().stopped()
    steps = rig.murmurs.take_up("mhm", 2.0, 2.5)
    assert steps[0] == Note("caller", "mhm", (("while", "agent"),))
    assert steps[1] == Note("decision", 'going on where we were stopped: "mhm" wants nothing')
    (line,) = [line for line in rig.memory.transcript if line.speaker == "caller"]
    assert (line.text, line.started, line.ended) == ("mhm", 2.0, 2.5)
    assert CallerSaid("mhm") not in rig.memory.messages


def test_a_pause_lasts_a_little_longer_while_the_voice_goes_on_and_only_once():
    rig = Rig().hears(-26.0)
    assert ClearPlayout() in rig.speaking.pause(2.0)
    over, longest = 2.0 + POLICY.pause_for, 2.0 + POLICY.pause_for + POLICY.pause_on
    assert rig.murmurs.pause_over(over) == []
    assert rig.waits.instants[Wait.PAUSED] == pytest.approx(longest)
    assert any(isinstance(step, Play) for step in rig.murmurs.pause_over(longest))
    assert rig.murmurs.pause_over(longest) == [], "there is no pause any more"


def test_a_pause_is_over_in_time_where_the_voice_is():
    rig = Rig().hears(-80.0)
    rig.speaking.pause(2.0)
    assert any(isinstance(step, Play) for step in rig.murmurs.pause_over(2.0 + POLICY.pause_for))


def test_a_voice_that_was_over_at_once_gives_the_floor_back_and_may_yet_have_been_meant():
    rig = Rig().hears(-80.0).stopped()
    steps = rig.murmurs.pause_over(2.3)
    assert steps[:2] == [
        Note("decision", "going on where we were stopped: a voice that was over at once"),
        FinishUtterance(),
    ]
    assert Audible(is_protected=False) in steps
    assert (rig.floor.caller, rig.speaking.is_holding) == (Caller.QUIET, False)
    assert rig.murmurs.is_unsure(2.2 + POLICY.hold_for)
    assert not rig.murmurs.is_unsure(2.3 + POLICY.hold_for)


def test_somebody_who_goes_on_or_says_something_or_is_through_is_listened_to():
    assert Rig().hears(-26.0).stopped().murmurs.pause_over(2.3) == []
    spoke = Rig().hears(-80.0).stopped()
    spoke.listening.hears(Transcribed("what does it cost", is_final=False), 2.2)
    assert spoke.murmurs.pause_over(2.3) == []
    through = Rig().hears(-80.0).stopped()
    through.floor.caller = Caller.QUIET
    assert through.murmurs.pause_over(2.3) == []
    asked = Rig("Do you own your home? ").hears(-80.0)
    asked.speaking.playout.hold(4000)
    assert asked.stopped().murmurs.pause_over(2.3) == []


def test_nothing_is_doubted_at_first():
    assert not Rig().murmurs.is_unsure(0.0)
