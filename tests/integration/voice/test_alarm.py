"""A timer on a running loop, by a clock of the test's own."""

from __future__ import annotations

import asyncio

from voice.alarm import Alarm


class Bell:
    def __init__(self) -> None:
        self.now = 100.0
        self.rung = asyncio.Event()
        self.alarm = Alarm(self.rung.set, lambda: self.now)


async def test_it_rings_at_a_deadline_and_once() -> None:
    bell = Bell()
    bell.alarm.set(100.0)
    async with asyncio.timeout(10):
        await bell.rung.wait()
    assert bell.alarm._timer is None
    bell.rung.clear()
    bell.alarm.set(100.0)
    async with asyncio.timeout(10):
        await bell.rung.wait()


async def test_a_deadline_that_has_not_changed_costs_nothing_and_one_that_is_gone_does_not_ring() -> None:
    bell = Bell()
    bell.alarm.set(1000.0)
    timer = bell.alarm._timer
    bell.alarm.set(1000.0)
    assert bell.alarm._timer is timer
    bell.alarm.set(None)
    assert bell.alarm._timer is None
    assert timer is not None
    assert timer.cancelled()


async def test_a_timer_that_fires_early_waits_for_the_rest() -> None:
    bell = Bell()
    bell.alarm.set(100.5)
    bell.alarm._fire()
    assert not bell.rung.is_set()
    assert bell.alarm._timer is not None
    bell.now = 100.5
    bell.alarm._fire()
    assert bell.rung.is_set()


async def test_an_alarm_that_is_closed_lets_go_of_whom_it_was_to_wake() -> None:
    bell = Bell()
    bell.alarm.set(100.0)
    bell.alarm.close()
    bell.alarm.set(99.0)
    bell.alarm._fire()
    assert not bell.rung.is_set()


async def test_a_deadline_that_is_put_off_keeps_its_timer_and_one_that_is_nearer_gets_another() -> None:
    bell = Bell()
    bell.alarm.set(1000.0)
    timer = bell.alarm._timer
    bell.alarm.set(2000.0)
    assert bell.alarm._timer is timer
    bell.now = 1000.0
    bell.alarm._fire()
    assert not bell.rung.is_set()
    later = bell.alarm._timer
    assert later is not timer
    bell.alarm.set(1500.0)
    assert bell.alarm._timer is not later
    bell.alarm.close()
