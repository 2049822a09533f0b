"""Where the phone could be: every time zone and every state's law that number, address and the person's own word leave open.

An area code says where a number was given out, not where it is carried; an address says where somebody lived when the form
was filled in. So both count, and the gate must satisfy all of them. What the person *said in a call* overrules the zones for
a year. Unknown stays unknown: the gate reads an empty answer as *no*. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import import_module, resources
from typing import Final
from zoneinfo import ZoneInfo

from phonenumbers.tzdata import TIMEZONE_DATA

from compliance.record import Place
from compliance.rules import Rulebook, ZipPlace
from compliance.rules.schema import AreaCodeFile
from compliance.verdict import Rule

STATED_FOR: Final = timedelta(days=365)  # how long a person's word about where they are outlives the call it was said in
TZDATA: Final = str(
    import_module("tzdata").IANA_VERSION
)  # pinned with the package, never the system's: named in every receipt
_NANP: Final = re.compile(r"\+1([2-9]\d{2})([2-9]\d{2})(\d{4})")


class ZoneMissing(LookupError):
    """The pinned time zone data has no such zone: nothing in it can be judged."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Zones (canonical names) and jurisdictions (states) that remain possible. Empty zones: unknown."""

    zones: tuple[str, ...]
    states: frozenset[str]
    because: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """A zone from the pinned data. Raises `ZoneMissing`."""
    *folders, last = name.split("/")
    package = ".".join(["tzdata.zoneinfo", *folders])
    try:
        with resources.files(package).joinpath(last).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (ModuleNotFoundError, OSError, ValueError) as error:
        raise ZoneMissing(f"{name} is not in tzdata {TZDATA}") from error


def number_problem(number: str, book: Rulebook) -> tuple[Rule, str] | None:
    """Why this is no number that may be dialled for a campaign at all, or None. `number` is E.164."""
    found = _NANP.fullmatch(number)
    if not found:
        if number.startswith("+") and not number.startswith("+1") and number[1:].isdecimal():
            return (
                Rule.NUMBER_FOREIGN,
                "The number is outside the North American plan; only United States rules are known.",
            )
        return (Rule.NUMBER_INVALID, "This is not a complete telephone number.")
    area, exchange, _ = found.groups()
    if exchange[1:] == "11":
        return (Rule.NUMBER_SERVICE, f"{exchange} is a service code, not an exchange.")
    if exchange == "976":
        return (Rule.NUMBER_PREMIUM, "976 exchanges are premium services.")
    assert book.areas is not None  # a closed book never gets here
    return _area_problem(area, book.areas)


@lru_cache(maxsize=2048)
def _area_problem(area: str, areas: AreaCodeFile) -> tuple[Rule, str] | None:
    code = int(area)
    for rule, codes, says in (
        (Rule.NUMBER_TOLL_FREE, areas.toll_free, "A toll-free number is a business's, and says nothing of where it rings."),
        (Rule.NUMBER_PREMIUM, areas.premium, "Premium numbers are not called."),
        (Rule.NUMBER_SERVICE, areas.service, f"{area} is a service code, not an area code."),
        (Rule.NUMBER_FOREIGN, areas.foreign, f"{area} is outside the United States; its rules are not known here."),
    ):
        if code in codes:
            return (rule, says)
    if code not in _state_by_code(areas):
        return (Rule.NUMBER_INVALID, f"{area} is no area code that we know.")
    return None


def stated_place(state: str, zone_name: str, on: date, areas: AreaCodeFile) -> Place:
    """What a person said of where they are, as the gate takes it. Without a zone the state must have only one.

    Raises ValueError, in words, where state and zone leave the hour open: what is not known for certain overrules nothing.
    """
    zones = areas.zones.get(state, ())
    if not zones:
        raise ValueError(f"{state!r} is no state such as OH")
    if not zone_name and len(zones) > 1:
        raise ValueError(f"{state} has several zones; say which: {', '.join(zones)}")
    if zone_name and zone_name not in zones:
        raise ValueError(f"{zone_name} is no zone of {state}: {', '.join(zones)}")
    return Place(stated_state=state, stated_zone=zone_name or zones[0], stated_on=on)


def where(number: str, place: Place, on: date, book: Rulebook) -> Whereabouts:
    """Every zone and state the evidence leaves possible on this day. `number` is a valid one (`number_problem` is None)."""
    # libphonenumber's data looks no further than +1, area code and exchange; few exchanges of an area code differ in it.
    return _where(number[2:5], _listed_zones(number[1:8]), place, on, book)


@lru_cache(maxsize=65_536)
def _where(area: str, listed: tuple[str, ...], place: Place, on: date, book: Rulebook) -> Whereabouts:
    """`listed` is what libphonenumber says of the number."""
    assert book.areas is not None
    areas = book.areas
    area_state = _state_by_code(areas).get(int(area), "")
    by_zip = book.zips.get(place.zip[:3])
    states = {area_state, place.state, by_zip.state if by_zip else ""} - {""}
    because = [f"area code {area}: {area_state}"]
    if place.stated_on is not None and on - place.stated_on <= STATED_FOR and place.stated_zone:
        states |= {place.stated_state} - {""}
        because.append(f"the person said so on {place.stated_on.isoformat()}: {place.stated_zone}")
        zones: Iterable[str] = (place.stated_zone,)
    else:
        from_address = _address_zones(place, area_state, by_zip, areas)
        if from_address:
            because.append(f"address {place.state or place.zip or place.zone}: {', '.join(from_address)}")
        zones = (*_number_zones(area, listed, areas), *from_address)
    return Whereabouts(_canonical(zones, areas), frozenset(states), tuple(because))


def _address_zones(place: Place, area_state: str, by_zip: ZipPlace | None, areas: AreaCodeFile) -> tuple[str, ...]:
    """The zone of the address where it is known; of a state alone only when it is not the area code's own."""
    if place.zone:
        return (place.zone,)
    if by_zip is not None:
        if place.state in ("", by_zip.state):
            return by_zip.zones
        return (*by_zip.zones, *areas.zones.get(place.state, ("",)))  # state and ZIP contradict each other: both
    if place.state and place.state != area_state:
        return areas.zones.get(place.state, ("",))  # an unknown state leaves every zone possible: the empty name says so
    return ()


def _number_zones(area: str, listed: tuple[str, ...], areas: AreaCodeFile) -> tuple[str, ...]:
    split = areas.split.get(area)
    # An area code newer than the numbering data: anywhere in its state.
    known = listed or areas.zones.get(_state_by_code(areas).get(int(area), ""), ())
    return (*known, *(split.zones if split else ()))


def _listed_zones(digits: str) -> tuple[str, ...]:
    """libphonenumber's longest match of area code and exchange, from its own table: its functions parse a whole number
    first, which is fifty times as long. A match on the country code alone means every zone of the plan, and says nothing."""
    for length in range(len(digits), 3, -1):
        found: tuple[str, ...] | None = TIMEZONE_DATA.get(digits[:length])
        if found is not None:
            return tuple([name for name in found if name != "Etc/Unknown"])
    return ()


def _canonical(zones: Iterable[str], areas: AreaCodeFile) -> tuple[str, ...]:
    """One name for zones whose clocks agree; an unknown zone ("") makes the whole answer unknown."""
    names = tuple(sorted({areas.same_as.get(name, name) for name in zones}))
    return () if "" in names else names


@lru_cache(maxsize=8)
def _state_by_code(areas: AreaCodeFile) -> dict[int, str]:
    return {code: state for state, codes in areas.states.items() for code in codes}
