"""A tool for those who change tables: `python -m storage.revise "what changed"` writes the next migration, to be read over.

The tables as the migrations leave them (in an empty SQLite file) are compared with those that `storage/tables` defines.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from storage.database import MIGRATIONS, Database
from storage.tables import load_tables


def differences(connection: Connection) -> list[object]:
    """What the tables of a database lack, or have too much, against their definitions. Empty: migrations are complete."""
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), load_tables()))


async def revise(message: str) -> None:
    """Write the next revision to `storage/migrations/versions`."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'empty.db'}")
        await database.migrate()
        async with database.transaction() as connection:
            await connection.run_sync(_write, message)
        await database.close()


def _write(connection: Connection, message: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
    command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    asyncio.run(revise(sys.argv[1]))
