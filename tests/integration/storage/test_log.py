from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from storage.database import Database
from storage.events import CallAnswered, CallNoted, Foreign, Recorded
from storage.log import append, follow, newest, read
from storage.tables.log import events

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


async def write(database: Database, *texts: str, call_id: str = "") -> None:
    async with database.transaction() as connection:
        for text in texts:
            await append(connection, CallNoted(note="caller", text=text), AT, call_id=call_id)


async def test_events_are_read_in_order_from_any_id(database: Database) -> None:
    async with database.reading() as connection:
        assert await newest(connection) == 0
    await write(database, "one", "two", call_id="A")
    await write(database, "three", call_id="B")
    async with database.transaction() as connection:
        last = await append(connection, CallAnswered(), AT, call_id="B", attempt_id="T")
    async with database.reading() as connection:
        everything = await read(connection)
        assert [recorded.id for recorded in everything] == [1, 2, 3, 4]
        assert everything[0] == Recorded(1, AT, CallNoted(note="caller", text="one"), "A")
        assert everything[3] == last
        assert await read(connection, after=3) == [last]
        assert await read(connection, after=1, limit=1) == everything[1:2]
        assert await read(connection, call_id="B") == everything[2:]
        assert await read(connection, attempt_id="T") == [last]
        assert await newest(connection) == 4


async def test_a_change_that_is_undone_leaves_no_event(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await append(connection, CallAnswered(), AT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.reading() as connection:
        assert await read(connection) == []


async def test_a_row_this_version_cannot_read_hides_no_other(database: Database) -> None:
    async with database.transaction() as connection:
        odd = {"at": AT, "kind": "odd", "call_id": "", "attempt_id": "", "payload": {"x": 1}}
        await connection.execute(insert(events).values(odd))
    await write(database, "fine")
    async with database.reading() as connection:
        kinds = [recorded.event for recorded in await read(connection)]
    assert kinds == [Foreign("odd", {"x": 1}), CallNoted(note="caller", text="fine")]


async def test_a_follower_sees_the_past_it_asked_for_and_then_each_commit(database: Database) -> None:
    await write(database, "before")
    heard = follow(database, after=0, every=60)
    assert (await anext(heard)).event == CallNoted(note="caller", text="before")
    waiting = asyncio.ensure_future(anext(heard))
    await write(database, "after")
    assert (await waiting).event == CallNoted(note="caller", text="after")
    await heard.aclose()


async def test_a_follower_from_now_on_skips_the_past_and_sees_other_processes(database: Database, url: str) -> None:
    await write(database, "before")
    heard = follow(database, every=0.01)
    waiting = asyncio.ensure_future(anext(heard))
    async with asyncio.timeout(10):
        commits = database.commits
        while commits == database.commits and not waiting.done():
            other = Database(url)
            await write(other, "elsewhere")
            await other.close()
            await asyncio.wait([waiting], timeout=0.05)
    assert (await waiting).event == CallNoted(note="caller", text="elsewhere")
    await heard.aclose()
