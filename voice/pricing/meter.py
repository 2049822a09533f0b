"""Watches what the process uses, prices it as it happens, and tells when a budget is close or gone.

with meter.watch(), bill_to(Account(call="CA1", campaign="autumn")): ...
if isinstance(meter.before_a_call("autumn"), Exhausted): ...   # place no new call
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

import structlog

from voice.pricing.budget import Budget, Exhausted, Limits, Scope, Standing, Within, worst
from voice.pricing.consumption import Account, Consumption, watching
from voice.pricing.table import PriceTable, Unpriced

log = structlog.get_logger()


class Meter:
    """One for the process."""

    def __init__(
        self,
        table: PriceTable,
        limits: Limits,
        clock: Callable[[], float],
        at: Callable[[], datetime],
    ) -> None:
        """`clock` gives monotonic seconds, `at` the wall clock: the prices of its day apply."""
        self.table = table
        self.budget = Budget(limits)
        self._clock = clock
        self._at = at
        self._overruns: dict[str, tuple[datetime, Exhausted]] = {}  # campaign -> when one of its calls cost too much
        self._told: dict[tuple[Scope, str], type[Standing]] = {}
        self._unpriced: set[tuple[str, str]] = set()

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Within this block everything the process uses is metered."""
        with watching(self.take):
            yield

    def take(self, consumption: Consumption, account: Account | None) -> None:
        """Price one consumption and count it against the budgets of its call and campaign."""
        cost = self.table.cost(consumption, self._at().date())
        if isinstance(cost, Unpriced):
            self._tell_unpriced(consumption)
            return
        whose = account or Account()
        self.budget.spend(cost, self._clock(), call=whose.call, campaign=whose.campaign)
        self._tell(self.budget.of_hour(self._clock()), Scope.HOUR)
        if not whose.call:
            return
        standing = self.budget.of_call(whose.call, whose.budget)
        self._tell(standing, Scope.CALL, whose.call)
        if isinstance(standing, Exhausted):
            self.overrun(whose.campaign, standing, self._at())

    def overrun(self, campaign: str, spent: Exhausted, at: datetime) -> None:
        """A call of this campaign has cost more than a call may."""
        self._overruns[campaign] = (at, spent)

    def before_a_call(self, campaign: str = "", limit: Decimal | None = None, since: datetime | None = None) -> Standing:
        """Whether a new call may be placed: not when `Exhausted`.

        `limit` is the campaign's own, `since` when the operator last let it run: calls that had cost too much by then have
        been looked at.
        """
        own: Standing = Within()
        if campaign:
            self._tell(self.budget.of_campaign(campaign, limit), Scope.CAMPAIGN, campaign)
            own = self.budget.of_campaign(campaign, limit, self.budget.promised(campaign))
        at, overrun = self._overruns.get(campaign, (None, Within()))
        if at is not None and since is not None and at <= since:
            del self._overruns[campaign]
            overrun = Within()
        return worst(own, overrun, self.budget.of_hour(self._clock(), self.budget.promised()))

    def call_over(self, call: str) -> None:
        """It has ended, although bills for it may still come."""
        self.budget.call_over(call)

    def call_ended(self, call: str) -> Decimal:
        """Forget a call; returns the dollars it cost."""
        self._told.pop((Scope.CALL, call), None)
        return self.budget.call_ended(call)

    def _tell(self, standing: Standing, scope: Scope, whose: str = "") -> None:
        """One line when a budget is close, one when it is gone; and again when it had been within meanwhile."""
        if isinstance(standing, Within):
            self._told.pop((scope, whose), None)
        elif self._told.get((scope, whose)) is not type(standing):
            self._told[scope, whose] = type(standing)
            event = "budget_spent" if isinstance(standing, Exhausted) else "budget_close"
            log.warning(event, scope=scope, of=whose, spent=str(standing.spent), limit=str(standing.limit))

    def _tell_unpriced(self, consumption: Consumption) -> None:
        key = (consumption.provider, consumption.model)
        if key not in self._unpriced:
            self._unpriced.add(key)
            log.warning("unpriced", provider=consumption.provider, model=consumption.model, stage=consumption.stage)
