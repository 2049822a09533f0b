"""The compliance room's tables. All but `calls_counted` are append-only: what was known is never edited, only added to.

`body` columns hold the room's own canonical JSON; the columns beside it are for finding rows, not for meaning.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text

from storage.tables import UtcDateTime, metadata

consent_events = Table(
    "consent_events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("what", String(16), nullable=False),  # given | taken_back
    Column("number", String(20), nullable=False),
    Column("person", String(128), nullable=False, default=""),
    Column("at", UtcDateTime, nullable=False),  # when it was given or taken back
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_consent_events_number", "number"),
    Index("ix_consent_events_person", "person"),
)

internal_dnc = Table(
    "internal_dnc",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("number", String(20), nullable=False),
    Column("person", String(128), nullable=False, default=""),
    Column("seller", String(128), nullable=False, default=""),  # empty: every seller
    Column("requested_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_internal_dnc_number", "number"),
    Index("ix_internal_dnc_person", "person"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("number_hash", String(64), primary_key=True),  # salted: see compliance.privacy
    Column("at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
)

calls_counted = Table(
    "calls_counted",
    metadata,
    Column("attempt", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("number", String(20), nullable=False),
    Column("person", String(128), nullable=False, default=""),
    Column("is_conversation", Boolean, nullable=False, default=False),
    Column("body", Text, nullable=False),
    Index("ix_calls_counted_number_at", "number", "at"),
    Index("ix_calls_counted_person_at", "person", "at"),
)

number_facts = Table(
    "number_facts",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("number", String(20), nullable=False),
    Column("seller", String(128), nullable=False, default=""),
    Column("what", String(24), nullable=False),  # reassigned | relationship | line | place
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_number_facts_number", "number"),
)

standing_orders = Table(
    "standing_orders",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("what", String(24), nullable=False),  # waiver | proclamation | halt | lift
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("day", Date, nullable=False),
    Column("place", Integer, nullable=False),  # position in the day's chain, from 0
    Column("kind", String(24), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("number", String(20), nullable=False, default=""),
    Column("contact", String(64), nullable=False, default=""),
    Column("attempt", String(64), nullable=False, default=""),
    Column("campaign", String(64), nullable=False, default=""),
    Column("decision", String(8), nullable=False, default=""),
    Column("body", Text, nullable=True),  # null once erased; the digest keeps the chain whole
    Column("body_sha256", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_receipts_day_place", "day", "place", unique=True),
    Index("ix_receipts_number", "number"),
    Index("ix_receipts_attempt", "attempt"),
    Index("ix_receipts_campaign", "campaign"),
)
