"""The detector: windows, level, memory, and what is speech to it."""

from __future__ import annotations

import numpy as np
import pytest

from telephony.audio import encode, floats, levels
from voice.errors import ProviderRejected
from voice.providers import silero
from voice.providers.silero import WINDOW, SileroActivity, SileroRows, load_model

SILENCE = b"\xff"


def noise(count: int, loudness: float) -> bytes:
    samples = np.random.default_rng(1).standard_normal(count) * loudness
    return encode(np.clip(samples, -32768, 32767).astype(np.int16))


def test_windows_come_whole_whatever_the_pieces() -> None:
    whole, pieces = SileroActivity(), SileroActivity()
    audio = noise(WINDOW * 5 + 17, 3000)
    expected = whole.feed(audio)
    got = [evidence for start in range(0, len(audio), 33) for evidence in pieces.feed(audio[start : start + 33])]
    assert [e.position for e in expected] == [WINDOW * n for n in range(1, 6)]
    assert got == expected
    assert whole.feed(b"") == []


def test_silence_and_noise_are_not_speech() -> None:
    for audio in (SILENCE * 16_000, noise(16_000, 300), noise(16_000, 6000)):
        assert max(evidence.speech for evidence in SileroActivity().feed(audio)) < 0.5


def test_a_batch_judges_each_call_as_if_alone() -> None:
    audio = [noise(WINDOW, 100), noise(WINDOW, 9000), SILENCE * WINDOW]
    samples = np.stack([floats(window) for window in audio])
    model = SileroRows()
    model.grow(7)
    model.begin(4)
    together = model.judge(np.array([4, 0, 6]), samples, levels(samples))
    assert together.tolist() == pytest.approx([SileroActivity().judge(window).speech for window in audio], abs=1e-5)


def test_the_wide_layout_says_what_the_published_model_says() -> None:
    """Of a hum with the bands of a vowel, rising and falling; the numbers are those of Silero's own file."""
    seconds = np.arange(12 * WINDOW) / 8000
    phase = 2 * np.pi * np.cumsum(130 + 25 * np.sin(2 * np.pi * 2.5 * seconds)) / 8000
    bands = [(600, 200, 2.0), (1200, 250, 1.5)]
    loud = [(1 + sum(high * np.exp(-(((130 * k - at) / wide) ** 2)) for at, wide, high in bands)) / k for k in range(1, 28)]
    hum = sum(np.sin(k * phase) * each for k, each in enumerate(loud, 1))
    samples = (0.05 * hum * (0.6 + 0.4 * np.sin(8 * np.pi * seconds))).astype(np.float32).reshape(12, 1, WINDOW)
    model = SileroRows()
    found = [model.judge(np.zeros(1, np.intp), window, levels(window))[0] for window in samples]
    published = [0.1607, 0.0375, 0.0553, 0.0428, 0.0445, 0.0706, 0.2599, 0.1923, 0.2468, 0.0485, 0.0237, 0.0121]
    assert found == pytest.approx(published, abs=2e-4)


def test_long_silence_is_forgotten() -> None:
    activity = SileroActivity()
    first = activity.feed(SILENCE * WINDOW)[0]
    later = activity.feed(SILENCE * WINDOW * 61 + SILENCE * WINDOW)
    assert any(evidence.speech == pytest.approx(first.speech, abs=1e-6) for evidence in later[55:])


def test_another_file_in_place_of_the_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "_SHA256", "0" * 64)
    with pytest.raises(ProviderRejected, match="wrong_model"):
        load_model()
