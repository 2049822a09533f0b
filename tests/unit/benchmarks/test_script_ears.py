"""Ears that know the script: words when they are said and not before; what never arrives is not heard."""

import pytest

from benchmarks.engines.script_ears import ScriptEars
from benchmarks.engines.scripted import Part, Script
from telephony.audio import SAMPLE_RATE, SILENCE

VOICE = bytes([0x90, 0x10] * 80)  # 20 ms, loud
HELLO, LINE, COUGH, MORE = Part("Hello?", 0.4), Part("one two three four", 1.6), Part("", 0.3), Part("five six", 0.8)


def voice(seconds: float) -> bytes:
    return VOICE * round(seconds * 50)


def quiet(seconds: float) -> bytes:
    return SILENCE * round(seconds * SAMPLE_RATE)


class Ears:
    """The listener and everything it told."""

    def __init__(self, *parts: Part) -> None:
        self.told = []
        self.noted = []
        self.listener = ScriptEars(self.told.append, Script(parts, ()), self.noted.append)

    def hear(self, *audio: bytes) -> "Ears":
        for piece in audio:
            self.listener.hear(piece)
        return self

    @property
    def text(self) -> str:
        return self.told[-1].text

    @property
    def parts(self) -> list[int]:
        return [sound.index for sound in self.listener.sounds]


def test_words_come_as_they_are_said():
    ears = Ears(LINE).hear(voice(0.9))
    assert (ears.text, ears.told[-1].is_speaking) == ("one two", True)
    assert ears.hear(voice(0.7)).text == "one two three four"
    assert not ears.hear(quiet(0.2)).told[-1].is_speaking
    assert ears.told[-1].silence == pytest.approx(0.2)


def test_words_are_timed_from_the_start_of_the_stream():
    ears = Ears(LINE).hear(quiet(1.0), voice(1.6), quiet(0.1))
    words = ears.told[-1].words
    assert words[0].start == pytest.approx(1.0)
    assert words[3].end == pytest.approx(2.6)
    assert all(word.end <= 2.62 for word in words)


def test_a_pause_within_a_part_is_no_new_part():
    ears = Ears(LINE, MORE).hear(voice(0.5), quiet(0.4), voice(0.7), quiet(0.5))
    assert (ears.parts, ears.text) == ([0], "one two three four")


def test_a_closed_utterance_keeps_its_words():
    ears = Ears(LINE, MORE).hear(voice(0.9))
    ears.listener.finish()
    assert ears.hear(voice(0.7)).text == "three four"
    ears.listener.finish()
    assert ears.hear(quiet(0.5)).text == ""
    assert ears.hear(voice(0.8)).text == "five six"


def test_two_parts_not_closed_in_between_are_one_utterance():
    ears = Ears(LINE, MORE).hear(voice(1.6), quiet(0.4), voice(0.8), quiet(0.2))
    assert ears.text == "one two three four five six"


def test_a_weak_first_sound_belongs_to_its_part():
    ears = Ears(HELLO, LINE).hear(voice(0.4), quiet(1.0), voice(0.02), quiet(0.04), voice(1.5), quiet(0.5))
    assert ears.parts == [0, 1]
    assert ears.listener.sounds[1].began == round(1.4 * SAMPLE_RATE)


def test_a_part_that_never_arrived_is_passed_over():
    ears = Ears(HELLO, LINE, MORE).hear(quiet(0.6), voice(1.6), quiet(1.0), voice(0.8), quiet(0.3))
    assert ears.parts == [1, 2]


def test_a_cough_is_no_words_and_no_speech():
    ears = Ears(COUGH, MORE).hear(voice(0.3))
    assert (ears.text, ears.told[-1].is_speaking) == ("", False)
    assert ears.hear(quiet(1.0), voice(0.8)).text == "five six"


def test_a_click_is_too_short_to_be_anything():
    assert Ears(LINE).hear(voice(0.04), quiet(0.5)).parts == []


def test_more_than_the_script_holds_is_not_understood():
    assert Ears(HELLO).hear(voice(0.4), quiet(1.0), voice(1.0)).parts == [0]


async def test_what_arrived_is_told_at_the_end():
    ears = Ears(HELLO).hear(quiet(0.2), voice(0.3), quiet(1.0), b"\xff" * 7)
    ears.listener.expect(["nothing"])
    ears.listener.settle()
    await ears.listener.close()
    (sound,) = ears.noted[0].sounds
    assert (sound.began, sound.lasted) == (round(0.2 * SAMPLE_RATE), round(0.3 * SAMPLE_RATE))
