"""The media link has broken and the carrier may open another: until then time stands still for the conversation. Pure.

What mind, mouth, ears and people do meanwhile is kept and happens afterwards, in order; what was waited for is waited for as
much longer. Only what ends the call ends it now.
"""

from __future__ import annotations

from collections.abc import Mapping

from voice.events import DeadlinePassed, Event, HangupRequested, LegEnded, LinkBack, LinkLost
from voice.waits import Wait, Waits


class Outage:
    """At most one at a time. `waits` is the call's."""

    def __init__(self, waits: Waits) -> None:
        self.count = 0
        self._waits = waits
        self._since: float | None = None
        self._events: list[Event] = []
        self._awaited: Mapping[Wait, float] = {}

    @property
    def is_on(self) -> bool:
        return self._since is not None

    def begin(self, now: float, until: float) -> None:
        """The link is gone; at `until` it will not come back any more."""
        self.count += 1
        self._since = now
        self._awaited = dict(self._waits.instants)
        self._waits.drop_all()
        self._waits.set(Wait.BACK, until)

    def keeps(self, event: Event) -> bool:
        """Whether this happens later."""
        if self._since is None or isinstance(event, LinkBack | LinkLost | LegEnded | HangupRequested | DeadlinePassed):
            return False
        self._events.append(event)
        return True

    def end(self, now: float) -> tuple[float, list[Event]]:
        """Time goes on: how long it stood, and what is to happen now. The longest call is no longer for it."""
        assert self._since is not None, "ask `is_on` first"
        lasted, self._since = now - self._since, None
        events, self._events = self._events, []
        self._waits.drop(Wait.BACK)
        for wait, instant in self._awaited.items():
            self._waits.set(wait, instant if wait is Wait.LONGEST else instant + lasted)
        return lasted, events
