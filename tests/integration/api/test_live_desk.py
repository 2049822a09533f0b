from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.errands import Errand
from api.live_call import Said
from api.live_desk import LiveDesk
from api.parts import Hand, LiveCalls, Order, Refused
from context.briefing import Briefing, ContactCard
from voice.agent_file import AgentFolder
from voice.events import CallId, Direction, Event, SupervisorSays, TransferRequested, Whispered

AGENTS = Path(__file__).parents[3] / "agents"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


class Session:
    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.posted: list[Event] = []

    def post(self, event: Event) -> None:
        self.posted.append(event)

    def hang_up(self, reason: str) -> None:
        self.reasons.append(reason)


class Gathering:
    def so_far(self) -> Briefing:
        return Briefing(contact=ContactCard("k1", "+16145550123", "Ann Lee"))


def a_call(call_id: str, minutes: int, **more: Any) -> Any:
    """What the desk sees of a switchboard's live call."""
    errand = Errand(CallId(call_id), Direction.OUTBOUND, AgentFolder(AGENTS).get("solar"), "+16145550123", contact_id="k1")
    seen = {"errand": errand, "started_at": NOW + timedelta(minutes=minutes), "answered_at": None, "session": None}
    return SimpleNamespace(**{**seen, "is_over": False, "lines": [], "interim": "", "gathering": Gathering(), **more})


@pytest.fixture
def calls() -> dict[CallId, Any]:
    lines = [Said("agent", "Hello.", 0.1), Said("caller", "hi", 1.4)]
    return {
        CallId("ca_2"): a_call("ca_2", 2),
        CallId("ca_1"): a_call("ca_1", 1, answered_at=NOW, session=Session(), lines=lines, interim="so"),
        CallId("ca_0"): a_call("ca_0", 0, is_over=True),
    }


def test_live_calls_with_their_words(calls: dict[CallId, Any]) -> None:
    desk: LiveCalls = LiveDesk(calls)
    first, second = desk.snapshot()
    assert (first.id, first.state, first.agent, first.contact_id) == ("ca_1", "live", "solar", "k1")
    assert [(line.who, line.text, line.at) for line in first.lines] == [("agent", "Hello.", 0.1), ("caller", "hi", 1.4)]
    assert (first.contact_name, first.interim) == ("Ann Lee", "so")
    assert (second.id, second.state) == ("ca_2", "ringing")


async def test_a_live_call_is_hung_up(calls: dict[CallId, Any]) -> None:
    desk = LiveDesk(calls)
    assert await desk.order("ca_1", Order(Hand.HANGUP)) is True
    assert calls[CallId("ca_1")].session.reasons == ["a supervisor hung up"]
    assert await desk.order("ca_0", Order(Hand.HANGUP)) is False
    assert await desk.order("nobody", Order(Hand.HANGUP)) is False
    for call, order, code in (
        ("ca_2", Order(Hand.HANGUP), "not_answered"),
        ("ca_1", Order(Hand.TAKEOVER), "not_possible"),
        ("ca_1", Order(Hand.WHISPER, text="offer Friday"), "not_possible"),
        ("ca_1", Order(Hand.TRANSFER, to="+13025550177", is_warm=True), "no_warm_transfer"),
        ("ca_1", Order(Hand.TRANSFER, to="+1911"), "number_emergency"),
    ):
        refused = await desk.order(call, order)
        assert isinstance(refused, Refused)
        assert refused.code == code


async def test_the_agent_is_given_words_and_the_caller_to_somebody_else(calls: dict[CallId, Any]) -> None:
    desk = LiveDesk(calls, can_whisper=True)
    assert desk.hands == {Hand.HANGUP, Hand.SAY, Hand.TRANSFER, Hand.WHISPER}
    assert await desk.order("ca_1", Order(Hand.WHISPER, text="offer Friday")) is True
    assert await desk.order("ca_1", Order(Hand.SAY, text="One moment.")) is True
    assert await desk.order("ca_1", Order(Hand.TRANSFER, to="sip:desk@example.com")) is True
    assert await desk.order("ca_1", Order(Hand.TRANSFER, to="+13025550177")) is True
    assert calls[CallId("ca_1")].session.posted == [
        Whispered("offer Friday"),
        SupervisorSays("One moment."),
        TransferRequested("sip:desk@example.com"),
        TransferRequested("+13025550177"),
    ]
