"""Hears a steady single tone: a voicemail's beep, a fax's calling tone. Pure, on windows of caller audio.

A beep is a sine of 400 to 2000 Hz held for 150 ms or more; speech spreads its energy over many bins and moves.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice.events import SAMPLE_RATE, Samples, ToneHeard

WINDOW: Final = 256  # samples, 32 ms: bins of 31 Hz
LOWEST, HIGHEST = 400.0, 2000.0  # Hz
PURITY: Final = 0.85  # share of the energy in the peak and its neighbours
LOUDNESS: Final = 0.01  # RMS of full scale, -40 dBFS
SHORTEST: Final = 0.15  # seconds
_TAPER: Final = np.hanning(WINDOW)


class ToneDetector:
    """One call's tone detector; feed it linear samples in [-1, 1], in order."""

    def __init__(self) -> None:
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)
        self._position = 0
        self._frequency = 0.0
        self._held = 0

    def feed(self, samples: NDArray[np.float32]) -> list[ToneHeard]:
        """Return the tones that ended in these samples."""
        self._rest = np.concatenate([self._rest, samples])
        heard: list[ToneHeard] = []
        while len(self._rest) >= WINDOW:
            window, self._rest = self._rest[:WINDOW], self._rest[WINDOW:]
            self._position += WINDOW
            heard += self._window(window)
        return heard

    def _window(self, window: NDArray[np.float32]) -> list[ToneHeard]:
        frequency = tone_of(window)
        if frequency and (not self._held or abs(frequency - self._frequency) <= 2 * SAMPLE_RATE / WINDOW):
            self._frequency = frequency
            self._held += WINDOW
            return []
        held, self._held = self._held / SAMPLE_RATE, 0
        if held < SHORTEST:
            return []
        return [ToneHeard(Samples(self._position), self._frequency, held)]


def tone_of(window: NDArray[np.float32]) -> float:
    """The frequency of the single tone in this window, in Hz; 0.0 if it is anything else."""
    if float(window @ window) < LOUDNESS * LOUDNESS * len(window):
        return 0.0
    power = np.abs(np.fft.rfft(window * _TAPER)) ** 2
    peak = int(power.argmax())
    frequency = peak * SAMPLE_RATE / WINDOW
    share = float(power[max(0, peak - 2) : peak + 3].sum() / power.sum())
    return frequency if share >= PURITY and LOWEST <= frequency <= HIGHEST else 0.0
