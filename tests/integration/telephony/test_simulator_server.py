"""The network as a process of its own: starting, stopping, and the clock of its lines."""

from __future__ import annotations

import asyncio
import signal

import httpx
import pytest

from telephony.simulator.people import PeopleFileError
from telephony.simulator.server import Options, main_async
from telephony.simulator.wheel import SLOTS, Wheel


class SilentMouth:
    async def say(self, text: str, voice: str) -> bytes:
        return b"\xff" * 160


async def test_a_process_runs_until_it_is_told_to_stop(tmp_path, unused_port):
    people = tmp_path / "people.toml"
    people.write_text('[[people]]\nnumber = "+16145550101"\n')
    ready = asyncio.Event()
    running = asyncio.create_task(main_async(Options(people, port=unused_port), SilentMouth(), ready.set))
    await ready.wait()
    async with httpx.AsyncClient(trust_env=False) as client:
        found = await client.get(f"http://127.0.0.1:{unused_port}/simulator/people")
        assert found.json()["people"][0]["number"] == "+16145550101"
        refused = await client.post(
            f"http://127.0.0.1:{unused_port}/simulator/calls", json={"from": "+16145550101", "to": "+16145550100"}
        )
        assert refused.status_code == 409
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(running, 5)


async def test_a_people_file_that_cannot_be_used_stops_it_before_it_starts(tmp_path):
    people = tmp_path / "people.toml"
    people.write_text("people = 1")
    with pytest.raises(PeopleFileError):
        await main_async(Options(people, port=0), SilentMouth(), lambda: None)


async def test_stopping_in_the_middle_of_a_call_leaves_nothing_behind(engine, start_network, connect):
    network = await start_network('[[people]]\nnumber = "+16145550101"\nring = 0.05\n')
    await connect(network).place("+16145550101", "+16145550100", f"{engine.url}/voice", f"{engine.url}/status")
    await engine.until(lambda: len(engine.links) == 1)
    await network.stop()
    await network.stop()
    assert network.network._tasks == set()


class Counting:
    """A line that leaves after so many ticks."""

    def __init__(self, wheel, ticks):
        self.wheel = wheel
        self.left = ticks
        self.turns = []
        self.done = asyncio.Event()

    def tick(self, late_ms):
        assert late_ms >= 0
        self.turns.append(self.wheel.counters.turns)
        self.left -= 1
        if not self.left:
            self.wheel.leave(self)
            self.done.set()


async def test_every_line_ticks_once_a_round_however_late_the_loop_is():
    wheel = Wheel()
    lines = [Counting(wheel, 10) for _ in range(6)]
    for line in lines:
        wheel.join(line)
    await asyncio.wait_for(asyncio.gather(*(line.done.wait() for line in lines)), 5)
    for line in lines:
        assert [after - before for before, after in zip(line.turns, line.turns[1:], strict=False)] == [SLOTS] * 9
    assert len({line.turns[0] for line in lines}) == SLOTS
    late = Counting(wheel, 3)
    wheel.join(late)
    await asyncio.wait_for(late.done.wait(), 5)
    wheel.stop()
    wheel.stop()
    assert wheel.counters.restarts == 0


async def test_after_a_long_sleep_the_wheel_starts_afresh(monkeypatch):
    monkeypatch.setattr("telephony.simulator.wheel.LONGEST_CATCH_UP", -1.0)
    wheel = Wheel()
    wheel.join(Counting(wheel, 1))
    restarts = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.05, restarts.set_result, None)
    await restarts
    wheel.stop()
    assert wheel.counters.restarts > 0
