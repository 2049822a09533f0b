"""`offhook campaign preflight`: how a campaign would go before it starts. Reads only; nobody is cleared by it."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final

import msgspec
import typer

from api.commands.compliance_shared import instant_of
from api.gatekeeping import asked_about, errand_of
from api.scripts import agents_in, unmet
from api.settings import Settings, get_settings
from compliance.bulk import records_for, rulebook_in_force
from compliance.preflight import Preflight, PreflightCount, describe, merged
from compliance.store import ComplianceStore
from dialer import orders
from dialer.campaign import Campaign, OpenContact, OrderRefused
from dialer.ports import Work
from dialer.stores.sql import SqlStore
from storage.database import Database

PAGE: Final = 10_000
SHARE: Final = 50_000  # contacts that one process judges at a stretch; fewer, and starting it takes as long


@dataclass(frozen=True, slots=True)
class Share:
    """A range of contact ids: behind `after`, up to `until` and with it; empty: to the end."""

    after: str
    until: str


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
    database = Database(settings.database_url)
    try:
        await database.migrate()
        async with SqlStore(database).reading() as work:
            campaign = await orders.find(work, name)
            if isinstance(campaign, OrderRefused):
                return campaign
            shares = await _shares(work, campaign)
    finally:
        await database.close()
    if len(shares) == 1:
        return campaign, await _judged(settings, campaign, shares[0], at)
    return campaign, merged(await asyncio.to_thread(_side_by_side, campaign, shares, at))


async def _shares(work: Work, campaign: Campaign) -> list[Share]:
    """The campaign cut into ranges of contact ids, each of `SHARE` contacts; at least one."""
    edges = await work.places_apart(campaign.id, SHARE)
    return [Share(after, until) for after, until in pairwise(("", *edges, ""))]


def _side_by_side(campaign: Campaign, shares: list[Share], at: datetime) -> list[Preflight]:
    """Every core takes a share after the other; a process of its own each, for judging is all computing."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=spawn) as workers:
        found = workers.map(_judged_alone, [(campaign, share, at) for share in shares])
        return [_told(place, len(shares), each) for place, each in enumerate(found, start=1)]


def _told(place: int, of: int, result: Preflight) -> Preflight:
    if sys.stderr.isatty():
        typer.echo(f"{place} of {of} parts judged", err=True)
    return result


def _judged_alone(task: tuple[Campaign, Share, datetime]) -> Preflight:
    return asyncio.run(_judged(get_settings(), *task))


async def _judged(settings: Settings, campaign: Campaign, share: Share, at: datetime) -> Preflight:
    gc.disable()  # nothing here makes cycles, and going over millions of kept facts takes a third of the time
    store = ComplianceStore.open(settings.prepare_home())
    database = Database(settings.database_url)
    lacks = unmet(agents_in(settings.agents).get(campaign.agent), campaign.seller, store.rules)
    errand = errand_of(campaign, settings.twilio_from, lacks)
    try:
        async with SqlStore(database).reading() as work:
            count = PreflightCount(at, await rulebook_in_force(store, work.connection))
            async for page in _waiting(work, campaign, share):
                calls = [asked_about(errand, contact) for contact in page]
                async for record in records_for(store, work.connection, calls, at):
                    count.add(record)
            return count.result()
    finally:
        gc.enable()
        await database.close()


async def _waiting(work: Work, campaign: Campaign, share: Share) -> AsyncIterator[list[OpenContact]]:
    """The contacts of a share that may still be called, page by page."""
    last = share.after
    while page := await work.open_places(campaign.id, after=last, until=share.until, limit=PAGE):
        last = page[-1].id
        yield page


def _plain(result: Preflight, pace: float) -> dict[str, object]:
    end = result.finished_by(pace)
    opens = {moment.isoformat(): count for moment, count in sorted(result.opens.items())}
    shown = {name: getattr(result, name) for name in ("at", "contacts", "now", "later", "never", "held", "rules_version")}
    stopped = {rule.value: count for rule, count in result.stopped_by.items()}
    alone = {rule.value: count for rule, count in result.alone.items()}
    return {**shown, "opens": opens, "stopped_by": stopped, "stopped_by_alone": alone, "finished_by": end}
