"""Budgets per call, campaign and hour: first a warning, then no new calls. Decides; the dialer and the console act.

A budget never cuts off a call that is under way: the person on the line did not overspend. What a call costs beyond its own
budget is counted against its campaign, which then dials nobody until the operator has looked. What the calls under way will
cost yet is kept for them: a budget counted only when it is spent is overshot by as many calls as run at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

_HOUR: Final = 3600.0
_USUAL: Final = 50  # ended calls that say what a call costs, the unanswered ones among them
NOTHING: Final = Decimal(0)


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
    """Over a limit, or as good as over it once the calls under way have ended: place no new call."""

    scope: Scope
    spent: Decimal
    limit: Decimal
    promised: Decimal = NOTHING  # what the calls under way are expected to cost yet


Standing: TypeAlias = Within | Warned | Exhausted


@dataclass(frozen=True, slots=True)
class Limits:
    """Dollars, by scope; a scope without a limit is unlimited. `warn_at` is the share that is worth a warning."""

    dollars: Mapping[Scope, Decimal] = field(default_factory=dict)
    warn_at: Decimal = Decimal("0.8")

    def standing(self, scope: Scope, spent: Decimal, own: Decimal | None = None, promised: Decimal = NOTHING) -> Standing:
        """How a sum stands to the limit of its scope; `own` is the limit of this very call or campaign, if it has one."""
        limit = self.dollars.get(scope) if own is None else own
        if limit is None:
            return Within()
        if spent + promised >= limit:
            return Exhausted(scope, spent, limit, promised)
        return Within() if spent < limit * self.warn_at else Warned(scope, spent, limit)


class Budget:
    """What was spent, by call and campaign, and in the last hour. `now` is monotonic seconds."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._calls: dict[str, Decimal] = {}
        self._campaigns: dict[str, Decimal] = {}
        self._hour: deque[tuple[float, Decimal]] = deque()
        self._hour_sum = NOTHING
        self._under_way: dict[str, str] = {}  # call -> campaign
        self._ended: deque[Decimal] = deque(maxlen=_USUAL)

    def recall(self, campaign: str, dollars: Decimal) -> None:
        """What a campaign had spent before this process."""
        self._campaigns[campaign] = self._campaigns.get(campaign, NOTHING) + dollars

    def recall_hour(self, dollars: Decimal, now: float) -> None:
        """What was spent before this process, at `now`; to be told in order, before anything is spent."""
        self._hour.append((now, dollars))
        self._hour_sum += dollars

    def spend(self, dollars: Decimal, now: float, *, call: str, campaign: str = "") -> None:
        """Add a sum."""
        if call and call not in self._calls:
            self._under_way[call] = campaign
        self._calls[call] = self._calls.get(call, NOTHING) + dollars
        self.recall(campaign, dollars)
        self.recall_hour(dollars, now)

    def of_call(self, call: str, own: Decimal | None = None) -> Standing:
        return self.limits.standing(Scope.CALL, self._calls.get(call, NOTHING), own)

    def of_campaign(self, campaign: str, own: Decimal | None = None, promised: Decimal = NOTHING) -> Standing:
        return self.limits.standing(Scope.CAMPAIGN, self._campaigns.get(campaign, NOTHING), own, promised)

    def of_hour(self, now: float, promised: Decimal = NOTHING) -> Standing:
        """The last sixty minutes, whatever the clock on the wall says."""
        while self._hour and self._hour[0][0] <= now - _HOUR:
            self._hour_sum -= self._hour.popleft()[1]
        return self.limits.standing(Scope.HOUR, self._hour_sum, promised=promised)

    def promised(self, campaign: str | None = None) -> Decimal:
        """What the calls under way, all or those of a campaign, will cost yet if each costs what calls did of late. Nothing
        until a first one has ended: then nobody knows."""
        usual = sum(self._ended, NOTHING) / max(len(self._ended), 1)
        calls = [call for call, whose in self._under_way.items() if campaign is None or whose == campaign]
        return sum((max(usual - self._calls[call], NOTHING) for call in calls), NOTHING)

    def call_over(self, call: str) -> None:
        """Nothing is kept for a call any more, although bills for it may still come."""
        self._under_way.pop(call, None)

    def call_ended(self, call: str) -> Decimal:
        """Forget a call; returns what it cost."""
        self.call_over(call)
        if call in self._calls:
            self._ended.append(self._calls[call])
        return self._calls.pop(call, NOTHING)


def worst(*standings: Standing) -> Standing:
    """The one that matters most; of several equal ones the first."""
    return max(standings, key=lambda standing: (Within, Warned, Exhausted).index(type(standing)))
