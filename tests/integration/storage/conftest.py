from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database import Database

# Where there is a PostgreSQL for tests (its database is emptied for each), everything here is tried on it as well.
POSTGRES = os.environ.get("OFFHOOK_TEST_POSTGRES", "")
KINDS = ["sqlite", "postgres"] if POSTGRES else ["sqlite"]


@pytest.fixture(params=KINDS)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database's."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/private/offhook.db"
    server = Database(POSTGRES)
    async with server.transaction() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await server.close()
    return POSTGRES


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.create_all()
    yield database
    await database.close()
