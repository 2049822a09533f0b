"""Budgets and holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("budget", sa.String(length=32), server_default="", nullable=False))
        batch_op.add_column(sa.Column("hold_code", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("hold_why", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("allowed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_column("allowed_at")
        batch_op.drop_column("hold_why")
        batch_op.drop_column("hold_code")
        batch_op.drop_column("budget")
