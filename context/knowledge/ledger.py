"""Facts and their history in the database: the truth, of which any index is a copy.

Every function takes the connection of a transaction somebody else opened. A row whose `index_due` is set has not been
followed by the index yet: that flag is the outbox, written in the same transaction as the fact.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from context.errors import UnknownChange
from context.facts import Fact, FactId
from context.knowledge.changes import Change, Kind, Plan, Rollback, plan, plan_rollback
from storage.tables.calls import fact_changes, facts

AT_ONCE: Final = 500  # rows in one statement: below SQLite's limit of variables (999 before 3.32)
OVERLAP: Final = 64  # changes that are looked at again


@dataclass(frozen=True, slots=True)
class Due:
    """What the index has to do to follow the facts."""

    put: tuple[Fact, ...]
    remove: tuple[FactId, ...]


async def add(connection: AsyncConnection, new: Sequence[Fact], by: str, at: datetime) -> Plan:
    """Write new facts, superseding what they replace. Facts that were written before, or say nothing new, are not."""
    current = await _standing(connection, {(fact.number, fact.campaign_id) for fact in new})
    planned = plan(new, current, await _written(connection, [fact.id for fact in new]))
    replaced = {new_id: old_id for old_id, new_id in planned.superseded}
    for fact in planned.put:
        await connection.execute(insert(facts).values(**_row(fact), is_current=True, superseded_by="", index_due=True))
        if fact.id in replaced:
            await _withdraw(connection, replaced[fact.id], fact.number, by, at, superseded_by=fact.id)
        await _change(connection, fact.id, fact.number, Kind.PUT, by, at)
    for fact, newer in planned.outdated:  # kept for the record only: it was never current, so the history has no line for it
        await connection.execute(insert(facts).values(**_row(fact), is_current=False, superseded_by=newer, index_due=False))
    return planned


async def facts_about(connection: AsyncConnection, number: str, limit: int = 50) -> tuple[Fact, ...]:
    """The current facts about a person, newest first."""
    found = await connection.execute(
        select(facts)
        .where(facts.c.number == number, facts.c.is_current)
        .order_by(facts.c.at.desc(), facts.c.id)
        .limit(limit)
    )
    return tuple(_fact(row._mapping) for row in found)


async def everything_about(connection: AsyncConnection, number: str) -> tuple[Fact, ...]:
    """All facts about a person that were ever written, oldest first: what an export has to hold."""
    found = await connection.execute(select(facts).where(facts.c.number == number).order_by(facts.c.at, facts.c.id))
    return tuple(_fact(row._mapping) for row in found)


async def changed_since(connection: AsyncConnection, position: int) -> tuple[Due, int]:
    """What an index that stands at `position` of the history has to do, and where it stands then."""
    last = await _end(connection)
    if last == position:
        return Due((), ()), last
    # A server database numbers changes before their commits: one with a lower number may have come later.
    changed = select(fact_changes.c.fact_id).where(fact_changes.c.seq > position - OVERLAP)
    rows = [row._mapping for row in await connection.execute(select(facts).where(facts.c.id.in_(changed)))]
    return _due(rows), last


async def history(
    connection: AsyncConnection, *, number: str | None = None, key: str | None = None, limit: int | None = None
) -> tuple[Change, ...]:
    """The changes, oldest first; with `limit` the last ones. An erased fact keeps its lines but not its words."""
    query = (
        select(fact_changes, facts.c.text)
        .join(facts, facts.c.id == fact_changes.c.fact_id)
        .order_by(fact_changes.c.seq.desc())
        .limit(limit)
    )
    if number is not None:
        query = query.where(fact_changes.c.number == number)
    if key is not None:
        query = query.where(facts.c.key == key)
    rows = (await connection.execute(query)).all()
    return tuple(
        Change(row.seq, row.fact_id, row.number, Kind(row.kind), row.by, row.at, row.text) for row in reversed(rows)
    )


async def rollback(connection: AsyncConnection, to: int, at: datetime, number: str | None = None) -> Rollback:
    """Make the facts (of one person) those of position `to` again, by further changes. Raises `UnknownChange`."""
    last = await _end(connection)
    if not 0 <= to <= last:
        raise UnknownChange(f"the history goes from 0 to {last}; {to} is not in it")
    changes = await history(connection, number=number)
    undo = plan_rollback(changes, to)
    numbers = {change.fact_id: change.number for change in changes}
    by = f"rollback to {to}"
    for fact_id in undo.withdraw:
        await _withdraw(connection, fact_id, numbers[fact_id], by, at)
    for fact_id in undo.put:
        await _set(connection, fact_id, is_current=True, superseded_by="")
        await _change(connection, fact_id, numbers[fact_id], Kind.PUT, by, at)
    return undo


async def erase(connection: AsyncConnection, number: str, at: datetime) -> int:
    """Blank every fact about a person, current or not, for good. The rows stay as tombstones that nothing revives."""
    found = await connection.execute(select(facts.c.id).where(facts.c.number == number, ~facts.c.erased))
    ids = list(found.scalars())
    for fact_id in ids:
        await _set(connection, fact_id, text="", key="", value="", source="", call_id=None, is_current=False, erased=True)
        await _change(connection, fact_id, "", Kind.ERASE, "erasure", at)
    # The number goes last: it is what the rows were found by. Its history lines lose it too.
    await connection.execute(update(facts).where(facts.c.number == number).values(number=""))
    await connection.execute(update(fact_changes).where(fact_changes.c.number == number).values(number=""))
    return len(ids)


# --- the index's outbox -----------------------------------------------------------------------------------------------


async def due(connection: AsyncConnection, limit: int = AT_ONCE) -> Due:
    found = await connection.execute(select(facts).where(facts.c.index_due).order_by(facts.c.at).limit(limit))
    return _due([row._mapping for row in found])


async def settle(connection: AsyncConnection, done: Due) -> None:
    """The index has followed these. A fact that changed meanwhile is not settled: it stays due."""
    for ids, was_current in (([fact.id for fact in done.put], True), (list(done.remove), False)):
        which = and_(facts.c.id.in_(ids), facts.c.is_current.is_(was_current))
        await connection.execute(update(facts).where(which).values(index_due=False))


async def count_due(connection: AsyncConnection) -> int:
    return (await connection.execute(select(func.count()).select_from(facts).where(facts.c.index_due))).scalar_one()


async def mark_all_due(connection: AsyncConnection) -> None:
    """The index was lost or made anew: everything current has to go into it."""
    await connection.execute(update(facts).where(facts.c.is_current).values(index_due=True))


# --- rows -------------------------------------------------------------------------------------------------------------


async def _end(connection: AsyncConnection) -> int:
    return (await connection.execute(select(func.max(fact_changes.c.seq)))).scalar() or 0


def _due(rows: Sequence[RowMapping]) -> Due:
    put = tuple(_fact(row) for row in rows if row["is_current"])
    return Due(put, tuple(FactId(row["id"]) for row in rows if not row["is_current"]))


async def _standing(connection: AsyncConnection, owners: Collection[tuple[str, str]]) -> list[Fact]:
    found: list[Fact] = []
    for number, campaign_id in sorted(owners):
        which = and_(facts.c.number == number, facts.c.campaign_id == campaign_id, facts.c.is_current)
        found += [_fact(row._mapping) for row in await connection.execute(select(facts).where(which))]
    return found


async def _written(connection: AsyncConnection, ids: Sequence[FactId]) -> frozenset[FactId]:
    found: set[FactId] = set()
    for first in range(0, len(ids), AT_ONCE):
        which = facts.c.id.in_(ids[first : first + AT_ONCE])
        found.update((await connection.execute(select(facts.c.id).where(which))).scalars())
    return frozenset(found)


async def _withdraw(
    connection: AsyncConnection, fact_id: FactId, number: str, by: str, at: datetime, superseded_by: str = ""
) -> None:
    await _set(connection, fact_id, is_current=False, superseded_by=superseded_by)
    await _change(connection, fact_id, number, Kind.WITHDRAW, by, at)


async def _set(connection: AsyncConnection, fact_id: FactId, **values: object) -> None:
    await connection.execute(update(facts).where(facts.c.id == fact_id).values(**values, index_due=True))


async def _change(connection: AsyncConnection, fact_id: FactId, number: str, kind: Kind, by: str, at: datetime) -> None:
    await connection.execute(insert(fact_changes).values(fact_id=fact_id, number=number, kind=kind.value, by=by, at=at))


def _row(fact: Fact) -> dict[str, object]:
    return asdict(fact) | {"erased": False}


def _fact(row: RowMapping) -> Fact:
    return Fact(
        row["id"],
        row["text"],
        row["source"],
        row["at"],
        row["number"],
        row["campaign_id"],
        row["key"],
        row["value"],
        row["call_id"],
    )
