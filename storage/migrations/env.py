"""What alembic runs to migrate: on the connection, and inside the transaction, that `Database.migrate` holds."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from storage.tables import UtcDateTime, load_tables


def rendered(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A migration outlives our classes: it names the plain type."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=load_tables(),
    render_as_batch=True,  # SQLite cannot alter most of a table: alembic copies it instead
    render_item=rendered,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
