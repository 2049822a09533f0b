"""The detector: windows, level, memory, and what is speech to it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from telephony.audio import encode
from voice.errors import ProviderRejected
from voice.providers import silero
from voice.providers.silero import WINDOW, SileroActivity, SileroBatch, level, shared_batch

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
    batch = shared_batch()
    audio = [noise(WINDOW, 100), noise(WINDOW, 9000), SILENCE * WINDOW]
    together = batch.run([SileroActivity().prepared(window) for window in audio])
    alone = [batch.run([SileroActivity().prepared(window)])[0] for window in audio]
    assert [judged.speech for judged in together] == pytest.approx([judged.speech for judged in alone], abs=1e-5)
    assert batch.run([]) == []


def test_long_silence_is_forgotten() -> None:
    activity = SileroActivity()
    first = activity.feed(SILENCE * WINDOW)[0]
    later = activity.feed(SILENCE * WINDOW * 61 + SILENCE * WINDOW)
    assert any(evidence.speech == pytest.approx(first.speech, abs=1e-6) for evidence in later[55:])


def test_the_level_is_in_decibels_of_full_scale() -> None:
    assert level(np.ones(256, np.float32)) == pytest.approx(0.0)
    assert level(np.full(256, 0.1, np.float32)) == pytest.approx(-20.0, abs=0.01)
    assert level(np.zeros(256, np.float32)) == -90.0
    assert level(np.zeros(0, np.float32)) == -90.0
    sine = np.sin(np.arange(8000) * 2 * math.pi * 440 / 8000).astype(np.float32)
    assert level(sine) == pytest.approx(-3.01, abs=0.05)


def test_another_file_in_place_of_the_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "_SHA256", "0" * 64)
    with pytest.raises(ProviderRejected, match="wrong_model"):
        SileroBatch()
