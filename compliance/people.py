"""What the compliance room knows of one person, handed over or erased (GDPR art. 15, 17, 20; CCPA), and what must stay.

Erasing leaves a tombstone: a salted hash that keeps the number from ever being called again, whoever imports it anew.
Records that 16 CFR 310.5 wants kept for five years stay until then and no longer; the chain holds without their bodies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.attachments import digests_in
from compliance.privacy import number_hash
from compliance.receipt import canonical
from compliance.store import ComplianceStore
from storage.tables.compliance import (
    calls_counted,
    consent_events,
    internal_dnc,
    number_facts,
    receipts,
    tombstones,
)

HELD_FOR: Final = timedelta(days=5 * 366)  # 16 CFR 310.5(b): five years; leap days on the safe side
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did. `held` rows stay until `held_until`, the end of the newest one's legal hold."""

    number_hash: str
    erased: int
    held: int
    held_until: datetime | None
    receipts: tuple[str, ...]  # ids of the receipts whose bodies are gone


async def export_person(connection: AsyncConnection, number: str, person: str = "") -> dict[str, object]:
    """Every row of this room about a number, or about any number of the person, as plain JSON values."""
    numbers = await _numbers(connection, number, person)
    tables = (consent_events, internal_dnc, number_facts, calls_counted, receipts)
    return {
        "numbers": sorted(numbers),
        **{table.name: await _rows(connection, table, numbers) for table in tables},
    }


async def _numbers(connection: AsyncConnection, number: str, person: str) -> set[str]:
    found = {number}
    if person:
        for table in (consent_events, calls_counted, internal_dnc):
            found.update((await connection.execute(select(table.c.number).where(table.c.person == person))).scalars())
    return found


async def _rows(connection: AsyncConnection, table: Table, numbers: Iterable[str]) -> list[dict[str, object]]:
    order = table.c.seq if "seq" in table.c else table.c.at
    rows = await connection.execute(select(table).where(table.c.number.in_(sorted(numbers))).order_by(order))
    return [{name: _readable(name, value) for name, value in row._mapping.items() if name != "seq"} for row in rows]


def _readable(name: str, value: object) -> object:
    return msgspec.json.decode(value) if name == "body" and isinstance(value, str) else value


async def erase_person(
    store: ComplianceStore, connection: AsyncConnection, number: str, by: str, reason: str, at: datetime
) -> Erasure:
    """Forget a number, and never call it again. The erasure's own receipt names who asked, and no number."""
    digest = number_hash(store.salt, number)
    known = await connection.execute(select(tombstones.c.at).where(tombstones.c.number_hash == digest))
    if known.first() is None:
        body = canonical({"by": by, "reason": reason})
        await connection.execute(insert(tombstones).values(number_hash=digest, at=at, body=body))
    erased = await _forget(connection, number_facts, [number], None)
    erased += await _forget(connection, calls_counted, [number], None)
    done = await _sweep(connection, [number], at)
    held, newest = await _held(connection, number)
    content = {
        "number_hash": digest,
        "by": by,
        "reason": reason,
        "erased": erased + done.rows,
        "held": held,
        "receipts": list(done.receipts),
    }
    await store.note(connection, "erasure", at, content)
    return Erasure(digest, erased + done.rows, held, newest + HELD_FOR if newest else None, done.receipts)


async def sweep_erased(store: ComplianceStore, connection: AsyncConnection, at: datetime) -> int:
    """The retention job: of everybody erased, forget the records whose five years are over. Returns how many."""
    graves = frozenset((await connection.execute(select(tombstones.c.number_hash))).scalars())
    if not graves:
        return 0
    due: set[str] = set()
    for table, moment in ((receipts, "at"), (consent_events, "recorded_at"), (internal_dnc, "recorded_at")):
        old = select(table.c.number).where(table.c[moment] < at - HELD_FOR, table.c.number != "").distinct()
        numbers = (await connection.execute(old)).scalars()
        due.update(number for number in numbers if number_hash(store.salt, number) in graves)
    if not due:
        return 0
    done = await _sweep(connection, sorted(due), at)
    content = {"by": "retention", "reason": "five years are over", "erased": done.rows, "receipts": list(done.receipts)}
    await store.note(connection, "erasure", at, content)
    return done.rows


async def named_attachments(connection: AsyncConnection) -> set[str]:
    """The digests of the files that any consent in the ledger still names."""
    naming = select(consent_events.c.body).where(consent_events.c.body.contains("sha256:"))
    bodies = (await connection.execute(naming)).scalars()
    return {digest for body in bodies for digest in digests_in(body)}


async def erased_among(store: ComplianceStore, connection: AsyncConnection, numbers: Iterable[str]) -> set[str]:
    """Which of these numbers have a tombstone: an import should leave them out and say so."""
    by_hash = {number_hash(store.salt, number): number for number in numbers}
    found: set[str] = set()
    hashes = list(by_hash)
    for start in range(0, len(hashes), BATCH):
        some = select(tombstones.c.number_hash).where(tombstones.c.number_hash.in_(hashes[start : start + BATCH]))
        found.update(by_hash[digest] for digest in (await connection.execute(some)).scalars())
    return found


@dataclass(frozen=True, slots=True)
class _Swept:
    rows: int
    receipts: tuple[str, ...]


async def _sweep(connection: AsyncConnection, numbers: list[str], at: datetime) -> _Swept:
    """Forget what is past its legal hold: rows go, receipts lose their bodies and their number."""
    before = at - HELD_FOR
    rows = 0
    for table in (consent_events, internal_dnc):
        rows += await _forget(connection, table, numbers, before)
    old = (receipts.c.number.in_(numbers), receipts.c.at < before, receipts.c.body.is_not(None))
    ids = tuple((await connection.execute(select(receipts.c.id).where(*old))).scalars())
    emptied = update(receipts).where(*old).values(body=None, number="", contact="")
    await connection.execute(emptied)
    return _Swept(rows + len(ids), ids)


async def _forget(connection: AsyncConnection, table: Table, numbers: list[str], before: datetime | None) -> int:
    gone = delete(table).where(table.c.number.in_(numbers))
    if before is not None:
        gone = gone.where(table.c.recorded_at < before)
    return (await connection.execute(gone)).rowcount


async def _held(connection: AsyncConnection, number: str) -> tuple[int, datetime | None]:
    count, newest = 0, None
    for table, moment in ((receipts, "at"), (consent_events, "recorded_at"), (internal_dnc, "recorded_at")):
        held = (await connection.execute(select(table.c[moment]).where(table.c.number == number))).scalars().all()
        count += len(held)
        newest = max([newest, *held], key=lambda each: each.timestamp() if each else 0.0) if held else newest
    return count, newest
