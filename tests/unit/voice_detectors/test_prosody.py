"""What an ending sounds like."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from voice.detectors import prosody

Floats = NDArray[np.float32]
ROOM = -65.0


def vowel(seconds: float, level: float = -25.0, to: float | None = None) -> Floats:
    """A hum of harmonics, from one level to another (dBFS)."""
    time = np.arange(int(seconds * 8000)) / 8000
    sound = sum(np.sin(2 * np.pi * 120 * harmonic * time) / harmonic for harmonic in range(1, 8))
    levels = np.linspace(level, level if to is None else to, len(time))
    return (sound / np.std(sound) * 10 ** (levels / 20)).astype(np.float32)


def noise(seconds: float, level: float = ROOM) -> Floats:
    return (np.random.default_rng(3).standard_normal(int(seconds * 8000)) * 10 ** (level / 20)).astype(np.float32)


def cues(*parts: Floats, pause: Floats) -> dict[str, float]:
    samples = np.concatenate([noise(1.0), *parts, pause])
    ended = 8000 + sum(len(part) for part in parts)
    return prosody.at_pause(samples, 8000, ended, ROOM)


def test_a_voice_that_dies_away_and_one_cut_off() -> None:
    fading = cues(vowel(1.0), vowel(0.5, -25.0, -55.0), pause=noise(0.16))
    cut = cues(vowel(1.0), vowel(0.5, -25.0), pause=noise(0.16))
    assert fading["decay"] > 20 > 5 > cut["decay"]
    assert fading["last_peak"] < cut["last_peak"]
    assert fading["clarity"] > 0.9


def test_breathing_in_before_going_on() -> None:
    silent = cues(vowel(1.0), pause=noise(0.3))
    breathing = cues(vowel(1.0), pause=np.concatenate([noise(0.12), noise(0.18, -50.0)]))
    assert silent["breath"] == 0.0
    assert breathing["breath"] > 5.0


def test_hiss_at_the_end() -> None:
    assert cues(vowel(1.0), noise(0.2, -30.0), pause=noise(0.16))["hiss"] > cues(vowel(1.0), pause=noise(0.16))["hiss"] + 5


def test_in_a_loud_room_nothing_is_clear() -> None:
    samples = np.concatenate([noise(1.0, -35.0), vowel(1.0) + noise(1.0, -35.0), noise(0.2, -35.0)])
    assert prosody.at_pause(samples, 8000, 16000, -35.0)["clarity"] < 0.1


def test_too_little_to_say_anything() -> None:
    assert prosody.at_pause(noise(0.2), 1200, 1000, ROOM) == {}
    assert prosody.breath(prosody.energies(noise(0.03)), 1) == 0.0
    assert prosody.at_pause(vowel(0.09), 0, 480, ROOM)["hiss"] < 0
    short = np.concatenate([vowel(0.04), noise(0.1)])
    assert prosody.at_pause(np.concatenate([noise(0.05), short]), 400, 720, ROOM).keys() >= {"hiss"}


def test_digital_silence_is_survived() -> None:
    zeros = np.zeros(16000, np.float32)
    found = prosody.at_pause(zeros, 0, 12000, ROOM)
    assert all(np.isfinite(value) for value in found.values())


def test_a_last_syllable_that_is_drawn_out() -> None:
    syllables = [part for _ in range(4) for part in (vowel(0.12), noise(0.05))]
    short = cues(*syllables, vowel(0.12), pause=noise(0.16))
    drawn = cues(*syllables, vowel(0.4), pause=noise(0.16))
    assert 2.0 < short["syllable"] < 3.0 < drawn["syllable"] < 4.0
    assert cues(*syllables, vowel(0.12), noise(0.05), pause=noise(0.16))["syllable"] == short["syllable"]


def test_a_voice_that_creaks_at_its_end_is_less_regular_than_before() -> None:
    creaking = vowel(0.2) + noise(0.2, -25.0)
    assert cues(vowel(1.0), creaking, pause=noise(0.16))["voicing"] < -0.1 < cues(vowel(1.2), pause=noise(0.16))["voicing"]


def test_how_long_before_the_silence_the_voice_ended() -> None:
    samples = np.concatenate([noise(1.0), vowel(1.0), noise(0.4)])
    assert prosody.at_pause(samples, 8000, 16000, ROOM)["tail"] <= 0.02
    assert prosody.at_pause(samples, 8000, 16800, ROOM)["tail"] == pytest.approx(0.1, abs=0.02)
    assert prosody.at_pause(samples, 8000, 19000, ROOM)["tail"] == pytest.approx(0.2)


def test_one_sound_said_twice_has_one_colour_and_words_have_many() -> None:
    windows = np.stack([vowel(0.032), vowel(0.032, -40.0), noise(0.032, -25.0), np.zeros(256, np.float32)])
    low, quiet, bright, silence = prosody.colours(windows)
    assert low == pytest.approx(quiet, abs=0.1)
    assert bright > low + 3
    assert silence == pytest.approx(0.0)


def test_levels_that_go_on_are_those_of_the_whole():
    samples = np.concatenate([vowel(2.0), noise(4.9)])
    levels = prosody.Levels(samples[:30_000], 50_000)
    for end in (30_256, 30_768, 55_000):
        levels.go_on(samples[levels.goes_on_at - 20_000 : end])
        whole = prosody.energies(samples[:end])
        assert np.array_equal(levels.found, whole[-len(levels.found) :])
        assert levels.breath(20_000 + 24_000) == pytest.approx(
            prosody.breath(levels.found, 24_000 // prosody.HOP - len(whole) + len(levels.found))
        )
    assert len(levels.found) == prosody.MEMORY // prosody.HOP - 1
