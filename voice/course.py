"""The course of a call: how far it has come, how it will end and why, and the last order that ends it. Pure.

The first reason to end stays the ending: what follows from it (the goodbye, the carrier's own account) changes nothing.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import assert_never

from voice.actions import Action, Hangup, Transfer
from voice.policy import Policy
from voice.reply import Departure, LeaveByHangup, LeaveByTransfer
from voice.report import Ending
from voice.waits import Wait, Waits


class Phase(Enum):
    RINGING = auto()  # no media yet
    TALKING = auto()
    MACHINE = auto()  # a machine picked up: waiting for its beep, or leaving a message
    LEAVING = auto()  # the last order (hang up, transfer) is given
    ENDED = auto()


_TALKING, _ENDED = Phase.TALKING, Phase.ENDED  # asked for by every window; an enum looks its members up by a call each time


class Course:
    """`ending` is how the call ends, or will; None while nothing has decided that. `waits` is the call's."""

    def __init__(self, policy: Policy, waits: Waits) -> None:
        self.phase = Phase.RINGING
        self.ending: Ending | None = None
        self.detail = ""
        self.transferred_to = ""
        self.is_opened = False  # whether whoever is at the other end has been told who we are
        self._policy = policy
        self._waits = waits

    @property
    def is_talking(self) -> bool:
        return self.phase is _TALKING

    @property
    def is_over(self) -> bool:
        return self.phase is _ENDED

    def ends(self, ending: Ending, detail: str = "") -> None:
        """Something decides how the call ends; what has decided that before stays."""
        self.ending = self.ending or ending
        self.detail = self.detail or detail

    def leave(self, leave: Departure, now: float) -> list[Action]:
        """Give the last order."""
        self.phase = Phase.LEAVING
        self._waits.drop_all()
        match leave:
            case LeaveByHangup(reason):
                self._waits.set(Wait.GONE, now + self._policy.gone_within)
                self.ends(Ending.COMPLETED, reason)
                return [Hangup(reason)]
            case LeaveByTransfer(call, to):
                self.transferred_to = to  # the carrier takes the leg away, or says why not: nothing to wait for
                return [Transfer(call, to)]
            case _:
                assert_never(leave)

    def stays(self) -> None:
        """The transfer has failed: the call goes on."""
        self.phase = Phase.TALKING
        self.transferred_to = ""
        self._waits.drop(Wait.GONE)

    def over(self, reason: str) -> None:
        """The leg is gone."""
        self.ends(self._without_us(), reason)
        self._waits.drop_all()
        self.phase = Phase.ENDED

    def _without_us(self) -> Ending:
        """What it was, if nothing of ours has decided it."""
        if self.transferred_to:
            return Ending.TRANSFERRED
        return Ending.MACHINE if self.phase is Phase.MACHINE else Ending.CALLER_LEFT
