"""The instants a conversation waits for, by name: one timer serves them all, since only the earliest matters. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum, auto
from types import MappingProxyType


class Wait(StrEnum):
    HELLO = auto()  # of whoever picked up, before we open
    FINAL = auto()  # the ears' last words of a turn that is over
    NO = auto()  # a "stop" to stand for a moment: it may yet become "stop by on Friday"
    FILLER = auto()  # the mind's first word, before we bridge the wait
    MODEL = auto()  # the mind's next word, before it counts as stalled
    TOOL = auto()  # a tool's result, before we speak about the wait
    SILENCE = auto()  # the caller's move
    LONGEST = auto()  # the end of the longest call
    LEAVE = auto()  # tools that must finish before we leave
    HEARD = auto()  # marks that should have come back
    PAUSED = auto()  # the moment up to which a silence of ours is a pause, and no stop
    HELD = auto()  # of a reply that was stopped: until then it may be taken up again
    BEEP = auto()
    AWAY = auto()  # of whoever asked us to wait
    BACK = auto()  # of the media link, after it broke
    GONE = auto()  # the carrier's confirmation that the leg has ended


class Waits:
    """Instants by name; setting one again moves it."""

    def __init__(self) -> None:
        self._instants: dict[Wait, float] = {}
        self._earliest: float | None = None
        self._is_known = True  # whether that is so: it is asked for after every event, and few change it

    def set(self, wait: Wait, instant: float) -> None:
        self._instants[wait] = instant
        self._is_known = False

    def set_once(self, wait: Wait, instant: float) -> None:
        """Unless it is set already."""
        self._instants.setdefault(wait, instant)
        self._is_known = False

    def drop(self, *waits: Wait) -> None:
        for wait in waits:
            self._instants.pop(wait, None)
        self._is_known = False

    def drop_all(self) -> None:
        self._instants.clear()
        self._is_known = False

    @property
    def instants(self) -> Mapping[Wait, float]:
        """All that is waited for."""
        return MappingProxyType(self._instants)

    @property
    def deadline(self) -> float | None:
        """The earliest; None when nothing is waited for."""
        if not self._is_known:
            self._earliest, self._is_known = min(self._instants.values(), default=None), True
        return self._earliest

    def passed(self, now: float) -> list[Wait]:
        """Those whose instant has come, still set: handling one may make another meaningless."""
        return [wait for wait, instant in self._instants.items() if instant <= now]

    def take(self, wait: Wait) -> bool:
        """Drop a wait that has passed; False if it was dropped meanwhile."""
        self._is_known = False
        return self._instants.pop(wait, None) is not None
