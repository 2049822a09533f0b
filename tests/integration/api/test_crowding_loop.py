"""A running loop, watched."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from api import crowding
from api.crowding import CROWDED, Crowding


async def test_a_loop_that_is_late_is_full_and_then_has_room_again() -> None:
    watch = Crowding(0.1)
    with capture_logs() as logs:
        for lag in [1.0] * crowding._LOOKS:
            watch._timer.cancel()
            watch._due -= lag + crowding.LOOK_EVERY
            watch._look()
        assert watch.is_full
        hold = watch.hold()
        assert hold is not None
        assert hold.code == CROWDED
        for _ in range(crowding._LOOKS):
            watch._timer.cancel()
            watch._due += 10.0
            watch._look()
    assert watch.hold() is None
    assert [entry["event"] for entry in logs] == ["too_busy", "room_again"]
    watch.close()


async def test_detectors_that_are_late_are_a_crowd_too() -> None:
    lag = 0.3
    watch = Crowding(0.1, lambda: lag)
    for lag in [0.3] * crowding._LOOKS + [0.0] * crowding._LOOKS:
        watch._timer.cancel()
        watch._due = watch._loop.time()
        watch._look()
        if lag and len(watch._lateness._lags) == crowding._LOOKS:
            assert watch.is_full
    assert not watch.is_full
    watch.close()


async def test_it_looks_by_itself_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowding, "LOOK_EVERY", 0.0)
    watch, looked = Crowding(0.1), asyncio.Event()
    monkeypatch.setattr(watch._lateness, "saw", lambda lag: looked.set())
    async with asyncio.timeout(10):
        await looked.wait()
    watch.close()
    assert watch._timer.cancelled()
