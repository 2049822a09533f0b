"""Hundreds of calls end at once."""

from __future__ import annotations

import asyncio

from api.after_calls import AfterCalls


async def test_few_are_closed_at_once_and_in_the_order_in_which_they_ended() -> None:
    after, done = AfterCalls(lambda: False, at_once=2), asyncio.Event()
    inside: list[int] = []
    most, began = 0, []

    async def close(number: int) -> None:
        nonlocal most
        async with after.turn():
            began.append(number)
            inside.append(number)
            most = max(most, len(inside))
            await asyncio.sleep(0)
            inside.remove(number)
        if number == 99:
            done.set()

    async with asyncio.TaskGroup() as tasks:
        for number in range(100):
            tasks.create_task(close(number))
    assert (most, began, done.is_set()) == (2, list(range(100)), True)


async def test_while_live_calls_are_late_everybody_rests_before_they_work() -> None:
    is_late, rested = True, []
    after = AfterCalls(lambda: is_late, at_once=1, rest=0.0)
    loop_goes_on = asyncio.get_running_loop().call_soon

    async def close() -> None:
        loop_goes_on(rested.append, "live")
        async with after.turn():
            rested.append("books")

    await close()
    is_late = False
    await close()
    assert rested == ["live", "books", "books"]
