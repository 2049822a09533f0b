from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.errands import Errand
from api.live_desk import LiveDesk
from api.parts import Hand, LiveCalls, Order, Refused
from voice.actions import Note
from voice.agent_file import AgentFolder
from voice.events import CallId, Direction

AGENTS = Path(__file__).parents[3] / "agents"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


class Session:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def hang_up(self, reason: str) -> None:
        self.reasons.append(reason)


def a_call(call_id: str, minutes: int, **more: Any) -> Any:
    """What the desk sees of a switchboard's live call."""
    errand = Errand(CallId(call_id), Direction.OUTBOUND, AgentFolder(AGENTS).get("solar"), "+16145550123", contact_id="k1")
    seen = {"errand": errand, "started_at": NOW + timedelta(minutes=minutes), "answered_at": None, "session": None}
    return SimpleNamespace(**{**seen, "is_over": False, "lines": [], **more})


@pytest.fixture
def calls() -> dict[CallId, Any]:
    lines = [Note("agent", "Hello."), Note("caller", "hi")]
    return {
        CallId("ca_2"): a_call("ca_2", 2),
        CallId("ca_1"): a_call("ca_1", 1, answered_at=NOW, session=Session(), lines=lines),
        CallId("ca_0"): a_call("ca_0", 0, is_over=True),
    }


def test_live_calls_with_their_words(calls: dict[CallId, Any]) -> None:
    desk: LiveCalls = LiveDesk(calls)
    first, second = desk.snapshot()
    assert (first.id, first.state, first.agent, first.contact_id) == ("ca_1", "live", "solar", "k1")
    assert [(line.who, line.text) for line in first.lines] == [("agent", "Hello."), ("caller", "hi")]
    assert (second.id, second.state) == ("ca_2", "ringing")


async def test_a_live_call_is_hung_up(calls: dict[CallId, Any]) -> None:
    desk = LiveDesk(calls)
    assert await desk.order("ca_1", Order(Hand.HANGUP)) is True
    assert calls[CallId("ca_1")].session.reasons == ["a supervisor hung up"]
    assert await desk.order("ca_0", Order(Hand.HANGUP)) is False
    assert await desk.order("nobody", Order(Hand.HANGUP)) is False
    for call, hand, code in (("ca_2", Hand.HANGUP, "not_answered"), ("ca_1", Hand.SAY, "not_possible")):
        refused = await desk.order(call, Order(hand))
        assert isinstance(refused, Refused)
        assert refused.code == code
