"""The one ticker of all calls."""

from __future__ import annotations

import asyncio

from voice.wheel import TICK, Wheel


async def test_a_pump_is_called_at_once_then_as_it_asks_and_not_again() -> None:
    wheel, done, calls = Wheel(), asyncio.Event(), []
    delays: list[float | None] = [TICK, 0.0, None]

    def pump() -> float | None:
        calls.append(asyncio.get_running_loop().time())
        delay = delays.pop(0)
        if delay is None:
            done.set()
        return delay

    wheel.start(pump)
    assert len(calls) == 1
    async with asyncio.timeout(10):
        await done.wait()
    assert len(calls) == 3
    assert wheel._timer is None
    assert not wheel._due


async def test_one_that_starts_again_is_called_for_the_last_time_it_asked_for() -> None:
    wheel, done = Wheel(), asyncio.Event()
    calls: list[str] = []

    def twice() -> float | None:
        calls.append("twice")
        return 0.0 if len(calls) < 3 else done.set()

    wheel.start(twice)
    wheel.start(twice)
    async with asyncio.timeout(10):
        await done.wait()
    assert calls == ["twice"] * 3


async def test_one_that_is_forgotten_is_not_called() -> None:
    wheel, done = Wheel(), asyncio.Event()
    calls: list[str] = []

    def gone() -> float | None:
        calls.append("gone")
        return 0.0

    def other() -> float | None:
        calls.append("other")
        return 0.0 if calls.count("other") < 3 else done.set()

    wheel.start(gone)
    wheel.start(other)
    wheel.forget(gone)
    async with asyncio.timeout(10):
        await done.wait()
    assert calls.count("gone") == 1


async def test_a_pump_that_starts_another_in_its_turn_is_no_trouble() -> None:
    wheel, done = Wheel(), asyncio.Event()

    def second() -> float | None:
        done.set()
        return None

    turns = iter([0.0, None])

    def first() -> float | None:
        delay = next(turns)
        if delay is None:
            wheel.start(second)
        return delay

    wheel.start(first)
    async with asyncio.timeout(10):
        await done.wait()
