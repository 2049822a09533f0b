"""Records for many proposed calls at once, for looking ahead: a handful of statements for thousands of contacts. Reads only.

What it gathers is what `look` gathers for each; nothing is stored, and nobody is cleared by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeAlias

from sqlalchemy import Select, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.known import REMEMBERED, learned
from compliance.privacy import number_hash
from compliance.proposals import ProposedCall
from compliance.record import CallRecord
from compliance.rules import Rulebook
from compliance.store import ComplianceStore
from storage.tables.compliance import (
    calls_counted,
    consent_events,
    internal_dnc,
    number_facts,
    standing_orders,
    tombstones,
)

CHUNK: Final = 2000  # below the 32,766 parameters that a SQLite statement may have, with room for persons
Row: TypeAlias = tuple[str, str, int]


async def rulebook_in_force(store: ComplianceStore, connection: AsyncConnection) -> Rulebook:
    """The rule book under the waivers and proclamations that stand now."""
    return store.book_under(await _orders(connection))[0]


async def records_for(
    store: ComplianceStore, connection: AsyncConnection, proposals: Iterable[ProposedCall], at: datetime
) -> AsyncIterator[CallRecord]:
    """A record for each proposed call, in their order. Memory holds one chunk of them at a time."""
    shared = [(what, body, seq) for seq, (what, body) in enumerate(await _orders(connection))]
    source = iter(proposals)
    while chunk := list(islice(source, CHUNK)):
        rows = await _rows(store, connection, chunk, at)
        for proposed in chunk:
            own = [*rows.numbers[proposed.number], *(rows.people[proposed.person] if proposed.person else ())]
            known = learned([*(row for row, seller in dict.fromkeys(own) if _is_for(seller, proposed)), *shared])
            known.calls = [call for call in known.calls if call.at <= at]
            yield store.record(proposed, known, "")[0]


def _is_for(seller: str | None, proposed: ProposedCall) -> bool:
    return seller is None or seller in ("", proposed.errand.seller)


class _Chunk:
    """Rows by number and by person, each with the seller it is for (None: whoever asks)."""

    def __init__(self) -> None:
        self.numbers: defaultdict[str, list[tuple[Row, str | None]]] = defaultdict(list)
        self.people: defaultdict[str, list[tuple[Row, str | None]]] = defaultdict(list)


async def _rows(store: ComplianceStore, connection: AsyncConnection, chunk: Sequence[ProposedCall], at: datetime) -> _Chunk:
    found = _Chunk()
    numbers = sorted({each.number for each in chunk})
    people = sorted({each.person for each in chunk} - {""})
    for table, what in ((consent_events, None), (internal_dnc, "dnc"), (calls_counted, "call")):
        query = _about(table, numbers, people)
        if table is calls_counted:
            query = query.where(calls_counted.c.at > at - REMEMBERED)
        for row in await connection.execute(query):
            seller = row.seller if table is internal_dnc else None
            entry = ((what or row.what, row.body, 0), seller)
            found.numbers[row.number].append(entry)
            found.people[row.person].append(entry)
    facts = select(number_facts).where(number_facts.c.number.in_(numbers))
    for fact in await connection.execute(facts):
        found.numbers[fact.number].append(((fact.what, fact.body, fact.seq), fact.seller))
    by_hash = dict(_hashed(store.salt, numbers))
    graves = select(tombstones.c.number_hash, tombstones.c.body).where(tombstones.c.number_hash.in_(list(by_hash)))
    for grave in await connection.execute(graves):
        found.numbers[by_hash[grave.number_hash]].append((("tombstone", grave.body, 0), None))
    return found


def _about(table: Table, numbers: list[str], people: list[str]) -> Select[Any]:
    whose = table.c.number.in_(numbers)
    return select(table).where(or_(whose, table.c.person.in_(people)) if people else whose)


def _hashed(salt: bytes, numbers: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((number_hash(salt, number), number) for number in numbers)


async def _orders(connection: AsyncConnection) -> tuple[tuple[str, str], ...]:
    query = select(standing_orders.c.what, standing_orders.c.body).order_by(standing_orders.c.seq)
    return tuple((row.what, row.body) for row in await connection.execute(query))
