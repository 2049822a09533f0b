"""Hears a steady single tone: a voicemail's beep, a fax's calling tone. Pure, on windows of many calls at once, a row each.

A beep is a sine of 400 to 2200 Hz held for 150 ms or more; speech spreads its energy over many bins and moves. Only windows
that are loud enough are looked at, which is why tones are listened for in the whole of every call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice.events import SAMPLE_RATE

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
RowIds = NDArray[np.intp]

WINDOW: Final = 256  # samples, 32 ms: bins of 31 Hz
LOWEST, HIGHEST = 400.0, 2200.0  # Hz; a fax answers with 2100
PURITY: Final = 0.85  # share of the energy in the peak and its neighbours
LOUDNESS: Final = -40.0  # dBFS
SHORTEST: Final = 0.15  # seconds
_TAPER: Final = np.hanning(WINDOW).astype(np.float32)
_BIN: Final = SAMPLE_RATE / WINDOW  # Hz


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone that ended in the window before this one. `index`: of whose windows, in the order they were given."""

    index: int
    frequency: float  # Hz
    duration: float  # seconds


class Tones:
    """The tone that each call's line may be holding."""

    def __init__(self, rows: int = 1) -> None:
        self._frequency: Doubles = np.zeros(rows)
        self._held: Doubles = np.zeros(rows)  # samples

    def grow(self, rows: int) -> None:
        """Make room for so many rows altogether."""
        self._frequency = np.pad(self._frequency, (0, rows - len(self._frequency)))
        self._held = np.pad(self._held, (0, rows - len(self._held)))

    def begin(self, row: int) -> None:
        """A new call has this row."""
        self._held[row] = 0.0

    def step(self, rows: RowIds, samples: Floats, levels: Doubles) -> list[Tone]:
        """Take the next window of each of these rows (full scale 1.0, and its dBFS); return the tones that ended."""
        held = self._held[rows]
        loud = np.flatnonzero(levels >= LOUDNESS)
        if not loud.size and not held.any():
            return []
        heard = np.zeros(len(rows))
        heard[loud] = pitches(samples[loud])
        before = self._frequency[rows]
        goes_on = (heard > 0) & ((held == 0) | (np.abs(heard - before) <= 2 * _BIN))
        self._frequency[rows] = np.where(goes_on, heard, before)
        self._held[rows] = np.where(goes_on, held + WINDOW, 0.0)
        ended = np.flatnonzero(~goes_on & (held >= SHORTEST * SAMPLE_RATE))
        return [Tone(int(at), float(before[at]), float(held[at]) / SAMPLE_RATE) for at in ended]


def pitches(windows: Floats) -> Doubles:
    """The frequency of the single tone in each window, in Hz; 0.0 where it is anything else."""
    power = np.square(np.abs(np.fft.rfft(windows * _TAPER, axis=1)))
    peak = power.argmax(axis=1)
    around = np.clip(peak[:, None] + np.arange(-2, 3), 0, power.shape[1] - 1)
    share = np.take_along_axis(power, around, axis=1).sum(axis=1)
    frequency = peak * _BIN
    is_tone = (share >= PURITY * power.sum(axis=1)) & (frequency >= LOWEST) & (frequency <= HIGHEST)
    found: Doubles = np.where(is_tone, frequency, 0.0)
    return found
