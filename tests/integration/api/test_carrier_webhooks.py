from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import structlog
from starlette.testclient import TestClient

from telephony.twilio.signature import sign

TOKEN = "the-carriers-token"
BASE = "https://calls.example.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
VOICE = [("CallSid", "CA1"), ("To", "+12025550100"), ("From", "+14155550123"), ("Direction", "inbound"), ("Empty", "")]


def post(client: TestClient, path: str, fields: list[tuple[str, str]], **headers: str) -> Any:
    """As the carrier does: signed over the public URL, whatever address the server really has."""
    signature = sign(BASE + path, fields, TOKEN)
    sent = {**FORM, "X-Twilio-Signature": signature, **headers}
    return client.post(path, content=urlencode(fields).encode(), headers=sent)


def test_a_signed_voice_request_gets_its_twiml(client: TestClient, house: Any) -> None:
    answer = post(client, "/twilio/voice", VOICE)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text == "<Response><Hangup/></Response>"
    assert house.carrier.heard == [("voice", dict(VOICE))]
    assert house.metrics.value("offhook_webhooks_total", kind="voice", result="ok") == 1


@pytest.mark.parametrize(("kind", "status"), [("status", 204), ("amd", 204), ("stream", 204), ("dial", 200)])
def test_every_callback_has_its_door(client: TestClient, house: Any, kind: str, status: int) -> None:
    assert post(client, f"/twilio/{kind}", VOICE).status_code == status
    assert [heard for heard, _ in house.carrier.heard] == [kind]


def test_the_query_is_part_of_what_was_signed(client: TestClient, house: Any) -> None:
    assert post(client, "/twilio/voice?attempt=a%2Fb&x=", VOICE).status_code == 200
    signature = sign(BASE + "/twilio/voice", VOICE, TOKEN)
    sent = {**FORM, "X-Twilio-Signature": signature}
    assert client.post("/twilio/voice?attempt=2", content=urlencode(VOICE).encode(), headers=sent).status_code == 403


def test_new_and_repeated_fields_are_signed_too(client: TestClient, house: Any) -> None:
    fields = [*VOICE, ("NewIn2027", "ü & =+"), ("Repeated", "b"), ("Repeated", "a")]
    assert post(client, "/twilio/status", fields).status_code == 204


@pytest.mark.parametrize(
    "signature",
    ["", "wrong", "A" * 10_000, "c2lnbmF0dXJl", "\x7f", sign("http://127.0.0.1:8080/twilio/voice", VOICE, TOKEN)],
)
def test_a_wrong_signature_is_refused_counted_and_logged_once_without_a_number(
    client: TestClient, house: Any, signature: str
) -> None:
    with structlog.testing.capture_logs() as logged:
        answer = client.post(
            "/twilio/voice", content=urlencode(VOICE).encode(), headers={**FORM, "X-Twilio-Signature": signature}
        )
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in ("signature_wrong", "signature_missing")
    assert house.carrier.heard == []
    assert house.metrics.value("offhook_bad_signatures_total", door="voice") == 1
    assert [line["event"] for line in logged] == ["webhook_refused"]
    assert "4155550123" not in str(logged)


def test_a_changed_field_is_refused(client: TestClient) -> None:
    signature = sign(BASE + "/twilio/voice", VOICE, TOKEN)
    changed = [(name, "+19995550100" if name == "To" else value) for name, value in VOICE]
    sent = {**FORM, "X-Twilio-Signature": signature}
    assert client.post("/twilio/voice", content=urlencode(changed).encode(), headers=sent).status_code == 403


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"CallSid=%ff%fe", FORM["Content-Type"], 403),
        (b"\xff\xfe\x00", FORM["Content-Type"], 400),
        (b"{}", "application/json", 400),
        (b"a=b", "multipart/form-data; boundary=x", 400),
        (b"a=1&" * 1000, FORM["Content-Type"], 400),
        (b"a" * 70_000, FORM["Content-Type"], 413),
        (b"a" * 2_000_000, FORM["Content-Type"], 413),
        (b"", "", 403),
    ],
)
def test_a_hostile_body_is_refused(client: TestClient, house: Any, body: bytes, kind: str, status: int) -> None:
    answer = client.post("/twilio/voice", content=body, headers={"Content-Type": kind, "X-Twilio-Signature": "x"})
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert house.carrier.heard == []


def test_signed_but_without_what_it_must_have(client: TestClient, house: Any) -> None:
    answer = post(client, "/twilio/voice", [("From", "+14155550123")])
    assert (answer.status_code, answer.json()["code"]) == (400, "missing_parameter")
    assert house.metrics.value("offhook_webhooks_total", kind="voice", result="missing_parameter") == 1


def test_a_fault_of_ours_is_a_500_that_says_nothing(house: Any, serve: Any) -> None:
    house.carrier.crash = True
    answer = post(serve(house.parts()), "/twilio/voice", VOICE)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "4155550123" not in answer.text


def test_other_methods_and_paths_are_not_there(client: TestClient) -> None:
    assert client.get("/twilio/voice").status_code == 405
    assert client.post("/twilio/nothing").status_code == 404
    assert client.post("/twilio/voice/").status_code == 404


def test_webhooks_need_no_token(guarded: TestClient, house: Any) -> None:
    assert post(guarded, "/twilio/voice", VOICE).status_code == 200


def test_without_a_carrier_there_are_no_webhooks(house: Any, serve: Any) -> None:
    import dataclasses

    parts = dataclasses.replace(house.parts(), carrier=None)
    answer: httpx2.Response = serve(parts).post("/twilio/voice")
    assert answer.status_code == 404
