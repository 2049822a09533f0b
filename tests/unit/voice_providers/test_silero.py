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


def test_long_silence_is_forgotten() -> None:
    activity = SileroActivity()
    first = activity.feed(SILENCE * WINDOW)[0]
    later = activity.feed(SILENCE * WINDOW * 61 + SILENCE * WINDOW)
    assert any(evidence.speech == pytest.approx(first.speech, abs=1e-6) for evidence in later[55:])


def test_another_file_in_place_of_the_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "_SHA256", "0" * 64)
    with pytest.raises(ProviderRejected, match="wrong_model"):
        load_model()
