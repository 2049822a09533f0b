"""What the last seconds of a voice sound like where it stopped: the cues people use to hear whether a turn is over.

Speakers let the end of a turn die away; within a turn they stop at full voice, and often breathe in before they go on
(Gravano and Hirschberg 2011; Local and Walker 2012). All of it is computed once, when a pause begins, over arrays: about
0.2 ms of numpy a pause. Pitch was tried and told nothing that these do not (docs/turn-taking.md).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice.events import SAMPLE_RATE

Floats = NDArray[np.float32]

HOP: Final = SAMPLE_RATE // 100  # 10 ms
MEMORY: Final = 5 * SAMPLE_RATE  # samples of the past that matter
_FLOOR: Final = 1e-9
_WIDTH: Final = 320  # samples of a spectrum
_FFT: Final = 512
_WINDOW: Final = np.hanning(_WIDTH).astype(np.float32)
_HERTZ: Final = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
_HISS: Final = _HERTZ > 2000
_VOWEL: Final = (_HERTZ > 200) & (_HERTZ < 1000)


def energies(samples: Floats) -> Floats:
    """Level in dBFS of every 20 ms, each 10 ms on."""
    whole = len(samples) // HOP
    pieces = samples[: whole * HOP].reshape(whole, HOP)
    power = np.einsum("ij,ij->i", pieces, pieces) / np.float32(HOP)
    level: Floats = 10 * np.log10((power[:-1] + power[1:]) / 2 + _FLOOR).astype(np.float32)
    return level


def at_pause(samples: Floats, began: int, ended: int, room: float) -> dict[str, float]:
    """The cues at a pause. `samples` run up to now; speech began and ended at those indices; `room` is the background, dBFS.

    clarity    0 to 1: how far the voice stands above the room, that is, how far the other cues can be trusted
    last_peak  dB: the loudest 20 ms of the last 200 against the speaker's level in this turn (negative: it died away)
    decay      10 ms units from the last loud moment to the end
    hiss       dB: energy above 2 kHz against the vowels' band in the last 150 ms
    breath     dB beyond 4 that the pause itself rises above the quietest of the call: somebody is breathing in

    Empty where there is too little speech to say anything.
    """
    level = energies(samples)
    stop = min(len(level) - 1, ended // HOP)
    spoken = level[max(0, began // HOP - 5) : stop]
    if len(spoken) < 5:
        return {}
    loud = _quantile(spoken, 0.95)
    end = _last(level[: stop + 1] > max(room + 6, loud - 32), stop)
    active = spoken[spoken > max(room + 6, loud - 25)]
    usual = float(active.mean()) if len(active) > 3 else loud - 8
    return {
        "clarity": float(1 / (1 + np.exp(-(loud - room - 22) / 4))),
        "last_peak": _clip(level[max(0, end - 19) : end + 1].max() - usual, -15, 15),
        "decay": _clip(end - _last(level[: end + 1] > loud - 10, 0), 0, 40),
        "hiss": _hiss(samples, end),
        "breath": breath(level, end),
    }


def breath(level: Floats, end: int) -> float:
    """How far the pause since `end` rises above the quietest of the call, dB beyond 4, from 80 ms after the voice on."""
    pause = 10 ** (level[max(0, min(end + 8, len(level) - 6)) :] / 10)
    if len(pause) < 4:
        return 0.0
    heard = 10 * np.log10(np.convolve(pause, np.full(4, 0.25), "valid").max())
    return _clip(heard - _quantile(level, 0.05) - 4, 0, 10)


def _hiss(samples: Floats, end: int) -> float:
    stretch = samples[max(0, end * HOP - 1200) : end * HOP + _WIDTH]
    frames = np.lib.stride_tricks.sliding_window_view(stretch, _WIDTH)[:: 2 * HOP]
    power = (np.abs(np.fft.rfft(frames * _WINDOW, _FFT, axis=1)) ** 2).sum(axis=0) + _FLOOR
    return _clip(10 * np.log10(power[_HISS].sum() / power[_VOWEL].sum()), -40, 10)


def _quantile(values: Floats, share: float) -> float:
    """As numpy's, which takes twenty times as long to find out what is asked of it."""
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (place - below) * (high - low)


def _last(where: NDArray[np.bool_], otherwise: int) -> int:
    found = np.flatnonzero(where)
    return int(found[-1]) if len(found) else otherwise


def _clip(value: float, low: float, high: float) -> float:
    return float(min(high, max(low, value)))
