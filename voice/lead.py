"""How far ahead of the ear our audio is sent: no further than what has been late lately makes necessary. Pure.

Audio at the carrier bridges our stalls; but it is what a barge-in throws away. Frames come every 20 ms for as long as a
call lasts, so one that is late tells of a stalled loop or line at once; marks tell of the way back.
"""

from __future__ import annotations

from typing import Final

from voice.events import SAMPLE_RATE

LEAST: Final = 0.2  # seconds: a stall of 100 ms, a tick and a piece of 60 ms
MOST: Final = 0.4
FIRST: Final = 0.3  # while nothing is known of the line
_WORTH: Final = 0.02  # seconds: a carrier's frame; a smaller change is none
_CALM: Final = 8.0  # seconds after which half of a lateness is forgotten
_SOON: Final = 0.5  # seconds between looks at a line on which nothing is late
_DRIFT: Final = 0.0005  # seconds a second by which two clocks may part


class Lead:
    """`seconds` is what was last ordered."""

    def __init__(self) -> None:
        self.seconds = FIRST
        self._late = FIRST - LEAST
        self._quickest: float | None = None  # now minus media time, of the quickest frame
        self._at: float | None = None

    def frame(self, position: int, now: float) -> float | None:
        """Caller audio up to `position` came in now. A lead to be ordered, or None."""
        taken = now - position / SAMPLE_RATE
        quickest = taken if self._quickest is None else min(self._quickest, taken)
        late = taken - quickest
        if late <= self._late and self._at is not None and now - self._at < _SOON:
            self._quickest = quickest
            return None
        self._quickest = quickest + _DRIFT * (now - self._at if self._at is not None else 0.0)
        return self.late(late, now)

    def late(self, seconds: float, now: float) -> float | None:
        """Something came so much later than it could have. A lead to be ordered, or None."""
        passed = max(0.0, now - self._at) if self._at is not None else 0.0
        self._at = now
        self._late = max(self._late * 0.5 ** (passed / _CALM), seconds)
        wanted = min(MOST, LEAST + self._late)
        if abs(wanted - self.seconds) < _WORTH:
            return None
        self.seconds = round(wanted, 3)
        return self.seconds
