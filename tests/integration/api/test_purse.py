"""What calls may cost, read from the calls of earlier processes and counted in this one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from api.purse import Purse, money_of
from api.settings import Settings
from context import store
from context.calls import Call
from dialer.campaign import Campaign, CampaignState, Hold
from storage.database import Database
from voice.agent import AgentDefinition
from voice.pricing.consumption import Account, Consumption, Stage, bill, bill_to
from voice.pricing.table import published

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
SPOKEN = Consumption(Stage.MOUTH, "elevenlabs", "eleven_flash_v2_5", characters=1000)  # two cents


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    await opened.migrate()
    yield opened
    await opened.close()


def campaign(**changes: object) -> Campaign:
    given: dict[str, object] = {"state": CampaignState.RUNNING, **changes}
    return Campaign("c1", "Autumn", "Acme", "solar", NOW, **given)  # type: ignore[arg-type]


async def ended(database: Database, name: str, dollars: float, at: datetime) -> None:
    async with database.transaction() as connection:
        call = Call(
            id=name,
            direction="outbound",
            from_number="+12025550100",
            to_number="+12025550101",
            person="+12025550101",
            started_at=at,
            agent="solar",
            campaign_id="c1",
        )
        await store.create_call(connection, call)
        await store.end_call(connection, name, at, "answered", metrics={"cost": {"total": dollars}})


def purse_of(down: tuple[Stage, ...] = (), agent: AgentDefinition | None = None, **budgets: str) -> Purse:
    settings = Settings(_env_file=None, **budgets)  # type: ignore[call-arg, arg-type]
    return Purse(settings, published(), lambda: {"solar": agent} if agent else {}, lambda: down, lambda: NOW)


def code(hold: Hold | None) -> str:
    return hold.code if hold else ""


async def test_what_earlier_processes_spent_counts(database: Database) -> None:
    await ended(database, "ca1", 0.75, NOW - timedelta(hours=3))
    await ended(database, "ca2", 0.2, NOW - timedelta(minutes=10))
    purse = purse_of(budget_campaign="1", budget_hour="0.5")
    await purse.remember(database, [campaign()])
    assert purse.hold_of(campaign()) is None
    with purse.meter.watch(), bill_to(Account("ca3", "c1")):
        for _ in range(3):
            bill(SPOKEN)
    assert purse.hold_of(campaign()) == Hold(
        "budget_campaign_spent", "its budget is spent ($1.01 of $1.00); raise it with: offhook campaign budget"
    )
    assert purse.hold_of(campaign(budget=Decimal(2))) is None
    with purse.meter.watch(), bill_to(Account("ca4", "c2")):
        for _ in range(15):
            bill(SPOKEN)
    assert code(purse.hold_of(campaign(budget=Decimal(5)))) == "budget_hour_spent"


async def test_a_call_that_cost_too_much_is_remembered_until_the_operator_lets_it_run_again(database: Database) -> None:
    await ended(database, "ca1", 0.75, NOW - timedelta(hours=3))
    dear = AgentDefinition("solar", "Acme", "Ann", "x", "x", "x", call_budget=Decimal("0.5"))
    for agent, allowed_at, expected in (
        (None, None, ""),
        (dear, None, "budget_call_spent"),
        (dear, NOW - timedelta(hours=4), "budget_call_spent"),
        (dear, NOW - timedelta(hours=1), ""),
    ):
        purse = purse_of(agent=agent)
        held = campaign(allowed_at=allowed_at)
        await purse.remember(database, [held])
        assert code(purse.hold_of(held)) == expected


async def test_nothing_was_spent_by_nobody(database: Database) -> None:
    purse = purse_of(budget_call="1")
    await purse.remember(database, [campaign(), campaign(state=CampaignState.STOPPED)])
    assert purse.hold_of(campaign()) is None


def test_who_is_down_is_named() -> None:
    hold = purse_of((Stage.EARS, Stage.MOUTH)).hold_of(campaign())
    assert hold is not None
    assert hold.code == "providers_down"
    assert "ears and mouth" in hold.why


@pytest.mark.parametrize(
    ("dollars", "budget", "told"),
    [
        (0.1, None, "$0.10 spent"),
        (0.1, "1", "$0.10 spent of $1.00"),
        (0.9, "1", "$0.90 spent of $1.00: close to its budget"),
        (1.0, "1", "$1.00 spent of $1.00: its budget is spent; nobody new is dialled"),
    ],
)
def test_money_in_words(dollars: float, budget: str | None, told: str) -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert money_of(settings, campaign(budget=Decimal(budget) if budget else None), dollars) == told
