"""How far a person's no reaches when they did not say themselves: the operator's setting, within the law of the day. Pure.

47 CFR 64.1200(a)(10) lets a revocation reach every call of that caller; the part that makes it do so is waived until a date
that lies in the rule book (kind `revocation`). From that day on the narrowest setting is read as the next wider one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from compliance.proposals import DncRequest
from compliance.record import Purpose
from compliance.rules import Rulebook
from compliance.rules.schema import RevocationReach


class Scope(StrEnum):
    """What a no ends, from narrow to wide. None of them ends less than the law of the day does."""

    PURPOSE = "purpose"  # this seller's calls of the same kind: who stops the offers may still be reminded of a visit
    SELLER = "seller"  # every call for this seller
    HOUSE = "house"  # every call that we make, for whomever


@dataclass(frozen=True, slots=True)
class Scopes:
    """The operator's choice, and where a seller has one of its own."""

    usual: Scope = Scope.SELLER
    sellers: Mapping[str, Scope] = field(default_factory=dict)

    def of(self, seller: str) -> Scope:
        return self.sellers.get(seller, self.usual)

    def __str__(self) -> str:
        return ", ".join([self.usual.value, *(f"{seller}={scope}" for seller, scope in self.sellers.items())])


def parse_scopes(words: Iterable[str]) -> Scopes:
    """`seller`, or `seller` and `Acme Solar=house`: one word without a name is everybody's. Raises ValueError."""
    usual, sellers = Scope.SELLER, dict[str, Scope]()
    for word in words:
        name, is_named, scope = word.rpartition("=")
        try:
            chosen = Scope(scope.strip().lower())
        except ValueError:
            raise ValueError(f"{scope.strip()!r} is none of: {', '.join(Scope)}") from None
        if is_named:
            sellers[name.strip()] = chosen
        else:
            usual = chosen
    return Scopes(usual, sellers)


def reaching(request: DncRequest, scope: Scope, purpose: str, at: datetime, rules: Rulebook) -> DncRequest:
    """The request as far as `scope` carries it. `purpose`: of the call it was said in; empty: it was said in none.

    What the person named themselves is never narrowed: a request of no seller at all reaches everybody.
    """
    if not request.seller or scope is Scope.HOUSE:
        return replace(request, seller="", purposes=frozenset())
    is_narrow = scope is Scope.PURPOSE and bool(purpose) and not _reaches_all(rules, at)
    return replace(request, purposes=frozenset({Purpose(purpose)}) if is_narrow else frozenset())


def _reaches_all(rules: Rulebook, at: datetime) -> bool:
    """Whether the law of the day makes a no reach all calls of its seller; in doubt (rules that cannot be read) it does."""
    bound = [rule for _, rule in rules.of(frozenset()) if isinstance(rule, RevocationReach)]
    return bool(rules.closed_because) or any(rule.in_force(at.date()) for rule in bound)
