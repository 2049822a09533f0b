"""The company's own do-not-call list as live bitmaps: set in place, seen by every process on the machine at once.

The log in the database is the truth and the gate reads it; these bits are for asking about many numbers at a time, and to be
on the safe side when a transaction is lost after the bit was set. One folder a seller, `all` for every seller.
"""

from __future__ import annotations

import fcntl
import mmap
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from compliance.dnc import AREA_BYTES

EVERYONE: Final = "all"


class InternalBits:
    """The bitmaps under `<home>/internal`. Bits are only ever set; a reader needs no lock, a writer takes one."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "internal"
        self._open: dict[Path, mmap.mmap] = {}

    def add(self, number: str, seller: str = "") -> None:
        """Set the bit of a US number in E.164, for one seller or, with none named, for all. Twice is once."""
        if len(number) != 12 or not number.startswith("+1"):
            return  # the log holds it; only numbers of the North American plan have a bit
        path = self._path(number, seller)
        path.parent.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            # Two numbers may share a byte: without the lock, two writers could each undo the other's bit.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                fresh = path.with_suffix(".new")
                with fresh.open("wb") as empty:
                    empty.truncate(AREA_BYTES)
                fresh.rename(path)
            with path.open("r+b") as file, mmap.mmap(file.fileno(), AREA_BYTES) as bits:
                place = int(number[5:])
                bits[place >> 3] |= 1 << (place & 7)
                bits.flush()

    def has(self, number: str, seller: str) -> bool:
        """Whether the number is set for this seller or for all."""
        if len(number) != 12 or not number.startswith("+1"):
            return False
        return self._is_set(self._path(number, seller), number) or self._is_set(self._path(number, ""), number)

    def snapshot(self, seller: str) -> Callable[[str], bool]:
        """`has` for one seller with the bitmaps of now, without asking the disk again: for many numbers at a time."""
        folders = {self._path("+1000", seller).parent, self._path("+1000", "").parent}
        files = [path for folder in folders if folder.is_dir() for path in folder.glob("*.bits")]
        held: dict[str, list[mmap.mmap]] = {}
        for path in files:
            if (bits := self._bits(path)) is not None:
                held.setdefault(path.stem, []).append(bits)
        return lambda number: any(_is_set(bits, number) for bits in held.get(number[2:5], ()))

    def _is_set(self, path: Path, number: str) -> bool:
        bits = self._bits(path)
        return bits is not None and _is_set(bits, number)

    def _bits(self, path: Path) -> mmap.mmap | None:
        bits = self._open.get(path)
        if bits is None:
            try:
                with path.open("rb") as file:
                    bits = mmap.mmap(file.fileno(), AREA_BYTES, access=mmap.ACCESS_READ)
            except (OSError, ValueError):
                return None
            self._open[path] = bits
        return bits

    def _path(self, number: str, seller: str) -> Path:
        name = re.sub(r"[^a-z0-9]", lambda found: f"_{ord(found[0]):x}", seller.lower())[:100] if seller else EVERYONE
        return self.folder / (f"s-{name}" if seller else EVERYONE) / f"{number[2:5]}.bits"


def _is_set(bits: mmap.mmap, number: str) -> bool:
    if len(number) != 12:
        return False
    place = int(number[5:])
    return bool(bits[place >> 3] >> (place & 7) & 1)
