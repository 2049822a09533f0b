"""Calls and what they leave behind: words, answers, appointments, effects of tools, facts about people.

`context/store.py` and `context/knowledge/ledger.py` write here; nobody else does. A call's id is the `CallId` given at
dialling, so a row exists before the carrier has said anything. Phone numbers are E.164.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from storage.tables import UtcDateTime, metadata

calls = Table(
    "calls",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("attempt_id", String(64), index=True),
    Column("campaign_id", String(64), index=True),
    Column("contact_id", String(64)),
    Column("direction", String(16), nullable=False),  # outbound | inbound
    Column("from_number", String(64), nullable=False),
    Column("to_number", String(64), nullable=False),
    Column("person", String(64), nullable=False),  # the other side's number, whichever way the call went
    Column("agent", String(128), nullable=False),
    Column("agent_version", String(64), nullable=False),
    Column("carrier_sid", String(64), unique=True),
    Column("state", String(16), nullable=False),  # dialling | answered | ended
    Column("started_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("disposition", String(32), nullable=False),  # "" until the call has ended
    Column("answered_by", String(16), nullable=False),
    Column("summary", Text, nullable=False),
    Column("sentiment", String(16), nullable=False),
    Column("sentiment_score", Float),
    Column("metrics", JSON, nullable=False),
    Column("recording_path", Text, nullable=False),
    Column("journal_path", Text, nullable=False),
    Column("learned_at", UtcDateTime),  # when the call had been summarised and its facts written
    Index("ix_calls_person_started_at", "person", "started_at"),
    Index("ix_calls_started_at_id", "started_at", "id"),
)

turns = Table(
    "turns",
    metadata,
    Column("call_id", ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("speaker", String(16), nullable=False),  # caller | agent
    Column("text", Text, nullable=False),
    Column("started", Float, nullable=False),  # seconds from the answer
    Column("ended", Float, nullable=False),
    Column("is_cut", Boolean, nullable=False),
    Column("confidence", Float),
)

answers = Table(
    "answers",
    metadata,
    Column("call_id", ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("question", String(128), primary_key=True),
    Column("value", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

appointments = Table(
    "appointments",
    metadata,
    Column("effect_key", String(200), primary_key=True),
    Column("call_id", ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("person", String(64), nullable=False, index=True),
    Column("when", Text, nullable=False),  # as agreed, in the person's words
    Column("note", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# A tool takes effect once: whoever inserts the key runs it, everybody else reads what came of it.
effects = Table(
    "effects",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("call_id", ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("arguments", Text, nullable=False),  # JSON text, as the mind sent it
    Column("ok", Boolean),  # null while it runs
    Column("result", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# What we know. The vector index is derived from these rows: `index_due` marks those it has not followed yet.
facts = Table(
    "facts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", String(64), nullable=False),  # whom it is about; "" for knowledge about no person
    Column("campaign_id", String(64), nullable=False),  # "" when it holds in every campaign
    Column("text", Text, nullable=False),
    Column("key", String(128), nullable=False),
    Column("value", Text, nullable=False),
    Column("source", String(128), nullable=False),
    Column("call_id", String(64), index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("superseded_by", String(36), nullable=False),
    Column("erased", Boolean, nullable=False),
    Column("index_due", Boolean, nullable=False, index=True),
    Index("ix_facts_number_is_current", "number", "is_current"),
)

# The history of the facts, append-only: a rollback is more changes, never fewer.
fact_changes = Table(
    "fact_changes",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("fact_id", String(36), nullable=False, index=True),
    Column("number", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # put | withdraw | erase
    Column("by", String(128), nullable=False),  # "operator", "call ...", "rollback to 41"
    Column("at", UtcDateTime, nullable=False),
)
