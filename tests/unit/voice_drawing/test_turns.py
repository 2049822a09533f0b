"""Turns, gaps and barge-ins: held against what was scripted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from voice.drawing.caller import Sound
from voice.drawing.orders import Order
from voice.drawing.story import Segment
from voice.drawing.turns import Turns
from voice.events import DeadlinePassed, Samples, Transcribed, VoiceEvidence
from voice.floor import FloorPolicy
from voice.replay import Belief

WINDOW = 0.1


def note(kind: str, text: str, *detail: list[str]) -> Order:
    return Order("Note", {"kind": kind, "text": text, "detail": list(detail)})


def segment(began: float, ended: float, ordered: float, reply: int = 1, number: int = 0) -> Segment:
    return Segment(
        reply, number, "ours", False, ordered, ordered + 0.1, ended, began, ended, ended - began, ended - began, None, ()
    )


class Tape:
    """Turns fed by hand: voice from to, and what is noted when."""

    def __init__(self) -> None:
        self.turns, self.sound, self.belief = Turns(), Sound(FloorPolicy()), Belief()
        self._position = 0

    def voice(self, began: float, ended: float) -> Tape:
        for number in range(round(began / WINDOW), round(ended / WINDOW)):
            event = VoiceEvidence(Samples(self._position + 800), 0.9, -20.0)
            self._position += 800
            self.sound.take((number + 1) * WINDOW, event)
        return self

    def at(self, at: float, *orders: Order, caller: str | None = None, event: object = None) -> Tape:
        if caller is not None:
            self.belief = replace(self.belief, caller=caller)
        self.turns.take(at, event or DeadlinePassed(), orders, self.belief, self.sound)
        return self


def test_turns_come_in_order_with_their_words(barged):
    turns = barged.story.turns
    assert [turn.speaker for turn in turns] == ["agent", "caller", "agent", "caller", "agent"]
    assert [turn.text for turn in turns if turn.speaker == "caller"] == ["yes hello", "no thank you very much"]
    said = [turn for turn in turns if turn.speaker == "caller"]
    for turn, utterance in zip(said, barged.world.utterances, strict=True):
        assert turn.began == pytest.approx(utterance.start, abs=0.05)
        assert turn.ended == pytest.approx(utterance.start + utterance.length, abs=0.05)
        assert turn.confidence == pytest.approx(0.9)
        assert turn.why


def test_a_turn_that_was_cut_tells_what_was_thrown_away(barged):
    (cut,) = [turn for turn in barged.story.turns if turn.thrown_away]
    assert f"{cut.text} {cut.thrown_away}".startswith("I would like to tell you something very long")
    assert cut.thrown_away.endswith("And a second sentence.")


def test_a_gap_lasts_from_the_callers_last_sound_to_our_first(barged):
    turns = barged.story.turns
    assert len(barged.story.gaps) == 2
    for turn, answer in pairwise(turns):
        if turn.gap is not None:
            assert turn.gap.began == turn.ended
            assert turn.gap.ended == pytest.approx(answer.began)
            assert sum(stage.length for stage in turn.gap.stages) == pytest.approx(turn.gap.length)


def test_a_barge_in_is_measured_from_the_first_sound(barged):
    (barge,) = barged.story.barge_ins
    assert barge.began == pytest.approx(5.0, abs=0.05)
    assert 0 < barge.stopped - barge.began < 0.6
    assert barge.why


def test_a_turn_that_went_on_is_part_of_the_next():
    tape = Tape().voice(1.0, 1.5).at(1.2, caller="speaking").at(1.9, caller="quiet")
    tape.at(2.0, note("caller", "my number is"), note("decision", "turn over: 0.4 s"))
    tape.voice(2.2, 3.0).at(2.3, caller="speaking").at(3.4, caller="quiet")
    tape.at(3.5, note("caller", "my number is five"), note("decision", "turn over: 0.4 s"))
    first, second, answer = tape.turns.finish([segment(4.0, 5.0, 3.6)])
    assert (first.is_taken_back, second.is_taken_back) == (True, False)
    assert first.gap is None
    assert answer.speaker == "agent"
    assert second.gap is not None
    stages = {stage.name: pytest.approx(stage.length) for stage in second.gap.stages}
    assert stages == {"deciding": 0.4, "last words": 0.1, "mind": 0.1, "voice": 0.1, "line": 0.3}


def test_a_turn_answered_in_between_was_no_part_of_the_next():
    tape = Tape().voice(1.0, 1.5).at(1.2, caller="speaking").at(1.9, caller="quiet", event=Transcribed("yes", is_final=True))
    tape.at(2.0, note("caller", "yes"), note("decision", "turn over: 0.4 s"))
    tape.voice(4.0, 4.5).at(4.2, caller="speaking").at(4.9, caller="quiet")
    tape.at(5.0, note("caller", "yes I do"))
    first, *_ = tape.turns.finish([segment(2.5, 3.5, 2.1)])
    assert not first.is_taken_back
    assert first.gap is not None


def test_what_was_prepared_in_advance_took_no_time():
    tape = Tape().voice(1.0, 1.5).at(1.2, caller="speaking").at(1.9, caller="quiet").at(1.9, note("caller", "yes"))
    (gap,) = [turn.gap for turn in tape.turns.finish([segment(2.0, 3.0, 1.6)]) if turn.gap]
    assert {stage.name: round(stage.length, 3) for stage in gap.stages if stage.length > 1e-9} == {
        "deciding": 0.4,
        "line": 0.1,
    }


def test_where_the_core_of_now_is_still_listening_deciding_took_it_all():
    tape = Tape().voice(1.0, 1.5).at(1.2, caller="speaking").at(1.9, note("caller", "yes"))
    (gap,) = [turn.gap for turn in tape.turns.finish([segment(2.0, 3.0, 1.95)]) if turn.gap]
    assert {stage.name: round(stage.length, 3) for stage in gap.stages}["deciding"] == 0.4


def test_words_over_us_and_turns_nobody_answered_have_no_gap():
    tape = Tape().voice(1.0, 1.5).at(1.6, note("caller", "mhm", ["while", "agent"]))
    tape.voice(2.0, 2.5).at(2.6, note("caller", "[key 5]")).at(2.7, note("agent", "hm"))
    first, agent, second = tape.turns.finish([segment(1.2, 2.55, 0.5)])
    assert first.is_over_us
    assert {turn.gap for turn in (first, agent, second)} == {None}


def test_an_answer_after_the_next_turn_answers_that_one():
    tape = Tape().voice(1.0, 1.5).at(1.9, note("caller", "hello")).voice(2.0, 2.5).at(2.9, note("caller", "anybody?"))
    first, second, _ = tape.turns.finish([segment(3.5, 4.0, 3.0)])
    assert first.gap is None
    assert second.gap is not None


def test_a_reply_that_nobody_heard_is_no_turn():
    silent = replace(segment(1.0, 2.0, 0.5), began=None, ended=None, heard=0.0, cut=1.0)
    assert Turns().finish([silent]) == ()


def test_a_confidence_is_that_of_the_weakest_words():
    tape = Tape().voice(1.0, 1.5)
    for confidence in (0.9, 0.4, 0.8, None):
        tape.at(1.6, event=Transcribed("yes", is_final=True, confidence=confidence))
    (turn,) = tape.at(1.9, note("caller", "yes yes yes")).turns.finish([])
    assert turn.confidence == 0.4
