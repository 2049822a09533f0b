"""Is what comes in our own voice coming back? Compared with what we sent, before any speech model is believed.

A telephone line returns some of what it is given: a copy, delayed by 20 to 800 ms, 10 to 40 dB down, sometimes through a
codec. While nobody knows the delay, a short stretch of what came in is slid along what we sent; the same delay found twice
running is the line's. From then on it costs a few products a window: how much of the window is explained by the copy, and
how loud a copy can be on this line, so that a caller who speaks over it is heard.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice.events import SAMPLE_RATE

Floats = NDArray[np.float32]

LONGEST: Final = int(0.9 * SAMPLE_RATE)  # samples of delay searched: the audio sent ahead of time, and the line's own
STRETCH: Final = 2048  # samples of incoming audio to slide
_SHORT: Final = 1024  # samples compared once the delay is known
_COARSE: Final = 2  # sliding is done at half the rate
_ALIKE: Final = 0.42  # correlation from which on a place is worth remembering; strangers' voices stay under 0.35
_COPY: Final = 0.5  # and from which on a stretch is a copy
_SPREAD: Final = 40  # samples (5 ms): an echo is smeared over so much, and sought within it
_FAINT: Final = 1e-7  # mean square under which there is nothing to compare (-70 dBFS)
_MARGIN: Final = 5.0  # dB above the loudest copies this line made, from which on it must be somebody else
_LOUDEST: Final = 0.8  # quantile of the copies' loudness


class EchoGuard:
    """The echo of one call. `far` is the audio we sent, `near` what came in, on the same clock."""

    def __init__(self) -> None:
        self.delay: int | None = None  # samples
        self.coupling: float | None = None  # dB: how loud copies are against what was sent
        self._found: deque[int] = deque(maxlen=4)
        self._losses: deque[float] = deque(maxlen=40)

    def judge(self, near: Floats, far: Floats, window: int, *, may_search: bool) -> float:
        """Probability that the last `window` samples of `near` are our own voice.

        `near` holds at least `STRETCH` samples; `far` reaches `LONGEST` further back than that, and ends with it.
        """
        if self.delay is None:
            return self._search(near[-STRETCH:], far) if may_search else 0.0
        first = len(far) - self.delay - _SHORT - _SPREAD
        return self._compare(near[-_SHORT:], far[first : first + _SHORT + 2 * _SPREAD], window)

    def _search(self, near: Floats, far: Floats) -> float:
        alike, place = locate(near, far[-(STRETCH + LONGEST) :])
        if alike < _ALIKE:
            return 0.0
        if any(abs(place - other) <= _SPREAD for other in self._found):
            self.delay = max(place, _SPREAD)
        self._found.append(place)
        return alike

    def _compare(self, near: Floats, sent: Floats, window: int) -> float:
        """A copy by its shape; or by being no louder than a copy can be, while something was sent."""
        power = float(near[-window:] @ near[-window:]) / window
        pieces = sent[len(sent) % window :].reshape(-1, window)
        sent_power = float(np.max(np.einsum("ij,ij->i", pieces, pieces))) / window
        if power < _FAINT or sent_power < _FAINT:
            return 0.0
        loss = 10 * float(np.log10(power / sent_power))
        alike, _ = locate(near, sent)
        if alike >= _COPY:
            self._losses.append(loss)
            self.coupling = sorted(self._losses)[int(_LOUDEST * len(self._losses))]
        if self.coupling is None:
            return alike
        return max(alike, 0.9) if loss < self.coupling + _MARGIN else min(alike, 0.4)


def locate(near: Floats, far: Floats) -> tuple[float, int]:
    """How much this stretch resembles a place of `far` (0 to 1, either polarity), and which: samples back from its end."""
    short, long = _halved(near), _halved(far)
    energy = float(short @ short)
    if energy < _FAINT * len(short):
        return 0.0, 0
    places = len(long) - len(short) + 1
    if places < 128:
        products = np.lib.stride_tricks.sliding_window_view(long, len(short)) @ short
    else:
        size = 1 << (len(long) + len(short) - 1).bit_length()
        products = np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)[:places]
    sums = np.concatenate([[0.0], np.cumsum(np.square(long, dtype=np.float64))])
    powers = sums[len(short) : len(short) + places] - sums[:places]
    alike = np.abs(products) / np.sqrt(np.maximum(powers, _FAINT * len(short)) * energy)
    best = int(alike.argmax())
    return float(alike[best]), (places - 1 - best) * _COARSE


def _halved(samples: Floats) -> Floats:
    whole = len(samples) // _COARSE * _COARSE
    halved: Floats = samples[len(samples) - whole :].reshape(-1, _COARSE).mean(axis=1)
    return halved
