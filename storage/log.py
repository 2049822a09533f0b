"""The log of what happened: appended in the transaction of the change it tells of, read and followed from any id.

So there is no change without its event and no event without its change; whoever reads twice reads the same.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Final

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.events import Event, Recorded, from_payload, to_payload
from storage.tables.log import events

BATCH: Final = 500
POLL: Final = 0.5  # seconds: how late another process's event may be seen; our own are seen at once
_ORDER_LOCK: Final = 0x0FF4106


async def append(
    connection: AsyncConnection, event: Event, at: datetime, *, call_id: str = "", attempt_id: str = ""
) -> Recorded:
    """Write one event within the caller's transaction."""
    if connection.dialect.name == "postgresql":
        # Ids are drawn before the commit: without this, a reader could pass 42 before 41 has been committed and never
        # see 41. SQLite has one writer at a time and needs no lock.
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ORDER_LOCK})
    row = {"at": at, "kind": event.kind(), "call_id": call_id, "attempt_id": attempt_id, "payload": to_payload(event)}
    written = await connection.execute(insert(events).values(row).returning(events.c.id))
    return Recorded(written.scalar_one(), at, event, call_id, attempt_id)


async def read(
    connection: AsyncConnection, after: int = 0, limit: int = BATCH, *, call_id: str = "", attempt_id: str = ""
) -> list[Recorded]:
    """The events behind `after`, oldest first; of one call or attempt if named."""
    wanted = select(events).where(events.c.id > after).order_by(events.c.id).limit(limit)
    if call_id:
        wanted = wanted.where(events.c.call_id == call_id)
    if attempt_id:
        wanted = wanted.where(events.c.attempt_id == attempt_id)
    rows = (await connection.execute(wanted)).all()
    return [Recorded(row.id, row.at, from_payload(row.kind, row.payload), row.call_id, row.attempt_id) for row in rows]


async def newest(connection: AsyncConnection) -> int:
    """The id of the latest event; 0 for an empty log."""
    highest: int | None = (await connection.execute(select(func.max(events.c.id)))).scalar_one()
    return highest or 0


async def follow(database: Database, after: int | None = None, every: float = POLL) -> AsyncGenerator[Recorded, None]:
    """All events behind `after` (None: from now on) and then each new one, in order, for ever.

    Commits of this process wake it at once; those of others are looked for every `every` seconds.
    """
    if after is None:
        async with database.reading() as connection:
            after = await newest(connection)
    while True:
        commits = database.commits
        async with database.reading() as connection:
            batch = await read(connection, after)
        for recorded in batch:
            after = recorded.id
            yield recorded
        if not batch:
            await database.committed(since=commits, within=every)
