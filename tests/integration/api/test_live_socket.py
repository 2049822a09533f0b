from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from storage.events import (
    AttemptChanged,
    CallAnswered,
    CallEnded,
    CallLearned,
    CallNoted,
    CallStarted,
    CampaignChanged,
    Event,
    OptedOut,
    Recorded,
)
from storage.hot import CAPACITY

EVENTS = "ws://127.0.0.1:8080/v1/events"
AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def publish(client: TestClient, house: Any, event: Event, call: str = "call-1") -> None:
    """In the server's loop, as a call does it."""
    assert client.portal is not None
    client.portal.call(house.hot.publish, Recorded(0, AT, event, call))


def test_first_a_picture_of_what_goes_on(client: TestClient) -> None:
    client.post("/v1/campaigns", json={"name": "Renewals", "agent": "renewals"})
    with client.websocket_connect(EVENTS) as socket:
        picture = socket.receive_json()
    assert (picture["type"], picture["version"], picture["hands"]) == ("snapshot", 1, ["hangup", "transfer"])
    assert [call["id"] for call in picture["calls"]] == ["call-1"]
    assert [campaign["name"] for campaign in picture["campaigns"]] == ["Renewals"]


def test_then_every_word_as_it_is_spoken(client: TestClient, house: Any) -> None:
    told: list[Event] = [
        CallStarted(direction="outbound", number="+1202•••0123", agent="renewals"),
        CallAnswered(),
        CallNoted(note="agent", text="Hello,", detail=(("is_cut", "true"),)),
        CallNoted(note="caller_interim", text="hel"),
        CallNoted(note="caller", text="hello"),
        CallNoted(note="decision", text="greeting", detail=(("why", "first turn"),)),
        CallNoted(note="tool", text="opt_out"),
        CallNoted(note="party", text="human"),
        CallNoted(note="something new", text="later"),
        OptedOut(number="+1202•••0123", seller="Acme", source="call"),
        CallEnded(disposition="answered", seconds=3.5),
        CallLearned(facts=2, seconds=1.25),
    ]
    with client.websocket_connect(EVENTS) as socket:
        socket.receive_json()
        for event in told:
            publish(client, house, event)
        seen = [socket.receive_json() for _ in range(len(told) - 1)]
    assert [event["type"] for event in seen] == [
        "call_started",
        "call_answered",
        "agent",
        "interim",
        "caller",
        "decision",
        "tool",
        "party",
        "decision",
        "call_ended",
        "call_learned",
    ]
    assert {event["call"] for event in seen} == {"call-1"}
    assert (seen[0]["contact"], seen[0]["campaign"]) == ("Ann Lee", "c1")
    assert seen[2]["is_cut"] is True
    assert seen[5]["detail"] == {"why": "first turn"}
    assert (seen[9]["duration"], seen[10]["facts"]) == (3.5, 2)


def test_a_call_nobody_knows_by_name_starts_too(client: TestClient, house: Any) -> None:
    with client.websocket_connect(EVENTS) as socket:
        socket.receive_json()
        publish(client, house, CallStarted(direction="inbound", number="•••", agent="desk"), call="call-9")
        event = socket.receive_json()
    assert (event["contact"], event["campaign"]) == ("", "")


def test_a_campaigns_progress_follows_its_changes(client: TestClient, house: Any) -> None:
    campaign = client.post("/v1/campaigns", json={"name": "Renewals", "agent": "renewals"}).json()["id"]
    with client.websocket_connect(EVENTS) as socket:
        socket.receive_json()
        publish(client, house, CampaignChanged(campaign_id="nobody", state="running"))
        publish(client, house, CampaignChanged(campaign_id=campaign, state="running"))
        publish(client, house, AttemptChanged(campaign_id=campaign, contact_id="k", number="•••", phase="ringing"))
        progress = socket.receive_json()
    assert (progress["type"], progress["campaign"], progress["name"]) == ("campaign_progress", campaign, "Renewals")


def test_who_is_too_slow_is_told_what_was_missed(client: TestClient, house: Any) -> None:
    def flood() -> None:
        for number in range(CAPACITY + 5):
            house.hot.publish(Recorded(0, AT, CallNoted(note="caller_interim", text=str(number)), "call-1"))

    with client.websocket_connect(EVENTS) as socket:
        socket.receive_json()
        assert client.portal is not None
        client.portal.call(flood)
        first = socket.receive_json()
        assert (first["type"], first["count"]) == ("missed", 5)
        assert socket.receive_json()["text"] == "5"
    assert house.metrics.value("offhook_live_events_dropped_total") == 5


def test_what_a_reader_says_is_not_listened_to(client: TestClient, house: Any) -> None:
    with client.websocket_connect(EVENTS) as socket:
        socket.receive_json()
        socket.send_text("garbage")
        socket.send_bytes(b"\xff")
        publish(client, house, CallAnswered())
        assert socket.receive_json()["type"] == "call_answered"
        assert house.metrics.value("offhook_event_readers") == 1
    client.get("/healthz")
    assert house.metrics.value("offhook_event_readers") == 0


def test_the_end_of_the_feed_ends_the_socket(client: TestClient, house: Any) -> None:
    with client.websocket_connect(EVENTS) as socket:
        socket.receive_json()
        assert client.portal is not None
        client.portal.call(house.hot.close)
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "offhook_session=9999999999.x.y"}])
def test_nobody_watches_without_a_token(guarded: TestClient, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect), guarded.websocket_connect("wss://calls.example.com/v1/events", headers=headers):
        pass


def test_a_token_or_a_sign_in_watches(guarded: TestClient) -> None:
    token = {"Authorization": "Bearer a-very-secret-key"}
    with guarded.websocket_connect("wss://calls.example.com/v1/events", headers=token) as socket:
        assert socket.receive_json()["type"] == "snapshot"
    guarded.post("/sign-in", data={"token": "a-very-secret-key"})
    with guarded.websocket_connect("wss://calls.example.com/v1/events") as socket:
        assert socket.receive_json()["type"] == "snapshot"
    other_site = {"Origin": "https://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        guarded.websocket_connect("wss://calls.example.com/v1/events", headers=other_site),
    ):
        pass


def test_another_site_does_not_watch_this_machine(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(EVENTS, headers={"Origin": "https://evil.example"}):
        pass
