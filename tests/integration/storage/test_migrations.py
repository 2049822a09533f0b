from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, text

from dialer.campaign import Campaign, Contact
from dialer.stores.rows import campaign_row, contact_row
from storage.database import MIGRATIONS, Database
from storage.errors import DatabaseUnusable
from storage.events import CallAnswered
from storage.log import append, read
from storage.revise import differences
from storage.tables.dialing import campaigns, contacts


@pytest.fixture
async def migrated(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.migrate()
    yield database
    await database.close()


async def test_the_migrations_make_the_tables_that_the_code_expects(migrated: Database) -> None:
    """Fails when somebody has changed a table: then `python -m storage.revise "what changed"` writes the migration."""
    async with migrated.transaction() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_table_that_the_code_does_not_expect_is_noticed(migrated: Database) -> None:
    async with migrated.transaction() as connection:
        await connection.execute(text("DROP INDEX uq_attempts_active_number"))
        assert len(await connection.run_sync(differences)) == 1


async def test_migrating_again_keeps_what_is_there_and_says_nothing(
    migrated: Database, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with migrated.transaction() as connection:
        await append(connection, CallAnswered(), datetime.now(UTC))
    await migrated.migrate()
    async with migrated.reading() as connection:
        assert len(await read(connection)) == 1
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


async def test_two_processes_that_start_at_once_migrate_one_after_the_other(url: str) -> None:
    databases = [Database(url) for _ in range(3)]
    async with asyncio.TaskGroup() as tasks:
        for database in databases:
            tasks.create_task(database.migrate())
    for database in databases:
        await database.close()


async def test_a_database_of_a_newer_version_is_left_alone(migrated: Database) -> None:
    async with migrated.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnusable, match="does not fit this version"):
        await migrated.migrate()


def test_the_migrations_stand_in_a_row() -> None:
    names = sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py"))
    assert [name[:4] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]


def _go_back_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


async def test_whoever_a_free_column_named_is_a_person_afterwards(url: str) -> None:
    """0005: what was counted under the file's `person_id` keeps its name."""
    database = Database(url)
    await database.migrate()
    now = datetime.now(UTC)
    async with database.transaction() as connection:
        await connection.run_sync(_go_back_to, "0004")
        await connection.execute(insert(campaigns).values(campaign_row(Campaign("c1", "autumn", "acme", "ann", now))))
        for name, fields in (("k1", {"person_id": "ann-7"}), ("k2", {"note": "tea"})):
            row = contact_row(Contact(name, "c1", name, now, fields=fields))
            del row["person"]
            await connection.execute(insert(contacts).values(row))
    await database.migrate()
    async with database.reading() as connection:
        found = await connection.execute(text("SELECT id, person FROM contacts ORDER BY id"))
        assert [tuple(row) for row in found] == [("k1", "ann-7"), ("k2", "")]
    await database.close()
