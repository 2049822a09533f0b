"""Where the caller's ear is in what we sent, now: the playout clock. Pure.

A carrier plays what it holds at a constant rate, so between two receipts the position is known by the time. Three delays lie
between our order and its effect: the way there, the carrier's own start, the way back of the mark. An order that empties the
carrier's buffer takes the same way there as the audio did, so that way cancels out; the carrier's start is what a mark takes
longer than a mark on an empty buffer, which comes back at once (Twilio, Media Streams, "mark" messages).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voice.events import SAMPLE_RATE

_RECENT: Final = 4  # receipts that count: a late one is outvoted, an underrun believed after two
FRAME: Final = SAMPLE_RATE // 50  # samples
_SLIPPED: Final = 0.06  # seconds: two marks in a row so late tell of a carrier that stood still, not of a late mark
_SURE: Final = 0.02  # seconds: a carrier's frame
_DUST: Final = 1e-3  # of a millisecond, that floats may lack
_UNKNOWN_TRIP: Final = 0.3  # seconds to the carrier and back, while nothing tells


class Ear:
    """Positions are outgoing samples, `now` is monotonic seconds."""

    def __init__(self) -> None:
        self.jitter = (
            0.0  # seconds by which the last mark of the present run came later than the quickest of the recent ones
        )
        self._run: tuple[int, float] | None = None  # (position, now) at which audio began to flow to an empty carrier
        self.is_known = False  # whether any mark of audio has come back: before, the position is a guess
        self._rest = 0  # where it stood when nothing more was to come
        self._queued = 0
        self._lags: deque[float] = deque(maxlen=_RECENT)  # of this run's marks: returned, minus expected from the run alone
        self._start = 0.0  # seconds a carrier takes to begin; as learned in the last run that told
        self._rounds: deque[float] = deque(maxlen=_RECENT)
        self._probed_at: float | None = None

    @property
    def round_trip(self) -> float | None:
        """Seconds to the carrier and back; None while unknown."""
        return min(self._rounds, default=None)

    @property
    def offset(self) -> float:
        """Seconds from sending audio to an idle carrier until it sounds, as far as marks can tell."""
        return (self.round_trip or 0.0) / 2 + self._start

    def probed(self, now: float) -> None:
        """A mark was sent to an empty buffer."""
        self._probed_at = now

    def probe_returned(self, now: float) -> None:
        if self._probed_at is not None:
            self._rounds.append(now - self._probed_at)
            self._probed_at = None

    def queued(self, start: int, end: int, now: float) -> None:
        """Audio from `start` to `end` was sent, or waits to be sent in time."""
        if self._run is None or self.position(now) >= self._queued:
            self._begin(start, now)
        self._queued = end

    def cleared(self, now: float) -> int:
        """The carrier's buffer is emptied by an order given now: where the ear is when it takes effect."""
        self._rest = self.position(now)
        self._run = None
        return self._rest

    def lost(self, now: float) -> int:
        """The way to the carrier broke, which we learn of now: where the ear stopped."""
        self._rest = self.heard_when_cut(now)
        self._run = None
        return self._rest

    def marked(self, position: int, now: float) -> None:
        """The mark behind `position` came back."""
        self.is_known = True
        if self._run is None:
            return
        origin, began = self._run
        if position <= origin:
            return  # of what was sent before: it says nothing of this run
        lag = now - began - (position - origin) / SAMPLE_RATE
        if lag < -_SURE:  # no mark comes back before its audio: the ear is further than we thought
            self._begin(position, now)
            lag = 0.0
        trip = self.round_trip
        if trip is not None and lag < trip:  # nor sooner than an empty buffer's would
            trip = max(0.0, lag)
            self._rounds.append(trip)
        self._lags.append(lag)
        if len(self._lags) > 2 and min(self._lags[-1], self._lags[-2]) - min(self._lags) > _SLIPPED:
            self._lags = deque([self._lags[-2], self._lags[-1]], maxlen=_RECENT)
        quickest = min(self._lags)
        self.jitter = self._lags[-1] - quickest
        if trip is not None:
            self._start = max(0.0, quickest - trip)

    def position(self, now: float) -> int:
        """What will have been played when an order given now arrives."""
        if self._run is None:
            return self._rest
        origin, began = self._run
        milliseconds = int((now - began - self._start) * 1000 + _DUST)
        return min(self._queued, origin + max(0, milliseconds) * (SAMPLE_RATE // 1000))

    def next_frame(self, now: float) -> int:
        """Where audio goes on that is sent again by an order given now: a carrier plays in frames, and one it has begun it
        ends. What follows then sounds exactly when it would have sounded anyway, so the clock need not be told."""
        if self._run is None:
            return self._rest
        origin = self._run[0]
        return min(self._queued, origin - (origin - self.position(now)) // FRAME * FRAME)

    @property
    def longest_trip(self) -> float:
        """Seconds to the carrier and back, or as many as it may be."""
        return self.round_trip if self.round_trip is not None else _UNKNOWN_TRIP

    def heard_when_cut(self, now: float) -> int:
        """What had been played when the other side went away, which we learn of now."""
        return self.position(now - self.longest_trip)

    def _begin(self, position: int, now: float) -> None:
        self._run = (position, now)
        self._lags.clear()
        self.jitter = 0.0
