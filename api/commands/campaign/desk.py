"""What every `offhook campaign` command works with, and how it says yes, no and why not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from api.settings import Settings, get_settings
from dialer import orders
from dialer.campaign import Campaign, OrderRefused
from dialer.stores.sql import SqlStore
from storage.database import Database

Named = Annotated[str, typer.Argument(help="The campaign's name or id.", metavar="CAMPAIGN", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with."""

    settings: Settings
    store: SqlStore
    at: datetime

    async def find(self, name: str, as_json: bool) -> Campaign:
        async with self.store.reading() as work:
            return allowed(await orders.find(work, name), as_json)


def run(command: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with _desk() as desk:
            await command(desk)

    asyncio.run(run())


@asynccontextmanager
async def _desk() -> AsyncIterator[Desk]:
    settings = get_settings()
    database = Database(settings.database_url)
    try:
        await database.migrate()
        yield Desk(settings, SqlStore(database), datetime.now(UTC))
    finally:
        await database.close()


def allowed(outcome: Campaign | OrderRefused, as_json: bool) -> Campaign:
    if isinstance(outcome, OrderRefused):
        fail(outcome.code, outcome.why, as_json)
    return outcome


def fail(code: str, why: str, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"code": code, "detail": why})
    typer.echo(f"offhook: {why}", err=True)
    raise typer.Exit(1)


def quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def print_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())


def columned(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def console() -> Console:
    return Console(file=sys.stdout, soft_wrap=not sys.stdout.isatty(), highlight=False, markup=False)


def dollars_of(given: float) -> Decimal | None:
    """A sum as people type it; 0 is none."""
    return Decimal(str(given)) or None


def campaign_shape(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "seller": campaign.seller,
        "agent": campaign.agent,
        "purpose": campaign.purpose,
        "state": campaign.state.value,
        "created_at": campaign.created_at,
        "started_at": campaign.started_at,
        "finished_at": campaign.finished_at,
        "budget": float(campaign.budget) if campaign.budget is not None else None,
        "hold": {"code": campaign.hold.code, "why": campaign.hold.why} if campaign.hold else None,
    }
