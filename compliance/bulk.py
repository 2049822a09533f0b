"""Records for many proposed calls at once, for looking ahead: a handful of statements for thousands of contacts. Reads only.

What it gathers is what `look` gathers for each; nothing is stored, and nobody is cleared by it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeAlias

from sqlalchemy import ARRAY, Column, ColumnElement, Select, String, Table, any_, func, literal, null, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from compliance.known import REMEMBERED, learned
from compliance.privacy import number_hash
from compliance.proposals import ProposedCall
from compliance.record import CallRecord
from compliance.rules import Rulebook
from compliance.store import ComplianceStore, Scrub
from storage.tables.compliance import (
    calls_counted,
    consent_events,
    internal_dnc,
    number_facts,
    standing_orders,
    tombstones,
)

CHUNK: Final = 10_000
Row: TypeAlias = tuple[str, str, int]
# The tables that know numbers and people: what a row is called (`learned`), and whom it is for (null: whoever asks).
_BY_PERSON: Final[tuple[tuple[Table, ColumnElement[str], ColumnElement[Any]], ...]] = (
    (consent_events, consent_events.c.what, null()),
    (internal_dnc, literal("dnc"), internal_dnc.c.seller),
    (calls_counted, literal("call"), null()),
)


async def rulebook_in_force(store: ComplianceStore, connection: AsyncConnection) -> Rulebook:
    """The rule book under the waivers and proclamations that stand now."""
    return store.book_under(await _orders(connection))[0]


async def records_for(
    store: ComplianceStore, connection: AsyncConnection, proposals: Iterable[ProposedCall], at: datetime
) -> AsyncIterator[CallRecord]:
    """A record for each proposed call, in their order. Memory holds one chunk of them at a time."""
    shared = [(what, body, seq) for seq, (what, body) in enumerate(await _orders(connection))]
    source = iter(proposals)
    lists = _lists_of_now(store)
    while chunk := list(islice(source, CHUNK)):
        rows = await _rows(store, connection, chunk, at)
        for proposed in chunk:
            known = learned([*rows.of(proposed), *shared])
            known.calls = [call for call in known.calls if call.at <= at]
            yield store.record(proposed, known, "", lists)[0]


def _lists_of_now(store: ComplianceStore) -> Scrub:
    ours: dict[str, Callable[[str], bool]] = {}

    def is_ours(number: str, seller: str) -> bool:
        if seller not in ours:
            ours[seller] = store.internal.snapshot(seller)
        return ours[seller](number)

    return Scrub(store.lists.snapshot(), is_ours)


class _Chunk:
    """Rows by number and by person, each with the seller it is for (None: whoever asks)."""

    def __init__(self) -> None:
        self.numbers: defaultdict[str, list[tuple[Row, str | None]]] = defaultdict(list)
        self.people: defaultdict[str, list[tuple[Row, str | None]]] = defaultdict(list)

    def of(self, proposed: ProposedCall) -> list[Row]:
        """What bears on this call, each row once."""
        own: Iterable[tuple[Row, str | None]] = self.numbers.get(proposed.number, ())
        if proposed.person and (theirs := self.people.get(proposed.person)):
            own = dict.fromkeys([*own, *theirs])
        wanted = (None, "", proposed.errand.seller)
        return [row for row, seller in own if seller in wanted]


async def _rows(store: ComplianceStore, connection: AsyncConnection, chunk: Sequence[ProposedCall], at: datetime) -> _Chunk:
    found = _Chunk()
    numbers = sorted({each.number for each in chunk})
    people = sorted({each.person for each in chunk} - {""})
    for table, what, seller in _BY_PERSON:
        query = _about(connection, table, numbers, people).with_only_columns(
            table.c.number, table.c.person, what, table.c.body, seller
        )
        if table is calls_counted:
            query = query.where(calls_counted.c.at > at - REMEMBERED)
        for number, person, what, body, seller in await connection.execute(query):
            entry = ((what, body, 0), seller)
            found.numbers[number].append(entry)
            if person:
                found.people[person].append(entry)
    facts = select(number_facts).where(_among(connection, number_facts.c.number, numbers))
    for fact in await connection.execute(facts):
        found.numbers[fact.number].append(((fact.what, fact.body, fact.seq), fact.seller))
    if (await connection.execute(select(tombstones.c.at).limit(1))).first() is None:
        return found  # nobody was ever erased: no number need be hashed
    by_hash = dict(_hashed(store.salt, numbers))
    graves = select(tombstones.c.number_hash, tombstones.c.body)
    graves = graves.where(_among(connection, tombstones.c.number_hash, list(by_hash)))
    for grave in await connection.execute(graves):
        found.numbers[by_hash[grave.number_hash]].append((("tombstone", grave.body, 0), None))
    return found


def _about(connection: AsyncConnection, table: Table, numbers: list[str], people: list[str]) -> Select[Any]:
    whose = _among(connection, table.c.number, numbers)
    return select(table).where(or_(whose, _among(connection, table.c.person, people)) if people else whose)


def _among(connection: AsyncConnection, column: Column[Any], values: list[str]) -> ColumnElement[bool]:
    """One parameter for thousands of values: an `IN` of as many is compiled anew for every chunk."""
    if connection.dialect.name != "sqlite":
        return column == any_(literal(values, ARRAY(String)))
    listed = func.json_each(json.dumps(values)).table_valued("value")
    return column.in_(select(listed.c.value))


def _hashed(salt: bytes, numbers: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((number_hash(salt, number), number) for number in numbers)


async def _orders(connection: AsyncConnection) -> tuple[tuple[str, str], ...]:
    query = select(standing_orders.c.what, standing_orders.c.body).order_by(standing_orders.c.seq)
    return tuple((row.what, row.body) for row in await connection.execute(query))
