"""What is measured of calls that were made: abandoned or not, how long it rang, when the opt-out was offered. Pure.

The law counts per campaign and 30 days, live answers only; instants are seconds of one call's own clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

ABANDON_LIMIT: Final = 0.03  # 47 CFR 64.1200(a)(7): no more than three percent of the calls answered live
ABANDON_PERIOD: Final = timedelta(days=30)
SPEAK_WITHIN: Final = 2.0  # seconds after the end of the greeting, (a)(7)(ii); 16 CFR 310.4(b)(1)(v)(B)
RING_SECONDS: Final = 15.0  # (a)(6): or four rings
RINGS: Final = 4
OPT_OUT_WITHIN: Final = 2.0  # seconds after the identification, (b)(3)


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """One call that a person answered. `first_audio_after_greeting` is None when we never spoke."""

    campaign: str
    at: datetime
    first_audio_after_greeting: float | None
    was_identified: bool = True


@dataclass(frozen=True, slots=True)
class AbandonLedger:
    """A campaign's last 30 days. `budget` is how many calls more may be abandoned before the limit is passed."""

    answered_live: int
    abandoned: int

    @property
    def rate(self) -> float:
        return self.abandoned / self.answered_live if self.answered_live else 0.0

    @property
    def is_within_limit(self) -> bool:
        return self.abandoned * 100 <= self.answered_live * 3  # in whole numbers: 30 of 1000 is within, 31 is not

    @property
    def budget(self) -> int:
        return self.answered_live * 3 // 100 - self.abandoned


def tell_abandoned(ledger: AbandonLedger) -> str:
    """The ledger in a sentence, with its paragraph and what is left of the budget."""
    counted = f"{ledger.abandoned} of {ledger.answered_live} calls answered by a person were abandoned ({ledger.rate:.1%})"
    room = f"{ledger.budget} more may be" if ledger.budget >= 0 else f"{-ledger.budget} too many"
    return f"In 30 days {counted}; {room} [47 CFR 64.1200(a)(7): no more than 3 %]."


def is_abandoned(answer: LiveAnswer) -> bool:
    """Silence for more than two seconds after the greeting, or a line dropped before we said who we are."""
    first = answer.first_audio_after_greeting
    return first is None or first > SPEAK_WITHIN or not answer.was_identified


def abandon_ledger(answers: Iterable[LiveAnswer], campaign: str, at: datetime) -> AbandonLedger:
    """The ledger of one campaign at an instant: calls of the 30 days before it."""
    counted = [each for each in answers if each.campaign == campaign and at - ABANDON_PERIOD < each.at <= at]
    return AbandonLedger(len(counted), sum(1 for each in counted if is_abandoned(each)))


def live_answer(campaign: str, at: datetime, measured: Mapping[str, float]) -> LiveAnswer:
    """A call that a person answered, from what was measured of it. A greeting that was never heard ended with the answer."""
    first = measured.get("first_audio")
    greeted = measured.get("greeting_ended", 0.0)
    return LiveAnswer(campaign, at, None if first is None else first - greeted, "identified" in measured)


def rang_long_enough(seconds: float, rings: int) -> bool:
    """Whether an unanswered call was given its time."""
    return seconds >= RING_SECONDS or rings >= RINGS


def opt_out_in_time(identified_at: float, offered_at: float) -> bool:
    """Whether the opt-out was offered soon enough after the end of the identification. Before it is soon enough."""
    return offered_at - identified_at <= OPT_OUT_WITHIN
