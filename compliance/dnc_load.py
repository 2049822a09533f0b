"""Making a new generation of a do-not-call list: read, checked whole, written beside the old one, swapped in by one rename.

A file that fails any check becomes nothing at all. One load at a time (a lock the kernel drops with the process); what a
killed load left behind is never read, and is swept up by the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from compliance.dnc import AREA_BYTES, CURRENT, MANIFEST, AreaEntry, Manifest, read_manifest
from compliance.dnc_files import Batch, RegistryFile
from compliance.errors import ListBusy, ListDamaged, ListRefused

MOST_UNREADABLE: Final = 0.001  # of the lines: more, and the file is not what we think it is
MOST_CHANGE: Final = 0.02  # of the rows in all: the registry grows by about 0.15 % a month
MOST_SHRINKING: Final = 0.05  # of an area code's rows
KEPT: Final = 4  # generations kept for looking back
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """What is to be loaded, and on whose word. `areas`: the area codes the file must hold, and no others; empty: its own.

    `is_change`: additions and deletions to what is there. `accept`: who lets through a change in size beyond the usual, and
    why. `check_size` is for registries; a list of one's own may grow and shrink as it likes. `state_areas`: the area codes
    of the state whose own list this is; such a list is whole, and must be mostly about them.
    """

    list: str
    path: Path
    obtained_on: date
    loaded_by: str
    loaded_at: datetime
    areas: frozenset[str] = frozenset()
    is_change: bool = False
    account: str = ""
    seller: str = ""
    accept: str = ""
    check_size: bool = True
    state_areas: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Build:
    """A generation being written into its folder, one mapped bitmap an area code touched."""

    folder: Path
    before: Manifest | None
    order: LoadOrder
    old: Path | None
    bits: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    lines: int = 0
    unreadable: int = 0


def load(home: Path, order: LoadOrder) -> Manifest:
    """Load a file and put it in force. Raises `ListRefused` (nothing has changed) or `ListBusy`."""
    if not _NAME.fullmatch(order.list):
        raise ListRefused(f"{order.list!r} is no name for a list: small letters, digits and hyphens.")
    folder = home / "lists" / order.list
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        _sweep(folder)
        old, before = _in_force(folder)
        number = max([0, *(int(each.name[4:]) for each in folder.glob("gen-??????"))]) + 1
        partial = folder / f"partial-{number:06d}"
        partial.mkdir()
        try:
            manifest = _write(_Build(partial, before, order, old), number)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _swap(folder, partial, f"gen-{number:06d}")
        _prune(folder)
        return manifest


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ListBusy(f"Another process is loading the {folder.name} list; try again when it is done.") from error
        yield


def _sweep(folder: Path) -> None:
    for left in folder.glob("partial-*"):
        shutil.rmtree(left, ignore_errors=True)


def _in_force(folder: Path) -> tuple[Path | None, Manifest | None]:
    try:
        old = folder / os.readlink(folder / CURRENT)
        return old, read_manifest(old)
    except (OSError, ListDamaged):
        return None, None


def _write(build: _Build, number: int) -> Manifest:
    order, before = build.order, build.before
    if order.is_change and before is None:
        raise ListRefused(f"There is no {order.list} list yet that a change file could change: load a full file first.")
    file = RegistryFile(order.path)
    for batch in file.batches():
        _take(build, batch)
    if build.lines and build.unreadable / build.lines > MOST_UNREADABLE:
        share = f"{build.unreadable:,} of {build.lines:,} lines"
        raise ListRefused(f"{order.path.name}: {share} cannot be read; more than 0.1 % is no registry file.")
    if not build.lines:
        raise ListRefused(f"{order.path.name}: the file holds no numbers.")
    rows = {code: int(np.bitwise_count(bits).sum(dtype=np.int64)) for code, bits in build.bits.items()}
    _check_areas(build, rows)
    _check_size(build, rows)
    manifest = _manifest(build, number, file.sha256, rows)
    _settle(build, manifest)
    return manifest


def _take(build: _Build, batch: Batch) -> None:
    if batch.is_change and not build.order.is_change:
        raise ListRefused(f"{build.order.path.name} is a change list (A and D); load it as one.")
    build.lines += batch.lines
    build.unreadable += batch.unreadable
    _set(build, batch.added, on=True)
    _set(build, batch.removed, on=False)


def _set(build: _Build, numbers: NDArray[np.int64], *, on: bool) -> None:
    """Set or clear these numbers' bits. Sorted once, so that each byte of each bitmap is touched once."""
    if not len(numbers):
        return
    numbers = np.sort(numbers)
    byte = numbers >> 3  # AREA is a multiple of 8: a byte belongs to one area code
    bit = np.left_shift(np.uint8(1), (numbers & 7).astype(np.uint8))
    firsts = np.flatnonzero(np.r_[True, byte[1:] != byte[:-1]])
    masks, places = np.bitwise_or.reduceat(bit, firsts), byte[firsts]
    codes = places // AREA_BYTES
    edges = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1], True])
    for start, end in pairwise(edges.tolist()):
        bits = _area(build, int(codes[start]))
        here = places[start:end] - int(codes[start]) * AREA_BYTES
        if on:
            bits[here] |= masks[start:end]
        else:
            bits[here] &= ~masks[start:end]


def _area(build: _Build, code: int) -> NDArray[np.uint8]:
    bits = build.bits.get(code)
    if bits is None:
        path = build.folder / f"{code}.bits"
        source = build.old / path.name if build.old is not None and build.order.is_change else None
        if source is not None and source.exists():
            shutil.copyfile(source, path)
        else:
            with path.open("wb") as file:
                file.truncate(AREA_BYTES)
        bits = np.memmap(path, dtype=np.uint8, mode="r+")
        build.bits[code] = bits
    return bits


def _check_areas(build: _Build, rows: dict[int, int]) -> None:
    """The file must hold what was asked for, and nothing else: the wrong state's file is refused here."""
    order, before = build.order, build.before
    held = frozenset(str(code) for code in rows)
    if order.state_areas:
        _check_state(order, rows)
        return
    wanted = order.areas or (frozenset(before.areas) if before is not None and order.check_size else frozenset())
    if not wanted:
        return
    foreign = sorted(held - wanted)
    if foreign:
        raise ListRefused(
            f"{order.path.name} holds area codes that are not expected: {_some(foreign)}. Is it the right file?"
        )
    absent = sorted(wanted - held)
    if absent and not order.is_change:
        raise ListRefused(f"{order.path.name} holds no number of area code {_some(absent)}: it is cut short, or another's.")


def _check_state(order: LoadOrder, rows: dict[int, int]) -> None:
    """People keep their numbers when they move, so a state's list holds other states' area codes too, but not mostly."""
    at_home = sum(count for code, count in rows.items() if str(code) in order.state_areas)
    if at_home * 2 < sum(rows.values()):
        share = f"{at_home:,} of {sum(rows.values()):,} numbers"
        raise ListRefused(f"{order.path.name}: only {share} are of that state's area codes. Is it the right state's file?")


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _check_size(build: _Build, rows: dict[int, int]) -> None:
    order, before = build.order, build.before
    if before is None or not order.check_size or order.accept:
        return
    known = {code: before.areas[str(code)].rows for code in rows if str(code) in before.areas}
    for code, was in known.items():
        if was and was - rows[code] >= was * MOST_SHRINKING:
            shrank = f"area code {code} shrank from {was:,} to {rows[code]:,} numbers"
            raise ListRefused(f"{order.path.name}: {shrank}. If that is right, say who accepts it.")
    total, now = sum(known.values()), sum(rows[code] for code in known)
    if total and abs(now - total) > total * MOST_CHANGE:
        changed = f"{total:,} numbers became {now:,}, a change of more than 2 %"
        raise ListRefused(f"{order.path.name}: {changed}. If that is right, say who accepts it.")


def _manifest(build: _Build, number: int, sha256: str, rows: dict[int, int]) -> Manifest:
    order, before = build.order, build.before
    areas = dict(before.areas) if before is not None and (order.is_change or order.areas) else {}
    if order.is_change:  # a change list brings the whole copy to its date
        areas = {area: msgspec.structs.replace(entry, obtained_on=order.obtained_on) for area, entry in areas.items()}
    for code, count in rows.items():
        digest = hashlib.sha256(build.bits[code].data).hexdigest()
        areas[str(code)] = AreaEntry(order.obtained_on, count, digest)
    return Manifest(
        list=order.list,
        generation=number,
        kind="changes" if order.is_change else "full",
        source=order.path.name,
        source_sha256=sha256,
        loaded_by=order.loaded_by,
        loaded_at=order.loaded_at,
        lines=build.lines,
        unreadable=build.unreadable,
        areas=dict(sorted(areas.items())),
        account=order.account,
        seller=order.seller,
        accepted=order.accept,
        is_whole=bool(order.state_areas),
    )


def _settle(build: _Build, manifest: Manifest) -> None:
    """Everything on the disk, and only then the name: area codes that did not change are the old files, linked."""
    for bits in build.bits.values():
        assert isinstance(bits, np.memmap)
        bits.flush()
    for area in manifest.areas:
        path = build.folder / f"{area}.bits"
        if not path.exists():
            assert build.old is not None
            os.link(build.old / path.name, path)
        _sync(path)
    text = json.dumps(msgspec.to_builtins(manifest), indent=1, sort_keys=True)
    (build.folder / MANIFEST).write_text(text, encoding="utf-8")
    _sync(build.folder / MANIFEST)
    _sync(build.folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(folder: Path, partial: Path, name: str) -> None:
    """The new generation gets its name, then `current` is renamed over: whoever asks sees the old one whole or the new."""
    os.rename(partial, folder / name)
    fresh = folder / f".{CURRENT}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(name)
    os.replace(fresh, folder / CURRENT)
    _sync(folder)


def _prune(folder: Path) -> None:
    generations = sorted(folder.glob("gen-??????"))
    for old in generations[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
