"""What alembic runs to migrate: on the connection, and inside the transaction, that `Database.migrate` holds."""

from __future__ import annotations

from alembic import context

from storage.tables import load_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=load_tables(),
    render_as_batch=True,  # SQLite cannot alter most of a table: alembic copies it instead
)
with context.begin_transaction():
    context.run_migrations()
