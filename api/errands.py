"""What a call is about, known before it is answered."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final, Protocol

from dialer.attempt import Attempt
from dialer.ports import AttemptStore
from voice.agent import AgentDefinition
from voice.events import CallId, Direction

_PREFIX: Final = "ca_"


class Agents(Protocol):
    def get(self, name: str) -> AgentDefinition: ...
    def for_number(self, number: str) -> AgentDefinition | None: ...


@dataclass(frozen=True, slots=True)
class Errand:
    """`person` is the other side's number, `ours` the one we show or were rung on."""

    call: CallId
    direction: Direction
    agent: AgentDefinition
    person: str = field(repr=False)
    ours: str = ""
    seller: str = ""
    attempt_id: str = ""
    contact_id: str = ""
    campaign_id: str = ""
    purpose: str = ""  # what the campaign calls for; empty: it was no campaign's call


def call_of(attempt_id: str) -> CallId:
    """An attempt's call; the one follows from the other, so that a callback after a crash still finds its attempt."""
    return CallId(_PREFIX + attempt_id.removeprefix("at_"))


def attempt_of(call: str) -> str:
    return "at_" + call.removeprefix(_PREFIX)


async def outbound(attempt: Attempt, store: AttemptStore, agents: Agents, caller_ids: tuple[str, ...]) -> Errand:
    """The errand of an attempt. Raises `LookupError` when its campaign is gone, `AgentFileError` when the agent is."""
    async with store.reading() as work:
        campaign = await work.campaign(attempt.campaign_id)
    if campaign is None:
        raise LookupError(f"attempt {attempt.id} has no campaign")
    agent = agents.get(campaign.agent)
    ours = campaign.from_number or (caller_ids[0] if caller_ids else agent.callback_number)
    return Errand(
        call=call_of(attempt.id),
        direction=Direction.OUTBOUND,
        agent=agent,
        person=attempt.number,
        ours=ours,
        seller=campaign.seller,
        attempt_id=attempt.id,
        contact_id=attempt.contact_id,
        campaign_id=campaign.id,
        purpose=campaign.purpose,
    )


def inbound(person: str, ours: str, agents: Agents) -> Errand | None:
    """The errand of somebody who rings us; None when no agent answers that number."""
    agent = agents.for_number(ours)
    if agent is None:
        return None
    call = CallId(f"{_PREFIX}{secrets.token_hex(10)}")
    return Errand(call, Direction.INBOUND, agent, person, ours, agent.seller)
