"""What calls may cost, and what stands in the way of placing one: budgets spent, ears, mind or mouth down.

The meter counts what this process uses as it is used; what earlier processes spent is read from the calls they left. The
figures are decided elsewhere (`voice.pricing.budget`); here they become the dialer's `Hold`, with words for the operator.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, assert_never

from api.settings import Settings
from context import store
from dialer.campaign import Campaign, CampaignState, Hold
from storage.database import Database
from voice.agent import AgentDefinition
from voice.pricing.budget import Exhausted, Limits, Scope, Warned, Within
from voice.pricing.consumption import Stage
from voice.pricing.meter import Meter
from voice.pricing.table import PriceTable

_HOUR: Final = timedelta(hours=1)
_OPEN: Final = (CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.FINISHED)
PROVIDERS_DOWN: Final = "providers_down"


def limits_of(settings: Settings) -> Limits:
    """The operator's budgets for all calls."""
    chosen = {
        Scope.CALL: settings.budget_call,
        Scope.CAMPAIGN: settings.budget_campaign,
        Scope.HOUR: settings.budget_hour,
    }
    return Limits({scope: dollars for scope, dollars in chosen.items() if dollars is not None})


class Purse:
    """One for the process. `down` tells the stages for which no provider is up."""

    def __init__(
        self,
        settings: Settings,
        prices: PriceTable,
        agents: Callable[[], dict[str, AgentDefinition]],
        down: Callable[[], Sequence[Stage]],
        at: Callable[[], datetime],
    ) -> None:
        limits = limits_of(settings)
        self.meter = Meter(prices, limits, time.monotonic, at)
        self._limits = limits
        self._agents = agents
        self._down = down
        self._at = at

    async def remember(self, database: Database, campaigns: Sequence[Campaign]) -> None:
        """Count what was spent before this process. To be done before any call."""
        now, at = time.monotonic(), self._at()
        still_open = [campaign for campaign in campaigns if campaign.state in _OPEN]
        async with database.reading() as connection:
            spent = await store.spent(connection, [campaign.id for campaign in still_open])
            recent = await store.spent_since(connection, at - _HOUR)
            for campaign in (each for each in still_open if self._has_call_limit(each)):
                await self._remember_overrun(await store.dearest(connection, campaign.id, campaign.allowed_at), campaign)
        for campaign_id, dollars in spent.items():
            self.meter.budget.recall(campaign_id, _exact(dollars))
        for ended, dollars in recent:
            self.meter.budget.recall_hour(_exact(dollars), now - (at - ended).total_seconds())

    async def _remember_overrun(self, dearest: tuple[datetime, float] | None, campaign: Campaign) -> None:
        if dearest is None:
            return
        ended, dollars = dearest
        standing = self._limits.standing(Scope.CALL, _exact(dollars), self.budget_of(campaign.agent))
        if isinstance(standing, Exhausted):
            self.meter.overrun(campaign.id, standing, ended)

    def _has_call_limit(self, campaign: Campaign) -> bool:
        return Scope.CALL in self._limits.dollars or self.budget_of(campaign.agent) is not None

    def budget_of(self, agent: str) -> Decimal | None:
        """What a call of this agent may cost, if the agent's file says so."""
        known = self._agents().get(agent)
        return known.call_budget if known is not None else None

    def hold_of(self, campaign: Campaign) -> Hold | None:
        """Why nobody of this campaign is to be dialled now; None: nothing is in the way."""
        if down := self._down():
            stages = " and ".join(stage.value for stage in down)
            return Hold(PROVIDERS_DOWN, f"every provider of the {stages} is down; see the log, or run: offhook doctor")
        standing = self.meter.before_a_call(campaign.id, campaign.budget, campaign.allowed_at)
        return spent(standing) if isinstance(standing, Exhausted) else None


def spent(standing: Exhausted) -> Hold:
    """A budget that is gone, in words, with what to do about it."""
    sums = f"${standing.spent:.2f} of ${standing.limit:.2f}"
    if standing.promised and standing.spent < standing.limit:
        sums += f", and calls under way may cost ${standing.promised:.2f} more"
    match standing.scope:
        case Scope.CALL:
            why = f"a call cost more than a call may ({sums}); look at it, then: offhook campaign resume, or raise the limit"
        case Scope.CAMPAIGN:
            why = f"its budget is spent ({sums}); raise it with: offhook campaign budget"
        case Scope.HOUR:
            why = f"the budget of an hour is spent ({sums}); it dials again by itself, or raise OFFHOOK_BUDGET_HOUR"
        case _:
            assert_never(standing.scope)
    return Hold(f"budget_{standing.scope}_spent", why)


def money_of(settings: Settings, campaign: Campaign, dollars: float) -> str:
    """What its ended calls cost, and how that stands to its budget."""
    told = f"${dollars:.2f} spent"
    limits = limits_of(settings)
    match limits.standing(Scope.CAMPAIGN, Decimal(str(dollars)), campaign.budget):
        case Within():
            limit = limits.dollars.get(Scope.CAMPAIGN) if campaign.budget is None else campaign.budget
            return told + (f" of ${limit:.2f}" if limit is not None else "")
        case Warned(_, _, limit):
            return f"{told} of ${limit:.2f}: close to its budget"
        case Exhausted(_, _, limit):
            return f"{told} of ${limit:.2f}: its budget is spent; nobody new is dialled"


def _exact(dollars: float) -> Decimal:
    return Decimal(str(round(dollars, 6)))
