from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from api import live_events
from api.live_events import LiveEvent, Snapshot, campaign_of, decode, encode, shown
from storage.events import (
    AttemptChanged,
    CallNoted,
    CampaignChanged,
    ContactClosed,
    ContactDeferred,
    ContactsImported,
    Foreign,
    NumberCancelled,
    OptedOut,
    Recorded,
)

DOCS = Path(__file__).parents[3] / "docs" / "api.md"
AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
KINDS: tuple[type[msgspec.Struct], ...] = get_args(LiveEvent)


def test_every_event_and_its_fields_are_documented_and_no_other() -> None:
    documented = {
        kind: set(re.findall(r"`([a-z_]+)`", fields))
        for kind, fields in re.findall(r"^\| `([a-z_]+)` \| ((?:`[a-z_]+`(?:, )?)+) \|", DOCS.read_text(), re.MULTILINE)
    }
    real = {str(kind.__struct_config__.tag): set(kind.__struct_encode_fields__) - {"at"} for kind in KINDS}
    assert documented == real


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_is_what_it_was_after_the_wire(kind: type[LiveEvent]) -> None:
    samples = {int: 1, float: 1.5, bool: True, datetime: AT, str: "x", dict[str, str]: {"k": "v"}, dict[str, int]: {"k": 1}}
    values = {field.name: samples[field.type] for field in msgspec.structs.fields(kind) if field.type in samples}
    event = kind(**values)
    assert decode(encode(event)) == event


@pytest.mark.parametrize("text", ["", "x", "{}", "[]", '{"type":"nonsense"}', '{"type":"caller"}', b"\xff"])
def test_what_is_no_event_is_refused(text: str | bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(text)


def test_a_picture_holds_what_v1_says_as_it_is() -> None:
    text = encode(Snapshot(at=AT, hands=("hangup",), calls=msgspec.Raw(b'[{"id":"1"}]')))
    assert '"calls":[{"id":"1"}]' in text


@pytest.mark.parametrize(
    "event",
    [
        CampaignChanged(campaign_id="c", state="running"),
        ContactsImported(campaign_id="c", batch_id="b", kept=1, bad=0, duplicates=0),
        ContactDeferred(campaign_id="c", contact_id="k", number="", until=AT, reason=""),
        ContactClosed(campaign_id="c", contact_id="k", number="", disposition="busy", reason=""),
        AttemptChanged(campaign_id="c", contact_id="k", number="", phase="ringing"),
    ],
)
def test_what_changes_a_campaigns_progress(event: CampaignChanged) -> None:
    recorded = Recorded(1, AT, event)
    assert campaign_of(recorded) == "c"
    assert shown(recorded) is None


@pytest.mark.parametrize(
    "event",
    [
        NumberCancelled(number="", reason="", attempts=0, contacts=0),
        OptedOut(number="", seller="", source=""),
        Foreign("from_the_future", {}),
    ],
)
def test_what_is_not_shown_is_left_out(event: OptedOut) -> None:
    recorded = Recorded(1, AT, event)
    assert campaign_of(recorded) is None
    assert shown(recorded) is None


@pytest.mark.parametrize(("said", "is_cut"), [("true", True), ("True", True), ("yes", True), ("1", True), ("false", False)])
def test_a_cut_off_line_is_marked(said: str, is_cut: bool) -> None:
    event = shown(Recorded(0, AT, CallNoted(note="agent", text="Hello,", detail=(("is_cut", said),)), "c"))
    assert event == live_events.Agent(at=AT, call="c", text="Hello,", is_cut=is_cut)
