"""The caller's side of the talk: the turn that grows, which words belong to it, and what is still to come. Pure."""

from __future__ import annotations

from voice.actions import Action, FinishUtterance
from voice.events import Transcribed
from voice.turn import CallerTurn


class Listening:
    """`turn` is the present turn, begun or not; `answering` the one that a reply answers which nobody can hear yet."""

    def __init__(self) -> None:
        self.turn = CallerTurn()
        self.answering: CallerTurn | None = None
        self._stale_until = 0.0  # a final that comes before this belongs to a turn already answered

    @property
    def is_waiting(self) -> bool:
        """Whether words of this turn are still to come, or may still change."""
        return self.turn.is_waiting or bool(self.turn.interim)

    def hears(self, event: Transcribed, now: float) -> bool:
        """Take what the ears have; False for words of a turn that was closed without them."""
        if event.is_final and now < self._stale_until:
            self._stale_until = 0.0
            return False
        self.turn.hears(event, now)
        return True

    def finish_utterance(self) -> list[Action]:
        """Ask the ears for their final words, once."""
        if self.turn.is_waiting:
            return []
        self.turn.is_waiting = True
        return [FinishUtterance()]

    def give_up_waiting(self, until: float) -> None:
        """The final words are late: the turn goes on without them, and they are nobody's when they come before `until`."""
        self._stale_until = until

    def take_turn(self) -> CallerTurn:
        """The present turn is over, or was none: a new one begins."""
        turn, self.turn = self.turn, CallerTurn()
        return turn
