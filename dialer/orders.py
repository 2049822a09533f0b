"""What people tell the dialer to do: create, start, pause, stop, call off. Written down here, carried out by the runner.

Each is one work of the store, so it can come from the command line, the API or a call, in this process or another: a runner
anywhere learns of it from the log. A refusal is a value that says what to do instead.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from dialer.attempt import CancelWanted, Phase
from dialer.campaign import Campaign, CampaignState, ContactState, Order, OrderRefused, obey
from dialer.ports import Work
from dialer.settle import Chances, change_state, close, learn
from storage.events import CampaignChanged, NumberCancelled
from telephony.number import mask

_NO_CHANCES = Chances(zone=lambda _: None, draw=lambda: 0.0)  # a cancelled attempt is ruled upon without them


async def create(work: Work, campaign: Campaign, at: datetime) -> Campaign | OrderRefused:
    """Keep a new campaign, as a draft."""
    if await work.campaign_named(campaign.name) is not None:
        return OrderRefused("campaign_exists", f"there is a campaign named {campaign.name!r} already; choose another name")
    return await change_state(work, campaign, CampaignState.DRAFT, at)


async def find(work: Work, name_or_id: str) -> Campaign | OrderRefused:
    """The campaign people mean."""
    campaign = await work.campaign(name_or_id) or await work.campaign_named(name_or_id)
    return campaign or OrderRefused("no_such_campaign", f"there is no campaign named {name_or_id!r}")


async def give(work: Work, campaign: Campaign, order: Order, at: datetime, reason: str = "") -> Campaign | OrderRefused:
    """Start, pause, resume or stop a campaign. To stop also calls off whatever nobody has answered yet."""
    after = obey(campaign.state, order)
    if isinstance(after, OrderRefused):
        return after
    if order is Order.START and not await work.has_open_contacts(campaign.id):
        return OrderRefused("no_contacts", "there is nobody in it to call; import contacts first")
    if after is campaign.state and (campaign.hold is None or order in (Order.PAUSE, Order.STOP)):
        return campaign
    changed = await change_state(work, campaign, after, at, reason)
    if order is Order.STOP:
        for attempt in await work.active_attempts():
            if attempt.campaign_id == campaign.id and attempt.phase is not Phase.ANSWERED:
                await learn(work, attempt, CancelWanted("the campaign was stopped", at), at, _NO_CHANCES)
    return changed


async def set_budget(work: Work, campaign: Campaign, dollars: Decimal | None, at: datetime) -> Campaign | OrderRefused:
    """What all calls of a campaign may cost together; None for no limit of its own. A hold is judged anew."""
    try:
        changed = replace(campaign, budget=dollars)
    except ValueError as error:
        return OrderRefused("budget_impossible", str(error))
    await work.save_campaign(changed)
    reason = f"its budget is {dollars} dollars now" if dollars is not None else "it has no budget of its own now"
    await work.record(CampaignChanged(campaign_id=campaign.id, state=campaign.state.value, reason=reason), at)
    return changed


async def ask_again(work: Work, campaign: Campaign, at: datetime) -> int:
    """Let those whom the gate refused for good wait again, because something has been mended. How many there are."""
    return await work.reopen_refused(campaign.id, at)


async def cancel_number(
    work: Work, number: str, reason: str, at: datetime, seller: str = "", purposes: Collection[str] = ()
) -> list[str]:
    """Nobody rings this number any more (for `seller`, for these `purposes`; empty for any): waiting contacts are called
    off, unanswered calls too.

    Returns the carrier's ids of calls to be cancelled there, which a runner does by itself. A call that has been answered is
    left to its conversation: the person may be saying this very thing, and is owed a goodbye.
    """
    contacts = await work.open_contacts(number, seller, purposes)
    reached = {each.contact_id for each in await work.active_attempts_to(number) if each.phase is Phase.ANSWERED}
    called_off = [each for each in contacts if each.id not in reached]
    for contact in called_off:
        await close(work, replace(contact, reason=reason), at, ContactState.CALLED_OFF)
    ids = {each.id for each in called_off}
    cancelled = [each for each in await work.active_attempts_to(number) if each.contact_id in ids]
    ringing = [await learn(work, attempt, CancelWanted(reason, at), at, _NO_CHANCES) for attempt in cancelled]
    told = NumberCancelled(number=mask(number), reason=reason, attempts=len(cancelled), contacts=len(called_off))
    await work.record(told, at)
    return [each.progress.call_sid for each in ringing if each.progress.is_active and each.progress.call_sid]


async def forget_number(work: Work, number: str, at: datetime) -> None:
    """Call off what is planned for a number, and keep nothing of its contacts but that they were called, and when."""
    await cancel_number(work, number, "erased", at)
    await work.blank_contacts(number)
