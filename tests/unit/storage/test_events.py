from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from storage.events import (
    KINDS,
    CallAnswered,
    CallNoted,
    ContactDeferred,
    Event,
    Foreign,
    Recorded,
    from_payload,
    to_payload,
    to_wire,
)

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "event",
    [
        CallAnswered(),
        CallNoted(note="decision", text="yields", detail=(("why", "barge-in"),)),
        ContactDeferred(
            campaign_id="c", contact_id="k", number="+1614•••0123", until=AT, reason="hours", rules=("calling_hours",)
        ),
    ],
)
def test_an_event_comes_back_as_it_went(event: Event) -> None:
    stored = json.loads(json.dumps(to_payload(event)))
    assert "kind" not in stored
    assert from_payload(event.kind(), stored) == event


def test_kinds_are_the_class_names_in_snake_case() -> None:
    assert ContactDeferred.kind() == "contact_deferred"
    assert {"campaign_changed", "attempt_changed", "opted_out"} <= KINDS


@pytest.mark.parametrize(
    ("kind", "payload"), [("from_the_future", {"x": 1}), ("contact_deferred", {"until": "soon"}), ("", {})]
)
def test_an_event_nobody_knows_is_kept_as_it_is(kind: str, payload: dict[str, object]) -> None:
    event = from_payload(kind, payload)
    assert event == Foreign(kind, payload)
    assert event.kind() == kind


def test_a_watcher_gets_one_flat_object() -> None:
    line = json.loads(to_wire(Recorded(7, AT, CallNoted(note="caller", text="hello"), call_id="CALL")))
    assert line == {
        "note": "caller",
        "text": "hello",
        "detail": [],
        "id": 7,
        "at": "2026-11-20T15:00:00Z",
        "kind": "call_noted",
        "call_id": "CALL",
        "attempt_id": "",
    }
    assert json.loads(to_wire(Recorded(8, AT, Foreign("odd", {"id": "theirs", "x": 1}))))["id"] == 8
