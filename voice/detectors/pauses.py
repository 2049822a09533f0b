"""Where each call stands between voice and pause, and which pauses are old enough to be listened to. Pure, a row a call."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice.events import SAMPLE_RATE

Doubles = NDArray[np.float64]
RowIds = NDArray[np.intp]
States = NDArray[np.void]  # of `_STATE`

WINDOW: Final = 256  # samples
ASK_AT: Final = 2  # windows of silence after which the turn model is asked: early, so that it has answered in time
CUES_AT: Final = 4  # windows of silence after which the sound of the ending is measured
BREATH_AT: Final = (6, 8, 10, 13, 17)  # and the pause itself listened to again
VOICED, UNVOICED = 0.5, 0.35  # where speech begins and ceases to be speech
_SHORTEST: Final = 3  # windows of voice that make a pause after them worth listening to
_LONGEST_REST: Final = int(2.5 * SAMPLE_RATE) // WINDOW  # windows of silence after which the next voice begins something new
_TELLING: Final = np.isin(np.arange(max(BREATH_AT) + 2), [ASK_AT, CUES_AT, *BREATH_AT])

_STATE: Final = np.dtype(
    [
        ("is_voiced", "?"),
        ("voiced", "i4"),  # windows of voice in the present stretch of speech
        ("rest", "i4"),  # windows since the last voiced one
        ("began", "i8"),  # samples: where the present stretch of speech began
        ("ended", "i8"),
    ]
)


class Pauses:
    """The pauses of many calls."""

    def __init__(self, rows: int = 1) -> None:
        self._state: States = np.zeros(rows, _STATE)

    def grow(self, rows: int) -> None:
        """Make room for so many rows altogether."""
        self._state = np.concatenate([self._state, np.zeros(rows - len(self._state), _STATE)])

    def begin(self, row: int) -> None:
        """A new call has this row."""
        self._state[row] = np.zeros((), _STATE)

    def step(self, rows: RowIds, speech: Doubles, ends: NDArray[np.int64]) -> States:
        """Take the probability of speech in the next window of each of these rows, and its end in samples."""
        now = self._state[rows]
        is_voiced = speech >= np.where(now["is_voiced"], UNVOICED, VOICED)
        is_new = is_voiced & ((now["voiced"] == 0) | (now["rest"] > _LONGEST_REST))
        now["began"] = np.where(is_new, ends - WINDOW, now["began"])
        now["voiced"] = np.where(is_new, 0, now["voiced"]) + is_voiced
        now["rest"] = np.where(is_voiced, 0, now["rest"] + 1)
        now["ended"] = np.where(is_voiced, ends, now["ended"])
        now["is_voiced"] = is_voiced
        self._state[rows] = now
        return now


def telling(states: States) -> list[int]:
    """Which of these calls are in a pause at an age at which there is something to be found out."""
    rest = np.minimum(states["rest"], len(_TELLING) - 1)
    return np.flatnonzero(_TELLING[rest] & (states["voiced"] >= _SHORTEST)).tolist()
