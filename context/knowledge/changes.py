"""What a new fact does to those we have, and what a rollback undoes. Pure: plans changes, writes none.

The history is a list of changes, oldest first. A fact is current when the last change that names it is a `PUT`; a rollback
to a position appends the changes that make the current facts those of that position. Erased facts never come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from context.facts import Fact, FactId, gist


class Kind(StrEnum):
    PUT = "put"
    WITHDRAW = "withdraw"  # superseded, or taken back
    ERASE = "erase"  # the person asked for it: the words are gone


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history. `seq` is its position."""

    seq: int
    fact_id: FactId
    number: str
    kind: Kind
    by: str
    at: datetime
    text: str = ""  # of the fact, "" when erased


@dataclass(frozen=True, slots=True)
class Plan:
    """`put` become current; `superseded` maps older facts to what replaces them; `outdated` maps new facts to the newer
    ones that already stand in their place; `known` say nothing new and are not written."""

    put: tuple[Fact, ...] = ()
    superseded: tuple[tuple[FactId, FactId], ...] = ()
    outdated: tuple[tuple[Fact, FactId], ...] = ()
    known: tuple[Fact, ...] = ()


def plan(new: Iterable[Fact], current: Iterable[Fact], written: frozenset[FactId] = frozenset()) -> Plan:
    """Fold new facts, in order, into the current ones. `written` are ids that were written before, whatever became of
    them since: learning a call twice, or after its facts were rolled back, changes nothing."""
    standing: dict[tuple[str, ...], Fact] = {_place(fact): fact for fact in current}
    put: dict[FactId, Fact] = {}
    superseded: dict[FactId, FactId] = {}
    outdated: list[tuple[Fact, FactId]] = []
    known: list[Fact] = []
    for fact in new:
        older = standing.get(_place(fact))
        if fact.id in written or fact.id in put or (older is not None and _says_the_same(fact, older)):
            known.append(fact)
        elif older is not None and older.at > fact.at:
            outdated.append((fact, older.id))
        else:
            standing[_place(fact)] = fact
            put[fact.id] = fact
            if older is not None:
                superseded[older.id] = fact.id
    return Plan(tuple(put.values()), tuple(superseded.items()), tuple(outdated), tuple(known))


def _place(fact: Fact) -> tuple[str, ...]:
    """Two current facts never share a place: a slot has one value, and a sentence is known once."""
    return (fact.number, fact.campaign_id, "slot", fact.key) if fact.key else (*_owner(fact), "text", gist(fact.text))


def _owner(fact: Fact) -> tuple[str, str]:
    return (fact.number, fact.campaign_id)


def _says_the_same(fact: Fact, other: Fact) -> bool:
    return gist(fact.value or fact.text) == gist(other.value or other.text)


@dataclass(frozen=True, slots=True)
class Rollback:
    """What has to change for the facts of a position to be current again."""

    put: tuple[FactId, ...] = ()
    withdraw: tuple[FactId, ...] = ()


def plan_rollback(changes: Sequence[Change], to: int) -> Rollback:
    """What differs between the end of `changes` and the position `to` (0 is before everything)."""
    then = current_after(change for change in changes if change.seq <= to)
    last = {change.fact_id: change.kind for change in changes}
    put = tuple(id for id in then if last[id] is Kind.WITHDRAW)
    withdraw = tuple(id for id, kind in last.items() if kind is Kind.PUT and id not in then)
    return Rollback(put, withdraw)


def current_after(changes: Iterable[Change]) -> dict[FactId, None]:
    """The ids of the facts that are current after these changes, in the order they became so."""
    current: dict[FactId, None] = {}
    for change in changes:
        if change.kind is Kind.PUT:
            current[change.fact_id] = None
        else:
            current.pop(change.fact_id, None)
    return current
