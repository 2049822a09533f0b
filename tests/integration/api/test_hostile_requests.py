"""Bodies and paths that nobody should send: each gets a problem document, none a crash, and nothing of it comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

NUMBER = "+12025550123"
CREATORS = {
    "/v1/calls": {"to": NUMBER, "agent": "renewals"},
    "/v1/campaigns": {"name": "Renewals", "agent": "renewals"},
    "/v1/consents": {"number": NUMBER, "seller": "Acme", "wording": "I agree."},
    "/v1/consents/revoke": {"number": NUMBER},
    "/v1/dnc": {"number": NUMBER},
    "/v1/knowledge": {"text": "x"},
    "/v1/calls/call-1/transfer": {"to": NUMBER},
}
BODIES: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b"3",
    b'"text"',
    b"{",
    b"\xff\xfe\x00",
    b'{"a":' * 20_000,
    b"[" * 100_000,
    b'{"to": "\\ud800", "agent": "\\u0000", "name": "\\ud800", "number": "\\udfff", "text": "\\ud800"}',
    b'{"to": NaN}',
    b'{"to": 1e999, "number": -1e999, "text": {}, "name": []}',
    json.dumps({"unknown": "field"}).encode(),
    json.dumps({"k" * 5000: "v"}).encode(),
    json.dumps({f"k{n}": n for n in range(5000)}).encode(),
    b"9" * 10_000,
]


VALUES: list[Any] = [
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "x" * 100_000,
    None,
    1,
    True,
    [],
    {},
    "+1",
    "12025550123",
    "+0",
    NUMBER + "1" * 9,
]
FREE = frozenset({"agent", "name", "seller", "wording", "text"})  # fields that take nearly any words


@pytest.mark.parametrize("path", CREATORS)
def test_hostile_bodies(client: TestClient, path: str) -> None:
    for body in BODIES:
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), body[:40]
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] in ("not_json", "bad_request", "invalid_request")
        assert len(answer.content) < 10_000


@pytest.mark.parametrize("path", CREATORS)
def test_each_field_with_what_it_must_not_have(client: TestClient, path: str) -> None:
    good = CREATORS[path]
    for value in VALUES:
        for field in good:
            answer = client.post(path, json=good | {field: value})
            may_pass = field in FREE and isinstance(value, str) and "\u0000" not in value
            assert answer.status_code in ((200, 201, 422) if may_pass else (422,)), (field, value)


@pytest.mark.parametrize("path", CREATORS)
def test_a_field_too_many_is_not_ignored(client: TestClient, path: str) -> None:
    answer = client.post(path, json=CREATORS[path] | {"concurency": 5})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.concurency"


def test_other_kinds_of_body_are_refused(client: TestClient) -> None:
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", ""):
        answer = client.post("/v1/calls", content=json.dumps(CREATORS["/v1/calls"]).encode(), headers={"Content-Type": kind})
        assert answer.status_code in (400, 415, 422)


def test_too_large_is_refused_whether_it_says_so_or_not(client: TestClient) -> None:
    declared = client.post("/v1/campaigns", content=b" " * (2 * 1024 * 1024), headers={"Content-Type": "application/json"})
    assert (declared.status_code, declared.json()["code"]) == (413, "too_large")

    def pieces() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    chunked = client.post("/v1/campaigns", content=pieces(), headers={"Content-Type": "application/json"})
    assert (chunked.status_code, chunked.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 30, "²"])
def test_a_false_length_is_survived(client: TestClient, length: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": length.encode("latin-1")}
    answer = client.post("/v1/campaigns", content=b"{}", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code in (400, 413, 422)


HOSTILE_PATHS = [
    "/v1/calls/%00",
    "/v1/calls/..%2F..%2Fetc%2Fpasswd",
    "/v1/calls/" + "a" * 500,
    "/v1/calls/%F0%9F%98%80",
    "/v1/calls/%ff",
    "/v1/calls/a%20b/transcript",
    "/v1/campaigns/';DROP TABLE calls;--",
    "/v1/agents/..%2fsecret",
]


def test_hostile_paths(client: TestClient) -> None:
    for path in HOSTILE_PATHS:
        answer = client.get(path)
        assert answer.status_code in (404, 422), path
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=x",
        "limit=1e3",
        "after=%00",
        "after=" + "a" * 300,
        "campaign=%27",
        "limit=",
        "after=a b",
    ],
)
def test_a_hostile_query(client: TestClient, query: str) -> None:
    answer = client.get("/v1/calls?" + query)
    assert answer.status_code == 422
    assert "%" not in answer.text


@pytest.mark.parametrize(
    "number", ["", "12025550123", "+1 202 555 0123", "+12025550123\n", "+" + "1" * 16, "%00", "' or 1=1"]
)
def test_a_number_that_is_none(client: TestClient, number: str) -> None:
    for path in ("/v1/consents", "/v1/dnc/lookup"):
        assert client.get(path, params={"number": number}).status_code == 422


@pytest.mark.parametrize("to", ["sip:a b", "sip:", "http://x", "sip:a<b>", "tel:+1", "sip:" + "a" * 300, "+1202555012x"])
def test_a_transfer_to_nowhere(client: TestClient, to: str) -> None:
    assert client.post("/v1/calls/call-1/transfer", json={"to": to}).status_code == 422


def test_what_was_sent_does_not_come_back(client: TestClient) -> None:
    answer = client.post("/v1/calls", json={"to": "<script>4155550123", "agent": "x"})
    assert "script" not in answer.text
    assert "4155550123" not in answer.text
