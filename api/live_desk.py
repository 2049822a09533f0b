"""The switchboard's calls as people see them, and a supervisor's hand on them. Fits `api.parts.LiveCalls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.parts import Hand, Order, Refused
from api.resources import CallState, Line, LiveCallView
from api.switchboard import LiveCall
from voice.events import CallId, Direction


class LiveDesk:
    """Over the live view of a switchboard's `calls`; offers only what a session can really be told."""

    hands: Final = frozenset({Hand.HANGUP})

    def __init__(self, calls: Mapping[CallId, LiveCall]) -> None:
        self._calls = calls

    def snapshot(self) -> list[LiveCallView]:
        """Every live call with what has been said so far, the longest first."""
        live = [call for call in self._calls.values() if not call.is_over]
        return [_view(call) for call in sorted(live, key=lambda call: call.started_at)]

    async def order(self, call_id: str, order: Order) -> bool | Refused:
        call = self._calls.get(CallId(call_id))
        if call is None or call.is_over:
            return False
        if order.hand is not Hand.HANGUP:
            return Refused("not_possible", "A live call cannot be told that here.")
        if call.session is None:
            return Refused("not_answered", "Nobody has answered yet; stop the campaign, or wait.")
        call.session.hang_up("a supervisor hung up")
        return True


def _view(call: LiveCall) -> LiveCallView:
    errand = call.errand
    return LiveCallView(
        id=errand.call,
        state=CallState.LIVE if call.answered_at else CallState.RINGING,
        direction="inbound" if errand.direction is Direction.INBOUND else "outbound",
        number=errand.person,
        agent=errand.agent.name,
        contact_id=errand.contact_id or None,
        campaign_id=errand.campaign_id or None,
        started_at=call.started_at,
        answered_at=call.answered_at,
        lines=[Line(who="caller" if note.kind == "caller" else "agent", text=note.text) for note in call.lines],
    )
