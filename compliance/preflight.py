"""How a campaign would go before it starts: who can be called, when, which rule stops the others, how long it takes. Pure.

Judges every contact with the real gate and stores nothing. Memory does not grow with the number of contacts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from compliance.gate import check
from compliance.record import CallRecord
from compliance.rules import Rulebook
from compliance.verdict import Clearance, Rule


@dataclass(frozen=True, slots=True)
class Preflight:
    """`opens` counts contacts by the instant at which they may first be called; `stopped_by` counts every rule that spoke.

    `alone` counts the contacts that a rule stops all by itself: curing it would free them.
    """

    at: datetime
    contacts: int
    now: int
    later: int
    never: int
    held: int
    opens: Mapping[datetime, int]
    stopped_by: Mapping[Rule, int]
    alone: Mapping[Rule, int]
    rules_version: str

    def finished_by(self, calls_per_second: float) -> datetime | None:
        """When the last first attempt has been placed, at this pace; None when nobody can be called.

        Each contact once, as soon as it may be called. Evenings on which the hours run out before the contacts do are not
        seen: it is the earliest end, not a promise.
        """
        if not self.now + self.later:
            return None
        moment = self.at
        for opening, count in sorted({self.at: self.now, **self.opens}.items()):
            moment = max(moment, opening) + timedelta(seconds=count / calls_per_second)
        return moment


def preflight(records: Iterable[CallRecord], at: datetime, rules: Rulebook) -> Preflight:
    """Judge every record at one instant."""
    opens: Counter[datetime] = Counter()
    stopped_by: Counter[Rule] = Counter()
    alone: Counter[Rule] = Counter()
    now = never = held = 0
    for record in records:
        verdict = check(record, at, rules)
        if isinstance(verdict, Clearance):
            now += 1
            continue
        codes = verdict.rules
        stopped_by.update(codes)
        if len(codes) == 1:
            alone[codes[0]] += 1
        if verdict.until is not None:
            opens[verdict.until] += 1
        elif verdict.is_hold:
            held += 1
        else:
            never += 1
    later = sum(opens.values())
    total = now + later + never + held
    return Preflight(at, total, now, later, never, held, dict(opens), dict(stopped_by), dict(alone), rules.version)


def describe(result: Preflight, calls_per_second: float) -> list[str]:
    """The result in sentences."""
    callable_ = f"{result.now:,} can be called now, {result.later:,} later, {result.never:,} not at all"
    told = [f"{result.contacts:,} contacts: {callable_}."]
    if result.held:
        told.append(f"{result.held:,} wait for the operator: a list, a caller id or a registration is missing.")
    for rule, count in sorted(result.stopped_by.items(), key=lambda each: -each[1]):
        told.append(f"{count:,} are stopped by {rule.value}, {result.alone.get(rule, 0):,} by nothing else.")
    end = result.finished_by(calls_per_second)
    if end is not None:
        pace = f"{calls_per_second:g} calls a second"
        told.append(f"At {pace} every first attempt is placed by {end:%Y-%m-%d %H:%M} UTC at the earliest.")
    return told
