from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from storage.database import Database
from storage.errors import DatabaseUnusable, TransactionMisused


async def count(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM words"))).scalar_one())


@pytest.fixture
async def words(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE words (word TEXT PRIMARY KEY)"))
    yield database
    await database.close()


async def test_a_transaction_is_kept_and_a_failed_one_is_not(words: Database) -> None:
    async with words.transaction() as connection:
        await connection.execute(text("INSERT INTO words VALUES ('kept')"))

    async def fail() -> None:
        async with words.transaction() as connection:
            await connection.execute(text("INSERT INTO words VALUES ('half')"))
            await connection.execute(text("INSERT INTO words VALUES ('kept')"))

    with pytest.raises(IntegrityError):
        await fail()
    assert await count(words) == 1


async def test_a_cancelled_transaction_leaves_no_trace_and_no_lock(words: Database) -> None:
    inside = asyncio.Event()

    async def stuck() -> None:
        async with words.transaction() as connection:
            await connection.execute(text("INSERT INTO words VALUES ('lost')"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stuck())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with words.transaction() as connection:
        await connection.execute(text("INSERT INTO words VALUES ('kept')"))
    assert await count(words) == 1


async def test_a_connection_stopped_twice_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    """What a task cancelled twice does to its connection: stopped by one, closed by the other."""
    database = Database(f"sqlite:///{tmp_path / 'offhook.db'}")
    async with database.reading() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        async with asyncio.timeout(5):
            await driver.stop()
            await driver.stop()
        await connection.invalidate()
    await database.close()


async def test_readers_do_not_wait_for_the_writer_and_see_one_picture(words: Database) -> None:
    async with words.reading() as reader:
        assert (await reader.execute(text("SELECT count(*) FROM words"))).scalar_one() == 0
        async with words.transaction() as writer:
            await writer.execute(text("INSERT INTO words VALUES ('new')"))
            assert await count(words) == 0
        assert (await reader.execute(text("SELECT count(*) FROM words"))).scalar_one() == 0
    assert await count(words) == 1


async def test_writers_queue_and_none_is_lost(words: Database, url: str) -> None:
    other = Database(url)  # as another process would

    async def write(database: Database, word: str) -> None:
        async with database.transaction() as connection:
            seen = (await connection.execute(text("SELECT count(*) FROM words"))).scalar_one()
            await connection.execute(text("INSERT INTO words VALUES (:word)"), {"word": f"{word} after {seen}"})

    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(write(words if number % 2 else other, str(number)))
    assert await count(words) == 20
    await other.close()


async def test_a_transaction_within_a_transaction_is_refused_instead_of_hanging(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/offhook.db")
    with pytest.raises(TransactionMisused):
        async with database.transaction(), database.transaction():
            pass
    async with database.transaction():
        pass
    await database.close()


async def test_commits_survive_a_power_cut_and_foreign_keys_hold(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/offhook.db")
    async with database.reading() as connection:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)):
            assert (await connection.execute(text(f"PRAGMA {pragma}"))).scalar_one() == value
    await database.close()


async def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/private/offhook.db")
    await database.create_all()
    folder = tmp_path / "private"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    await database.close()


@pytest.mark.parametrize("url", ["", "no url", "mysql://x/y", "sqlite://", "sqlite+aiosqlite:///:memory:"])
def test_a_url_that_cannot_work_is_refused_with_the_cure(url: str) -> None:
    with pytest.raises(DatabaseUnusable, match="sqlite"):
        Database(url)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnusable, match="cannot be used"):
        Database(f"sqlite:///{tmp_path}/file/offhook.db")


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseUnusable, match="not a database"):
        await database.migrate()
    await database.close()
    assert os.stat(path).st_size == 1900
