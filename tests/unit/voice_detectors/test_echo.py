"""Our own voice, come back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from voice.detectors.echo import LONGEST, STRETCH, EchoGuard, locate

Floats = NDArray[np.float32]
WINDOW = 256
SECONDS = 3


def talk(seed: int, seconds: float = SECONDS) -> Floats:
    """Something like speech: noise through two resonances, in syllables."""
    random = np.random.default_rng(seed)
    size = int(seconds * 8000)
    time = np.arange(size) / 8000
    pitch = np.sign(np.sin(2 * np.pi * np.cumsum(110 + 30 * np.sin(2 * np.pi * 0.7 * time + seed)) / 8000))
    sound = np.convolve(pitch * 0.3 + random.standard_normal(size) * 0.2, random.standard_normal(24), "same")
    syllables = np.maximum(0.05, np.sin(2 * np.pi * 3.1 * time + seed))
    return (0.05 * sound * syllables / np.abs(sound).mean()).astype(np.float32)


def echo_of(sent: Floats, delay: int, gain_db: float) -> Floats:
    """A smeared copy."""
    path = np.zeros(delay + 32, np.float32)
    path[[delay, delay + 7, delay + 21]] = (1.0, -0.45, 0.3)
    return (np.convolve(sent, path)[: len(sent)] * 10 ** (gain_db / 20)).astype(np.float32)


def judged(near: Floats, sent: Floats) -> list[float]:
    """The guard over a whole call: one verdict per window, the delay sought every fourth."""
    guard, verdicts = EchoGuard(), []
    near = np.concatenate([np.zeros(STRETCH, np.float32), near])
    far = np.concatenate([np.zeros(STRETCH + LONGEST, np.float32), sent])
    for number, end in enumerate(range(WINDOW, len(sent) + 1, WINDOW)):
        verdicts.append(
            guard.judge(near[end : STRETCH + end], far[end : STRETCH + LONGEST + end], WINDOW, may_search=number % 4 == 0)
        )
    return verdicts


def windows(samples: Floats) -> Floats:
    """Level of every window, dBFS."""
    whole = len(samples) // WINDOW
    power = np.square(samples[: whole * WINDOW].reshape(whole, WINDOW)).mean(axis=1)
    return np.asarray(10 * np.log10(power + 1e-9), np.float32)


@pytest.mark.parametrize("delay", [400, 1200, 6000])
@pytest.mark.parametrize("gain_db", [-12, -30])
def test_a_copy_is_recognised_once_its_delay_is_known(delay: int, gain_db: int) -> None:
    sent = talk(1)
    near = echo_of(sent, delay, gain_db)
    verdicts, levels = np.array(judged(near, sent)), windows(near)
    is_late = np.arange(len(verdicts)) > (delay + 5 * STRETCH) / WINDOW
    assert np.mean(verdicts[is_late & (levels > -60)] > 0.5) > 0.9


def test_a_stranger_is_not() -> None:
    assert max(judged(talk(2), talk(1))) < 0.5


def test_a_caller_who_speaks_over_the_echo_is_heard() -> None:
    sent, caller = talk(1), talk(5)
    near = echo_of(sent, 800, -25.0)
    near[16000:] += caller[16000:]
    verdicts = np.array(judged(near, sent))
    is_over = (np.arange(len(verdicts)) > 16000 / WINDOW) & (windows(caller) > -30)
    assert np.mean(verdicts[is_over] < 0.5) > 0.9


def test_silence_resembles_nothing() -> None:
    nothing = np.zeros(4096, np.float32)
    assert locate(nothing[:2048], talk(1)[:4096]) == (0.0, 0)
    assert judged(np.zeros(8000, np.float32), talk(1)[:8000]) == [0.0] * 31
    assert max(judged(talk(1)[:8000], np.zeros(8000, np.float32))) == 0.0
