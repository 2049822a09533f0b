"""One database, two ways in: a transaction that may write, a reading that may not.

SQLite for one machine, PostgreSQL beyond it, the same SQL for both. Decides nothing about what is stored; never retries
a transaction by itself, because only the caller knows whether its work may be done twice.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import aiosqlite
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, text
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.errors import DatabaseUnusable, TransactionMisused
from storage.tables import load_tables

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BUSY_TIMEOUT: Final = 10_000  # milliseconds to wait for another process's write; our longest transaction is far below
MIGRATION_LOCK: Final = 0x0FF400C  # PostgreSQL advisory lock: two processes starting at once migrate one after the other

_MAY_WRITE: Final = "offhook_may_write"


class Database:
    """The engine and its rules. `url` is a SQLAlchemy URL; a bare `sqlite:///` or `postgresql://` gets its async driver.

    Raises `DatabaseUnusable` for a URL that cannot work. Nothing is connected until the first use.
    """

    def __init__(self, url: str) -> None:
        self.url = _async_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(self.url) if self.is_sqlite else _server_engine(self.url)
        self.commits = 0  # transactions committed through this object; see `committed`
        self._writer = asyncio.Lock()
        self._writing: asyncio.Task[Any] | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may write: committed at the end of the block, rolled back if it raises.

        On SQLite it takes the one write lock at once (BEGIN IMMEDIATE), so what is read inside stays true until the commit.
        Tasks of one process queue fairly; other processes are waited for up to `BUSY_TIMEOUT`.
        """
        if not self.is_sqlite:
            async with self._engine.begin() as connection:
                yield connection
            self._tell_committed()
            return
        task = asyncio.current_task()
        if task is not None and task is self._writing:
            raise TransactionMisused("this task already holds a transaction; pass its connection on instead")
        async with self._writer:
            self._writing = task
            try:
                async with self._engine.connect() as bare:
                    connection = await bare.execution_options(**{_MAY_WRITE: True})
                    async with connection.begin():
                        yield connection
            finally:
                self._writing = None
        self._tell_committed()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One consistent picture, not to be written through. Never waits for a writer on SQLite (WAL)."""
        async with self._engine.connect() as connection:
            if not self.is_sqlite:
                connection = await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    async def committed(self, since: int, within: float) -> None:
        """Wait until `commits` has passed `since`, at most `within` seconds (other processes' commits are not seen)."""
        if self.commits != since:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait([waiting], timeout=within)
        finally:
            self._waiting.discard(waiting)

    async def migrate(self) -> None:
        """Bring the tables up to date (`alembic upgrade head`), in one transaction. Says nothing when all is well.

        Raises `DatabaseUnusable` when the database cannot be reached or was made by a newer version.
        """
        try:
            async with self.transaction() as connection:
                if not self.is_sqlite:
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                await connection.run_sync(_upgrade)
        except CommandError as error:
            raise DatabaseUnusable(f"{self._where()} does not fit this version of offhook: {error}") from error
        except (OSError, DBAPIError) as error:
            raise DatabaseUnusable(f"{self._where()} cannot be used: {_first_line(error)}") from error

    async def create_all(self) -> None:
        """Make the tables straight from their definitions, without migrations: for tests."""
        metadata = load_tables()
        async with self.transaction() as connection:
            await connection.run_sync(metadata.create_all)

    async def close(self) -> None:
        await self._engine.dispose()

    def _tell_committed(self) -> None:
        self.commits += 1
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def _where(self) -> str:
        return f"the database {self.url.render_as_string(hide_password=True)}"


def _async_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnusable(
            "OFFHOOK_DATABASE_URL is not a database URL, e.g. sqlite+aiosqlite:////var/lib/o.db"
        ) from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    parsed = parsed.set(drivername=drivers.get(parsed.drivername, parsed.drivername))
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise DatabaseUnusable(f"{parsed.drivername} is not supported: use sqlite+aiosqlite or postgresql+asyncpg")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        # Every connection to :memory: is its own database: a reading would not see what a transaction wrote.
        raise DatabaseUnusable("a SQLite database needs a file, e.g. sqlite+aiosqlite:///offhook.db")
    return parsed


def _sqlite_engine(url: URL) -> AsyncEngine:
    assert url.database is not None
    _make_private_file(Path(url.database))
    engine = create_async_engine(url, pool_size=8, max_overflow=16, async_creator=partial(_open_sqlite, url))
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


async def _open_sqlite(url: URL) -> aiosqlite.Connection:
    arguments, options = SQLiteDialect_aiosqlite().create_connect_args(url)
    # The driver must not open transactions by itself: it would begin a deferred one before the first write, too late to
    # protect what was read before it. `_begin_sqlite` begins them.
    connection = aiosqlite.connect(*arguments, isolation_level=None, **options)
    connection._thread.daemon = True  # as SQLAlchemy does when it connects itself: a stuck disk must not keep the process
    # A task cancelled twice has its connection closed and stopped side by side. The driver answers a stop from its
    # thread, which ends at the first one: the second stop would be waited for until the process is killed.
    connection.stop = cache(connection.stop)  # type: ignore[method-assign]
    await connection
    try:
        await connection.execute_fetchall(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        await _use_wal(connection)
        # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits when the power fails, and one of them may be the
        # DISPATCHING that keeps a phone from being rung twice. A commit is rare beside 50 audio frames a second.
        # https://www.sqlite.org/pragma.html#pragma_synchronous
        await connection.execute_fetchall("PRAGMA synchronous = FULL")
        await connection.execute_fetchall("PRAGMA foreign_keys = ON")
    except BaseException:
        await connection.close()
        raise
    return connection


async def _use_wal(connection: aiosqlite.Connection) -> None:
    """Switch the file to write-ahead logging, which it then keeps.

    `BUSY_TIMEOUT` does not cover the switch: two processes that both read the new file would wait for each other, so
    SQLite refuses one of them at once ("database is locked") and leaves it to come again.
    """
    give_up = time.monotonic() + BUSY_TIMEOUT / 1000
    while True:
        try:
            await connection.execute_fetchall("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        await asyncio.sleep(0.01)


def _server_engine(url: URL) -> AsyncEngine:
    try:
        return create_async_engine(url, pool_size=8, max_overflow=16, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise DatabaseUnusable(f"{url.drivername} needs its driver: install offhook[postgres]") from error


def _make_private_file(path: Path) -> None:
    """Contacts and transcripts are personal: the file is its owner's alone. SQLite gives -wal and -shm the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_uid == os.getuid():
            path.chmod(0o600)
    except OSError as error:
        raise DatabaseUnusable(f"the database file {path} cannot be used: {error.strerror}") from error


def _begin_sqlite(connection: Connection) -> None:
    may_write = connection.get_execution_options().get(_MAY_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if may_write else "BEGIN")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command.upgrade(config, "head")


def _first_line(error: Exception) -> str:
    return (str(error.orig) if isinstance(error, DBAPIError) else str(error)).splitlines()[0]
