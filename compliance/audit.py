"""Going over the receipts again: does the chain hold, and what would a lawyer want to see of one number or one campaign.

Reads only. The proof itself is in `compliance.receipt`; this finds the rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.receipt import Break, Link, Receipt, verify
from storage.tables.compliance import receipts

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class AuditReport:
    """How many receipts were gone over, where the chain ends, and everywhere it does not hold."""

    receipts: int
    days: int
    head: str
    breaks: tuple[Break, ...]

    @property
    def holds(self) -> bool:
        return not self.breaks


async def stored_receipts(
    connection: AsyncConnection, since: date | None = None, until: date | None = None
) -> AsyncIterator[Receipt]:
    """Every receipt in the order in which it was written; `since` and `until` are days, both included."""
    last = 0
    while True:
        query = select(receipts).where(receipts.c.seq > last).order_by(receipts.c.seq).limit(PAGE)
        if since is not None:
            query = query.where(receipts.c.day >= since)
        if until is not None:
            query = query.where(receipts.c.day <= until)
        rows = (await connection.execute(query)).all()
        for row in rows:
            yield _receipt(row)
        if len(rows) < PAGE:
            return
        last = rows[-1].seq


def _receipt(row: Row[tuple[object, ...]]) -> Receipt:
    return Receipt(
        id=row.id,
        kind=row.kind,
        day=row.day,
        place=row.place,
        at=row.at,
        body=row.body,
        body_sha256=row.body_sha256,
        previous=row.previous,
        hash=row.hash,
    )


async def verify_chain(connection: AsyncConnection, since: date | None = None, until: date | None = None) -> AuditReport:
    """Re-compute every link. Only what is asked for is held in memory: one receipt."""
    erased = await _erased(connection)
    breaks: list[Break] = []
    last: Link | None = None
    count, days = 0, set[date]()
    async for receipt in stored_receipts(connection, since, until):
        breaks.extend(verify([receipt], erased, last))
        last = receipt.link
        count += 1
        days.add(receipt.day)
    return AuditReport(count, len(days), last.hash if last is not None else "", tuple(breaks))


async def _erased(connection: AsyncConnection) -> frozenset[str]:
    """The ids of the receipts whose bodies an erasure took: the erasure's own receipt names them."""
    query = select(receipts.c.body).where(receipts.c.kind == "erasure", receipts.c.body.is_not(None))
    found: set[str] = set()
    for body in (await connection.execute(query)).scalars():
        found.update(msgspec.json.decode(body, type=_Erasure).receipts)
    return frozenset(found)


class _Erasure(msgspec.Struct):
    receipts: list[str]
