from __future__ import annotations

import numpy as np
import pytest

from telephony.audio import levels
from voice.tones import Tone, Tones, pitches


def sine(frequency: float, seconds: float, loudness: float = 0.2) -> np.ndarray:
    return (loudness * np.sin(2 * np.pi * frequency * np.arange(int(8000 * seconds)) / 8000)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(8000 * seconds), np.float32)


def heard(*lines: np.ndarray, tones: Tones | None = None, rows: tuple[int, ...] = ()) -> list[Tone]:
    """What is heard on lines of the same length, window by window."""
    tones = tones or Tones(len(lines))
    at = np.array(rows or range(len(lines)), np.intp)
    found: list[Tone] = []
    for start in range(0, len(lines[0]) - 255, 256):
        windows = np.stack([line[start : start + 256] for line in lines])
        found += tones.step(at, windows, levels(windows))
    return found


@pytest.mark.parametrize("frequency", [440.0, 1000.0, 1400.0])
def test_a_beep_is_heard_when_it_ends(frequency: float):
    tones = Tones()
    assert heard(np.concatenate([silence(0.48), sine(frequency, 0.48)]), tones=tones) == []
    (tone,) = heard(silence(0.1), tones=tones)
    assert tone.frequency == pytest.approx(frequency, abs=32)
    assert tone.duration == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("audio", [sine(1000, 0.1), sine(100, 0.5), sine(1000, 0.5, 0.001), sine(3000, 0.5)])
def test_too_short_low_soft_or_high_is_no_beep(audio: np.ndarray):
    assert heard(np.concatenate([audio, silence(0.2)])) == []


def test_noise_and_two_tones_are_no_beep():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.1, 256).astype(np.float32)
    assert pitches(np.stack([noise, sine(697, 0.032) + sine(1336, 0.032), silence(0.032)])).tolist() == [0.0] * 3


def test_a_tone_that_jumps_is_two():
    assert len(heard(np.concatenate([sine(500, 0.32), sine(1500, 0.32), silence(0.1)]))) >= 1


def test_every_line_has_its_own_tone():
    beep = np.concatenate([sine(1000, 0.48), silence(0.16)])
    later = np.concatenate([silence(0.16), sine(700, 0.32), silence(0.16)])
    found = heard(silence(0.64), beep, later)
    assert [(tone.index, round(tone.frequency)) for tone in found] == [(1, 1000), (2, 688)]


def test_a_row_is_given_to_another_call_as_new():
    tones = Tones()
    tones.grow(4)
    heard(sine(1000, 0.48), tones=tones, rows=(3,))
    tones.begin(3)
    assert heard(silence(0.1), tones=tones, rows=(3,)) == []
