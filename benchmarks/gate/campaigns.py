"""A campaign judged before it starts, the way `offhook campaign preflight` does it: contacts and consents in a database."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import insert

from benchmarks.gate.made import NOON, SELLER, given, numbers
from compliance.dnc_load import LoadOrder, load
from compliance.receipt import canonical
from dialer.campaign import Campaign, Contact
from dialer.stores.sql import SqlStore, SqlWork
from storage.database import Database
from storage.tables.compliance import consent_events

NAME: Final = "bench"
PAGE: Final = 2000
MILLION: Final = 1_000_000
_TYPED: Final = "from api.cli import main; main()"
UNAGREED: Final = 8  # one contact in so many never agreed


def preflight(folder: Path, count: int) -> dict[str, float]:
    """The command itself, as a process of its own, from its start to its last word."""
    home = folder / "campaign"
    home.mkdir()
    listed = home / "national.txt"
    listed.write_text("".join(f"{area}5550199\n" for area in sorted({each[2:5] for each in numbers(min(count, 10_000))})))
    load(home, LoadOrder("national", listed, date(2026, 7, 10), "bench", NOON))
    asyncio.run(_fill(home, count))
    asked = ("campaign", "preflight", NAME, "--at", NOON.isoformat(), "--json")
    environment = {**os.environ, "OFFHOOK_HOME": str(home), "OFFHOOK_AGENTS": str(home), "TWILIO_FROM": "+16145550100"}
    environment.pop("OFFHOOK_DATABASE_URL", None)
    began, used = time.perf_counter(), _cpu_of_children()
    said = subprocess.run(
        [sys.executable, "-c", _TYPED, *asked], env=environment, capture_output=True, check=True, cwd=Path.cwd()
    )
    seconds, cpu = time.perf_counter() - began, _cpu_of_children() - used
    assert msgspec.json.decode(said.stdout)["contacts"] == count
    return {
        "preflight_contacts": float(count),
        "preflight_s": seconds,
        **({"preflight_of_a_million_s": seconds} if count == MILLION else {}),
        "preflight_cpu_s": cpu,
        "preflight_processes": float(len(os.sched_getaffinity(0))),
    }


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _fill(home: Path, count: int) -> None:
    database = Database(f"sqlite+aiosqlite:///{home}/offhook.db")
    try:
        await database.migrate()
        async with SqlStore(database).transaction() as work:
            await work.save_campaign(Campaign("c1", NAME, SELLER, "nobody", NOON - timedelta(days=1)))
        people = enumerate(numbers(count))
        while page := list(islice(people, PAGE)):
            async with database.transaction() as connection:
                await SqlWork(connection).add_contacts([_contact(place, number) for place, number in page])
                await connection.execute(insert(consent_events), list(_agreed(page)))
    finally:
        await database.close()


def _contact(place: int, number: str) -> Contact:
    return Contact(f"k{place:08}", "c1", number, NOON, name="Ann Lee", due_at=NOON)


def _agreed(page: list[tuple[int, str]]) -> Iterator[dict[str, object]]:
    for place, number in page:
        if place % UNAGREED:
            event = given(place, number)
            kept = {"id": event.id, "what": "given", "number": number, "person": "", "body": canonical(event)}
            yield {**kept, "at": event.consent.obtained_at, "recorded_at": NOON}
