"""Words in between as they are kept: in one piece, close to what follows."""

from __future__ import annotations

from telephony.audio import SAMPLE_RATE, SILENCE
from voice.events import Word
from voice.ports import SpokenAudio
from voice.ready import closely

LOUD = b"\x00"


def test_the_rest_at_the_end_goes_and_what_was_said_stays():
    pieces = [
        SpokenAudio(LOUD * 1600, (Word("let's", 0.0, 0.2),), "a"),
        SpokenAudio(LOUD * 800 + SILENCE * 800, (Word("see", 0.0, 0.2),), "a"),
    ]
    kept = closely(pieces)
    assert kept.audio == LOUD * 2400 + SILENCE * 320
    assert kept.words == (Word("let's", 0.0, 0.2), Word("see", 0.2, 2720 / SAMPLE_RATE))
    assert kept.voice == "a"


def test_a_voice_that_ends_at_once_is_left_as_it_is():
    assert closely([SpokenAudio(LOUD * 900)]) == SpokenAudio(LOUD * 900)


def test_silence_alone_is_left_as_it_is():
    assert closely([SpokenAudio(SILENCE * 900)]) == SpokenAudio(SILENCE * 900)
