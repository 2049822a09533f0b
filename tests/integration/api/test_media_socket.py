from __future__ import annotations

import json
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from telephony.twilio.signature import sign

TOKEN = "the-carriers-token"
SIGNED = {"X-Twilio-Signature": sign("wss://calls.example.com/twilio/media", (), TOKEN)}
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
        "customParameters": {"attempt": "a1"},
    },
}
DTMF = {"event": "dtmf", "streamSid": "MZ1", "sequenceNumber": "2", "dtmf": {"track": "inbound_track", "digit": "1"}}


def open_media(client: TestClient, headers: dict[str, str] | None = None) -> Any:
    return client.websocket_connect("/twilio/media", headers=SIGNED if headers is None else headers)


def ended(house: Any, end: str) -> float:
    return float(house.metrics.value("offhook_media_sockets_total", end=end))


def test_a_signed_stream_is_handed_on_and_answered(client: TestClient, house: Any) -> None:
    with open_media(client) as socket:
        socket.send_json(CONNECTED)
        socket.send_json(START)
        socket.send_json(DTMF)
        assert socket.receive_json() == {"event": "mark", "streamSid": "MZ1", "mark": {"name": "heard"}}
        socket.send_json(
            {"event": "stop", "streamSid": "MZ1", "sequenceNumber": "3", "stop": {"accountSid": "AC1", "callSid": "CA1"}}
        )
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == 1000
    assert ended(house, "closed") == 1


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_forms_of_the_signed_address_are_good(client: TestClient, house: Any, slash: str) -> None:
    signature = sign("wss://calls.example.com/twilio/media" + slash, (), TOKEN)
    with open_media(client, {"X-Twilio-Signature": signature}) as socket:
        socket.send_json(CONNECTED)
    assert house.media.sockets == 1


@pytest.mark.parametrize("headers", [{}, {"X-Twilio-Signature": ""}, {"X-Twilio-Signature": "wrong"}])
def test_an_unsigned_handshake_is_refused_counted_and_logged_once(
    client: TestClient, house: Any, headers: dict[str, str]
) -> None:
    with structlog.testing.capture_logs() as logged, pytest.raises(WebSocketDisconnect), open_media(client, headers):
        pass
    assert house.media.sockets == 0
    assert house.metrics.value("offhook_bad_signatures_total", door="media") == 1
    assert ended(house, "refused") == 1
    assert [line["event"] for line in logged] == ["media_refused"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("garbage", 1002),
        ("[]", 1002),
        ("{}", 1002),
        ('{"event": 3}', 1002),
        (json.dumps(DTMF), 1002),
        ("x" * 70_000, 1009),
        (json.dumps(START | {"start": {}}), 1002),
        ("\x00", 1002),
    ],
)
def test_garbage_closes_the_socket_with_a_code(client: TestClient, house: Any, message: str, code: int) -> None:
    with structlog.testing.capture_logs() as logged, open_media(client) as socket:
        socket.send_text(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == code
    assert ended(house, "violation") == 1
    assert [line["event"] for line in logged] == ["media_broken_off"]


def test_binary_closes_the_socket_with_a_code(client: TestClient, house: Any) -> None:
    with open_media(client) as socket:
        socket.send_bytes(b"\xff" * 160)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == 1003


def test_a_socket_that_closes_before_it_starts_is_survived(client: TestClient, house: Any) -> None:
    with open_media(client) as socket:
        socket.send_json(CONNECTED)
    assert ended(house, "violation") == 1
    assert client.get("/healthz").status_code == 200


def test_a_fault_of_ours_ends_that_call_alone(client: TestClient, house: Any) -> None:
    house.media.crash = True
    with structlog.testing.capture_logs() as logged, open_media(client) as socket:
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == 1011
    assert ended(house, "crashed") == 1
    assert [line["event"] for line in logged] == ["media_crashed"]
    house.media.crash = False
    with open_media(client) as socket:
        socket.send_json(CONNECTED)
