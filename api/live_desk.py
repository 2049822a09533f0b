"""The switchboard's calls as people see them, and a supervisor's hand on them. Fits `api.parts.LiveCalls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.live_call import LiveCall
from api.parts import Hand, Order, Refused
from api.resources import CallState, Line, LiveCallView
from telephony.number import NumberRefused, parse_target
from voice.events import CallId, Direction, SupervisorSays, TransferRequested, Whispered
from voice.session import Session

_HANDS: Final = frozenset({Hand.HANGUP, Hand.SAY, Hand.TRANSFER})


class LiveDesk:
    """Over the live view of a switchboard's `calls`; offers only what a session can really be told.

    `can_whisper`: there is a mind that understands a hint in plain words, as a playbook does not.
    """

    def __init__(self, calls: Mapping[CallId, LiveCall], *, can_whisper: bool = False) -> None:
        self._calls = calls
        self.hands: Final = _HANDS | ({Hand.WHISPER} if can_whisper else set())

    def snapshot(self) -> list[LiveCallView]:
        """Every live call with what has been said so far, the longest first."""
        live = [call for call in self._calls.values() if not call.is_over]
        return [_view(call) for call in sorted(live, key=lambda call: call.started_at)]

    async def order(self, call_id: str, order: Order) -> bool | Refused:
        call = self._calls.get(CallId(call_id))
        if call is None or call.is_over:
            return False
        if call.session is None:
            return Refused("not_answered", "Nobody has answered yet; stop the campaign, or wait.")
        if order.hand not in self.hands:
            return Refused("not_possible", "A live call cannot be told that here.")
        return _told(call.session, order)


def _told(session: Session, order: Order) -> bool | Refused:
    match order:
        case Order(hand=Hand.HANGUP):
            session.hang_up("a supervisor hung up")
        case Order(hand=Hand.SAY, text=text):
            session.post(SupervisorSays(text))
        case Order(hand=Hand.WHISPER, text=text):
            session.post(Whispered(text))
        case Order(hand=Hand.TRANSFER, is_warm=True):
            return Refused("no_warm_transfer", "A warm transfer cannot be made here; ask for a cold one.")
        case Order(hand=Hand.TRANSFER, to=to):
            target = parse_target(to)
            if isinstance(target, NumberRefused):
                return Refused(f"number_{target.code}", f"{target.why}.".capitalize())
            session.post(TransferRequested(str(target)))
        case _:
            return Refused("not_possible", "A live call cannot be told that here.")
    return True


def _view(call: LiveCall) -> LiveCallView:
    errand, contact = call.errand, call.gathering.so_far().contact
    return LiveCallView(
        id=errand.call,
        state=CallState.LIVE if call.answered_at else CallState.RINGING,
        direction="inbound" if errand.direction is Direction.INBOUND else "outbound",
        number=errand.person,
        agent=errand.agent.name,
        contact_id=errand.contact_id or None,
        contact_name=contact.name if contact is not None else "",
        campaign_id=errand.campaign_id or None,
        started_at=call.started_at,
        answered_at=call.answered_at,
        lines=[Line(who="caller" if said.who == "caller" else "agent", text=said.text, at=said.at) for said in call.lines],
        interim=call.interim,
    )
