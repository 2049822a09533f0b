"""How many attempts to make now, and which: lines, calls per second, and whose turn it is.

Decides; places nothing, and reads no clock. The default is a reserved session for every line (the ratio of dials to
sessions is 1), so nobody who answers finds nobody there. `now` is monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

FOREVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Limit:
    """How many calls at once, and how many new ones a second.

    Twilio takes one call a second from an account by default and *queues* the rest, where they may ring when the hour has
    become unlawful: so we hold them back ourselves. Raises `ValueError` for a limit under which nothing could ever happen.
    """

    concurrency: int = 10
    calls_per_second: float = 1.0

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError("at least one call at once")
        if not 0 < self.calls_per_second < FOREVER:
            raise ValueError("calls per second must be more than 0")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact whose turn has come. A higher `priority` goes first, then who has waited longest."""

    contact_id: str
    campaign_id: str
    priority: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits of the house and of each campaign, and when each may place its next call.

    `next_at` is the instant the spacing of 1/calls_per_second allows: any second holds at most the allowed number of calls,
    and nothing is saved up while it is quiet, because a burst is what carriers punish.
    """

    house: Limit
    campaigns: Mapping[str, Limit]
    next_at: Mapping[str, float] = field(default_factory=dict)

    def after_call(self, campaign_id: str, now: float) -> Pace:
        """The pace once a call of this campaign goes out at `now`."""
        spent = {HOUSE: now + 1 / self.house.calls_per_second}
        if campaign_id in self.campaigns:
            spent[campaign_id] = now + 1 / self.campaigns[campaign_id].calls_per_second
        return replace(self, next_at={**self.next_at, **spent})

    def ready_at(self, campaign_id: str) -> float:
        """The first instant at which the rates allow a call of this campaign."""
        return max(self.next_at.get(HOUSE, -FOREVER), self.next_at.get(campaign_id, -FOREVER))


HOUSE: Final = ""  # the key of the limits that hold for everybody; no campaign has an empty id


def decide(queue: Sequence[Candidate], live: Mapping[str, int], pace: Pace, now: float) -> list[Candidate]:
    """Choose whom to try now. `live` counts the lines in use by campaign.

    At most one candidate of a campaign, and as many as the house's rate allows now (one): a candidate may yet be refused by
    the gate, and then nothing was spent and the next is chosen. Campaigns of equal priority take turns by their share of
    lines in use, so a large one does not starve a small one.
    """
    if sum(live.values()) >= pace.house.concurrency:
        return []
    ready = [candidate for candidate in queue if _may_call(candidate.campaign_id, live, pace, now)]
    if not ready:
        return []
    return [min(ready, key=lambda candidate: _turn(candidate, live, pace))]


def next_chance(queue: Sequence[Candidate], live: Mapping[str, int], pace: Pace) -> float:
    """When `decide` may choose somebody if no line changes: monotonic seconds, `FOREVER` if a line must come free first."""
    if sum(live.values()) >= pace.house.concurrency:
        return FOREVER
    free = {candidate.campaign_id for candidate in queue if _has_line(candidate.campaign_id, live, pace)}
    return min((pace.ready_at(campaign_id) for campaign_id in free), default=FOREVER)


def _may_call(campaign_id: str, live: Mapping[str, int], pace: Pace, now: float) -> bool:
    return _has_line(campaign_id, live, pace) and pace.ready_at(campaign_id) <= now


def _has_line(campaign_id: str, live: Mapping[str, int], pace: Pace) -> bool:
    limit = pace.campaigns.get(campaign_id)
    return limit is not None and live.get(campaign_id, 0) < limit.concurrency


def _turn(candidate: Candidate, live: Mapping[str, int], pace: Pace) -> tuple[int, float, float, datetime, str]:
    share = live.get(candidate.campaign_id, 0) / pace.campaigns[candidate.campaign_id].concurrency
    last = pace.next_at.get(candidate.campaign_id, -FOREVER)
    return (-candidate.priority, share, last, candidate.due_at, candidate.contact_id)
