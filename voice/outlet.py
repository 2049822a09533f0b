"""Our voice on its way to the caller: paced, sent, and told to the detectors as it leaves."""

from __future__ import annotations

from collections.abc import Callable

from telephony.leg import MediaLink
from voice.pacer import Pacer
from voice.ports import VoiceActivity
from voice.wheel import Wheel


class Outlet:
    """One call's outgoing audio, on the wheel of all calls."""

    def __init__(self, link: MediaLink, activity: VoiceActivity, wheel: Wheel, clock: Callable[[], float]) -> None:
        self.pacer = Pacer()
        self.link = link
        self._activity = activity
        self._wheel = wheel
        self._clock = clock

    def say(self, audio: bytes, marks: tuple[tuple[int, str], ...]) -> None:
        """Queue audio; what is due of it leaves at once."""
        self.pacer.put(audio, marks)
        self._wheel.start(self._pump)

    def clear(self) -> None:
        """Drop what waits here and what the carrier still holds."""
        self.pacer.clear()
        self.link.clear()
        self._activity.cleared()

    def close(self) -> None:
        self._wheel.forget(self._pump)

    def _pump(self) -> float | None:
        """Send what is due; in how many seconds there is more, None when nothing waits any more."""
        now = self._clock()
        if items := self.pacer.due(now):
            self.link.send(items)
            for item in items:
                if isinstance(item, bytes):
                    self._activity.played(item)
        due = self.pacer.next_due
        return None if due is None else due - now
