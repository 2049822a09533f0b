"""How verdicts look from afar: many records at one instant, the gate asked once for all that it cannot tell apart. Pure.

No rule stands here, and nothing is cleared by it: every outlook was a verdict of `compliance.gate`. All that is written down
is what the gate looks at (`_likeness`); a property test holds it to giving every record the outlook of its own verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from compliance.gate import check
from compliance.record import CallRecord, Consent, Errand, ListAnswer, Reassigned
from compliance.rules import Rulebook
from compliance.verdict import Clearance, Rule
from compliance.zones import number_problem, where

Likeness: TypeAlias = tuple[object, ...]
KEPT: Final = 50_000  # outlooks of one errand, some kilobytes each at most: beyond, memory would grow with the campaign


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a verdict comes to. `entries` are the rule-book entries that spoke: the code, the entry's id, its source.

    `seen_until` is the last instant that the gate looked at to find this; None when it may have looked anywhere.
    """

    is_clear: bool
    is_hold: bool = False
    until: datetime | None = None
    rules: tuple[Rule, ...] = ()
    entries: frozenset[tuple[Rule, str, str]] = frozenset()
    seen_until: datetime | None = None


def outlook(record: CallRecord, at: datetime, book: Rulebook) -> Outlook:
    """This record's own, from its own verdict."""
    verdict = check(record, at, book)
    if isinstance(verdict, Clearance):
        return Outlook(is_clear=True, seen_until=at)
    entries = frozenset((each.rule, each.entry, each.source) for each in verdict.findings)
    stays = verdict.until is None and not verdict.later and any(each.until is None for each in verdict.findings)
    seen_until = at if stays else verdict.until
    return Outlook(False, verdict.is_hold, verdict.until, verdict.rules, entries, seen_until)


class Outlooks:
    """The outlooks of many records at one instant (aware) under one rule book, each judged once for all that are alike."""

    def __init__(self, at: datetime, book: Rulebook) -> None:
        self._at = at.astimezone(UTC)
        self._book = book
        self._errand: Errand | None = None
        self._known: dict[Likeness, Outlook] = {}

    def of(self, record: CallRecord) -> Outlook:
        likeness = _likeness(record, self._at, self._book)
        if likeness is None:
            return outlook(record, self._at, self._book)
        known = self._known_of(record.errand)
        ends = _first_end(record, self._at)
        found = known.get(likeness)
        if found is not None and _is_before(found.seen_until, ends):
            return found
        found = outlook(record, self._at, self._book)
        if _is_before(found.seen_until, ends) and len(known) < KEPT:
            known[likeness] = found
        return found

    def _known_of(self, errand: Errand) -> dict[Likeness, Outlook]:
        """A campaign has one errand: kept by what it is, to compare it for every contact would cost as much as the rest."""
        if errand is not self._errand:
            if errand != self._errand:
                self._known = {}
            self._errand = errand
        return self._known


def _first_end(record: CallRecord, at: datetime) -> datetime | None:
    """When the first of the consents that have not run out will."""
    ends = (each.expires_at for each in record.consents)
    return min((end for end in ends if end is not None and end > at), default=None)


def _is_before(seen_until: datetime | None, ends: datetime | None) -> bool:
    """Whether no instant was looked at by which a consent has run out."""
    return ends is None or (seen_until is not None and seen_until < ends)


def _likeness(record: CallRecord, at: datetime, book: Rulebook) -> Likeness | None:
    """Records of one errand with equal likenesses have equal outlooks, but for consents that run out later on.

    None for a record that is like no other: past calls, revocations and consents to come each have an instant of their own.
    """
    if book.closed_because or record.history or record.revocations or record.last_receipt_at is not None:
        return None
    if record.reassigned.answer is Reassigned.YES or any(each.obtained_at > at for each in record.consents):
        return None
    there: object = number_problem(record.number, book)
    if there is None:
        found = where(record.number, record.place, at.date(), book)
        there = (found.zones, found.states, record.place if record.place.stated_on is not None else None)
    return (
        there,
        record.line,
        record.is_emergency_line,
        record.is_business,
        tuple([_consent_likeness(each, record, at) for each in record.consents]),
        tuple([_list_likeness(each) for each in record.lists]),
        record.relationship,
        record.reassigned.answer,
        record.emergencies,
        record.is_erased,
        record.is_halted,
    )


def _consent_likeness(consent: Consent, record: CallRecord, at: datetime) -> Likeness:
    errand = record.errand
    return (
        consent.kind,
        consent.number == record.number,
        errand.seller in consent.sellers,
        not consent.purposes or errand.purpose in consent.purposes,
        not consent.wording.strip(),
        consent.is_signed,
        consent.names_artificial_voice,
        consent.says_not_a_condition,
        consent.expires_at is not None and consent.expires_at <= at,
    )


def _list_likeness(answer: ListAnswer) -> Likeness:
    return (answer.name, answer.is_listed, answer.is_covered, answer.obtained_on)
