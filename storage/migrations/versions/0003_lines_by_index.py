"""Lines by index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("line_free_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f("ix_attempts_campaign_id_is_active"))
        batch_op.create_index("ix_attempts_campaign_id", ["campaign_id"], unique=False)
        batch_op.create_index("ix_attempts_lines", ["is_active", "campaign_id", "line_free_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_attempts_lines")
        batch_op.drop_index("ix_attempts_campaign_id")
        batch_op.create_index(batch_op.f("ix_attempts_campaign_id_is_active"), ["campaign_id", "is_active"], unique=False)
        batch_op.drop_column("line_free_at")
