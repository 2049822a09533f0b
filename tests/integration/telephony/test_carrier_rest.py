"""The official SDK against the network's REST API, and against servers that misbehave."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from telephony.errors import CarrierError
from telephony.twilio.rest import ChangeRefused, ChangeUnknown, Placed, PlaceRefused, PlaceUnknown, TwilioCarrier

DANA = "+16145550101"
OURS = "+16145550100"
PEOPLE = f'[[people]]\nnumber = "{DANA}"\nring = 30.0\n'
ACCOUNT = "AC" + "1" * 32


async def test_place_fetch_find_and_call_off(engine, start_network, connect):
    network = await start_network(PEOPLE)
    carrier = connect(network)
    before = datetime.now(UTC)
    placed = await carrier.place(DANA, OURS, f"{engine.url}/voice", f"{engine.url}/status")
    assert isinstance(placed, Placed)
    assert placed.status == "queued"
    assert [record.call_sid for record in await carrier.find(DANA, before)] == [placed.call_sid]
    assert await carrier.find(DANA, before + timedelta(hours=1)) == []
    assert await carrier.find("+16145550199", before) == []
    await engine.until(lambda: engine.statuses() == ["initiated", "ringing"])
    record = await carrier.fetch(placed.call_sid)
    assert record is not None
    assert (record.status, record.duration) == ("ringing", None)
    assert (await carrier.hang_up(placed.call_sid)).status == "ringing"
    await engine.until(lambda: len(engine.statuses()) == 3)
    assert engine.statuses()[-1] == "canceled"
    await carrier.check()


async def test_what_twilio_does_not_know(start_network, connect):
    carrier = connect(await start_network(PEOPLE))
    assert await carrier.fetch("CA" + "0" * 32) is None
    refused = await carrier.hang_up("CA" + "0" * 32)
    assert isinstance(refused, ChangeRefused)
    assert refused.verdict.code == 20404


async def test_a_wrong_token_stops_the_dialling(start_network, connect):
    carrier = connect(await start_network(PEOPLE), token="wrong")
    refused = await carrier.place(DANA, OURS, "http://x.example/v", "http://x.example/s")
    assert isinstance(refused, PlaceRefused)
    assert (refused.verdict.code, refused.verdict.stops_dialing) == (20003, True)
    with pytest.raises(CarrierError, match="twilio_20003"):
        await carrier.check()
    with pytest.raises(CarrierError):
        await carrier.fetch("CA1")
    with pytest.raises(CarrierError):
        await carrier.find(DANA, datetime.now(UTC))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21201),
        ({"From": ""}, 21213),
        ({"To": "+1614"}, 21211),
        ({"To": OURS}, 21211),
        ({"From": "me"}, 21212),
        ({"From": "+16145550177"}, 21210),
        ({"Url": ""}, 21205),
        ({"Url": "ftp://x"}, 21205),
        ({"Url": "", "Twiml": "x" * 4001}, 32018),
        ({"Timeout": "soon"}, 21208),
        ({"Timeout": "601"}, 21208),
    ],
)
async def test_refusals_of_a_new_call(start_network, change, code):
    network = await start_network(PEOPLE, own_numbers=(OURS,))
    form = {"To": DANA, "From": OURS, "Url": "http://x.example/v"} | change
    async with httpx.AsyncClient(auth=(ACCOUNT, "the-token"), trust_env=False) as client:
        answer = await client.post(f"{network.url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json", data=form)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["more_info"].endswith(str(code))
    assert network.network.calls == {}


async def test_a_wrong_status_event_is_accepted_and_nothing_ever_comes(engine, start_network):
    network = await start_network(PEOPLE.replace("30.0", "0.0").replace("ring", 'attempts = ["busy"]\nring'))
    form = {
        "To": DANA,
        "From": OURS,
        "Twiml": "<Response/>",
        "StatusCallback": f"{engine.url}/status",
        "StatusCallbackEvent": "initiated ringing",
    }
    async with httpx.AsyncClient(auth=(ACCOUNT, "the-token"), trust_env=False) as client:
        answer = await client.post(f"{network.url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json", data=form)
        assert answer.status_code == 201
        await asyncio.wait_for(network.network.calls[answer.json()["sid"]].ended.wait(), 5)
        missing = await client.get(f"{network.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
        assert (missing.status_code, missing.json()["code"]) == (404, 20404)
        base = f"{network.url}/2010-04-01/Accounts/{ACCOUNT}/Calls/{answer.json()['sid']}.json"
        assert (await client.post(base, data={"Url": "http://x", "Twiml": "y"})).json()["code"] == 32019
        listed = await client.get(
            f"{network.url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json", params={"StartTime>": "2020-01-01", "Status": "busy"}
        )
        assert len(listed.json()["calls"]) == 1
        bad = await client.get(f"{network.url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json", params={"StartTime": "soon"})
        assert bad.status_code == 400
    assert engine.statuses() == []


async def test_live_calls_refuse_what_makes_no_sense(engine, start_network, connect):
    network = await start_network(PEOPLE)
    carrier = connect(network)
    placed = await carrier.place(DANA, OURS, f"{engine.url}/voice", f"{engine.url}/status")
    early = await carrier.redirect(placed.call_sid, "<Response/>")
    assert early.verdict.code == 21220
    async with httpx.AsyncClient(auth=(ACCOUNT, "the-token"), trust_env=False) as client:
        base = f"{network.url}/2010-04-01/Accounts/{ACCOUNT}/Calls/{placed.call_sid}.json"
        assert (await client.post(base, data={"Status": "busy"})).json()["code"] == 21218
        assert (await client.post(base, data={})).status_code == 200


async def test_control_routes(engine, start_network):
    network = await start_network(PEOPLE)
    async with httpx.AsyncClient(base_url=network.url, trust_env=False) as client:
        assert (await client.get("/simulator/people")).json()["people"][0]["number"] == DANA
        assert (await client.post("/simulator/calls", json={"from": "+16145550155", "to": OURS})).status_code == 404
        assert (await client.post("/simulator/calls", json=[1])).status_code == 400
        assert (await client.post("/simulator/calls", json={"from": DANA})).status_code == 400
        made = (await client.post("/simulator/calls", json={"from": DANA, "to": OURS})).json()["call_sid"]
        await engine.until(lambda: len(engine.links) == 1)
        assert (await client.get(f"/simulator/calls/{made}")).json()["status"] == "in-progress"
        assert (await client.post(f"/simulator/calls/{made}/hangup")).status_code == 202
        await asyncio.wait_for(network.network.calls[made].ended.wait(), 5)
        assert (await client.post(f"/simulator/calls/{made}/hangup")).status_code == 404
        [listed] = (await client.get("/simulator/calls")).json()["calls"]
        assert listed["wav"].endswith(f"{made}.wav")
        assert (await client.get("/simulator/calls/CAx")).status_code == 404


# --- what may have been dialled is never called refused ------------------------------------------------------------------


async def odd_server(reply: bytes | None) -> tuple[asyncio.Server, str, list[bytes]]:
    """A server that answers every request with these bytes, or drops the connection after reading it."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        if reply is not None:
            writer.write(reply)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def http(status: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (None, "connection_lost"),
        (b"not http at all\r\n\r\n", "connection_lost"),
        (http("500 Oops", "{}"), "http_500"),
        (http("503 Busy", '{"code":20503,"message":"x","status":503}'), "http_503"),
        (http("408 Late", "{}"), "http_408"),
        (http("201 Created", "not json"), "answer_not_json"),
        (http("201 Created", "[]"), "answer_unreadable"),
        (http("201 Created", "{}"), "answer_without_sid"),
    ],
)
async def test_a_call_that_may_ring_is_unknown_and_asked_for_once(reply, why):
    server, url, asked = await odd_server(reply)
    carrier = TwilioCarrier(ACCOUNT, "t", url)
    async with server:
        outcome = await carrier.place(DANA, OURS, "http://x.example/v", "http://x.example/s")
        changed = await carrier.hang_up("CA1")
    await carrier.close()
    assert outcome == PlaceUnknown(why)
    assert isinstance(changed, ChangeUnknown | ChangeRefused) or why == "answer_without_sid"
    assert len(asked) == 2


async def test_nobody_listening_means_nothing_was_dialled():
    server, url, _ = await odd_server(None)
    server.close()
    await server.wait_closed()
    carrier = TwilioCarrier(ACCOUNT, "t", url)
    outcome = await carrier.place(DANA, OURS, "http://x.example/v", "http://x.example/s")
    assert isinstance(outcome, PlaceRefused)
    assert outcome.verdict.may_retry
    assert isinstance(await carrier.hang_up("CA1"), ChangeUnknown)
    with pytest.raises(CarrierError) as caught:
        await carrier.check()
    assert caught.value.retryable
    await carrier.close()


async def test_an_answer_too_late_is_unknown(engine, start_network, connect):
    network = await start_network(PEOPLE + "[people.faults]\ncreate_hang = 5.0\n")
    carrier = connect(network, answer_timeout=0.5)
    before = datetime.now(UTC)
    assert await carrier.place(DANA, OURS, f"{engine.url}/voice", f"{engine.url}/status") == PlaceUnknown("timed_out")
    # The phone rings all the same, and that is how one finds out.
    patient = connect(network)
    [found] = await patient.find(DANA, before)
    assert found.call_sid in network.network.calls
