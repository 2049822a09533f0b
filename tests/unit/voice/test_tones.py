from __future__ import annotations

import numpy as np
import pytest

from voice.tones import ToneDetector, tone_of


def sine(frequency: float, seconds: float, loudness: float = 0.2) -> np.ndarray:
    return (loudness * np.sin(2 * np.pi * frequency * np.arange(int(8000 * seconds)) / 8000)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(8000 * seconds), np.float32)


@pytest.mark.parametrize("frequency", [440.0, 1000.0, 1400.0])
def test_a_beep_is_heard_when_it_ends(frequency: float):
    detector = ToneDetector()
    assert detector.feed(np.concatenate([silence(0.5), sine(frequency, 0.5)])) == []
    (tone,) = detector.feed(silence(0.1))
    assert tone.frequency == pytest.approx(frequency, abs=32)
    assert tone.duration == pytest.approx(0.5, abs=0.07)


def test_the_pieces_it_comes_in_do_not_matter():
    detector = ToneDetector()
    audio = np.concatenate([sine(1000, 0.4), silence(0.2)])
    assert len([tone for start in range(0, len(audio), 160) for tone in detector.feed(audio[start : start + 160])]) == 1


@pytest.mark.parametrize("audio", [sine(1000, 0.1), sine(100, 0.5), sine(1000, 0.5, 0.001), sine(3000, 0.5)])
def test_too_short_low_soft_or_high_is_no_beep(audio: np.ndarray):
    assert ToneDetector().feed(np.concatenate([audio, silence(0.2)])) == []


def test_noise_and_two_tones_are_no_beep():
    rng = np.random.default_rng(1)
    assert tone_of(rng.normal(0, 0.1, 256).astype(np.float32)) == 0.0
    assert tone_of(sine(697, 0.032) + sine(1336, 0.032)) == 0.0


def test_a_tone_that_jumps_is_two():
    detector = ToneDetector()
    assert len(detector.feed(np.concatenate([sine(500, 0.32), sine(1500, 0.32), silence(0.1)]))) >= 1
