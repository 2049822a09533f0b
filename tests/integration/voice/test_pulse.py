"""The thread that judges: windows go to it from the loop, and what was found comes back to the loop."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from structlog.testing import capture_logs

from voice.detectors.call import CallDetectors, Found
from voice.detectors.pool import Batch, DetectorPool
from voice.detectors.pulse import Pulse
from voice.providers.silero import SileroRows

WINDOW = b"\xff" * 256


class Listener:
    """Collects what one call is told, and where."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.threads: set[int] = set()
        self._more = asyncio.Event()

    def tell(self, found: Found) -> None:
        self.found.append(found)
        self.threads.add(threading.get_ident())
        self._more.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.found) < count:
                self._more.clear()
                await self._more.wait()


class Fragile(SileroRows):
    """Fails once, and says in which thread it works."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = threading.Event()
        self.threads: set[int] = set()

    def run(self, heard: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        self.threads.add(threading.get_ident())
        if not self.failed.is_set():
            self.failed.set()
            raise RuntimeError("for once")
        return super().run(heard)


class Slow(SileroRows):
    """Thinks until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.thinks, self.may_go_on = threading.Event(), threading.Event()

    def run(self, heard: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        self.thinks.set()
        self.may_go_on.wait(20)
        return super().run(heard)


async def test_what_is_found_comes_back_to_the_loop_and_to_the_right_call():
    pulse, one, other = Pulse(DetectorPool(SileroRows()), gather=0.0), Listener(), Listener()
    first, second = pulse.enter(), pulse.enter()
    second.begin(other.tell)
    first.feed(WINDOW)  # nobody listens yet
    second.feed(WINDOW)
    await other.until(1)
    first.begin(one.tell)
    first.feed(WINDOW[:100])
    second.feed(WINDOW * 2)
    await other.until(3)
    first.feed(WINDOW[100:])
    await one.until(1)
    assert [found.position for found in other.found] == [256, 512, 768]
    assert one.found[-1].position == 512
    assert one.threads == other.threads == {threading.get_ident()}
    pulse.close()


async def test_windows_lost_to_a_fault_are_all_that_is_lost():
    model, listener = Fragile(), Listener()
    pulse = Pulse(DetectorPool(model), gather=0.0)
    call = pulse.enter()
    call.begin(listener.tell)
    with capture_logs() as logs:
        call.feed(WINDOW)
        assert await asyncio.to_thread(model.failed.wait, 20)
        call.feed(WINDOW)
        await listener.until(1)
    assert [found.position for found in listener.found] == [512]
    assert [entry["event"] for entry in logs] == ["detectors_failed"]
    assert threading.get_ident() not in model.threads
    pulse.close()


async def test_windows_that_come_while_the_model_thinks_are_next():
    model, listener = Slow(), Listener()
    pulse = Pulse(DetectorPool(model), gather=0.0)
    call = pulse.enter()
    call.begin(listener.tell)
    call.feed(WINDOW)
    assert await asyncio.to_thread(model.thinks.wait, 20)
    call.feed(WINDOW)
    pulse._turn()
    assert listener.found == []
    assert pulse.lag() > 0
    model.may_go_on.set()
    await listener.until(2)
    assert pulse.lag() == 0
    assert [found.position for found in listener.found] == [256, 512]
    pulse.close()


async def test_a_fault_in_what_follows_the_model_costs_one_batch(monkeypatch: pytest.MonkeyPatch):
    pool, listener = DetectorPool(SileroRows()), Listener()
    pulse = Pulse(pool, gather=0.0)
    call, failed, finish = pulse.enter(), asyncio.Event(), pool.finish

    def fail(batch: Batch) -> list[tuple[CallDetectors, Found]]:
        failed.set()
        monkeypatch.setattr(pool, "finish", finish)
        raise RuntimeError("for once")

    monkeypatch.setattr(pool, "finish", fail)
    call.begin(listener.tell)
    with capture_logs() as logs:
        call.feed(WINDOW)
        await asyncio.wait_for(failed.wait(), 20)
        call.feed(WINDOW)
        await listener.until(1)
    assert [found.position for found in listener.found] == [512]
    assert [entry["event"] for entry in logs] == ["detectors_failed"]
    pulse.close()


async def test_a_closed_pulse_judges_nothing():
    pool = DetectorPool(SileroRows())
    pulse = Pulse(pool, gather=0.0)
    call = pulse.enter()
    pulse.close()
    call.feed(WINDOW)
    assert len(pool.turn()) == 1


def test_a_loop_that_is_gone_ends_the_thread():
    async def leave() -> tuple[Pulse, threading.Thread]:
        before = set(threading.enumerate())
        pulse = Pulse(DetectorPool(SileroRows()))
        (thread,) = set(threading.enumerate()) - before
        pulse.enter().feed(WINDOW)
        return pulse, thread

    pulse, thread = asyncio.run(leave())
    pulse._turn()
    thread.join(20)
    assert not thread.is_alive()


async def test_a_window_waits_for_company_the_longer_the_more_calls_there_are():
    pulse = Pulse(DetectorPool(SileroRows()))
    patience = {}
    calls = []
    for count in (1, 40, 60, 80, 400):
        calls += [pulse.enter() for _ in range(count - len(calls))]
        patience[count] = round(pulse.patience, 4)
    assert patience == {1: 0.008, 40: 0.008, 60: 0.012, 80: 0.016, 400: 0.016}
    pulse.close()
