"""Is the turn over: evidence for and against, and the silence it takes."""

from __future__ import annotations

import pytest

from voice.agent import AnswerKind
from voice.endpointing import CUES, Endpointing, EndpointPolicy
from voice.events import Transcribed

POLICY = EndpointPolicy()
ENDED = (("clarity", 1.0), ("complete", 5.0), ("last_peak", -8.0), ("decay", 25.0), ("hiss", -15.0), ("breath", 0.0))
CUT_OFF = (("clarity", 1.0), ("complete", -4.0), ("last_peak", 6.0), ("decay", 1.0), ("hiss", -2.0), ("breath", 6.0))
TAIL = POLICY.lag


def after_speech(seconds: float = 2.0) -> Endpointing:
    ending = Endpointing()
    ending.begin(0.2)
    ending.voiced(seconds - 0.2, 0.0)
    return ending


def said(text: str, **more: float) -> Transcribed:
    return Transcribed(text, True, **more)


def test_a_voice_that_died_away_is_waited_for_least_and_one_cut_off_longest() -> None:
    done, held = after_speech(), after_speech()
    done.hear(ENDED)
    held.hear(CUT_OFF)
    assert done.ending().patience == POLICY.least
    assert held.ending().patience == POLICY.longest


def test_between_the_two_there_is_hardly_anything() -> None:
    ending = after_speech()
    ending.hear((("clarity", 1.0), ("complete", -2.0)))
    assert ending.ending().patience == POLICY.most


def test_whole_words_are_believed_rather_than_a_voice_that_sounds_unfinished() -> None:
    ending = after_speech()
    ending.hear(CUT_OFF)
    ending.transcribed(said("That is all I wanted to know."))
    assert ending.ending().odds < POLICY.unfinished
    assert ending.ending().patience == POLICY.most_when_said


def test_on_a_noisy_line_the_sound_of_the_ending_counts_for_little() -> None:
    clear, noisy = after_speech(), after_speech()
    clear.hear((("clarity", 1.0), ("decay", 30.0)))
    noisy.hear((("clarity", 0.1), ("decay", 30.0)))
    assert clear.ending().odds > noisy.ending().odds


@pytest.mark.parametrize(
    ("tail", "clarity", "sooner"), [(TAIL, 1.0, 0.0), (TAIL + 0.06, 1.0, 0.06), (0.0, 1.0, -TAIL), (0.2, 0.0, 0.0)]
)
def test_silence_counts_from_where_the_voice_ended_if_that_can_be_heard(tail: float, clarity: float, sooner: float) -> None:
    known, unknown = after_speech(8.0), after_speech(8.0)
    known.hear((("clarity", clarity), ("tail", tail)))
    unknown.hear((("clarity", clarity),))
    assert unknown.ending().patience - known.ending().patience == pytest.approx(sooner)


def test_without_the_turn_model_a_little_is_held_back() -> None:
    judged, unjudged = after_speech(), after_speech()
    unjudged.hear((("clarity", 1.0), ("decay", 20.0)))
    judged.hear((("clarity", 1.0), ("decay", 20.0), ("complete", CUES["complete"].neutral)))
    assert dict(unjudged.ending().parts)["unjudged"] == POLICY.unjudged
    assert unjudged.ending().odds == pytest.approx(judged.ending().odds + POLICY.unjudged)


def test_a_question_gives_the_floor_away_once_its_words_are_final() -> None:
    asked, asking, told = after_speech(), after_speech(), after_speech()
    for ending in (asked, asking, told):
        ending.hear((("clarity", 1.0), ("complete", -3.0)))  # it did not sound as if it was over
    asked.transcribed(said("How long would that take?"))
    asking.transcribed(Transcribed("How long would?", False))
    told.transcribed(said("It takes long."))
    assert asked.ending().patience == POLICY.least
    assert asking.ending().patience > POLICY.least
    assert told.ending().patience > POLICY.least


def test_a_question_with_more_words_to_come_is_not_over() -> None:
    ending = after_speech()
    ending.transcribed(said("How long would that take?"))
    ending.transcribed(Transcribed("because I", False))
    assert ending.ending().patience > POLICY.least


def test_unknown_measurements_change_nothing() -> None:
    ending = after_speech()
    before = ending.ending()
    ending.hear((("room", -60.0), ("caller_level", -28.0)))
    assert ending.ending() is before


def test_the_probability_grows_with_silence_and_with_the_evidence() -> None:
    plain, done = after_speech(), after_speech()
    done.hear(ENDED)
    assert plain.ending().probability(0.1, POLICY) < 0.5 < plain.ending().probability(0.5, POLICY)
    assert plain.ending().probability(5.0, POLICY) > 0.99
    assert done.ending().probability(0.1, POLICY) > 0.9


def test_more_speech_makes_an_end_likelier() -> None:
    assert after_speech(0.4).ending().odds < after_speech(2.0).ending().odds < after_speech(8.0).ending().odds
    assert after_speech(12.0).ending().odds == after_speech(60.0).ending().odds


@pytest.mark.parametrize("words", ["I would like to", "my number is", "well, um"])
def test_words_that_promise_more_are_waited_for_longer_than_any_sound(words: str) -> None:
    ending = after_speech()
    ending.hear(ENDED)
    ending.transcribed(said(words))
    assert ending.ending().patience > POLICY.most


def test_a_whole_sentence_speaks_for_an_end_unless_it_may_still_change() -> None:
    whole, shaky, none = after_speech(), after_speech(), after_speech()
    whole.transcribed(Transcribed("I do.", False, stability=0.9))
    shaky.transcribed(Transcribed("I do.", False, stability=0.2))
    assert whole.ending().odds > shaky.ending().odds == none.ending().odds


def test_an_interim_replaces_the_one_before_and_a_final_stays() -> None:
    ending = after_speech()
    for text, is_final in (("I", False), ("I am", False), ("I am", True), ("not", False)):
        ending.transcribed(Transcribed(text, is_final))
    assert ending.words == "I am not"


def test_digits_are_waited_for_until_they_make_a_number() -> None:
    ending = after_speech()
    ending.expect(AnswerKind.NUMBER)
    ending.transcribed(said("five five five"))
    part = ending.ending().odds
    ending.transcribed(said("one two three four"))
    assert ending.ending().odds > part


def test_what_was_asked_matters() -> None:
    odds = {}
    for kind in AnswerKind:
        ending = after_speech()
        ending.expect(kind)
        odds[kind] = ending.ending().odds
    assert odds[AnswerKind.YES_NO] > odds[AnswerKind.TIME] > odds[AnswerKind.OPEN] > odds[AnswerKind.NUMBER]


@pytest.mark.parametrize(("kind", "answers", "words"), [(AnswerKind.YES_NO, (), "yeah"), (AnswerKind.OPEN, ("gas",), "Gas")])
def test_words_that_already_answer_are_waited_for_least(kind: AnswerKind, answers: tuple[str, ...], words: str) -> None:
    answered, other = after_speech(1.0), after_speech(1.0)
    for ending, text in ((answered, words), (other, "well you see")):
        ending.expect(kind, answers)
        ending.transcribed(Transcribed(text, False))
    assert answered.ending().patience == POLICY.least
    assert answered.ending().odds - other.ending().odds == pytest.approx(POLICY.answered)


def test_a_vendor_that_judges_turns_is_heard() -> None:
    sure, unsure = after_speech(), after_speech()
    sure.transcribed(said("yes", end_of_turn=0.95))
    unsure.transcribed(said("yes", end_of_turn=0.05))
    assert sure.ending().patience < unsure.ending().patience


def test_a_caller_who_pauses_long_is_given_longer() -> None:
    brisk, slow, corrected = after_speech(), after_speech(), after_speech()
    brisk.voiced(0.03, 0.1)
    slow.voiced(0.03, 1.4)
    corrected.resume(1.4)
    assert slow.ending().odds < brisk.ending().odds
    assert corrected.ending().odds == pytest.approx(slow.ending().odds, abs=0.05)
    slow.begin()
    assert "own pauses" in dict(slow.ending().parts), "what is known of the caller outlives the turn"


def test_a_turn_that_is_taken_up_again_is_as_long_as_it_was() -> None:
    ending = after_speech(4.0)
    before = ending.ending().odds
    ending.hear(CUT_OFF)
    ending.transcribed(said("I would like"))
    ending.resume(0.5)
    assert ending.ending().odds == pytest.approx(before)
    assert ending.words == ""


def test_a_pause_that_ends_takes_its_cues_with_it() -> None:
    ending = after_speech()
    ending.hear(CUT_OFF)
    ending.voiced(0.03, 0.4)
    assert not set(dict(ending.ending().parts)) & set(CUES)


def test_the_journal_is_told_the_strongest_reasons() -> None:
    ending = after_speech()
    ending.hear(CUT_OFF)
    why = ending.ending().why
    assert why.startswith("1.60 s of silence, complete -1.6")
    assert why.count(",") == 5


def test_a_turn_without_a_sound_is_still_judged() -> None:
    assert POLICY.least <= Endpointing().ending().patience <= POLICY.most


def test_final_words_are_sure_however_unsure_the_interim_before_them_was() -> None:
    ending = after_speech()
    ending.transcribed(Transcribed("bye", is_final=False, stability=0.0))
    ending.transcribed(Transcribed("I own it.", is_final=True, stability=1.0))
    assert dict(ending.ending().parts)["words"] == POLICY.complete


@pytest.mark.parametrize(
    ("words", "is_one"), [("okay thank you, goodbye.", True), ("bye bye", True), ("goodbye my dear old friend", False)]
)
def test_who_says_goodbye_has_finished(words: str, *, is_one: bool) -> None:
    ending = after_speech()
    ending.transcribed(said(words))
    assert (dict(ending.ending().parts).get("words") == POLICY.parting) is is_one
