"""The caller's side of the talk: the turn that grows, which words belong to it, and what is still to come. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Final

from voice.actions import Action, FinishUtterance
from voice.events import Transcribed
from voice.turn import CallerTurn

_ONE_BREATH: Final = 1.5  # seconds between two finals, at most, that may be halves of one sentence
_SLACK: Final = 0.2  # seconds by which the end of a turn may be judged too early


class Listening:
    """`turn` is the present turn, begun or not; `answering` the one that a reply answers which nobody can hear yet."""

    def __init__(self) -> None:
        self.turn = CallerTurn()
        self.answering: CallerTurn | None = None
        self.oddities: Counter[str] = Counter()  # what ears should not do, and did
        self._closed = CallerTurn()
        self._final_at = 0.0
        self._stale_until = 0.0  # a final that comes before this belongs to a turn already answered

    @property
    def is_waiting(self) -> bool:
        """Whether words of this turn are still to come, or may still change."""
        return self.turn.is_waiting or bool(self.turn.interim)

    def hears(self, event: Transcribed, now: float, *, silent_for: float = 0.0) -> bool:
        """Take what the ears have; False for words of a turn that was closed without them. `silent_for` are the seconds
        since the caller's last sound: a final after which nothing was said may still be revised, not followed."""
        if event.is_final and now < self._stale_until:
            self._stale_until = 0.0
            self.oddities["late final"] += 1
            return False
        starts = [word.start for word in event.words]
        self.oddities["word times backwards"] += starts != sorted(starts)
        if event.is_final:
            self._final(event, now, silent_for)
        self.turn.hears(event, now)
        return True

    def _final(self, event: Transcribed, now: float, silent_for: float) -> None:
        if self.turn.finals and now - silent_for <= self._final_at and self.turn.is_revised_by(event.text):
            self.oddities["revised final"] += 1
            self.turn.finals.pop()
        if event.text:
            self._final_at = now

    def finish_utterance(self) -> list[Action]:
        """Ask the ears for their final words, once; if the voice has gone on before they came, once more when they have."""
        if self.turn.is_waiting:
            self.turn.is_outdated = True
            return []
        self.turn.is_waiting, self.turn.is_outdated = True, False
        return [FinishUtterance()]

    def give_up_waiting(self, until: float) -> None:
        """The final words are late: the turn goes on without them, and they are nobody's when they come before `until`."""
        self._stale_until = until

    def take_turn(self) -> CallerTurn:
        """The present turn is over, or was none: a new one begins."""
        self._closed, self.turn = self.turn, CallerTurn()
        return self._closed

    def just_before(self, now: float) -> str:
        """The words of the turn before, where these may be the rest of one breath."""
        return self._closed.text if now - self._closed.ended_at < _ONE_BREATH else ""

    def is_afterthought(self, silent_for: float, now: float) -> bool:
        """Whether the present words, that nobody spoke, only say again what the turn before them said."""
        was_silent = now - silent_for <= self._closed.ended_at + _SLACK
        is_same = was_silent and bool(self._closed.text) and self._closed.is_revised_by(self.turn.text)
        self.oddities["revised final"] += is_same
        return is_same
