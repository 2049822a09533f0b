"""One record under the rules that could bind it, at one instant, and what lifts a rule from it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, assert_never

from compliance.consent import Level, carrying
from compliance.record import CallRecord
from compliance.rules import Rulebook
from compliance.rules.schema import AnyRule, Exemption
from compliance.verdict import Finding
from compliance.zones import Whereabouts

PURCHASE_MONTHS: Final = 18  # 47 CFR 64.1200(f)(5): a purchase or transaction ...
INQUIRY_MONTHS: Final = 3  # ... or an inquiry or application, before the date of the call


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule that binds calls of one kind in one place, and the function that asks it."""

    state: str
    rule: AnyRule
    ask: Callable[[Any, Case, str], Sequence[Finding]]  # Any: the one kind of rule that `_asker` matched it for
    is_dated: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One record under the rules that could bind it, at one instant."""

    record: CallRecord
    book: Rulebook
    whereabouts: Whereabouts
    rules: tuple[Bound, ...]
    at: datetime
    today: date  # the latest calendar day it could be where the phone is: the strict reading of every age and period


def is_lifted(rule: AnyRule, case: Case) -> bool:
    return any(_holds(exemption, case) for exemption in rule.lifted_by)


def _holds(exemption: Exemption, case: Case) -> bool:
    match exemption:
        case Exemption.WRITTEN_CONSENT:
            return carrying(case.record, Level.PERMISSION, case.at) is not None
        case Exemption.EXPRESS_CONSENT:
            return carrying(case.record, Level.EXPRESS, case.at) is not None
        case Exemption.RELATIONSHIP:
            return has_relationship(case.record, case.today, case.at)
        case Exemption.PERSONAL:
            return case.record.relationship is not None and case.record.relationship.is_personal
        case Exemption.BUSINESS:
            return case.record.is_business
        case _:
            assert_never(exemption)


def has_relationship(record: CallRecord, today: date, at: datetime) -> bool:
    """47 CFR 64.1200(f)(5): a purchase within 18 months or an inquiry within 3, not ended by a do-not-call request."""
    relationship = record.relationship
    if relationship is None or (relationship.ended_at is not None and relationship.ended_at <= at):
        return False
    return _within(relationship.last_purchase, PURCHASE_MONTHS, today) or _within(
        relationship.last_inquiry, INQUIRY_MONTHS, today
    )


def _within(day: date | None, months: int, today: date) -> bool:
    return day is not None and day <= today <= add_months(day, months)


def add_months(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    first_of_next = date(day.year + years + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(date(day.year + years, month + 1, 1) + timedelta(days=day.day - 1), first_of_next - timedelta(days=1))
