"""Steps 2 and 3 of a dial: commit the attempt as DISPATCHING, then send the request, once.

The one place from which a call goes out. It holds the clearance in its hand, and looks at it once more before it begins.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import assert_never

import structlog

from dialer.attempt import (
    CancelWanted,
    CarrierAccepted,
    CarrierRefused,
    DispatchBegan,
    DispatchLost,
    Fact,
    Phase,
)
from dialer.campaign import CampaignState
from dialer.claim import Cleared
from dialer.ports import AttemptStore, CallPlacer, Placed, PlaceRefused, PlaceUnknown, Placing
from dialer.settle import Chances, learn
from telephony.number import mask

log = structlog.get_logger()


async def begin(store: AttemptStore, cleared: Cleared, at: datetime, chances: Chances) -> bool:
    """Commit the attempt as DISPATCHING. False if it has been called off, or its clearance no longer holds."""
    async with store.transaction() as work:
        attempt = await work.attempt(cleared.attempt.id)
        if attempt is None or attempt.phase is not Phase.INTENT:
            return False
        campaign = await work.campaign(attempt.campaign_id)
        if campaign is None or campaign.state is not CampaignState.RUNNING:
            await learn(work, attempt, CancelWanted("the campaign is not running", at), at, chances)
            return False
        if not cleared.clearance.permits(attempt.number, at) or cleared.clearance.attempt != attempt.id:
            await learn(work, attempt, CancelWanted("the clearance no longer holds", at), at, chances)
            return False
        await learn(work, attempt, DispatchBegan(at), at, chances)
    return True


async def place(placer: CallPlacer, cleared: Cleared, within: float) -> Placing:
    """Send the request. Whatever goes wrong goes wrong after we had begun to send, and there may be a call."""
    attempt = cleared.attempt
    try:
        async with asyncio.timeout(within):
            return await placer.place(cleared.clearance, attempt)
    except TimeoutError:
        log.warning("place_timed_out", attempt=attempt.id, number=mask(attempt.number))
        return PlaceUnknown("timeout")
    except Exception as error:
        log.exception("place_failed", attempt=attempt.id, number=mask(attempt.number))
        return PlaceUnknown(type(error).__name__)


def fact_of(placing: Placing, at: datetime) -> Fact:
    """What the carrier's answer says of the attempt."""
    match placing:
        case Placed(call_sid):
            return CarrierAccepted(call_sid, at)
        case PlaceRefused(disposition, detail):
            return CarrierRefused(disposition, detail, at)
        case PlaceUnknown(detail):
            return DispatchLost(detail, at)
        case _:
            assert_never(placing)
