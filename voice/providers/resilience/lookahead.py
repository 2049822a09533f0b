"""How far ahead of the ear to synthesise: far enough never to run dry, not so far that a barge-in wastes much. Pure.

A voice is made ten times faster than it is heard, so whoever asks for every sentence at once has paid for the whole reply
by the time the caller says "stop". The next sentence is asked for when only `lead` seconds remain to be heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_QUEUED: Final = 0.05  # seconds: a segment asked for this soon after the last one's end was waiting behind it


@dataclass(slots=True)
class Lookahead:
    """What remains to be heard, as far as can be told without hearing it: audio plays from when it arrives."""

    lead: float = 2.0  # seconds: a first byte, and a hedge after it, with room to spare
    _dry_at: float = 0.0
    _ended_at: float = float("-inf")

    def arrived(self, seconds: float, now: float) -> None:
        """Some audio went out to be played."""
        self._dry_at = max(self._dry_at, now) + seconds

    def ended(self, now: float) -> None:
        """A segment is complete."""
        self._ended_at = now

    def cut(self) -> None:
        """The segment under way is not wanted any more, nor what was to be heard of it."""
        self._dry_at = 0.0
        self._ended_at = float("-inf")

    def hold(self, now: float) -> float:
        """Seconds to wait before the next segment is asked for.

        None for a segment that was not waiting behind the last one: after a barge-in the audio counted here was thrown
        away, and the answer to it must not wait for what nobody will hear; nor must what follows the answer.
        """
        if now - self._ended_at > _QUEUED:
            self._dry_at = 0.0
            return 0.0
        return max(self._dry_at - now - self.lead, 0.0)
