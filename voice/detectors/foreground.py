"""Is it the caller, or the room behind the caller? A two-state filter over the level and the speech probability of windows.

A speech detector hears a television and a crowd as what they are: speech. What tells the caller apart is level: the caller
is nearer to the microphone. So two things are learnt of the background while nobody is near: how loud it is, and how often
*it* sounds like speech. Where it never does (a fan, a street), the detector is believed; where it does, level decides.
Pure: numbers in, numbers out, one window at a time, of many calls at once, a row each.
"""

from __future__ import annotations

from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Beliefs = NDArray[np.void]  # of `_BELIEFS`, a copy: one for each window that is taken
RowIds = NDArray[np.intp]

QUIETEST: Final = -68.0  # dBFS; below it mu-law has nothing but its own idle noise
WINDOWS_PER_SECOND: Final = 31.25

_SPOKEN: Final = 0.93  # how often a window of near speech is called speech
_BEGINS, _ENDS = 0.04, 0.06  # chance that the caller starts, or stops, within one window
_CALLER_LEVEL: Final = -28.0  # dBFS, before anything is known of this caller
_CALLER_SPREAD: Final = 7.0  # dB
_ABOVE: Final = 8.0  # dB a caller is at least above the room
_LOUDEST_ROOM: Final = -38.0  # dBFS: what is louder when the line opens is taken for a voice, not for the room
_OPENING: Final = 16  # windows after opening in which the room is not believed to be louder than ...
_LOUDEST_YET: Final = -33.0  # ... this, dBFS: somebody may be talking already
_WARM: Final = 12  # windows after opening in which a rise may be the room itself
_STEADY: Final = 40  # windows without a rise, after which whatever is there is the room
_NOISY: Final = -55.0  # dBFS of room, from which on a voice may hide in it
_UNDER: Final = 7.0  # dB under the caller's loud moments: a voice that stays so far under them ...
_UNDER_FOR: Final = 14  # ... for so many windows is somebody else's
_HISTORY: Final = int(3 * WINDOWS_PER_SECOND)
_CLEAR_ROOM: Final = -50.0  # dBFS: below it, a window as quiet as the room is the room, whatever the detector says
TALKS: Final = 0.12  # share of background windows called speech, from which on the background is one that talks
_LOG_CALLER_SPREAD: Final = log(_CALLER_SPREAD)
# What is believed of each call.
_BELIEFS: Final = np.dtype(
    [
        ("room", "f8"),  # dBFS, mean of the background
        ("spread", "f8"),  # dB
        ("talk", "f8"),  # how often the background is called speech
        ("caller", "f8"),  # dBFS, of the caller's speaking windows
        ("loud", "f8"),  # dBFS, the caller's loud moments of late
        ("since_loud", "i4"),  # windows
        ("near", "f8"),  # probability that the caller is speaking now
        ("smooth", "f8"),  # dBFS, of this window and, less and less, of those before it
        ("windows", "i4"),
        ("learnt", "i4"),  # windows of background
        ("since_rise", "i4"),  # windows
        ("has_risen", "?"),
    ]
)
_FRESH: Final = np.array((0.0, 3.0, 0.05, _CALLER_LEVEL, -90.0, 0, 0.02, 0.0, 0, 0, _STEADY, False), _BELIEFS)


class Foreground:
    """The filters of many calls."""

    def __init__(self, rows: int = 1) -> None:
        self._state: Beliefs = np.full(rows, _FRESH)
        self._recent: Doubles = np.zeros((rows, _HISTORY))

    def grow(self, rows: int) -> None:
        """Make room for so many rows altogether."""
        more = rows - len(self._state)
        self._state = np.concatenate([self._state, np.full(more, _FRESH)])
        self._recent = np.pad(self._recent, ((0, more), (0, 0)))

    def begin(self, row: int) -> None:
        """A new call has this row."""
        self._state[row] = _FRESH

    def of(self, rows: RowIds) -> Beliefs:
        """What is believed of these calls: `room` and `caller` in dBFS, `talk` a share."""
        return self._state[rows]

    def step(self, rows: RowIds, speech: Doubles, level: Doubles) -> Doubles:
        """Take the detector's probability and the level (dBFS) of the next window of each of these rows.

        Return that it is the caller's speech.
        """
        now = self._state[rows]
        level = np.maximum(level, QUIETEST)
        is_first = now["windows"] == 0
        now["room"] = np.where(is_first, np.minimum(level, _LOUDEST_ROOM), now["room"])
        now["smooth"] = _mean_level(level, np.where(is_first, level, now["smooth"]))
        self._recent[rows, now["windows"] % _HISTORY] = now["smooth"]
        now["windows"] += 1
        margin = now["smooth"] - now["room"]
        now["near"] = _posterior(now, speech, margin)
        self._learn(now, rows, speech, margin)
        self._state[rows] = now
        return np.where(now["talk"] > TALKS, np.minimum(speech, now["near"]), speech)

    def _learn(self, now: Beliefs, rows: RowIds, speech: Doubles, margin: Doubles) -> None:
        rises = (margin > 1.2 * now["spread"] + 1.5) & (now["windows"] > _WARM)
        now["since_rise"] = np.where(rises, 0, now["since_rise"] + 1)
        now["has_risen"] |= rises
        _follow_loudness(now)
        is_other = (now["since_loud"] >= _UNDER_FOR) & (now["room"] > _NOISY)
        is_steady = is_other | (now["since_rise"] >= _STEADY) | ~now["has_risen"]
        weight = np.where(is_steady, 1.0, np.where(speech < 0.5, 1 - now["near"], 0.0))
        _learn_room(now, weight, speech, margin)
        # The quietest moment of the last seconds: a room that grew louder is still a room.
        quietest = np.where(now["windows"] >= _HISTORY, self._recent[rows].min(axis=1), QUIETEST)
        now["room"] += 0.05 * np.maximum(0.0, quietest - now["room"])
        now["caller"] += np.where(now["near"] > 0.9, 0.01 * (now["smooth"] - now["caller"]), 0.0)


def _posterior(now: Beliefs, speech: Doubles, margin: Doubles) -> Doubles:
    """That the caller is speaking, by level, by sound and by what was so a window ago."""
    caller = np.maximum(now["caller"], now["room"] + _ABOVE)
    as_room = -0.5 * np.square(np.maximum(margin / now["spread"], -0.5)) - np.log(now["spread"])
    as_caller = -0.5 * np.square(np.minimum((now["smooth"] - caller) / _CALLER_SPREAD, 0.0)) - _LOG_CALLER_SPREAD
    talk = np.clip(now["talk"], 0.02, 0.9)
    is_plainly_room = (now["room"] < _CLEAR_ROOM) & (margin < 1.5 * now["spread"])
    lowest = np.where(is_plainly_room, -5.0, -1.5 - 2.5 * np.minimum(1.0, 2 * talk))
    by_level = np.maximum(lowest, np.minimum(1.5, as_caller - as_room))
    quiet = 1 - speech
    by_sound = (_SPOKEN * speech + (1 - _SPOKEN) * quiet) / (talk * speech + (1 - talk) * quiet)
    before = now["near"] * (1 - _ENDS) + (1 - now["near"]) * _BEGINS
    odds = np.log(before / (1 - before) * by_sound) + by_level
    posterior: Doubles = 1 / (1 + np.exp(-np.clip(odds, -9.0, 9.0)))
    return posterior


def _learn_room(now: Beliefs, weight: Doubles, speech: Doubles, margin: Doubles) -> None:
    """How loud the background is and how often it sounds like speech, as far as this window is background."""
    learns = weight > 0.3
    now["learnt"] += learns
    share = np.where(learns, np.maximum(0.03, 1 / (now["learnt"] + 1)) * weight, 0.0)
    spread = now["spread"] + share * (1.25 * np.minimum(np.abs(margin), 10.0) - now["spread"])
    now["spread"] = np.where(learns, np.clip(spread, 1.6, 5.0), now["spread"])
    room = now["room"] + np.where(learns, share * margin, 0.10 * np.minimum(margin, 0.0))
    now["room"] = np.where(learns & (now["windows"] < _OPENING), np.minimum(room, _LOUDEST_YET), room)
    now["talk"] += share * (speech - now["talk"])


def _follow_loudness(now: Beliefs) -> None:
    is_louder = (now["near"] > 0.9) & (now["smooth"] > now["loud"])
    now["loud"] += np.where(is_louder, 0.3 * (now["smooth"] - now["loud"]), 0.0)
    now["since_loud"] = np.where(now["smooth"] > now["loud"] - _UNDER, 0.0, now["since_loud"] + 1)
    now["loud"] -= 0.02  # 0.6 dB a second


def _mean_level(one: Doubles, other: Doubles) -> Doubles:
    mean: Doubles = 10 * np.log10((10 ** (one / 10) + 10 ** (other / 10)) / 2)
    return mean
