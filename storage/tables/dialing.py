"""Campaigns, their contacts, and every try at reaching them. `dialer/stores/sql.py` writes here; nobody else does.

Numbers are E.164. Empty text stands for "not told"; null for an instant or a figure that does not exist yet.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, text

from storage.tables import UtcDateTime, metadata

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("seller", String(200), nullable=False),
    Column("agent", String(128), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("instructions", Text, nullable=False),
    Column("from_number", String(64), nullable=False),  # "" for the configured caller id
    Column("state", String(16), nullable=False, index=True),  # dialer.campaign.CampaignState
    Column("priority", Integer, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("calls_per_second", Float, nullable=False),
    Column("ring_timeout", Float, nullable=False),  # seconds
    Column("longest_call", Float, nullable=False),  # seconds
    Column("retry", JSON, nullable=False),  # dialer.retry.RetryPolicy
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("budget", String(32), nullable=False, server_default=""),  # dollars, as decimal text; "" for no limit of its own
    Column("hold_code", String(64), nullable=False, server_default=""),  # why it dials nobody though it runs; "" if it does
    Column("hold_why", Text, nullable=False, server_default=""),
    Column("allowed_at", UtcDateTime),  # when the operator last let it run
)

import_batches = Table(
    "import_batches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),  # null while it runs, and for ever if it was broken off
    Column("rows", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    Column("batch_id", String(64), nullable=False),
    Column("line", Integer, nullable=False),  # in the file it came from; 0 if from none
    Column("number", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("first_name", Text, nullable=False),
    Column("address_state", String(16), nullable=False),
    Column("zip", String(16), nullable=False),
    Column("person", String(128), nullable=False, server_default=""),  # ties numbers of one human together; "" unknown
    Column("fields", JSON, nullable=False),
    Column("state", String(16), nullable=False),  # dialer.campaign.ContactState
    Column("rank", Integer, nullable=False),  # the priority negated, so that every index runs upwards
    Column("due_at", UtcDateTime),  # null unless waiting
    Column("tries", Integer, nullable=False),
    Column("disposition", String(32), nullable=False),  # of the last attempt, or of the closing
    Column("reason", Text, nullable=False),  # why it waits, or why it is closed
    Column("rules", JSON, nullable=False),  # codes of the rules that spoke against it, when the gate was last asked
    Column("receipt_id", String(64), nullable=False),  # of the gate's last verdict
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("uq_contacts_campaign_id_number", "campaign_id", "number", unique=True),
    Index("ix_contacts_turn", "campaign_id", "state", "rank", "due_at", "id"),
    Index("ix_contacts_due", "campaign_id", "state", "due_at"),
    Index("ix_contacts_number", "number"),
    Index("ix_contacts_person", "person"),
    Index("ix_contacts_page", "campaign_id", "id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    Column("contact_id", ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),  # 1 for the contact's first
    Column("receipt_id", String(64), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("phase", String(16), nullable=False),  # dialer.attempt.Phase
    Column("disposition", String(32), nullable=False),  # "" until ended
    Column("carrier_outcome", String(32), nullable=False),
    Column("conversation_outcome", String(32), nullable=False),
    Column("call_sid", String(64), nullable=False),
    Column("answered_by", String(32), nullable=False),
    Column("is_cancel_wanted", Boolean, nullable=False),
    Column("detail", Text, nullable=False),  # the carrier's code and words, for people
    Column("ring_timeout", Float, nullable=False),
    Column("longest_call", Float, nullable=False),
    Column("expires_at", UtcDateTime),  # when it is closed if nothing more is heard; null once ended
    Column("line_free_at", UtcDateTime),  # until when it takes a line if nothing more is heard; null if it takes none
    Column("intended_at", UtcDateTime, nullable=False),
    Column("dispatching_at", UtcDateTime),
    Column("dispatched_at", UtcDateTime),
    Column("ringing_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("conversation_ended_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    # The rule that no phone rings twice at once, kept by the database itself, whoever dials and however many.
    Index(
        "uq_attempts_active_number",
        "number",
        unique=True,
        sqlite_where=text("is_active = 1"),
        postgresql_where=text("is_active"),
    ),
    Index("ix_attempts_active", "is_active", "expires_at"),
    Index("ix_attempts_lines", "is_active", "campaign_id", "line_free_at"),
    Index("ix_attempts_campaign_id", "campaign_id"),
    Index("ix_attempts_call_sid", "call_sid"),
)

# What carriers told us, once each: they tell things twice, late, and in any order.
carrier_events = Table(
    "carrier_events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("call_sid", String(64), nullable=False),
    Column("sequence", Integer, nullable=False),  # -1 when the carrier gave none
    Column("status", String(32), nullable=False),
    Column("attempt_id", String(64), nullable=False),  # "" when no attempt of ours is known by that call
    Column("at", UtcDateTime, nullable=False),
    Column("detail", Text, nullable=False),
    Index("uq_carrier_events_once", "call_sid", "sequence", "status", unique=True),
    Index("ix_carrier_events_attempt_id", "attempt_id"),
)

# Who may do what only one process may do at a time. A lease that has run out is anybody's.
leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
