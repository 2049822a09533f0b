"""Who holds the floor: timelines of evidence, words and our own voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from voice.agent import AnswerKind
from voice.events import SAMPLE_RATE, Samples, Transcribed, VoiceEvidence
from voice.floor import (
    Agent,
    Caller,
    CallerPaused,
    CallerStarted,
    DoubtGrown,
    DoubtRaised,
    DoubtSettled,
    Floor,
    FloorChange,
    FloorTaken,
    TurnOver,
)

WINDOW = 256


@dataclass
class Line:
    """A floor and its clock: says how long what is heard; keeps what changed and when (seconds of caller audio)."""

    floor: Floor = field(default_factory=Floor)
    position: int = 0
    changes: list[tuple[float, FloorChange]] = field(default_factory=list)

    @property
    def now(self) -> float:
        return self.position / SAMPLE_RATE

    def hears(self, seconds: float, speech: float, level: float, echo: float = 0.0, **features: float) -> Line:
        for _ in range(round(seconds * SAMPLE_RATE / WINDOW)):
            self.position += WINDOW
            event = VoiceEvidence(Samples(self.position), speech, level, echo, tuple(features.items()))
            self.changes += [(self.now, change) for change in self.floor.evidence(event)]
        return self

    def voice(self, seconds: float, level: float = -26.0, **more: float) -> Line:
        return self.hears(seconds, 0.97, level, **more)

    def quiet(self, seconds: float, **more: float) -> Line:
        return self.hears(seconds, 0.01, -62.0, **more)

    def words(self, text: str, *, is_final: bool = True) -> Line:
        self.changes += [(self.now, change) for change in self.floor.transcribed(Transcribed(text, is_final))]
        return self

    def agent(self, agent: Agent) -> Line:
        self.changes += [(self.now, change) for change in self.floor.set_agent(agent)]
        return self

    @property
    def kinds(self) -> list[type[FloorChange]]:
        return [type(change) for _, change in self.changes]

    def at(self, kind: type[FloorChange]) -> float:
        return next(at for at, change in self.changes if isinstance(change, kind))


@pytest.fixture
def line() -> Line:
    return Line()


def test_a_turn_does_not_end_while_something_rises_out_of_the_room_unless_it_goes_on_and_on(line: Line) -> None:
    begun = line.voice(1.0).now
    silent, stirring = Line(), Line()
    silent.voice(1.0).quiet(3.0)
    ends = silent.at(TurnOver)
    stirring.voice(1.0).quiet(ends - begun - 0.064, room=-62.0).hears(1.0, 0.1, -45.0, room=-62.0)
    assert ends + 0.1 < stirring.at(TurnOver) < ends + 0.2


def test_what_rises_out_of_the_pause_itself_is_noticed_in_a_room_that_seemed_louder() -> None:
    silent, stirring = Line(), Line()
    begun = silent.voice(1.0, room=-40.0).now
    ends = silent.quiet(3.0, room=-40.0).at(TurnOver)
    stirring.voice(1.0, room=-40.0).quiet(ends - begun - 0.064, room=-40.0).hears(1.0, 0.1, -45.0, room=-40.0)
    assert ends + 0.1 < stirring.at(TurnOver)


def test_a_turn_that_goes_on_after_all_counts_from_where_it_began() -> None:
    again, anew = Line(), Line()
    again.voice(4.0).quiet(1.3).voice(1.0).quiet(0.1)
    anew.voice(4.0).quiet(2.6).voice(1.0).quiet(0.1)
    assert again.floor.believed.odds > anew.floor.believed.odds


def test_a_turn_begins_pauses_and_ends(line: Line) -> None:
    line.quiet(0.5).voice(2.0).quiet(2.0)
    assert line.kinds == [CallerStarted, CallerPaused, TurnOver]
    assert line.at(CallerPaused) < line.at(TurnOver) <= 2.5 + 1.0
    assert line.floor.caller is Caller.QUIET


def test_a_click_neither_begins_a_turn_nor_ends_a_pause(line: Line) -> None:
    line.quiet(0.5).voice(0.06).quiet(0.5)
    assert line.kinds == []
    line.voice(1.0).quiet(0.16).voice(0.06)
    assert line.floor.silence == pytest.approx(0.16 + 0.064, abs=0.04)


def test_a_pause_is_noticed_by_its_level_before_the_speech_model_lets_go(line: Line) -> None:
    line.voice(1.0).words("I own it.", is_final=False)
    ended = line.now
    line.hears(0.128, 0.6, -62.0).quiet(0.1)
    assert line.at(CallerPaused) == pytest.approx(ended + 0.064, abs=0.001)
    assert line.floor.is_pausing
    assert line.floor.voice_until == pytest.approx(ended)
    assert line.floor.quiet == pytest.approx(line.now - ended)


def test_a_stop_within_a_word_is_no_pause_and_a_short_sound_no_going_on(line: Line) -> None:
    line.voice(0.4).words("stop", is_final=False).hears(0.128, 0.6, -62.0).voice(0.6)
    line.words("stop calling me.", is_final=False).hears(0.096, 0.9, -62.0).voice(0.5)
    assert CallerPaused not in line.kinds
    line.quiet(0.16).voice(0.1).quiet(0.16)
    assert line.kinds.count(CallerPaused) == 1


def test_one_window_without_voice_is_no_pause_when_the_voice_goes_on(line: Line) -> None:
    """Between "stop" and "calling me" one window was taken for an echo; the voice that followed was no silence."""
    line.voice(0.4).hears(0.032, 0.45, -45.0, echo=0.54).voice(0.6)
    assert line.kinds == [CallerStarted]
    line.quiet(0.064).voice(0.032).quiet(0.032)
    assert line.kinds == [CallerStarted, CallerPaused], "a click does not put the pause off"


def test_going_on_begins_another_pause(line: Line) -> None:
    line.voice(1.0).quiet(0.2).voice(1.0).quiet(2.0)
    assert line.kinds == [CallerStarted, CallerPaused, CallerPaused, TurnOver]


def test_the_reasons_are_told(line: Line) -> None:
    line.voice(1.0).quiet(0.1).quiet(0.1, clarity=1.0, breath=8.0).quiet(2.0)
    over = next(change for _, change in line.changes if isinstance(change, TurnOver))
    assert "breath" in over.why


def test_how_the_voice_ended_decides_how_long_to_wait(line: Line) -> None:
    ended, held = Line(), Line()
    ended.voice(2.0).quiet(0.1).quiet(2.0, clarity=1.0, complete=5.0, decay=25.0, last_peak=-8.0)
    held.voice(2.0).quiet(0.1).quiet(2.0, clarity=1.0, complete=-5.0, decay=0.0, last_peak=8.0)
    assert ended.at(TurnOver) < held.at(TurnOver) - 0.5


def test_words_that_promise_more_are_waited_for(line: Line) -> None:
    line.voice(2.0).words("my number is", is_final=False).quiet(3.0)
    assert line.at(TurnOver) > 3.5


def test_what_was_asked_is_known(line: Line) -> None:
    line.floor.set_expected(AnswerKind.YES_NO)
    assert line.floor.expected is AnswerKind.YES_NO
    line.floor.set_expected(None)
    assert line.floor.expected is None


def test_the_probability_of_an_end_is_there_for_speculation(line: Line) -> None:
    assert line.floor.ending == 0.0
    line.voice(1.0)
    assert line.floor.ending == 0.0
    line.quiet(0.1)
    early = line.floor.ending
    line.quiet(0.1)
    assert 0.0 < early < line.floor.ending < 1.0


def test_a_caller_who_goes_on_after_all_is_given_longer_next_time() -> None:
    cut, plain = Line(), Line()
    for one, rest in ((cut, 1.4), (plain, 3.0)):
        one.voice(1.0).quiet(rest).voice(1.0).quiet(2.0)
        assert one.kinds.count(TurnOver) == 2
    second = [next(at for at, change in reversed(one.changes) if isinstance(change, TurnOver)) for one in (cut, plain)]
    assert second[0] - (1.0 + 1.4 + 1.0) >= second[1] - (1.0 + 3.0 + 1.0)


def test_talking_over_us_is_doubted_then_taken_seriously(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(2.0).voice(1.0, -20.0)
    assert line.kinds == [DoubtRaised, DoubtGrown, FloorTaken]
    assert line.at(DoubtRaised) <= 2.1
    assert line.at(DoubtGrown) <= 2.2
    assert line.at(FloorTaken) <= 2.3
    assert line.floor.caller is Caller.SPEAKING
    line.agent(Agent.SILENT).quiet(2.0)
    assert line.kinds[3:] == [CallerPaused, TurnOver]


def test_a_backchannel_is_settled(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.25).words("mm-hm").quiet(1.0)
    assert [change for _, change in line.changes] == [DoubtRaised(), DoubtSettled("backchannel")]


def test_a_noise_is_settled_as_one_and_old_words_say_nothing_about_it(line: Line) -> None:
    line.voice(1.0).words("yeah").quiet(2.0).agent(Agent.AUDIBLE).quiet(1.0).voice(0.25).quiet(1.0)
    assert line.changes[-1][1] == DoubtSettled("noise")


def test_words_settle_a_doubt_before_the_sound_does(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.13).words("wait a moment", is_final=False)
    assert line.changes[-1][1] == FloorTaken('words: "wait a moment"')
    assert line.floor.caller is Caller.SPEAKING


@pytest.mark.parametrize("text", ["", "  ", "okay"])
def test_no_words_and_backchannels_do_not(line: Line, text: str) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.13).words(text)
    assert line.kinds == [DoubtRaised]


def test_words_without_a_voice_take_nothing(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).words("stop")
    assert line.kinds == []


def test_our_own_echo_is_nobody(line: Line) -> None:
    line.agent(Agent.AUDIBLE).voice(3.0, echo=1.0)
    assert line.kinds == []


def test_the_room_is_nobody_either(line: Line) -> None:
    line.agent(Agent.AUDIBLE).voice(3.0, -30.0, room=-33.0, breath=0.0)
    assert line.kinds == []


def test_before_the_room_is_known_no_sound_takes_the_floor(line: Line) -> None:
    line.agent(Agent.AUDIBLE).voice(1.5, -20.0)
    assert line.kinds == [DoubtRaised, DoubtGrown, FloorTaken]
    assert 0.8 <= line.at(FloorTaken) < 0.9


def test_a_caller_known_to_be_quiet_needs_not_shout(line: Line) -> None:
    loud = Line()
    loud.agent(Agent.AUDIBLE).quiet(1.0).voice(1.0, -28.0, caller_level=-28.0)
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(1.0, -28.0, caller_level=-38.0)
    assert line.at(FloorTaken) < loud.at(FloorTaken)


@pytest.mark.parametrize(("level", "is_sure"), [(-20.0, True), (-25.0, False)])
def test_a_voice_as_soft_as_a_murmur_takes_the_floor_for_the_time_being(line: Line, level: float, is_sure: bool) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.6, level)
    (taken,) = [change for _, change in line.changes if isinstance(change, FloorTaken)]
    assert taken.is_sure is is_sure


def test_it_is_over_as_soon_as_its_level_has_fallen_whatever_the_speech_model_says(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.5, -25.0)
    assert not line.floor.has_fallen
    line.hears(0.032, 0.95, -62.0)
    assert not line.floor.has_fallen
    line.hears(0.032, 0.95, -62.0)
    assert line.floor.has_fallen


def test_whoever_goes_on_after_it_was_given_back_has_the_floor_at_once(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(3.0).voice(0.5, -25.0).agent(Agent.SILENT).quiet(0.1)
    line.floor.give_back()
    assert line.floor.caller is Caller.QUIET
    line.agent(Agent.AUDIBLE).quiet(0.25)
    began = line.now
    line.voice(0.2, -25.0)
    _, (at, again) = [change for change in line.changes if isinstance(change[1], FloorTaken)]
    assert isinstance(again, FloorTaken)
    assert not again.is_sure
    assert at <= began + 0.13


def test_and_later_it_is_somebody_anew(line: Line) -> None:
    line.floor.give_back()
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.2, -25.0)
    assert line.kinds == [DoubtRaised]


def test_words_that_become_protected_end_a_doubt(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.13).agent(Agent.PROTECTED)
    assert line.kinds == [DoubtRaised, DoubtSettled]


def test_protected_words_are_spoken_to_their_end(line: Line) -> None:
    line.agent(Agent.PROTECTED).voice(2.0).words("stop")
    assert line.kinds == []
    line.agent(Agent.SILENT).voice(0.1)
    assert line.kinds == [CallerStarted]


def test_a_doubt_about_an_agent_that_falls_silent_is_a_caller_who_began(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.13).agent(Agent.SILENT)
    assert line.kinds == [DoubtRaised, CallerStarted]


def test_or_nothing_if_the_voice_has_gone(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).voice(0.13).quiet(0.1).agent(Agent.SILENT)
    assert line.kinds == [DoubtRaised]


def test_from_audible_to_protected_the_same_reply_goes_on(line: Line) -> None:
    line.agent(Agent.AUDIBLE).quiet(1.0).agent(Agent.PROTECTED).agent(Agent.AUDIBLE).voice(0.2)
    assert line.kinds == [DoubtRaised]


@pytest.mark.parametrize("change", [lambda position: position, lambda position: position - WINDOW, lambda position: 0])
def test_evidence_out_of_order_changes_nothing(line: Line, change: Callable[[int], int]) -> None:
    line.voice(1.0).quiet(0.1)
    silence = line.floor.silence
    late = VoiceEvidence(Samples(change(line.position)), 0.99, -20.0)
    assert line.floor.evidence(late) == []
    assert line.floor.silence == silence
