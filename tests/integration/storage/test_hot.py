from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from storage.events import CallNoted, Recorded
from storage.hot import Hot, Missed

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


def said(number: int, call_id: str = "") -> Recorded:
    return Recorded(number, AT, CallNoted(note="caller", text=str(number)), call_id)


async def test_every_watcher_gets_what_it_wants_from_when_it_came() -> None:
    hot = Hot()
    hot.publish(said(1))
    async with hot.subscribe() as everything, hot.subscribe(lambda recorded: recorded.call_id == "B") as one_call:
        hot.publish(said(2, "A"))
        hot.publish(said(3, "B"))
        assert [await anext(everything), await anext(everything)] == [said(2, "A"), said(3, "B")]
        assert await anext(one_call) == said(3, "B")


async def test_a_waiting_watcher_is_woken() -> None:
    hot = Hot()
    async with hot.subscribe() as place:
        waiting = asyncio.ensure_future(anext(place))
        await asyncio.sleep(0)
        hot.publish(said(1))
        assert await waiting == said(1)


async def test_a_slow_watcher_loses_the_oldest_and_is_told_how_many() -> None:
    hot = Hot()
    async with hot.subscribe(capacity=2) as slow, hot.subscribe() as quick:
        for number in range(1, 6):
            hot.publish(said(number))
        assert [await anext(slow) for _ in range(3)] == [Missed(3), said(4), said(5)]
        hot.publish(said(6))
        assert await anext(slow) == said(6)
        assert [(await anext(quick)) for _ in range(6)] == [said(number) for number in range(1, 7)]


async def test_leaving_ends_the_watch_and_nothing_is_kept_for_those_who_left() -> None:
    hot = Hot()
    async with hot.subscribe() as place:
        hot.publish(said(1))
    hot.publish(said(2))
    assert [event async for event in place] == [said(1)]


async def test_closing_the_feed_sends_waiting_watchers_home() -> None:
    hot = Hot()
    async with hot.subscribe() as place:
        waiting = asyncio.ensure_future(anext(place))
        await asyncio.sleep(0)
        hot.close()
        with pytest.raises(StopAsyncIteration):
            await waiting
