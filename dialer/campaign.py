"""A campaign and its contacts: what they are, and which orders a campaign obeys in which state. Values and one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from dialer.attempt import Disposition
from dialer.pacing import Limit
from dialer.retry import RetryPolicy


class CampaignState(StrEnum):
    DRAFT = "draft"  # contacts may be imported; nobody is called
    RUNNING = "running"
    PAUSED = "paused"  # nothing new is dialled; calls that are under way go on
    STOPPED = "stopped"  # for good: what had not been answered was called off
    FINISHED = "finished"  # every contact is closed; new contacts and a start make it run again


class Order(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


# What an order makes of a campaign. What is not here is refused. Giving an order twice is allowed and changes nothing.
_OBEYED: Final = {
    (CampaignState.DRAFT, Order.START): CampaignState.RUNNING,
    (CampaignState.FINISHED, Order.START): CampaignState.RUNNING,
    (CampaignState.RUNNING, Order.START): CampaignState.RUNNING,
    (CampaignState.RUNNING, Order.PAUSE): CampaignState.PAUSED,
    (CampaignState.PAUSED, Order.PAUSE): CampaignState.PAUSED,
    (CampaignState.PAUSED, Order.RESUME): CampaignState.RUNNING,
    (CampaignState.PAUSED, Order.START): CampaignState.RUNNING,
    (CampaignState.RUNNING, Order.RESUME): CampaignState.RUNNING,
    (CampaignState.DRAFT, Order.STOP): CampaignState.STOPPED,
    (CampaignState.RUNNING, Order.STOP): CampaignState.STOPPED,
    (CampaignState.PAUSED, Order.STOP): CampaignState.STOPPED,
    (CampaignState.FINISHED, Order.STOP): CampaignState.STOPPED,
    (CampaignState.STOPPED, Order.STOP): CampaignState.STOPPED,
}


@dataclass(frozen=True, slots=True)
class OrderRefused:
    """The campaign is in no state for this order. `code` is stable, `why` says what to do instead."""

    code: str
    why: str


def obey(state: CampaignState, order: Order) -> CampaignState | OrderRefused:
    """The state after an order, or why it cannot be given."""
    after = _OBEYED.get((state, order))
    if after is not None:
        return after
    if state is CampaignState.STOPPED:
        return OrderRefused("campaign_stopped", "it was stopped for good; create a new campaign")
    if state is CampaignState.FINISHED:
        return OrderRefused("campaign_finished", "it has finished; import more contacts and start it again")
    return OrderRefused("campaign_not_running", "it has not been started; start it first")


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nobody of a running campaign is dialled, though the gate might permit it: something of ours is in the way.

    No refusal of the gate's; it closes no contact, and goes away with its reason. `code` is stable: providers_down,
    budget_hour_spent, budget_campaign_spent, budget_call_spent. `why` says what to do.
    """

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """An errand and its rules. `purpose` is the compliance room's word; `from_number` "" means the configured caller id.

    `ring_timeout` and `longest_call` in seconds. A ring must last 15 s or four rings before a call counts as unanswered
    (47 CFR 64.1200(a)(6)). `budget`: dollars that all its calls may cost together; None: as much as the house allows any.
    `allowed_at`: when the operator last let it run.
    """

    id: str
    name: str
    seller: str
    agent: str
    created_at: datetime
    purpose: str = "telemarketing"
    instructions: str = ""
    from_number: str = ""
    state: CampaignState = CampaignState.DRAFT
    priority: int = 0
    limit: Limit = field(default_factory=Limit)
    ring_timeout: float = 25.0
    longest_call: float = 600.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    budget: Decimal | None = None
    hold: Hold | None = None
    allowed_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.seller.strip() or not self.agent.strip():
            raise ValueError("a campaign needs a name, a seller and an agent")
        if not SHORTEST_RING <= self.ring_timeout <= LONGEST_RING:
            raise ValueError(f"the ring timeout must be {SHORTEST_RING:.0f} to {LONGEST_RING:.0f} seconds")
        if not 0 < self.longest_call <= LONGEST_CALL:
            raise ValueError(f"the longest call must be more than 0 and at most {LONGEST_CALL:.0f} seconds")
        if self.budget is not None and not self.budget > 0:
            raise ValueError("a budget must be more than 0 dollars; without one there is no limit")


SHORTEST_RING: Final = 15.0
LONGEST_RING: Final = 600.0  # Twilio's Timeout
LONGEST_CALL: Final = 4 * 3600.0


class ContactState(StrEnum):
    WAITING = "waiting"  # for its `due_at`, then for a line
    ATTEMPTING = "attempting"  # an attempt is under way
    CLOSED = "closed"  # there is a disposition, and nothing more is tried
    CALLED_OFF = "called_off"  # the person, or somebody for them, wants no calls: no later result opens it again


TOOK_BACK: Final = "consent_revoked"  # why a contact is called off that a new consent may open again
AGREED_AGAIN: Final = "agreed_again"  # why it then is open


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom we ring. `due_at` is set while waiting; `rules` are the codes the gate gave when it was last asked.

    `person` ties the numbers of one human together, across campaigns: `list/id`, empty when the file named nobody.
    """

    id: str
    campaign_id: str
    number: str = field(repr=False)
    created_at: datetime
    name: str = ""
    first_name: str = ""
    address_state: str = ""
    zip: str = ""
    person: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    batch_id: str = ""
    line: int = 0
    state: ContactState = ContactState.WAITING
    priority: int = 0
    due_at: datetime | None = None
    tries: int = 0
    disposition: Disposition | None = None
    reason: str = ""
    rules: tuple[str, ...] = ()
    receipt_id: str = ""
    changed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state in (ContactState.WAITING, ContactState.ATTEMPTING)


@dataclass(frozen=True, slots=True)
class OpenContact:
    """A contact that may still be called, with no more than whom and where: for looking ahead at a whole campaign."""

    id: str
    number: str = field(repr=False)
    person: str = ""
    address_state: str = ""
    zip: str = ""


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """One file taken in, or being taken in: `finished_at` stays None for one that was broken off."""

    id: str
    campaign_id: str
    source: str
    started_at: datetime
    finished_at: datetime | None = None
    rows: int = 0
    kept: int = 0
    bad: int = 0
    duplicates: int = 0
