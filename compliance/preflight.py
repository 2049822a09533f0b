"""How a campaign would go before it starts: who can be called, when, which rule stops the others, how long it takes. Pure.

Judges every contact with the real gate and stores nothing. Memory does not grow with the number of contacts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from compliance.explain import cure
from compliance.outlook import Outlooks
from compliance.record import CallRecord
from compliance.rules import Rulebook
from compliance.verdict import Rule


@dataclass(frozen=True, slots=True)
class Preflight:
    """`opens` counts contacts by the instant at which they may first be called; `stopped_by` counts every rule that spoke.

    `alone` counts the contacts that a rule stops all by itself: curing it would free them. `paragraphs` has, for each rule,
    the rule-book entries that spoke.
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
    paragraphs: Mapping[Rule, tuple[str, ...]] = field(default_factory=dict)  # what was said, each with its source

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


def merged(parts: Sequence[Preflight]) -> Preflight:
    """The shares of one campaign, judged side by side at one instant, as one. At least one."""
    first = parts[0]
    return replace(
        first,
        **{name: sum(getattr(each, name) for each in parts) for name in ("contacts", "now", "later", "never", "held")},
        opens=sum((Counter(each.opens) for each in parts), Counter()),
        stopped_by=sum((Counter(each.stopped_by) for each in parts), Counter()),
        alone=sum((Counter(each.alone) for each in parts), Counter()),
        paragraphs={rule: _united(parts, rule) for part in parts for rule in part.paragraphs},
    )


def _united(parts: Sequence[Preflight], rule: Rule) -> tuple[str, ...]:
    return tuple(sorted({text for each in parts for text in each.paragraphs.get(rule, ())}))


def preflight(records: Iterable[CallRecord], at: datetime, rules: Rulebook) -> Preflight:
    """Judge every record at one instant."""
    count = PreflightCount(at, rules)
    for record in records:
        count.add(record)
    return count.result()


class PreflightCount:
    """A preflight in the making, for records that come a page at a time."""

    def __init__(self, at: datetime, rules: Rulebook) -> None:
        self._at = at
        self._rules = rules
        self._outlooks = Outlooks(at, rules)
        self._contacts = self._now = self._never = self._held = 0
        self._opens: Counter[datetime] = Counter()
        self._stopped_by: Counter[Rule] = Counter()
        self._alone: Counter[Rule] = Counter()
        self._entries: set[tuple[Rule, str, str]] = set()

    def add(self, record: CallRecord) -> None:
        self._contacts += 1
        found = self._outlooks.of(record)
        if found.is_clear:
            self._now += 1
            return
        for rule in found.rules:
            self._stopped_by[rule] += 1
        self._entries |= found.entries
        if len(found.rules) == 1:
            self._alone[found.rules[0]] += 1
        if found.until is not None:
            self._opens[found.until] += 1
        elif found.is_hold:
            self._held += 1
        else:
            self._never += 1

    def result(self) -> Preflight:
        return Preflight(
            at=self._at,
            contacts=self._contacts,
            now=self._now,
            later=sum(self._opens.values()),
            never=self._never,
            held=self._held,
            opens=dict(self._opens),
            stopped_by=dict(self._stopped_by),
            alone=dict(self._alone),
            rules_version=self._rules.version,
            paragraphs={rule: self._paragraphs(rule) for rule in self._stopped_by},
        )

    def _paragraphs(self, rule: Rule) -> tuple[str, ...]:
        """What each entry that spoke says in general; a finding's own words may tell of one contact."""
        told = sorted((entry, source) for code, entry, source in self._entries if code is rule)
        general = ((self._rules.entry(entry), source) for entry, source in told)
        return tuple(f"{entry.says} [{source}]" if entry is not None else f"[{source}]" for entry, source in general)


def describe(result: Preflight, calls_per_second: float) -> list[str]:
    """The result in sentences."""
    callable_ = f"{result.now:,} can be called now, {result.later:,} later, {result.never:,} not at all"
    told = [f"{result.contacts:,} contacts: {callable_}."]
    if result.held:
        told.append(f"Waiting for the operator (a list, a caller id or a registration is missing): {result.held:,}.")
    for rule, count in sorted(result.stopped_by.items(), key=lambda each: -each[1]):
        told.append(f"{rule.value} stops {count:,}, {result.alone.get(rule, 0):,} of them by itself.")
        told += [f"    {text}" for text in result.paragraphs.get(rule, ())]
        if cure(rule):
            told.append(f"    To do: {cure(rule)}.")
    end = result.finished_by(calls_per_second)
    if end is not None:
        pace = f"{calls_per_second:g} calls a second"
        told.append(f"At {pace} every first attempt is placed by {end:%Y-%m-%d %H:%M} UTC at the earliest.")
    return told
