from __future__ import annotations

import dataclasses
from typing import Any

from starlette.testclient import TestClient

from api.parts import Hand, Order

NUMBER = "+12025550123"


def test_past_calls_and_their_words(client: TestClient) -> None:
    page = client.get("/v1/calls", params={"limit": 1}).json()
    assert [call["id"] for call in page["items"]] == ["call-0"]
    assert client.get("/v1/calls", params={"after": page["next"]}).json() == {"items": [], "next": None}
    assert client.get("/v1/calls/call-0").json()["summary"] == "Wants a call on Friday."
    assert client.get("/v1/calls/call-0/transcript").json()["lines"][0]["text"] == "hi"


def test_live_calls_with_what_was_said(client: TestClient) -> None:
    (call,) = client.get("/v1/calls/live").json()
    assert (call["id"], call["lines"][0]["who"]) == ("call-1", "agent")


def test_placing_a_call(client: TestClient, house: Any) -> None:
    answer = client.post("/v1/calls", json={"to": NUMBER, "agent": "renewals"}, headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["state"]) == (201, "placed")
    ((call, key),) = house.placer.placed
    assert (call.to, key) == (NUMBER, "k1")


def test_a_refusal_names_every_rule(client: TestClient) -> None:
    answer = client.post("/v1/calls", json={"to": "+12025550199", "agent": "renewals"})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "refused_by_gate"
    (rule,) = problem["findings"]
    assert (rule["rule"], rule["source"]) == ("calling_hours", "47 CFR 64.1200(c)(1)")
    assert rule["until"] == "2026-11-20T15:00:00Z"


def test_a_supervisors_hand(client: TestClient, house: Any) -> None:
    assert client.post("/v1/calls/call-1/hangup").status_code == 202
    transfer = client.post("/v1/calls/call-1/transfer", json={"to": "sip:sales@example.com:5061"})
    assert transfer.status_code == 202
    assert house.live.orders == [
        ("call-1", Order(Hand.HANGUP)),
        ("call-1", Order(Hand.TRANSFER, to="sip:sales@example.com:5061")),
    ]
    assert client.post("/v1/calls/nobody/hangup").json()["code"] == "no_such_live_call"
    warm = client.post("/v1/calls/call-1/transfer", json={"to": NUMBER, "mode": "warm"})
    assert (warm.status_code, warm.json()["code"]) == (409, "no_warm_transfer")


def test_what_cannot_be_done_is_not_listed(client: TestClient, house: Any, serve: Any) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert "/v1/calls/{call_id}/hangup" in paths
    assert "/v1/calls/{call_id}/say" not in paths
    assert client.post("/v1/calls/call-1/say", json={"text": "x"}).status_code == 404
    house.live.hands = frozenset(Hand)
    every = serve(house.parts())
    assert {f"/v1/calls/{{call_id}}/{hand.value}" for hand in Hand} <= set(every.get("/openapi.json").json()["paths"])
    assert every.post("/v1/calls/call-1/say", json={"text": "Hello"}).status_code == 202
    assert every.post("/v1/calls/call-1/whisper", json={"text": "be brief"}).status_code == 202
    assert every.post("/v1/calls/call-1/takeover").status_code == 202
    assert [order.hand for _, order in house.live.orders] == [Hand.SAY, Hand.WHISPER, Hand.TAKEOVER]


def test_a_bare_house_lists_almost_nothing(house: Any, serve: Any) -> None:
    gone = dict.fromkeys(
        (
            "live",
            "feed",
            "carrier",
            "media",
            "calls",
            "placer",
            "campaigns",
            "contacts",
            "consents",
            "dnc",
            "knowledge",
            "agents",
        )
    )
    bare = serve(dataclasses.replace(house.parts(), **gone, readiness=None))
    assert sorted(bare.get("/openapi.json").json()["paths"]) == ["/healthz", "/metrics", "/readyz"]
    assert bare.get("/v1/calls").status_code == 404
    assert bare.get("/readyz").json() == {"ok": True, "checks": []}


def test_a_campaigns_life(client: TestClient, house: Any) -> None:
    made = client.post("/v1/campaigns", json={"name": "Renewals", "agent": "renewals"})
    assert made.status_code == 201
    campaign = made.json()["id"]
    assert client.post("/v1/campaigns", json={"name": "Renewals", "agent": "renewals"}).json()["code"] == "name_taken"
    assert [row["name"] for row in client.get("/v1/campaigns").json()] == ["Renewals"]
    assert client.get(f"/v1/campaigns/{campaign}").json()["state"] == "draft"
    assert client.post(f"/v1/campaigns/{campaign}/start").json()["state"] == "running"
    for order in ("pause", "resume", "stop"):
        assert client.post(f"/v1/campaigns/{campaign}/{order}").status_code == 200
    assert client.post(f"/v1/campaigns/{campaign}/explode").status_code == 422
    assert client.post("/v1/campaigns/none/start").json()["code"] == "no_such_campaign"
    assert client.post(f"/v1/campaigns/{campaign}/budget", json={"dollars": 9}).json()["budget"] == 9
    assert client.post(f"/v1/campaigns/{campaign}/budget", json={"dollars": 0}).status_code == 422
    explained = client.get(f"/v1/campaigns/{campaign}/explain", params={"contact": NUMBER}).json()
    assert explained["text"] == "before 8 a.m. there"
    assert client.get(f"/v1/campaigns/{campaign}/explain", params={"contact": "x"}).status_code == 404


def test_contacts_come_as_csv_either_way(client: TestClient, house: Any) -> None:
    campaign = client.post("/v1/campaigns", json={"name": "Renewals", "agent": "renewals"}).json()["id"]
    path = f"/v1/campaigns/{campaign}/contacts"
    csv = b"number,name\n+12025550123,Ann\nx,Bob\n"
    raw = client.post(path, content=csv, headers={"Content-Type": "text/csv"})
    assert raw.json() == {"added": 1, "doubled": 0, "rejected": [{"line": 3, "reason": "too_short"}]}
    assert client.post(path, files={"file": ("contacts.csv", csv, "text/csv")}).json() == raw.json()
    assert house.campaigns.csv == [csv, csv]
    assert client.post(path, content=b"", headers={"Content-Type": "text/csv"}).json()["code"] == "no_number_column"
    assert client.post(path, json={"number": NUMBER}).status_code == 415
    assert client.post(path, files={"other": ("x.csv", csv)}).json()["code"] == "no_file"
    assert client.post(path, data={"file": "text"}, files={"z": ("z", b"")}).json()["code"] == "no_file"
    assert client.post("/v1/campaigns/none/contacts", content=csv, headers={"Content-Type": "text/csv"}).status_code == 404


def test_a_large_import_is_taken_and_a_huge_one_refused(client: TestClient, house: Any) -> None:
    campaign = client.post("/v1/campaigns", json={"name": "Renewals", "agent": "renewals"}).json()["id"]
    path = f"/v1/campaigns/{campaign}/contacts"
    large = b"number\n" + b"+12025550123\n" * 200_000  # 2.6 MB
    assert client.post(path, content=large, headers={"Content-Type": "text/csv"}).status_code == 200
    assert client.post(path, files={"file": ("c.csv", large, "text/csv")}).status_code == 200
    assert house.campaigns.csv == [large, large]
    sent = {"Content-Type": "text/csv", "Content-Length": str(40 * 1024 * 1024)}
    assert client.post(path, content=b"", headers=sent).status_code == 413


def test_contacts_agents_and_knowledge(client: TestClient) -> None:
    assert client.get("/v1/contacts", params={"campaign": "c1"}).json()["items"][0]["campaign_id"] == "c1"
    assert client.get("/v1/contacts/k1").json()["number"] == NUMBER
    assert client.get("/v1/contacts/k2").status_code == 404
    assert [agent["name"] for agent in client.get("/v1/agents").json()] == ["renewals"]
    assert client.get("/v1/agents/renewals").json()["persona"] == "Ray"
    assert client.get("/v1/agents/other").json()["code"] == "no_such_agent"
    assert client.post("/v1/knowledge", json={"text": "The office closes at six."}).status_code == 201
    assert client.get("/v1/knowledge", params={"q": "when closed"}).json()[0]["text"] == "when closed"


def test_consents_and_lists(client: TestClient) -> None:
    given = {"number": NUMBER, "seller": "Acme", "wording": "I agree.", "source": "web form", "at": "2026-01-02T03:04:05Z"}
    assert client.post("/v1/consents", json=given).json()["given_at"] == "2026-01-02T03:04:05Z"
    naive = client.post("/v1/consents", json=given | {"at": "2026-01-02T03:04:05"})
    assert naive.status_code == 422
    assert client.get("/v1/consents", params={"number": NUMBER}).json()[0]["seller"] == "Acme"
    assert client.post("/v1/consents/revoke", json={"number": NUMBER}).json() == []
    assert client.get("/v1/dnc").json()[0]["coverage"] == ["202"]
    assert client.get("/v1/dnc/lookup", params={"number": NUMBER}).json()["is_listed"] is False
    assert client.post("/v1/dnc", json={"number": NUMBER, "reason": "asked"}).json()["lists"] == ["internal"]


def test_the_house(client: TestClient, house: Any) -> None:
    from api.resources import Check

    assert client.get("/healthz").json()["ok"] is True
    ready = client.get("/readyz")
    assert ready.json() == {"ok": True, "checks": [{"part": "database", "ok": True, "detail": ""}]}
    house.readiness.found.append(Check(part="agents", ok=False))
    assert client.get("/readyz").status_code == 503
    assert b"offhook_api_requests_total" in client.get("/metrics").content
    assert house.metrics.value("offhook_api_requests_total", route="/readyz", status="503") == 1


GUARDED = ["/v1/calls", "/v1/campaigns", "/v1/anything", "/v1", "/metrics", "/openapi.json"]


def test_everything_of_value_needs_a_token(guarded: TestClient) -> None:
    for path in GUARDED:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = guarded.request(method, path, content=b"not json")
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        token = {"Authorization": "Bearer a-very-secret-key"}
        assert guarded.get(path, headers=token).status_code in (200, 404)


def test_what_is_open_says_little(guarded: TestClient) -> None:
    assert guarded.get("/healthz").status_code == 200
    assert "secret address" not in guarded.get("/readyz").text
    assert guarded.get("/docs").status_code == 404
    assert guarded.get("/redoc").status_code == 404


def test_answers_carry_what_browsers_need(client: TestClient) -> None:
    headers = client.get("/v1/calls").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
