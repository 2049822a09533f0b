from __future__ import annotations

from voice.actions import CallerSaid, Note
from voice.afterthoughts import Afterthoughts
from voice.agent import AgentDefinition
from voice.course import Course
from voice.events import CallId, ReplyId, ReplyText, SpeechArrived, Transcribed
from voice.floor import Caller, Floor
from voice.listening import Listening
from voice.memory import Memory
from voice.murmurs import Murmurs
from voice.policy import Policy
from voice.promptness import Promptness
from voice.speaking import Speaking
from voice.supervision import Supervision
from voice.waits import Wait, Waits
from voice.wishes import CloseTurn, FallSilent, Meet

AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Hello.", "Goodbye.")
POLICY = Policy()


class Rig:
    """What becomes of late words, with everything of the call that it touches."""

    def __init__(self) -> None:
        self.waits, self.memory, self.listening, self.floor = Waits(), Memory(CallId("c")), Listening(), Floor()
        supervision = Supervision(Course(POLICY, self.waits), self.memory)
        self.speaking = Speaking(AGENT, POLICY, self.memory, self.waits, Promptness((0.0, 0.0)))
        self.murmurs = Murmurs(POLICY, self.floor, self.listening, self.speaking, supervision, self.memory, self.waits)
        self.afterthoughts = Afterthoughts(
            POLICY, self.floor, self.listening, self.speaking, self.murmurs, self.memory, self.waits
        )

    def hears(self, text: str, now: float, *, is_final: bool = True) -> Rig:
        event = Transcribed(text, is_final)
        self.listening.hears(event, now)
        self.floor.transcribed(event)
        return self

    def speaks(self, now: float) -> Rig:
        """Something of ours has begun to be heard."""
        self.speaking.start(now)
        reply = self.speaking.reply
        assert reply is not None
        self.speaking.from_mind(ReplyText(reply.id, "Our visit takes an hour. "), now)
        self.speaking.from_mouth(SpeechArrived(reply.id, 0, b"\xff" * 64000), now)
        return self

    def answers(self, text: str, ended_at: float) -> Rig:
        """A turn of the caller's is being answered, and nobody hears that yet."""
        turn = self.hears(text, ended_at).listening.take_turn()
        turn.started_at, turn.ended_at, turn.why = ended_at - 0.5, ended_at, "silence"
        self.listening.answering = turn
        self.memory.caller_said(text, ended_at - 0.5, ended_at)
        self.speaking.start(ended_at)
        return self


def test_last_words_that_promise_nothing_close_the_turn():
    assert Rig().hears("yes I do.", 3.0).afterthoughts.last_words(3.0) == [CloseTurn()]


def test_last_words_that_promise_more_are_waited_on():
    rig = Rig().hears("well I think and my", 3.0)
    assert rig.floor.is_promising
    (note,) = rig.afterthoughts.last_words(3.0)
    assert note == Note("decision", "the turn was to be over: the last words promise more")
    assert rig.waits.instants[Wait.FINAL] == 3.0 + rig.floor.believed.patience


def test_a_turn_goes_on_without_words_that_are_late_and_these_are_then_nobodys():
    rig = Rig().hears("well", 2.0, is_final=False)
    rig.listening.finish_utterance()
    assert rig.afterthoughts.are_late(3.0) == [CloseTurn()]
    assert not rig.listening.hears(Transcribed("well I do", is_final=True), 3.9)
    assert Rig().afterthoughts.are_late(3.0) == [CloseTurn()], "nobody was asked for any"


def test_slow_ears_are_given_longer_once_where_they_say_whether_we_were_stopped_by_anybody():
    rig = Rig().speaks(1.0)
    rig.speaking.hold(2.0)
    assert rig.afterthoughts.are_late(3.0) == []
    assert rig.waits.instants[Wait.FINAL] == 3.0 + POLICY.hold_final
    assert not rig.murmurs.is_unsure(3.0)
    assert rig.afterthoughts.are_late(4.5) == [CloseTurn()]
    assert rig.murmurs.is_unsure(4.5)


def test_a_no_over_our_words_must_stand_for_a_moment():
    rig = Rig().hears("stop calling me", 2.0, is_final=False)
    rig.afterthoughts.hear_a_no(2.0)
    rig.afterthoughts.hear_a_no(2.2)
    assert rig.waits.instants[Wait.NO] == 2.0 + POLICY.no_stands_after
    rig.hears("what does it cost", 2.3, is_final=False).afterthoughts.hear_a_no(2.3)
    assert Wait.NO not in rig.waits.instants


def test_a_no_of_somebody_who_has_the_floor_waits_for_the_end_of_their_turn():
    rig = Rig().hears("stop calling me", 2.0, is_final=False)
    rig.floor.caller = Caller.SPEAKING
    rig.afterthoughts.hear_a_no(2.0)
    assert Wait.NO not in rig.waits.instants


def test_words_into_our_silence_are_a_turn():
    rig = Rig().hears("who is this", 3.0)
    assert rig.afterthoughts.without_turn(3.0) == [CloseTurn()]
    assert (rig.listening.turn.why, rig.listening.turn.ended_at) == ("words without voice", 3.0)
    assert rig.listening.oddities["words without voice"] == 1


def test_words_over_ours_are_kept_and_not_answered():
    rig = Rig().speaks(1.0).hears("what does it cost", 3.0)
    said = Note("caller", "what does it cost", (("while", "agent"),))
    assert rig.afterthoughts.without_turn(3.0) == [said, Meet("what does it cost", "")]
    assert rig.memory.messages == [CallerSaid("what does it cost")]
    assert rig.listening.turn.text == ""


def test_a_murmur_over_our_words_is_only_in_the_transcript():
    rig = Rig().speaks(1.0)
    rig.listening.turn.begins(2.0)
    rig.hears("mhm", 3.0).afterthoughts.without_turn(3.0)
    assert rig.memory.messages == []
    assert [(line.text, line.started) for line in rig.memory.transcript] == [("mhm", 2.0)]


def test_a_no_over_our_words_is_a_turn_even_where_the_ears_cut_it_in_two():
    assert Rig().speaks(1.0).hears("stop calling me", 3.0).afterthoughts.without_turn(3.0) == [CloseTurn()]
    rig = Rig().speaks(1.0).hears("don't", 2.8)
    rig.afterthoughts.without_turn(2.8)
    assert rig.hears("call me again", 3.2).afterthoughts.without_turn(3.2) == [CloseTurn()]
    assert rig.listening.turn.text == "don't call me again"


def test_words_that_come_late_may_have_been_what_stopped_us():
    rig = Rig().speaks(1.0)
    rig.murmurs.doubt(2.5)
    assert rig.hears("what does it cost", 3.0).afterthoughts.without_turn(3.0) == [CloseTurn()]
    rig.listening.take_turn()
    assert CloseTurn() not in rig.hears("mhm", 6.0).afterthoughts.without_turn(6.0)


def test_what_the_ears_add_to_a_turn_is_answered_while_nobody_hears_us():
    rig = Rig().answers("yes", 3.0).hears("yes I do own it", 3.0)
    assert rig.afterthoughts.without_turn(3.0) == [FallSilent(), CloseTurn()]
    turn = rig.listening.turn
    assert (turn.text, turn.started_at, turn.ended_at, turn.why) == ("yes I do own it", 2.5, 3.0, "silence, revised")
    assert rig.memory.messages == [], "it is said anew"


def test_what_the_ears_only_say_again_is_nobodys():
    rig = Rig().answers("yes I do", 3.0).hears("Yes, I do.", 3.0)
    assert rig.afterthoughts.without_turn(3.0) == [Note("decision", 'the ears say again: "Yes, I do."')]
    assert rig.listening.turn.text == ""
    assert rig.memory.messages == [CallerSaid("yes I do")]


def test_nothing_is_begun_anew_once_we_are_heard_or_something_has_followed():
    heard = Rig().answers("yes", 3.0)
    heard.speaking.from_mind(ReplyText(ReplyId(1), "Good to know. "), 3.0)
    heard.speaking.from_mouth(SpeechArrived(ReplyId(1), 0, b"\xff" * 8000), 3.0)
    assert CloseTurn() not in heard.hears("yes I do own it", 3.15).afterthoughts.without_turn(3.15)
    followed = Rig().answers("yes", 3.0).hears("yes I do own it", 3.0)
    followed.memory.happened("key:5")
    assert CloseTurn() not in followed.afterthoughts.without_turn(3.0)
