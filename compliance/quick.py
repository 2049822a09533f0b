"""Running a prepared statement in as few steps as the driver allows.

On SQLite every step of a cursor (open, execute, fetch, close) is a hop to the driver's thread and back, some 0.1 ms each on
a quiet machine and many times that on a busy one. aiosqlite does all of them in one hop when asked directly, inside the
transaction that SQLAlchemy has begun. Elsewhere the statement takes SQLAlchemy's usual way. Same SQL, same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TypeAlias

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import UtcDateTime

Value: TypeAlias = str | int | bool | date | datetime | None


async def run(connection: AsyncConnection, sql: str, values: Mapping[str, Value]) -> Sequence[Sequence[object]]:
    """The rows of a statement; none for one that only writes. Parameters are `:named`."""
    if connection.dialect.name != "sqlite":
        rows = await connection.execute(_typed(sql, _instants(values)), dict(values))
        return rows.all() if rows.returns_rows else ()
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    return list(await raw.execute_fetchall(sql, {name: _stored(value) for name, value in values.items()}))


def _instants(values: Mapping[str, Value]) -> frozenset[str]:
    return frozenset(name for name, value in values.items() if isinstance(value, datetime))


@lru_cache(maxsize=64)
def _typed(sql: str, instants: frozenset[str]) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, type_=UtcDateTime()) for name in instants))


def _stored(value: Value) -> str | int | None:
    """As SQLAlchemy's own types would store it in SQLite."""
    match value:
        case datetime():
            if value.tzinfo is None:
                raise ValueError("an instant without a zone cannot be stored")
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        case date():
            return value.isoformat()
        case _:
            return value
