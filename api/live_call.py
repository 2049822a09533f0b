"""A call of this process, from dialling to its end, and the leg that its conversation talks on. Decides nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from api.errands import Errand
from context.gather import Gathering
from telephony.number import NumberRefused, mask, parse_target
from telephony.twilio import rest, twiml
from voice.events import Party
from voice.prepared import EarsAhead, PreparedSpeaker
from voice.pricing.consumption import Account
from voice.session import Session


@dataclass(frozen=True, slots=True)
class Said:
    """A line of a live call: who (caller or agent), what, and when, in seconds from the answer."""

    who: str
    text: str
    at: float


@dataclass(slots=True)
class LiveCall:
    """A call from dialling to its end, and the parts that wait for it."""

    errand: Errand
    gathering: Gathering
    ears: EarsAhead
    started_at: datetime
    speaker: asyncio.Task[PreparedSpeaker]
    account: Account  # everything its providers used
    carrier_sid: str = ""
    session: Session | None = None
    answered_at: datetime | None = None
    party: Party | None = None
    is_over: bool = False
    is_written: bool = False  # all that came of it is in the books
    lines: list[Said] = field(default_factory=list)  # what was said so far, for whoever looks
    interim: str = ""  # what the caller seems to be saying


class Leg:
    """What a session may do to its leg besides talking on it. Fits `voice.session.LegControl`."""

    def __init__(self, carrier: rest.TwilioCarrier, call: LiveCall, action: str) -> None:
        self._carrier = carrier
        self._call = call
        self._action = action

    async def transfer(self, to: str) -> str:
        """Hand the leg to `to`. Empty when the carrier took it; else why not."""
        target = parse_target(to)
        if isinstance(target, NumberRefused):
            return f"{mask(to)} cannot be dialled: {target.why}"
        document = twiml.dial(target, self._call.errand.ours, self._action)
        outcome = await self._carrier.redirect(self._call.carrier_sid, document)
        match outcome:
            case rest.Changed():
                return ""
            case rest.ChangeRefused(verdict):
                return verdict.say
            case rest.ChangeUnknown(why):
                return f"the carrier did not answer: {why}"
