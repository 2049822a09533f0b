"""Do-not-call lists as memory-mapped bitmaps: one file of ten million bits for each area code, in whole generations.

On disk: `<home>/lists/<list>/current` -> `gen-000007/` with `manifest.json` and `614.bits`. A generation never changes once
`current` points to it; a newer one replaces it by one rename, and whoever asks next sees it. Looks up; decides nothing.
The pages are the file cache's, so every process on the machine shares them.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from compliance.errors import ListDamaged
from compliance.record import ListAnswer
from compliance.rules import Rulebook
from compliance.rules.schema import Exemption

AREA: Final = 10_000_000  # numbers of an area code, assigned or not
AREA_BYTES: Final = AREA // 8
MANIFEST: Final = "manifest.json"
CURRENT: Final = "current"
ALARM_DAYS: Final = 25  # warn: six days are left to download a new copy
MAX_DAYS: Final = 31  # 47 CFR 64.1200(c)(2)(i)(D)


class AreaEntry(msgspec.Struct, frozen=True):
    """One area code in a generation: when its data was obtained, and how many numbers it holds."""

    obtained_on: date
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """Where a generation came from: who loaded what, when, and what it covers."""

    list: str
    generation: int
    kind: str  # full | changes
    source: str
    source_sha256: str
    loaded_by: str
    loaded_at: datetime
    lines: int
    unreadable: int
    areas: dict[str, AreaEntry]
    account: str = ""  # the Subscription Account Number it was downloaded under
    seller: str = ""
    accepted: str = ""  # why a change in size beyond the usual was let through, and by whom
    is_whole: bool = False  # holds everybody who asked, whatever the area code: whoever is not on it is not listed

    @property
    def rows(self) -> int:
        return sum(area.rows for area in self.areas.values())

    @property
    def oldest(self) -> date | None:
        return min((area.obtained_on for area in self.areas.values()), default=None)


def days_left(manifest: Manifest, today: date) -> int:
    """How many more days the oldest part of this generation may be relied on; negative once it may not."""
    oldest = manifest.oldest
    return MAX_DAYS if oldest is None else MAX_DAYS - (today - oldest).days


def alarms(manifests: Iterable[Manifest], today: date) -> list[str]:
    """What must be said of these lists today: those that will soon be too old, and those that are."""
    told = []
    for each in manifests:
        left = days_left(each, today)
        if left < 0:
            told.append(
                f"The {each.list} list is {MAX_DAYS - left} days old: no sales call relies on it. Download and load it."
            )
        elif left <= MAX_DAYS - ALARM_DAYS:
            told.append(f"The {each.list} list is {MAX_DAYS - left} days old; {left} days are left to load a new copy.")
    return told


def missing_state_lists(rules: Rulebook, held: Collection[str]) -> list[str]:
    """What must be said of the states that keep a list of their own of which we hold no copy."""
    absent = [(state, rule) for state, rule in rules.state_lists() if rule.must_cover and rule.list not in held]
    return [
        f"{state} keeps a list of its own and no copy is loaded ({rule.source}): sales calls there need a written consent"
        f"{' or a relationship' if Exemption.RELATIONSHIP in rule.lifted_by else ''}. Load it: --list state:{state}"
        for state, rule in absent
    ]


class Generation:
    """One generation, mapped. Raises `ListDamaged` when the folder is not what its manifest says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = read_manifest(folder)
        self.name = f"{self.manifest.list}/{folder.name}"
        self._areas = {int(area): _mapped(folder / f"{area}.bits") for area in self.manifest.areas}
        self._unlisted = {area: self._says(area, is_listed=False) for area in self.manifest.areas}
        whole, oldest = self.manifest.is_whole, self.manifest.oldest
        self._beyond = ListAnswer(self.manifest.list, False, is_covered=whole, obtained_on=oldest, generation=self.name)

    def answer(self, number: str) -> ListAnswer:
        """What this list says of a US number in E.164."""
        area, rest = number[2:5], number[5:]
        bits = self._areas.get(int(area)) if area.isdecimal() and len(number) == 12 else None
        if bits is None:
            return self._beyond
        place = int(rest)
        return self._says(area, is_listed=True) if bits[place >> 3] >> (place & 7) & 1 else self._unlisted[area]

    def _says(self, area: str, *, is_listed: bool) -> ListAnswer:
        obtained = self.manifest.areas[area].obtained_on
        return ListAnswer(self.manifest.list, is_listed, obtained_on=obtained, generation=self.name)

    def contains(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these ten-digit numbers are listed. Numbers of area codes that are not covered are not."""
        return _contains(self._areas, numbers)

    def covers(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these ten-digit numbers belong to an area code that this generation holds."""
        held = np.zeros(1000, dtype=bool)
        held[list(self._areas)] = True
        return held[np.clip(numbers // AREA, 0, 999)]


def _contains(areas: Mapping[int, mmap.mmap], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    codes = (numbers // AREA).astype(np.int16)
    order = np.argsort(codes, kind="stable")
    places = (numbers % AREA)[order]
    found = np.zeros(len(numbers), dtype=bool)
    starts = np.searchsorted(codes[order], np.arange(1001, dtype=np.int16))
    for code, bits in areas.items():
        start, end = starts[code], starts[code + 1]
        if start < end:
            here = places[start:end]
            view = np.frombuffer(bits, dtype=np.uint8)
            found[start:end] = (view[here >> 3] >> (here & 7).astype(np.uint8)) & 1
    result = np.empty_like(found)
    result[order] = found
    return result


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != AREA_BYTES:
                raise ListDamaged(f"{path} does not have the size of an area code; load the list again.")
            return mmap.mmap(file.fileno(), AREA_BYTES, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ListDamaged(f"{path} cannot be read ({error.strerror}); load the list again.") from error


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a generation folder. Raises `ListDamaged`."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise ListDamaged(f"{folder / MANIFEST} cannot be read ({error}); load the list again.") from error


class Lists:
    """Every list under a home folder, each at its current generation. A swap is seen at the next question.

    Asking costs one `readlink` (about a microsecond): no thread, no signal, and nothing to go stale.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "lists"
        self._folder = str(self.folder)
        self._open: dict[str, tuple[str, Generation]] = {}

    def names(self) -> tuple[str, ...]:
        """The lists that have a generation in force."""
        if not self.folder.is_dir():
            return ()
        return tuple(sorted(each.name for each in self.folder.iterdir() if (each / CURRENT).is_symlink()))

    def generation(self, name: str) -> Generation | None:
        """The generation in force, or None when the list was never loaded. Raises `ListDamaged`."""
        target = self._target(name)
        if not target:
            return None
        known = self._open.get(name)
        if known is None or known[0] != target:
            known = (target, Generation(self.folder / name / target))
            self._open[name] = known
        return known[1]

    def is_stale(self) -> bool:
        """Whether a list was swapped since it was last opened here. Opening takes some milliseconds: do it off the loop."""
        return any(self._open.get(name, ("",))[0] != self._target(name) for name in self.names())

    def refresh(self) -> None:
        """Open every list at its current generation."""
        self.manifests()

    def _target(self, name: str) -> str:
        try:
            return os.readlink(f"{self._folder}/{name}/{CURRENT}")  # text: making a Path costs more than the call
        except OSError:
            return ""

    def manifests(self) -> list[Manifest]:
        """Of every list in force; a damaged one is left out, and answers that it covers nothing."""
        found = []
        for name in self.names():
            try:
                generation = self.generation(name)
            except ListDamaged:
                continue
            if generation is not None:
                found.append(generation.manifest)
        return found

    def answers(self, number: str) -> tuple[ListAnswer, ...]:
        """What every loaded list says of the number. A damaged list answers that it covers nothing."""
        return tuple(self.answer(name, number) for name in self.names())

    def snapshot(self) -> Callable[[str], tuple[ListAnswer, ...]]:
        """`answers` at the generations of now, without asking the disk again: for many numbers at a time."""
        asked = [self._at_hand(name) for name in self.names()]
        return lambda number: tuple([answer(number) for answer in asked])

    def _at_hand(self, name: str) -> Callable[[str], ListAnswer]:
        try:
            generation = self.generation(name)
        except ListDamaged:
            generation = None
        return generation.answer if generation is not None else lambda _: ListAnswer(name, False, is_covered=False)

    def answer(self, name: str, number: str) -> ListAnswer:
        return self._at_hand(name)(number)
