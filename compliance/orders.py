"""Standing orders: kill switches, waivers and proclamations that people put in force while calls are running. Pure.

An order is only ever ended by another that lifts it; who gave either, and why, is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import msgspec

from compliance.proposals import ProposedCall
from compliance.rules import Rulebook
from compliance.rules.schema import Proclamation, Waiver
from compliance.zones import number_problem, where


@dataclass(frozen=True, slots=True)
class Halt:
    """A kill switch. An empty scope stops everything; else `seller:...`, `campaign:...` or `state:..`."""

    id: str
    scope: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lift:
    """The end of an order: `id` is the halt's id, the waiver's entry or the proclamation's name."""

    what: str
    id: str
    by: str
    reason: str


def under_orders(rules: Rulebook, orders: Iterable[tuple[str, str]]) -> tuple[Rulebook, list[Halt]]:
    waivers: list[Waiver] = []
    proclaimed: list[Proclamation] = []
    halts: list[Halt] = []
    for what, body in orders:
        match what:
            case "waiver":
                waivers.append(msgspec.json.decode(body, type=Waiver))
            case "proclamation":
                proclaimed.append(msgspec.json.decode(body, type=Proclamation))
            case "halt":
                halts.append(msgspec.json.decode(body, type=Halt))
            case _:
                lift = msgspec.json.decode(body, type=Lift)
                waivers = [each for each in waivers if (lift.what, lift.id) != ("waiver", each.entry)]
                proclaimed = [each for each in proclaimed if (lift.what, lift.id) != ("proclamation", each.name)]
                halts = [each for each in halts if (lift.what, lift.id) != ("halt", each.id)]
    if waivers or proclaimed:
        rules = rules.with_waivers(waivers).with_proclamations(proclaimed)
    return rules, halts


def states_of(proposed: ProposedCall, book: Rulebook) -> frozenset[str]:
    if book.areas is None or number_problem(proposed.number, book) is not None:
        return frozenset()
    return where(proposed.number, proposed.place, date.min, book).states


def halted(halts: list[Halt], proposed: ProposedCall, book: Rulebook) -> str:
    """Whose kill switches stand against this call, and why; empty when none does."""
    if not halts:
        return ""
    errand, states = proposed.errand, states_of(proposed, book)
    scopes = {"", f"seller:{errand.seller}", f"campaign:{errand.campaign}", *(f"state:{state}" for state in states)}
    return "; ".join(f"{each.reason} ({each.by})" for each in halts if each.scope in scopes)
