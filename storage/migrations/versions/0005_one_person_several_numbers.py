"""One person, several numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CONTACTS = sa.table("contacts", sa.column("person", sa.String), sa.column("fields", sa.JSON))


def upgrade() -> None:
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("person", sa.String(length=128), server_default="", nullable=False))
        batch_op.create_index("ix_contacts_person", ["person"], unique=False)
    # Until now a free column of exactly this name was the person; what was counted and refused under it keeps its name.
    told = _CONTACTS.c.fields["person_id"].as_string()
    op.execute(sa.update(_CONTACTS).where(told.is_not(None)).values(person=sa.func.substr(told, 1, 128)))


def downgrade() -> None:
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.drop_index("ix_contacts_person")
        batch_op.drop_column("person")
