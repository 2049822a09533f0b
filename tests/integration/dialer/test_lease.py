from __future__ import annotations

import asyncio
import os
import platform
import subprocess
import sys
from typing import Any

import pytest

from dialer.lease import LEASE, RightToDial, is_gone
from dialer.ports import AttemptStore, Lease

World = Any


async def test_one_has_the_right_and_the_other_gets_it_when_it_runs_out(world: World) -> None:
    first, second = RightToDial(world.store), RightToDial(world.store)
    assert first.is_due(world.clock.at())
    assert await first.take(world.clock.at())
    assert not first.is_due(world.clock.at())
    assert not await second.take(world.clock.at())
    assert second.renew_in(world.clock.at()) == LEASE.total_seconds() / 2
    world.clock.seconds += 8
    assert first.is_due(world.clock.at())
    assert await first.take(world.clock.at())
    world.clock.seconds += 14
    assert not await second.take(world.clock.at())
    world.clock.seconds += 1
    assert await second.take(world.clock.at())
    assert not await first.take(world.clock.at())
    await first.give_up(world.clock.at())
    assert not await first.take(world.clock.at())


async def test_who_gives_it_up_makes_nobody_wait(world: World) -> None:
    first, second = RightToDial(world.store), RightToDial(world.store)
    await first.give_up(world.clock.at())
    assert await first.take(world.clock.at())
    await first.give_up(world.clock.at())
    assert await second.take(world.clock.at())
    async with world.store.transaction() as work:
        assert await work.swap_lease(await work.lease(), Lease("elsewhere/1/x", world.clock.at() + LEASE))
    await second.give_up(world.clock.at())
    async with world.store.reading() as work:
        assert (await work.lease()).holder == "elsewhere/1/x"


@pytest.fixture
def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


async def test_a_process_of_this_machine_that_has_died_makes_nobody_wait(
    store: AttemptStore, world: World, dead_process: int
) -> None:
    async with store.transaction() as work:
        await work.swap_lease(None, Lease(f"{platform.node()}/{dead_process}/x", world.clock.at() + LEASE))
    assert await RightToDial(store).take(world.clock.at())


def test_who_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_gone(f"{platform.node()}/{os.getpid()}/x")
    assert not is_gone("another-machine/1/x")

    def not_yours(process: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", not_yours)
    assert not is_gone(f"{platform.node()}/1/x")


async def test_of_two_runners_one_dials_and_the_other_takes_over(world: World) -> None:
    standing_by = world.new_runner()
    async with asyncio.timeout(20):
        await world.campaign("+16145550101")
        first = asyncio.create_task(world.runner.run())
        await world.carrier.taken.wait()
        second = asyncio.create_task(standing_by.run())
        world.carrier.taken.clear()
        world.runner.close()
        await first
        await world.campaign("+16145550102", campaign_id="c2")
        standing_by.wake()
        await world.carrier.taken.wait()
        standing_by.close()
        await second
    assert [number for number, _ in world.carrier.placed] == ["+16145550101", "+16145550102"]
