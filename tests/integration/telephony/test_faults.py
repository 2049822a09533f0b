"""A network that does wrong what it was asked to do wrong."""

from __future__ import annotations

import asyncio

import pytest

from telephony.leg import LegStopped
from telephony.twilio import callbacks

DANA = "+16145550101"
OURS = "+16145550100"


def people(faults: str, lines: str = "[{at=0.3, hang_up=true}]") -> str:
    return f'[[people]]\nnumber = "{DANA}"\nring = 0.05\nlines = {lines}\n[people.faults]\n{faults}\n'


async def run(engine, network, carrier):
    placed = await carrier.place(DANA, OURS, f"{engine.url}/voice", f"{engine.url}/status")
    call = network.network.calls[placed.call_sid]
    await asyncio.wait_for(call.ended.wait(), 20)
    return call.describe()


@pytest.mark.parametrize(
    ("faults", "arrived"),
    [
        ("doubled = true", ["initiated"] * 2 + ["ringing"] * 2 + ["in-progress"] * 2 + ["completed"] * 2),
        ("shuffled = true", ["ringing", "initiated", "completed", "in-progress"]),
        ("late = 0.1", ["initiated", "ringing", "in-progress", "completed"]),
        ('lost = ["ringing", "answered"]', ["initiated", "completed"]),
    ],
)
async def test_status_callbacks_in_disorder_can_be_put_right(engine, start_network, connect, faults, arrived):
    network = await start_network(people(faults))
    await run(engine, network, connect(network))
    await engine.until(lambda: len(engine.statuses()) == len(arrived))
    assert engine.statuses() == arrived
    known = None
    for form in engine.forms("/status"):
        status = callbacks.status_changed(form)
        if callbacks.is_news(known, status):
            known = status.call_status
    assert known == "completed"


async def test_the_media_socket_drops(engine, start_network, connect):
    reasons = []

    async def listen(link, events):
        reasons.extend([event.reason async for event in events if isinstance(event, LegStopped)])

    engine.behave = listen
    network = await start_network(people("drop_media_after = 0.2", "[]"))
    truth = await run(engine, network, connect(network))
    await engine.until(lambda: bool(reasons))
    assert reasons == ["dropped"]
    assert truth["ended_by"] == "engine"  # the <Hangup/> after <Connect>
    assert truth["notes"] == ["31921: stream closed with no close frame"]


async def test_garbage_on_the_media_socket_ends_that_link(engine, start_network, connect):
    reasons = []

    async def listen(link, events):
        stops = [event async for event in events if isinstance(event, LegStopped)]
        reasons.extend((event.reason, link.violation.code, link.counters.violations) for event in stops)

    engine.behave = listen
    network = await start_network(people("garbage_media_after = 0.2", "[]"))
    truth = await run(engine, network, connect(network))
    assert reasons == [("violation", "not_json", 1)]
    assert truth["notes"] == ["31921: stream closed with 1002"]


async def test_lost_instructions(engine, start_network, connect):
    network = await start_network(people('lost = ["voice", "amd"]'))
    truth = await run(engine, network, connect(network))
    assert truth["notes"] == ["11205: no instructions"]
    assert engine.forms("/voice") == []


async def test_an_engine_that_is_not_there(start_network, connect, engine):
    network = await start_network(people(""))
    placed = await connect(network).place(DANA, OURS, "http://127.0.0.1:9/voice", "http://127.0.0.1:9/status")
    call = network.network.calls[placed.call_sid]
    await asyncio.wait_for(call.ended.wait(), 10)
    notes = call.describe()["notes"]
    assert "11205: no instructions" in notes


@pytest.mark.parametrize("path", ["/nowhere", "/status"])
async def test_an_engine_without_a_document(start_network, connect, engine, path):
    network = await start_network(people(""))
    placed = await connect(network).place(DANA, OURS, f"{engine.url}{path}", f"{engine.url}/nowhere")
    call = network.network.calls[placed.call_sid]
    await asyncio.wait_for(call.ended.wait(), 10)
    assert {"11200: no instructions", "12300: no instructions"} & set(call.ledger.notes)
