"""A reply that the caller has stopped, until it is known whether they meant to. Pure.

Its mind and mouth go on, and what they make is kept with it: nothing of it is heard or done meanwhile. One of two things
ends that, and only once: the floor was really taken (`release`), or nobody wanted it (`take_up`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.actions import Action
from voice.delivery import Delivery
from voice.draft import FromMind, FromMouth
from voice.reply import Reply
from voice.waits import Wait, Waits


@dataclass(slots=True)
class Held:
    """`events` are what mind and mouth have made of it since it was stopped."""

    reply: Reply
    events: list[FromMind | FromMouth] = field(default_factory=list)


class Holding:
    """At most one held reply. `hold_for` is how long it may yet be taken up, in seconds."""

    def __init__(self, delivery: Delivery, waits: Waits, hold_for: float) -> None:
        self._delivery = delivery
        self._waits = waits
        self._hold_for = hold_for
        self._held: Held | None = None

    @property
    def reply(self) -> Reply | None:
        """What is held."""
        return self._held.reply if self._held is not None else None

    @property
    def is_asking(self) -> bool:
        """Whether the caller has heard a question of what is held: then a "yes" may be its answer."""
        return self._held is not None and self._delivery.playout.is_asking(self._held.reply.id)

    def hold(self, reply: Reply, now: float) -> list[Action]:
        """Fall silent; nothing of what was not heard is lost."""
        self._held = Held(reply)
        self._waits.set(Wait.HELD, now + self._hold_for)
        return self._delivery.hold(now)

    def keeps(self, event: FromMind | FromMouth) -> bool:
        """Whether this event is one of the held reply's, and kept with it."""
        if self._held is None or self._held.reply.id != event.reply:
            return False
        self._held.events.append(event)
        return True

    def release(self) -> Reply | None:
        """It will not be said: which reply, if any was held."""
        held, self._held = self._held, None
        if held is None:
            return None
        self._waits.drop(Wait.HELD)
        self._delivery.let_go()
        return held.reply

    def take_up(self) -> Held:
        """It will be said after all: the reply, and what happens to it now."""
        held, self._held = self._held, None
        assert held is not None, "ask `reply` first"
        self._waits.drop(Wait.HELD)
        return held
