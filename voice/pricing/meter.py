"""Watches what the process uses, prices it as it happens, and tells when a budget is close or gone.

with meter.watch(), bill_to(Account(call="CA1", campaign="autumn")): ...
if isinstance(meter.before_a_call("autumn"), Exhausted): ...   # place no new call
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import structlog

from voice.pricing.budget import Budget, Limits, Scope, Standing, Within
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
        today: Callable[[], date],
    ) -> None:
        """`clock` gives monotonic seconds, `today` the day whose prices apply."""
        self._table = table
        self._budget = Budget(limits)
        self._clock = clock
        self._today = today
        self._told: set[tuple[Scope, type[Standing], str]] = set()
        self._unpriced: set[tuple[str, str]] = set()

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Within this block everything the process uses is metered."""
        with watching(self.take):
            yield

    def take(self, consumption: Consumption, account: Account | None) -> None:
        """Price one consumption and count it against the budgets of its call and campaign."""
        cost = self._table.cost(consumption, self._today())
        if isinstance(cost, Unpriced):
            self._tell_unpriced(consumption)
            return
        call, campaign = (account.call, account.campaign) if account is not None else ("", "")
        self._tell(self._budget.spend(cost, self._clock(), call=call, campaign=campaign), campaign)

    def before_a_call(self, campaign: str = "") -> Standing:
        """Whether a new call may be placed: not when `Exhausted`."""
        standing = self._budget.before_a_call(self._clock(), campaign=campaign)
        self._tell(standing, campaign)
        return standing

    def call_ended(self, call: str) -> Decimal:
        """Forget a call; returns the dollars it cost."""
        return self._budget.call_ended(call)

    def _tell(self, standing: Standing, campaign: str) -> None:
        """One line when a budget is close, one when it is gone."""
        if isinstance(standing, Within):
            return
        key = (standing.scope, type(standing), campaign)
        if key not in self._told:
            self._told.add(key)
            spent, limit = str(standing.spent), str(standing.limit)
            log.warning(
                "budget", standing=key[1].__name__, scope=standing.scope, campaign=campaign, spent=spent, limit=limit
            )

    def _tell_unpriced(self, consumption: Consumption) -> None:
        key = (consumption.provider, consumption.model)
        if key not in self._unpriced:
            self._unpriced.add(key)
            log.warning("unpriced", provider=consumption.provider, model=consumption.model, stage=consumption.stage)
