"""The server on a real socket, as the carrier and the command line meet it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.app import create_app
from api.commands.call import place_and_follow
from api.parts import Parts, Refused
from api.resources import CallState, CallView, NewCall
from api.settings import Settings
from storage.events import CallAnswered, CallEnded, CallNoted, Event, Recorded
from telephony.embedding import serve_on, webhooks_and_media
from telephony.twilio.signature import sign

TOKEN = "the-carriers-token"
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
START = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": "MZ1",
    "start": {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {},
    },
}


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[str]:
    """A server over these parts; gives its host and port."""
    listener = socket.create_server(("127.0.0.1", 0))
    async with await serve_on(listener, webhooks_and_media(create_app(parts), largest=256 * 1024)) as serving:
        yield f"127.0.0.1:{serving.port}"


@pytest.fixture
async def server(house: Any) -> AsyncIterator[str]:
    async with running(house.parts()) as address:
        yield address


def media(address: str) -> Any:
    signature = sign("wss://calls.example.com/twilio/media", (), TOKEN)
    return connect(f"ws://{address}/twilio/media", additional_headers={"X-Twilio-Signature": signature}, max_size=None)


async def closed_with(socket: Any) -> int:
    """The code the server closed with."""
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as closed:
        return int(closed.rcvd.code) if closed.rcvd else 1006


async def test_a_call_over_a_real_socket(server: str, house: Any) -> None:
    async with media(server) as carrier:
        await carrier.send(json.dumps(CONNECTED))
        await carrier.send(json.dumps(START))
        for number in range(50):
            key = {"track": "inbound_track", "digit": str(number % 10)}
            await carrier.send(
                json.dumps({"event": "dtmf", "streamSid": "MZ1", "sequenceNumber": str(number + 2), "dtmf": key})
            )
            assert json.loads(await carrier.recv())["event"] == "mark"
        stop = {"event": "stop", "streamSid": "MZ1", "sequenceNumber": "60", "stop": {"accountSid": "AC1", "callSid": "CA1"}}
        await carrier.send(json.dumps(stop))
        assert await closed_with(carrier) == 1000


@pytest.mark.parametrize(
    ("message", "code"), [("garbage", 1002), (b"\xff", 1003), ("x" * 70_000, 1009), ("x" * 400_000, 1009)]
)
async def test_garbage_is_answered_with_a_code(server: str, message: str | bytes, code: int) -> None:
    async with media(server) as carrier:
        await carrier.send(message)
        assert await closed_with(carrier) == code


async def test_a_line_that_breaks_ends_that_call_alone(server: str, house: Any) -> None:
    async with media(server) as other:
        await other.send(json.dumps(CONNECTED))
        await other.send(json.dumps(START))
        carrier = await media(server)
        await carrier.send(json.dumps(CONNECTED))
        await carrier.send(json.dumps(START))
        carrier.transport.abort()
        key = {"event": "dtmf", "streamSid": "MZ1", "sequenceNumber": "2", "dtmf": {"track": "inbound_track", "digit": "1"}}
        await other.send(json.dumps(key))
        assert json.loads(await other.recv())["event"] == "mark"
    assert house.media.sockets == 2


async def test_an_unsigned_handshake_gets_a_403(server: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://{server}/twilio/media")
    assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://{server}/v1/events", origin="https://evil.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403


async def test_http_that_is_none_is_survived(server: str) -> None:
    host, _, port = server.partition(":")
    for hostile in (b"\x16\x03\x01\x02\x00garbage\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 100_000 + b"\r\n\r\n", b""):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(hostile)
        writer.write_eof()
        try:
            await reader.read()
        except ConnectionResetError:
            pass
        writer.close()
    async with httpx.AsyncClient(base_url=f"http://{server}") as client:
        assert (await client.get("/healthz")).status_code == 200


# --- the command `offhook call`, which is a client of all this --------------------------------------------------------


class TalkingPlacer:
    """Places a call that is answered, talked through and over at once."""

    def __init__(self, house: Any, refuse: bool = False) -> None:
        self._house = house
        self._refuse = refuse

    async def place(self, call: NewCall, key: str) -> CallView | Refused:
        if self._refuse:
            from api.resources import Finding

            return Refused(
                "refused_by_gate", "It may not be called.", (Finding(rule="DNC_NATIONAL", detail="It is listed."),)
            )
        told: list[Event] = [
            CallAnswered(),
            CallNoted(note="agent", text="Hello, this is Ray."),
            CallNoted(note="caller", text="no thanks"),
            CallNoted(note="tool", text="end_call"),
            CallEnded(disposition="answered", seconds=12.0),
        ]
        for event in [*told, CallNoted(note="agent", text="somebody else's")]:
            asyncio.get_running_loop().call_soon(self._tell, event, "call-0" if event in told else "other")
        return CallView(id="call-0", state=CallState.PLACED, direction="outbound", number=call.to, agent=call.agent)

    def _tell(self, event: Event, call: str) -> None:
        self._house.hot.publish(Recorded(0, datetime.now(UTC), event, call))


async def call(address: str, *, key: str = "", follow: bool = True, as_json: bool = False) -> int:
    settings = Settings(_env_file=None, api_keys=(SecretStr(key),) if key else ())  # type: ignore[call-arg]
    place = asyncio.to_thread(
        place_and_follow, settings, "+12025550123", "renewals", f"http://{address}", follow=follow, as_json=as_json
    )
    return await place


def placing(house: Any, *, refuse: bool = False, key: str = "") -> Parts:
    import dataclasses

    keys = {"api_keys": (SecretStr(key),)} if key else {}
    return dataclasses.replace(house.parts(**keys), placer=TalkingPlacer(house, refuse))


async def test_a_call_is_placed_and_followed_to_its_end(house: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async with running(placing(house, key="a-very-secret-key")) as address:
        assert await call(address, key="a-very-secret-key") == 0
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "calling, as call-0",
        "answered",
        "  agent:  Hello, this is Ray.",
        "  caller: no thanks",
        "  [end_call]",
        "ended: answered, 12 s",
        "Wants a call on Friday.",
    ]


async def test_for_machines_the_record_alone(house: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async with running(placing(house)) as address:
        assert await call(address, as_json=True) == 0
        assert json.loads(capsys.readouterr().out)["summary"] == "Wants a call on Friday."
        assert await call(address, as_json=True, follow=False) == 0
        assert json.loads(capsys.readouterr().out)["state"] == "placed"


async def test_a_refusal_names_the_rules(house: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async with running(placing(house, refuse=True)) as address:
        assert await call(address) == 1
        assert await call(address, follow=False) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["offhook: It may not be called.", "  DNC_NATIONAL: It is listed."] * 2


async def test_a_wrong_key_or_no_server_is_one_line(house: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async with running(placing(house, key="a-very-secret-key")) as address:
        assert await call(address, key="wrong") == 1
        assert await call(address, key="wrong", follow=False) == 1
    assert await call("127.0.0.1:1") == 1
    refused, unauthorised, nobody = capsys.readouterr().err.splitlines()
    assert "403" in refused
    assert "token" in unauthorised
    assert "no server answers at http://127.0.0.1:1" in nobody
