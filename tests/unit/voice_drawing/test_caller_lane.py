"""The caller's lane: windows in runs, sounds with a beginning, words with what is new in them."""

from __future__ import annotations

import pytest

from voice.drawing.caller import Sound, Words
from voice.events import Samples, Transcribed, VoiceEvidence
from voice.floor import FloorPolicy


def window(position: int, speech: float = 0.9) -> VoiceEvidence:
    return VoiceEvidence(Samples(position), speech, -20.0)


def test_windows_that_come_in_time_make_one_run():
    sound = Sound(FloorPolicy())
    for number in range(1, 5):
        sound.take(number * 0.032 + 0.01 * (number % 2), window(number * 256))
    (run,) = sound.windows()
    assert len(run.speech) == len(run.level) == len(run.echo) == 4
    assert run.step == pytest.approx(0.032)
    assert run.began == pytest.approx(0.0)


def test_a_hole_in_the_line_begins_another_run():
    sound = Sound(FloorPolicy())
    sound.take(0.032, window(256))
    sound.take(2.0, window(512))
    assert [len(run.speech) for run in sound.windows()] == [1, 1]


def test_a_window_told_twice_counts_once():
    sound = Sound(FloorPolicy())
    sound.take(0.032, window(256))
    sound.take(0.033, window(256))
    sound.take(0.034, window(100))
    assert len(sound.windows()[0].speech) == 1


def test_a_sound_goes_on_over_a_short_pause_and_not_over_a_long_one():
    sound = Sound(FloorPolicy())
    for number in range(1, 100):
        sound.take(number * 0.032, window(number * 256, 0.9 if number in (10, 11, 14, 80) else 0.1))
        if number == 20:
            assert sound.began == pytest.approx(9 * 0.032)
            assert sound.ended == pytest.approx(14 * 0.032)
    assert sound.began == pytest.approx(79 * 0.032)


def test_words_are_told_as_they_come():
    words = Words()
    for at, text, is_final in [
        (1.0, "yes", False),
        (1.1, "Yes I", False),
        (1.2, "yes I", False),  # nothing new
        (1.3, "guess", False),
        (1.4, "", False),
        (1.5, "yes I do", True),
        (2.0, "well", False),
        (2.1, "", True),
    ]:
        words.take(at, Transcribed(text, is_final, confidence=0.5 if is_final else None))
    told = [(each.at, each.text, each.is_revised, each.is_final) for each in words.understood()]
    assert told == [
        (1.0, "yes", False, False),
        (1.1, "I", False, False),
        (1.3, "guess", True, False),
        (1.4, "", True, False),
        (1.5, "yes I do", False, True),
        (2.0, "well", False, False),
        (2.1, "", True, True),
    ]
