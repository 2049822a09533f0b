"""The rule book: data files read strictly into frozen rules, with one version that names exactly what was read.

Decides nothing. A file with a typo raises `RuleFileError`; `open_rulebook` turns that into a book that closes the gate.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import TypeVar

import msgspec

from compliance.errors import RuleFileError
from compliance.rules.calendar import dates_of
from compliance.rules.schema import (
    CODES,
    AnyRule,
    AreaCodeFile,
    Cap,
    HolidayFile,
    Hours,
    Listed,
    Observance,
    Proclamation,
    ProclamationFeed,
    RuleFile,
    Waiver,
    ZipFile,
)
from compliance.verdict import Rule

Shape = TypeVar("Shape", bound=msgspec.Struct)
AREA_CODES = "area_codes.toml"
HOLIDAYS = "holidays.toml"
ZIPS = "zips.toml"
HOUSE = "house"


@dataclass(frozen=True, slots=True)
class ZipPlace:
    """Where a ZIP code beginning with three digits is: its state, and the zones it can be in."""

    state: str
    zones: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Rulebook:
    """Everything the gate knows that is not about one call. `closed_because` is set when it could not be read.

    `house` says whether the rules we hold ourselves to beyond the law (jurisdiction `house`) are in force.
    """

    version: str
    rules: Mapping[str, tuple[AnyRule, ...]] = field(default_factory=dict)
    observances: tuple[Observance, ...] = ()
    proclamations: tuple[Proclamation, ...] = ()
    areas: AreaCodeFile | None = None
    zips: Mapping[str, ZipPlace] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    closed_because: str = ""
    house: bool = True

    def of(self, jurisdictions: Iterable[str]) -> tuple[tuple[str, AnyRule], ...]:
        """The federal rules, those of these states, and the house's own, each with whose it is."""
        names = ["US", *sorted(jurisdictions), *([HOUSE] if self.house else [])]
        return tuple((name, rule) for name in names for rule in self.rules.get(name, ()))

    def entry(self, id: str) -> AnyRule | None:
        return next((rule for rules in self.rules.values() for rule in rules if rule.id == id), None)

    def state_lists(self) -> tuple[tuple[str, Listed], ...]:
        """The states that keep, or may keep, a do-not-call list of their own, each with the rule that asks it."""
        of_states = ((state, rule) for state in sorted(self.rules) for rule in self.rules[state])
        return tuple((state, rule) for state, rule in of_states if isinstance(rule, Listed) and rule.code is Rule.DNC_STATE)

    def without_house_rules(self) -> Rulebook:
        """The law alone, as the decision cases assume it."""
        return replace(self, house=False, version=f"{self.version}-law-only")

    def with_waivers(self, waivers: Iterable[Waiver]) -> Rulebook:
        return replace(self, waivers=tuple(waivers))

    def with_proclamations(self, proclamations: Iterable[Proclamation]) -> Rulebook:
        return replace(self, proclamations=(*self.proclamations, *proclamations))


def closed_rulebook(why: str) -> Rulebook:
    """A book that lets nothing pass and says why."""
    return Rulebook(version="unreadable", closed_because=why)


def open_rulebook(*extra: Path) -> Rulebook:
    """The package's rules and the operator's own files; what cannot be read closes the gate instead of raising."""
    try:
        return load_rulebook(*extra)
    except RuleFileError as error:
        return closed_rulebook(str(error))


def load_rulebook(*extra: Path) -> Rulebook:
    """Read every rule file of the package, then the operator's (`*.toml`, jurisdiction `house`). Raises `RuleFileError`."""
    texts = _packaged_texts()
    for path in extra:
        if path.name in texts:
            raise RuleFileError(f"{path}: a file of this name ships with offhook; choose another name.")
        texts[path.name] = _read(path)
    return parse_rulebook(texts)


def parse_rulebook(texts: Mapping[str, str]) -> Rulebook:
    """A rule book from file texts by name. Raises `RuleFileError` for anything that is not exactly as the schema says."""
    areas = _decode(AREA_CODES, texts.get(AREA_CODES, ""), AreaCodeFile)
    holidays = _decode(HOLIDAYS, texts.get(HOLIDAYS, ""), HolidayFile)
    rules: dict[str, tuple[AnyRule, ...]] = {}
    zips = _decode(ZIPS, texts.get(ZIPS, ""), ZipFile)
    for name in sorted(set(texts) - {AREA_CODES, HOLIDAYS, ZIPS}):
        book = _decode(name, texts[name], RuleFile)
        if book.jurisdiction not in areas.zones and book.jurisdiction not in ("US", HOUSE):
            raise RuleFileError(f"{name}: {book.jurisdiction!r} is no jurisdiction in {AREA_CODES}.")
        rules[book.jurisdiction] = (*rules.get(book.jurisdiction, ()), *book.rule)
    _check_rules(rules)
    for holiday in holidays.holiday:
        _check_observance(holiday)
    return Rulebook(
        version=_version(texts),
        rules=rules,
        observances=holidays.holiday,
        proclamations=holidays.proclaimed,
        areas=areas,
        zips=_zip_places(zips, areas),
    )


def parse_proclamations(text: str, areas: AreaCodeFile | None) -> tuple[Proclamation, ...]:
    """A feed of proclamations, in the form of `holidays.toml` (`[[proclaimed]]`). Raises `RuleFileError`."""
    feed = _decode("the feed", text, ProclamationFeed)
    for each in feed.proclaimed:
        if areas is None or each.state not in areas.zones:
            raise RuleFileError(f"the feed: {each.state!r} is no state.")
    return feed.proclaimed


def _zip_places(zips: ZipFile, areas: AreaCodeFile) -> dict[str, ZipPlace]:
    """By the first three digits. Raises `RuleFileError` for a prefix in two states, or a zone its state does not have."""
    found: dict[str, ZipPlace] = {}
    for state, ranges in zips.states.items():
        for prefix in _prefixes(ranges):
            if prefix in found or state not in areas.zones:
                raise RuleFileError(f"{ZIPS}: {prefix} ({state}) is in two states, or the state is none.")
            found[prefix] = ZipPlace(state, areas.zones[state])
    for each in zips.zone:
        for prefix in _prefixes(each.zips):
            place = found.get(prefix)
            if place is None or each.zone not in place.zones or len(place.zones) == 1:
                raise RuleFileError(f"{ZIPS}: {prefix} is not in {each.zone} by any state's zones, or is narrowed twice.")
            found[prefix] = ZipPlace(place.state, (each.zone,))
    return found


def _prefixes(ranges: Iterable[str]) -> Iterator[str]:
    for text in ranges:
        first, dash, last = text.partition("-")
        if not (dash and len(first) == len(last) == 3 and first.isdecimal() and last.isdecimal() and first <= last):
            raise RuleFileError(f"{ZIPS}: {text!r} is no range of three digits such as 750-797.")
        yield from (f"{prefix:03d}" for prefix in range(int(first), int(last) + 1))


def _packaged_texts() -> dict[str, str]:
    folder = resources.files("compliance.rules")
    found = {item.name: item.read_text(encoding="utf-8") for item in folder.iterdir() if item.name.endswith(".toml")}
    if AREA_CODES not in found or "us.toml" not in found:
        raise RuleFileError("The rule files that ship with offhook are missing: install it again.")
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleFileError(f"{path}: cannot be read ({error}).") from error


def _decode(name: str, text: str, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(tomllib.loads(text), shape)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RuleFileError(f"{name}: {error}. The gate stays closed until this is mended.") from error


def _version(texts: Mapping[str, str]) -> str:
    """Names the text itself: two books with one version are letter for letter the same."""
    digest = hashlib.sha256()
    for name in sorted(texts):
        digest.update(f"{name}\0{texts[name]}\0".encode())
    versions = [tomllib.loads(text)["version"] for text in texts.values()]
    return f"{max(versions)}+{digest.hexdigest()[:12]}"


def _check_rules(rules: Mapping[str, tuple[AnyRule, ...]]) -> None:
    seen: set[str] = set()
    for rule in (rule for book in rules.values() for rule in book):
        if rule.id in seen:
            raise RuleFileError(f"Rule {rule.id!r} is written twice.")
        seen.add(rule.id)
        if not rule.source.strip() or not rule.says.strip():
            raise RuleFileError(f"Rule {rule.id!r} needs a source and words.")
        if rule.effective_from and rule.effective_until and rule.effective_from >= rule.effective_until:
            raise RuleFileError(f"Rule {rule.id!r} ends before it begins.")
        match rule:
            case Hours() | Cap() | Listed() if rule.code not in CODES[type(rule)]:
                raise RuleFileError(f"Rule {rule.id!r}: {rule.code} is not a code for a rule of this kind.")
            case Hours():
                weekly(rule)
            case Cap() if rule.most < 1 or (rule.hours < 1) is not rule.per_local_day:
                raise RuleFileError(f"Rule {rule.id!r} needs `most` and either `hours` or `per_local_day`.")
            case _:
                pass


def weekly(rule: Hours) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Spans (minutes of the day) of Monday to Sunday, then of a holiday if the rule has its own. Raises `RuleFileError`."""
    days = [spans(rule, getattr(rule, day) or rule.daily) for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
    return tuple(days) if not rule.holiday else (*days, spans(rule, rule.holiday))


def spans(rule: Hours, text: str) -> tuple[tuple[int, int], ...]:
    """ "08:00-12:00, 13:00-21:00" as minutes of the day, in order; "closed" as none."""
    if text.strip() == "closed":
        return ()
    found: list[tuple[int, int]] = []
    for part in text.split(","):
        start, dash, end = part.strip().partition("-")
        if not dash:
            raise RuleFileError(f"Rule {rule.id!r}: {part.strip()!r} is no span of hours such as 08:00-21:00.")
        span = (_minutes(rule, start), _minutes(rule, end))
        if span[0] >= span[1] or (found and span[0] < found[-1][1]):
            raise RuleFileError(f"Rule {rule.id!r}: the hours {text!r} run backwards or overlap.")
        found.append(span)
    return tuple(found)


def _minutes(rule: Hours, text: str) -> int:
    hour, colon, minute = text.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and hour.isdecimal() and minute.isdecimal()):
        raise RuleFileError(f"Rule {rule.id!r}: {text!r} is no time of day such as 08:00.")
    total = int(hour) * 60 + int(minute)
    if total > 24 * 60 or int(minute) > 59:
        raise RuleFileError(f"Rule {rule.id!r}: {text!r} is no time of day such as 08:00.")
    return total


def _check_observance(holiday: Observance) -> None:
    if sum((bool(holiday.fixed), bool(holiday.weekday), holiday.easter is not None)) != 1:
        raise RuleFileError(f"Holiday {holiday.name!r} needs exactly one of fixed, weekday, easter.")
    try:
        dates_of(holiday, 2028)
    except (ValueError, KeyError, IndexError) as error:
        raise RuleFileError(f"Holiday {holiday.name!r} cannot be computed: {error}.") from error
