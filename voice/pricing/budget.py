"""Budgets per call, campaign and hour: first a warning, then no new calls. Decides; the dialer and the console act.

A budget never cuts off a call that is under way: the person on the line did not overspend.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

_HOUR: Final = 3600.0


class Scope(StrEnum):
    CALL = "call"
    CAMPAIGN = "campaign"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Within:
    """Nothing to say."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Close to a limit: say so, go on."""

    scope: Scope
    spent: Decimal
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Over a limit: place no new call."""

    scope: Scope
    spent: Decimal
    limit: Decimal


Standing: TypeAlias = Within | Warned | Exhausted


@dataclass(frozen=True, slots=True)
class Limits:
    """Dollars, by scope; a scope without a limit is unlimited. `warn_at` is the share that is worth a warning."""

    dollars: Mapping[Scope, Decimal] = field(default_factory=dict)
    warn_at: Decimal = Decimal("0.8")

    def standing(self, scope: Scope, spent: Decimal) -> Standing:
        """How a sum stands to the limit of its scope."""
        limit = self.dollars.get(scope)
        if limit is None or spent < limit * self.warn_at:
            return Within()
        return Warned(scope, spent, limit) if spent < limit else Exhausted(scope, spent, limit)


class Budget:
    """What was spent, by call and campaign, and in the last hour. `now` is monotonic seconds."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._calls: dict[str, Decimal] = {}
        self._campaigns: dict[str, Decimal] = {}
        self._hour: deque[tuple[float, Decimal]] = deque()
        self._hour_sum = Decimal(0)

    def spend(self, dollars: Decimal, now: float, *, call: str, campaign: str = "") -> Standing:
        """Add a sum; returns the worst standing it leads to."""
        self._calls[call] = self._calls.get(call, Decimal(0)) + dollars
        self._campaigns[campaign] = self._campaigns.get(campaign, Decimal(0)) + dollars
        self._hour.append((now, dollars))
        self._hour_sum += dollars
        return _worst(self.limits.standing(Scope.CALL, self._calls[call]), self.before_a_call(now, campaign=campaign))

    def before_a_call(self, now: float, *, campaign: str = "") -> Standing:
        """Whether a new call of this campaign may be placed: not when `Exhausted`."""
        while self._hour and self._hour[0][0] <= now - _HOUR:
            self._hour_sum -= self._hour.popleft()[1]
        spent = self._campaigns.get(campaign, Decimal(0)) if campaign else Decimal(0)
        return _worst(self.limits.standing(Scope.CAMPAIGN, spent), self.limits.standing(Scope.HOUR, self._hour_sum))

    def call_ended(self, call: str) -> Decimal:
        """Forget a call; returns what it cost."""
        return self._calls.pop(call, Decimal(0))


def _worst(*standings: Standing) -> Standing:
    return max(standings, key=lambda standing: (Within, Warned, Exhausted).index(type(standing)))
