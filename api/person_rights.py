"""A person's rights in every room at once: all that is held handed over, or forgotten (GDPR art. 15, 17, 20; CCPA)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from compliance import attachments
from compliance.identity import reached
from compliance.people import Erasure, erase_person, export_person, named_attachments, sweep_erased
from compliance.store import ComplianceStore
from context import person as context_person
from dialer.orders import forget_number
from dialer.stores.sql import SqlWork
from storage.database import Database
from storage.tables.dialing import attempts, contacts

UNNAMED_FOR: Final = timedelta(days=1)  # a file is kept before the consent that names it is written
SWEPT_EVERY: Final = 24 * 3600.0  # seconds; what is held for five years can wait for a day


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten. `files` (recordings, journals) are to be deleted once the transaction is committed."""

    numbers: tuple[str, ...]
    erasures: tuple[Erasure, ...]
    calls: int
    facts: int
    files: tuple[str, ...]

    @property
    def held_until(self) -> datetime | None:
        return max((each.held_until for each in self.erasures if each.held_until is not None), default=None)


async def numbers_of(connection: AsyncConnection, number: str, *, alone: bool) -> tuple[str, ...]:
    """Every number known of whoever has this one; `alone`: this one."""
    return (number,) if alone else tuple(sorted({each for each, _ in await reached(connection, number)}))


async def hand_over(connection: AsyncConnection, numbers: Iterable[str]) -> list[dict[str, object]]:
    """Every row of every room about these numbers, as plain JSON values."""
    return [await _all_about(connection, number) for number in numbers]


async def _all_about(connection: AsyncConnection, number: str) -> dict[str, object]:
    told = await export_person(connection, number)
    for table in (contacts, attempts):
        rows = await connection.execute(select(table).where(table.c.number == number))
        told[table.name] = [dict(row._mapping) for row in rows]
    personal = msgspec.to_builtins(await context_person.export_person(connection, number))
    return {"number": number, **told, "calls": personal["calls"], "facts": personal["facts"]}


async def forget(
    store: ComplianceStore, connection: AsyncConnection, numbers: tuple[str, ...], by: str, reason: str, at: datetime
) -> Forgotten:
    """Forget these numbers in every room, call off what was planned for them, and never call them again."""
    erasures, calls, facts, files = [], 0, 0, list[str]()
    for number in numbers:
        await forget_number(SqlWork(connection), number, at)
        gone = await context_person.erase_person(connection, number, at)
        calls, facts = calls + gone.calls, facts + gone.facts
        files += gone.files
        erasures.append(await erase_person(store, connection, number, by, reason, at))
    return Forgotten(numbers, tuple(erasures), calls, facts, tuple(files))


async def keep_forgetting(database: Database, store: ComplianceStore, at: Callable[[], datetime]) -> None:
    """Once a day, until cancelled: of everybody who asked to be forgotten, the records whose five years are over, and then
    the files that no consent names any more."""
    while True:
        async with database.transaction() as connection:
            await sweep_erased(store, connection, at())
        async with database.reading() as connection:
            named = await named_attachments(connection)
        await asyncio.to_thread(attachments.sweep, store.home, named, at() - UNNAMED_FOR)
        await asyncio.sleep(SWEPT_EVERY)
