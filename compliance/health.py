"""How the gate itself stands: lists and their age, rules and time-zone data and their versions. For doctors and probes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from compliance.dnc import ALARM_DAYS, MAX_DAYS, Lists
from compliance.errors import ListDamaged
from compliance.rules import Rulebook
from compliance.zones import TZDATA

NATIONAL = "national"


class ListState(StrEnum):
    FRESH = "fresh"
    ALARM = "alarm"  # from the 25th day on: six days are left to load a new copy
    STOPPED = "stopped"  # from the 32nd on nobody is called on it
    DAMAGED = "damaged"  # covers nothing
    ABSENT = "absent"  # the registry was never loaded: no coverage means no


@dataclass(frozen=True, slots=True)
class ListHealth:
    """One list. `age` in days of its oldest part; `numbers` and `area_codes` it holds."""

    name: str
    state: ListState
    age: int | None = None
    numbers: int = 0
    area_codes: int = 0

    @property
    def says(self) -> str:
        match self.state:
            case ListState.ABSENT:
                return "no copy is loaded: sales calls without written consent are refused"
            case ListState.DAMAGED:
                return "cannot be read: it covers nothing until it is loaded again"
            case _:
                held = f"{self.numbers:,} numbers in {self.area_codes} area codes, {self.age} days old"
                return held + (f"; nobody is called on it after {MAX_DAYS}" if self.state is not ListState.FRESH else "")


@dataclass(frozen=True, slots=True)
class GateHealth:
    """`closed_because` is set when the rules cannot be read: then the gate lets nothing pass."""

    rules: str
    tzdata: str
    lists: tuple[ListHealth, ...]
    closed_because: str = ""


def gate_health(lists: Lists, rules: Rulebook, today: date) -> GateHealth:
    """As it stands today. The registry is always among the lists, loaded or not."""
    return GateHealth(rules.version, TZDATA, tuple(_lists(lists, today)), rules.closed_because)


def _lists(lists: Lists, today: date) -> Iterator[ListHealth]:
    names = lists.names()
    if NATIONAL not in names:
        yield ListHealth(NATIONAL, ListState.ABSENT)
    for name in names:
        try:
            generation = lists.generation(name)
        except ListDamaged:
            generation = None
        if generation is None or generation.manifest.oldest is None:
            yield ListHealth(name, ListState.DAMAGED)
            continue
        manifest = generation.manifest
        age = (today - generation.manifest.oldest).days
        yield ListHealth(name, _state(age), age, manifest.rows, len(manifest.areas))


def _state(age: int) -> ListState:
    if age > MAX_DAYS:
        return ListState.STOPPED
    return ListState.ALARM if age >= ALARM_DAYS else ListState.FRESH
