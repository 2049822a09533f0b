"""`offhook campaign preflight`: how a campaign would go before it starts. Reads only; nobody is cleared by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Final

import msgspec
import typer

from api.commands.compliance_shared import instant_of
from api.gatekeeping import proposed
from api.scripts import agents_in, unmet
from api.settings import Settings, get_settings
from compliance.bulk import records_for, rulebook_in_force
from compliance.preflight import Preflight, PreflightCount, describe
from compliance.store import ComplianceStore
from dialer import orders
from dialer.campaign import Campaign, Contact, OrderRefused
from dialer.ports import Work
from dialer.stores.sql import SqlStore
from storage.database import Database

PAGE: Final = 2000


def preflight(
    campaign: Annotated[str, typer.Argument(help="The campaign's name or id.", metavar="CAMPAIGN", show_default=False)],
    at: Annotated[str, typer.Option(help="An instant with a zone, e.g. 2026-12-01T14:00:00Z; default: now.")] = "",
    pace: Annotated[float, typer.Option(min=0, help="Calls a second; default: the campaign's own.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """How a campaign would go: who can be called, when, which rule stops the others, how long it takes. Writes nothing.

    Example: offhook campaign preflight autumn --pace 2
    """
    moment = instant_of(at)
    found = asyncio.run(_preflight(get_settings(), campaign, moment))
    if isinstance(found, OrderRefused):
        typer.echo(f"offhook: {found.why}", err=True)
        raise typer.Exit(1)
    planned, result = found
    pace = pace or planned.limit.calls_per_second
    if as_json:
        typer.echo(msgspec.json.encode(_plain(result, pace)).decode())
        return
    for sentence in describe(result, pace):
        typer.echo(sentence)


async def _preflight(settings: Settings, name: str, at: datetime) -> tuple[Campaign, Preflight] | OrderRefused:
    store = ComplianceStore.open(settings.prepare_home())
    database = Database(settings.database_url)
    try:
        await database.migrate()
        async with SqlStore(database).reading() as work:
            campaign = await orders.find(work, name)
            if isinstance(campaign, OrderRefused):
                return campaign
            lacks = unmet(agents_in(settings.agents).get(campaign.agent), campaign.seller, store.rules)
            count = PreflightCount(at, await rulebook_in_force(store, work.connection))
            async for page in _waiting(work, campaign):
                calls = [proposed(campaign, contact, settings.twilio_from, lacks=lacks) for contact in page]
                async for record in records_for(store, work.connection, calls, at):
                    count.add(record)
            return campaign, count.result()
    finally:
        await database.close()


async def _waiting(work: Work, campaign: Campaign) -> AsyncIterator[list[Contact]]:
    """The contacts that may still be called, page by page."""
    last = ""
    while page := await work.contacts(campaign.id, after=last, limit=PAGE):
        last = page[-1].id
        yield [contact for contact in page if contact.is_open]


def _plain(result: Preflight, pace: float) -> dict[str, object]:
    end = result.finished_by(pace)
    opens = {moment.isoformat(): count for moment, count in sorted(result.opens.items())}
    shown = {name: getattr(result, name) for name in ("at", "contacts", "now", "later", "never", "held", "rules_version")}
    stopped = {rule.value: count for rule, count in result.stopped_by.items()}
    alone = {rule.value: count for rule, count in result.alone.items()}
    return {**shown, "opens": opens, "stopped_by": stopped, "stopped_by_alone": alone, "finished_by": end}
