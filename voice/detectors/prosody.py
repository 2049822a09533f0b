"""What the last seconds of a voice sound like where it stopped: the cues people use to hear whether a turn is over.

Speakers let the end of a turn die away; within a turn they stop at full voice, and often breathe in before they go on
(Gravano and Hirschberg 2011; Local and Walker 2012). They lengthen the last syllable of a phrase (Wightman et al. 1992) and
let its voice creak (Redi and Shattuck-Hufnagel 2001). All of it is computed once, when a pause begins, over arrays: about
0.5 ms of numpy a pause. The pitch itself was tried and told nothing that these do not (docs/turn-taking.md).
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
_LONGEST_TAIL: Final = 0.2  # seconds by which a speech detector is believed to lag
_WIDTH: Final = 320  # samples of a spectrum
_FFT: Final = 512
_WINDOW: Final = np.hanning(_WIDTH).astype(np.float32)
_HERTZ: Final = np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT
_HISS: Final = _HERTZ > 2000
_VOWEL: Final = (_HERTZ > 200) & (_HERTZ < 1000)
_SYLLABLES: Final = 200  # of 10 ms: how far back the last syllable is looked for
_SMOOTH: Final = np.full(5, 0.2, np.float32)
_FALL: Final = 3.0  # dB between two syllables
_WITHIN: Final = 8.0  # dB under its peak a syllable is measured
_LONGEST_SYLLABLE: Final = 3.5  # ln of 330 ms: what is longer is noise that never falls
_LOW: Final = np.convolve(np.full(4, 0.25), np.full(5, 0.2)).astype(np.float32)  # leaves what is below about 1 kHz
_LAST_VOWELS: Final = 35  # of 10 ms: as far back as the last vowel is looked for
_PERIODS: Final = 256  # samples in which a voice repeats itself
_PERIODS_HOP: Final = 2 * HOP
_PERIOD_WINDOW: Final = np.hanning(_PERIODS).astype(np.float32)
_SHORTEST_PERIOD, _LONGEST_PERIOD = 20, 120  # samples: 400 and 67 Hz
_PERIOD_FFT: Final = 384  # no product of a frame with itself, that much later, wraps around; and quick to transform
_PERIOD_SHAPE: Final = np.fft.irfft(np.abs(np.fft.rfft(_PERIOD_WINDOW, _PERIOD_FFT)) ** 2)
_LAST_VOICE: Final = 8  # frames of 20 ms
_COMMON_SYLLABLE: Final = 2.3


def energies(samples: Floats) -> Floats:
    """Level in dBFS of every 20 ms, each 10 ms on."""
    whole = len(samples) // HOP
    pieces = samples[: whole * HOP].reshape(whole, HOP)
    power = np.einsum("ij,ij->i", pieces, pieces) / np.float32(HOP)
    level: Floats = 10 * np.log10((power[:-1] + power[1:]) / 2 + _FLOOR).astype(np.float32)
    return level


class Levels:
    """The `energies` of the last seconds of a call, while a pause is listened to again and again: each is measured once.

    Positions are samples since the line opened.
    """

    __slots__ = ("_first", "found")

    def __init__(self, samples: Floats, position: int) -> None:
        """Of these, which end at `position`."""
        self.found = energies(samples)
        self._first = position - len(samples)

    @property
    def goes_on_at(self) -> int:
        """Where what is still to be measured begins."""
        return self._first + len(self.found) * HOP

    def go_on(self, samples: Floats) -> None:
        """Measure these, which begin there; what is longer ago than `MEMORY` is forgotten."""
        found = np.concatenate([self.found, energies(samples)])
        old = max(0, len(found) - MEMORY // HOP + 1)
        self.found, self._first = found[old:], self._first + old * HOP

    def breath(self, ended: int) -> float:
        """See `at_pause`: of the pause since `ended`, as it is by now."""
        return breath(self.found, (ended - self._first) // HOP)


def at_pause(samples: Floats, began: int, ended: int, room: float, level: Floats | None = None) -> dict[str, float]:
    """The cues at a pause. `samples` run up to now; speech began and ended at those indices; `room` is the background, dBFS;
    `level` the samples' `energies`, where they are known.

    clarity    0 to 1: how far the voice stands above the room, that is, how far the other cues can be trusted
    last_peak  dB: the loudest vowel of the last 350 ms against the speaker's in this turn (negative: it died away). Below
               1 kHz: a last "s" is faint, and yet no sign that the voice died away
    decay      10 ms units from the last loud moment to the end
    hiss       dB: energy above 2 kHz against the vowels' band in the last 150 ms
    syllable   logarithm of the last syllable's length in 10 ms units
    voicing    how much more regular (0 to 1) the last voice was than the speaker's usual (negative: it creaked or whispered)
    tail       seconds since the voice itself ended, as far as they are not in `ended`: a speech detector lags
    breath     dB beyond 4 that the pause itself rises above the quietest of the call: somebody is breathing in

    Empty where there is too little speech to say anything.
    """
    level = energies(samples) if level is None else level
    begin, stop = max(0, began // HOP - 5), min(len(level) - 1, ended // HOP)
    spoken = level[begin:stop]
    if len(spoken) < 5:
        return {}
    loud = _quantile(spoken, 0.95)
    end = max(begin, _last(level[: stop + 1] > max(room + 6, loud - 32), stop))
    usual = _usual(spoken, room, loud)
    return {
        "clarity": float(1 / (1 + np.exp(-(loud - room - 22) / 4))),
        "last_peak": _last_vowel(energies(np.convolve(samples, _LOW, "same")), begin, stop),
        "decay": _clip(end - _last(level[: end + 1] > loud - 10, 0), 0, 40),
        "hiss": _hiss(samples, end),
        "syllable": _last_syllable(level[max(begin, end - _SYLLABLES) : end + 1], loud - 22),
        "voicing": _voicing(samples[begin * HOP : end * HOP + _PERIODS], level[begin : end + 1], usual - 18),
        "tail": _clip((stop - end) * HOP / SAMPLE_RATE, 0, _LONGEST_TAIL),
        "breath": breath(level, end),
    }


def colours(samples: Floats) -> NDArray[np.float64]:
    """Of each row of samples: dB of its first difference against itself, that is, how bright it sounds.

    A "mm-hm" or "uh-huh" is one sound said twice, words move from sound to sound. For the windows of many calls at once.
    """
    steps = np.diff(samples, axis=1)
    ratio = (np.einsum("ij,ij->i", steps, steps) + _FLOOR) / (np.einsum("ij,ij->i", samples, samples) + _FLOOR)
    found: NDArray[np.float64] = 10 * np.log10(ratio, dtype=np.float64)
    return found


def breath(level: Floats, end: int) -> float:
    """How far the pause since `end` rises above the quietest of the call, dB beyond 4, from 80 ms after the voice on."""
    pause = 10 ** (level[max(0, min(end + 8, len(level) - 6)) :] / 10)
    if len(pause) < 4:
        return 0.0
    heard = 10 * np.log10(np.convolve(pause, np.full(4, 0.25), "valid").max())
    return _clip(heard - _quantile(level, 0.05) - 4, 0, 10)


def _usual(spoken: Floats, room: float, loud: float) -> float:
    """The speaker's level, dBFS, without what is too faint to be voice."""
    active = spoken[spoken > max(room + 6, loud - 25)]
    return float(active.mean()) if len(active) > 3 else loud - 8


def _last_vowel(level: Floats, begin: int, stop: int) -> float:
    spoken, room = level[begin:stop], _quantile(level, 0.1)
    loud = _quantile(spoken, 0.95)
    end = max(begin, _last(level[: stop + 1] > max(room + 8, loud - 25), stop))
    return _clip(level[max(0, end - _LAST_VOWELS + 1) : end + 1].max() - _usual(spoken, room, loud), -15, 15)


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


def _last_syllable(level: Floats, floor: float) -> float:
    """ln of the 10 ms units in which the last hump stands within 8 dB of its peak; without one, a common length."""
    smooth = np.convolve(np.pad(level, 2, mode="edge"), _SMOOTH, "valid")
    peak = _last_peak(smooth.tolist(), floor)
    if peak is None:
        return _COMMON_SYLLABLE
    low = smooth <= smooth[peak] - _WITHIN
    after = np.flatnonzero(low[peak:])
    length = (int(after[0]) if len(after) else len(smooth) - peak) + peak - _last(low[:peak], -1) - 1
    return min(float(np.log(length)), _LONGEST_SYLLABLE)


def _last_peak(level: list[float], floor: float) -> int | None:
    """Where the last rise over `floor` that falls again, or is not over yet, is highest: rises and falls of 3 dB count."""
    found, at, high, low, is_rising = None, 0, level[0], level[0], True
    for index, value in enumerate(level):
        if is_rising:
            if value > high:
                at, high = index, value
            elif value < high - _FALL:
                found = at if high > floor else found
                is_rising, low = False, value
        elif value < low:
            low = value
        elif value > low + _FALL:
            at, high, is_rising = index, value, True
    return at if is_rising and high > floor else found


def _voicing(samples: Floats, level: Floats, floor: float) -> float:
    """Autocorrelation at the period (Boersma 1993) of the last 160 ms of voice, against all of it."""
    if len(samples) < _PERIODS:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(samples, _PERIODS)[::_PERIODS_HOP]
    middle = np.minimum(np.arange(len(frames)) * 2 + 1, len(level) - 1)
    voiced = np.flatnonzero(level[middle] > floor)
    if len(voiced) <= _LAST_VOICE:
        return 0.0
    windowed = (frames[voiced] - frames[voiced].mean(axis=1, keepdims=True)) * _PERIOD_WINDOW
    alike = np.fft.irfft(np.abs(np.fft.rfft(windowed, _PERIOD_FFT, axis=1)) ** 2, axis=1)[:, :_LONGEST_PERIOD]
    regular = (alike / (alike[:, :1] + _FLOOR) * (_PERIOD_SHAPE[0] / _PERIOD_SHAPE[:_LONGEST_PERIOD]))[:, _SHORTEST_PERIOD:]
    strength = regular.max(axis=1)
    return float(strength[voiced > voiced[-1] - _LAST_VOICE].mean() - strength.mean())


def _last(where: NDArray[np.bool_], otherwise: int) -> int:
    found = np.flatnonzero(where)
    return int(found[-1]) if len(found) else otherwise


def _clip(value: float, low: float, high: float) -> float:
    return float(min(high, max(low, value)))
