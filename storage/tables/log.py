"""What happened, in order: appended to, never changed. `storage/log.py` writes here, in the transaction of the change."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table

from storage.tables import UtcDateTime, metadata

events = Table(
    "events",
    metadata,
    # BIGINT cannot be SQLite's rowid, so there it is INTEGER, which is 64 bits wide as well.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("call_id", String(64), nullable=False),
    Column("attempt_id", String(64), nullable=False),
    Column("payload", JSON, nullable=False),
    Index("ix_events_call_id_id", "call_id", "id"),
    Index("ix_events_attempt_id_id", "attempt_id", "id"),
    sqlite_autoincrement=True,  # an id is never used twice, so "after 41" means the same for ever
)
