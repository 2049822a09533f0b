"""Is it the caller, or the room behind the caller? A two-state filter over the level and the speech probability of windows.

A speech detector hears a television and a crowd as what they are: speech. What tells the caller apart is level: the caller
is nearer to the microphone. So two things are learnt of the background while nobody is near: how loud it is, and how often
*it* sounds like speech. Where it never does (a fan, a street), the detector is believed; where it does, level decides.
Pure: numbers in, numbers out, one window at a time.
"""

from __future__ import annotations

from collections import deque
from math import exp, log, log10
from typing import Final

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


class Foreground:
    """The filter of one call."""

    def __init__(self) -> None:
        self.room = 0.0  # dBFS, mean of the background
        self.spread = 3.0  # dB
        self.talk = 0.05  # how often the background is called speech
        self.caller = _CALLER_LEVEL  # dBFS, of the caller's speaking windows
        self._loud = -90.0  # dBFS, the caller's loud moments of late
        self._since_loud = 0
        self._near = 0.02  # probability that the caller is speaking now
        self._smooth = 0.0
        self._recent: deque[float] = deque(maxlen=_HISTORY)
        self._windows = 0
        self._learnt = 0
        self._since_rise = _STEADY
        self._has_risen = False

    def step(self, speech: float, level: float) -> float:
        """Take the detector's probability and the level (dBFS) of the next window; return that it is the caller's speech."""
        level = max(level, QUIETEST)
        if not self._windows:
            self.room, self._smooth = min(level, _LOUDEST_ROOM), level
        self._windows += 1
        self._smooth = smooth = 10 * log10((10 ** (level / 10) + 10 ** (self._smooth / 10)) / 2)
        self._recent.append(smooth)
        margin = smooth - self.room
        self._near = near = self._posterior(speech, smooth, margin)
        self._learn(speech, smooth, margin)
        return min(speech, near) if self.talk > TALKS else speech

    def _posterior(self, speech: float, level: float, margin: float) -> float:
        caller = max(self.caller, self.room + _ABOVE)
        as_room = -0.5 * max(margin / self.spread, -0.5) ** 2 - log(self.spread)
        as_caller = -0.5 * min((level - caller) / _CALLER_SPREAD, 0.0) ** 2 - log(_CALLER_SPREAD)
        talk = max(0.02, min(0.9, self.talk))
        is_plainly_room = self.room < _CLEAR_ROOM and margin < 1.5 * self.spread
        lowest = -5.0 if is_plainly_room else -1.5 - 2.5 * min(1.0, 2 * talk)
        by_level = max(lowest, min(1.5, as_caller - as_room))
        by_sound = log((_SPOKEN * speech + (1 - _SPOKEN) * (1 - speech)) / (talk * speech + (1 - talk) * (1 - speech)))
        before = self._near * (1 - _ENDS) + (1 - self._near) * _BEGINS
        odds = log(before / (1 - before)) + by_level + by_sound
        return 1 / (1 + exp(-max(-9.0, min(9.0, odds))))

    def _learn(self, speech: float, level: float, margin: float) -> None:
        if margin > 1.2 * self.spread + 1.5 and self._windows > _WARM:
            self._since_rise, self._has_risen = 0, True
        else:
            self._since_rise += 1
        self._follow_loudness(level)
        is_other = self._since_loud >= _UNDER_FOR and self.room > _NOISY
        is_steady = is_other or self._since_rise >= _STEADY or not self._has_risen
        weight = max((1 - self._near) if speech < 0.5 else 0.0, 1.0 if is_steady else 0.0)
        if weight > 0.3:
            self._learnt += 1
            share = max(0.03, 1 / (self._learnt + 1)) * weight
            self.spread += share * (1.25 * min(abs(margin), 10.0) - self.spread)
            self.spread = max(1.6, min(5.0, self.spread))
            self.room += share * margin
            if self._windows < _OPENING:
                self.room = min(self.room, _LOUDEST_YET)
            self.talk += share * (speech - self.talk)
        elif margin < 0:
            self.room += 0.10 * margin
        # The quietest moment of the last seconds: a room that grew louder is still a room.
        quietest = min(self._recent) if len(self._recent) == _HISTORY else QUIETEST
        if self.room < quietest:
            self.room += 0.05 * (quietest - self.room)
        if self._near > 0.9:
            self.caller += 0.01 * (level - self.caller)

    def _follow_loudness(self, level: float) -> None:
        if self._near > 0.9 and level > self._loud:
            self._loud += 0.3 * (level - self._loud)
        self._since_loud = 0 if level > self._loud - _UNDER else self._since_loud + 1
        self._loud -= 0.02  # 0.6 dB a second
