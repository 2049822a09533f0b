"""How often somebody has been called, and when they may be again: rolling windows and calendar days. Pure.

Attempts count, answered or not, whichever of our numbers placed them. A call exactly `hours` old no longer counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from compliance.record import CallRecord, PastCall
from compliance.rules.schema import Cap
from compliance.zones import zone


def counted(rule: Cap, record: CallRecord, at: datetime) -> list[PastCall]:
    """The earlier calls that this cap counts, whenever they were, oldest first."""
    errand = record.errand
    return sorted(
        (
            call
            for call in record.history
            if call.at <= at
            and (not rule.same_subject or errand.subject in ("", call.subject) or not call.subject)  # unsaid: the same
            and (not rule.same_seller or call.seller in ("", errand.seller))
            and (not rule.same_number or call.number in ("", record.number))
            and (rule.counts == "attempts" or call.is_conversation)
        ),
        key=lambda call: call.at,
    )


def next_allowed(rule: Cap, record: CallRecord, zones: Iterable[str], at: datetime) -> datetime:
    """The earliest instant from `at` on at which one more call stays within the cap."""
    if rule.per_local_day:
        return _next_day(rule, [call.at for call in counted(rule, record, at)], tuple(zones), at)
    period = timedelta(hours=rule.hours)
    inside = [call.at for call in counted(rule, record, at) if call.at > at - period]
    return at if len(inside) < rule.most else inside[-rule.most] + period


def _next_day(rule: Cap, calls: list[datetime], zones: tuple[str, ...], at: datetime) -> datetime:
    """Midnight, in every zone the phone could be in, after the day that is full there."""
    moment = at
    for name in (*zones, *zones):  # twice: a midnight passed in one zone may be a full day still in another
        clock = zone(name)
        today = moment.astimezone(clock).date()
        if sum(1 for each in calls if each.astimezone(clock).date() == today) >= rule.most:
            midnight = datetime(today.year, today.month, today.day, tzinfo=clock) + timedelta(days=1)
            moment = max(moment, midnight.astimezone(UTC))
    return moment
