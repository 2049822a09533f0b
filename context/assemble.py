"""Fold what the sources found into a briefing. Pure: which source said what, and when, is an argument.

Two sources may know the same thing: the first contact record wins and later ones fill its gaps, campaign rules likewise,
calls are one history, and of facts that say the same the newest stays. A source with nothing becomes an `Absence`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final, TypeAlias, TypeVar, assert_never

from context.briefing import Absence, Briefing, CampaignRules, ContactCard, KnownFact, Missing, PastCall
from context.facts import gist

TOTAL: Final = "total"  # the key of `Briefing.took` that is no source


@dataclass(frozen=True, slots=True)
class ContactFound:
    card: ContactCard


@dataclass(frozen=True, slots=True)
class HistoryFound:
    calls: tuple[PastCall, ...]


@dataclass(frozen=True, slots=True)
class RulesFound:
    rules: CampaignRules


@dataclass(frozen=True, slots=True)
class KnowledgeFound:
    facts: tuple[KnownFact, ...]


Found: TypeAlias = ContactFound | HistoryFound | RulesFound | KnowledgeFound


@dataclass(frozen=True, slots=True)
class Told:
    """One source's answer. `found` is None when it looked and there was nothing; `took` in seconds."""

    source: str
    found: Found | Absence | None
    took: float


def assemble(told: Iterable[Told], total: float) -> Briefing:
    """The briefing of everything told, in the order of the sources. `total` is seconds from dialling."""
    briefing = Briefing()
    took: dict[str, float] = {}
    for answer in told:
        briefing = _fold(briefing, answer)
        took[answer.source] = answer.took
    return replace(
        briefing,
        history=tuple(sorted(briefing.history, key=lambda call: call.at, reverse=True)),
        knowledge=_without_doubles(briefing.knowledge),
        took={**took, TOTAL: total},
    )


def _fold(briefing: Briefing, answer: Told) -> Briefing:
    match answer.found:
        case None | HistoryFound(()) | KnowledgeFound(()):
            nothing = Absence(answer.source, Missing.NOTHING_KNOWN)
            return replace(briefing, absences=(*briefing.absences, nothing))
        case Absence() as absence:
            return replace(briefing, absences=(*briefing.absences, absence))
        case ContactFound(card):
            return replace(briefing, contact=_filled(briefing.contact, card))
        case RulesFound(rules):
            return replace(briefing, rules=_filled(briefing.rules, rules))
        case HistoryFound(calls):
            return replace(briefing, history=(*briefing.history, *calls))
        case KnowledgeFound(facts):
            return replace(briefing, knowledge=(*briefing.knowledge, *facts))
        case _:  # pragma: no cover
            assert_never(answer.found)


T = TypeVar("T", ContactCard, CampaignRules)


def _filled(first: T | None, later: T) -> T:
    """`first` with its empty fields taken from `later`."""
    if first is None:
        return later
    gaps: dict[str, object] = {
        spec.name: getattr(later, spec.name) for spec in fields(first) if not getattr(first, spec.name)
    }
    if isinstance(first, ContactCard) and isinstance(later, ContactCard):
        gaps["fields"] = _joined(later.fields, first.fields)
    return replace(first, **gaps)  # type: ignore[arg-type]


def _joined(under: Mapping[str, str], over: Mapping[str, str]) -> dict[str, str]:
    return {**under, **{name: value for name, value in over.items() if value}}


def _without_doubles(facts: Iterable[KnownFact]) -> tuple[KnownFact, ...]:
    """Slots first (one fact a slot, the newest), then free text by score and age."""
    newest: dict[tuple[str, str], KnownFact] = {}
    for fact in facts:
        place = ("slot", fact.key) if fact.key else ("text", gist(fact.text))
        held = newest.get(place)
        if held is None or (fact.at, fact.score) > (held.at, held.score):
            newest[place] = fact
    return tuple(sorted(newest.values(), key=lambda fact: (not fact.key, -fact.score, -fact.at.timestamp(), fact.text)))
