"""How much of one core something optional may cost a process that has calls to carry. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """Seconds of a core to be spent: earned as time goes by, `share` of it, and saved up to `most`."""

    share: float
    most: float
    _saved: float = 0.0
    _counted: float | None = None  # until when the time has been counted

    def has_some(self, now: float) -> bool:
        """Whether anything is left. A new budget is full."""
        earned = self.most if self._counted is None else self.share * max(0.0, now - self._counted)
        self._counted = now
        self._saved = min(self.most, self._saved + earned)
        return self._saved > 0

    def spend(self, seconds: float) -> None:
        """What was spent; more than there was is owed."""
        self._saved -= seconds
