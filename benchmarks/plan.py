"""How a measurement is made, and where it keeps what it needs and what it finds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

PARTS: Final = ("sockets", "inside")
WORD_TIMES: Final = ("all", "half", "none")
JOURNALS: Final = "journals"  # in a measurement's folder, where our own engine keeps them

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is called. Times in seconds; `core_*` -1 means any.

    `parts`: `sockets` are the vendors' stand-ins, reached by each engine's own plug-ins; `inside` are scripted parts in the
    engine's own process, that cost it nothing. '' leaves it, and the `pace` of the parts, to the suite. `vendors_at` is the
    first of four ports for the stand-ins, so that an engine started by hand can be told of them. `word_times`: in how many
    calls the voice tells when each word is said; to an engine that is only a URL it always does, on the third port.
    """

    suite: str
    calls: int
    seed: int = 1
    stagger: float = 0.37
    longest: float = 150.0
    parts: str = ""
    vendors_at: int = 0
    pace: str = ""
    stall: float = 0.0
    word_times: str = ""
    core_engine: int = -1
    core_callers: int = -1

    def usual(self, parts: str, pace: str) -> Plan:
        """With what a suite usually wants, where nothing was asked for."""
        return replace(self, parts=self.parts or parts, pace=self.pace or pace)


@dataclass(slots=True)
class Place:
    """Where a measurement keeps its speech and its recordings."""

    folder: Path
    kept: list[Path] = field(default_factory=list)

    @property
    def speech(self) -> Path:
        return self.folder / "speech"

    def fresh(self, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


@contextmanager
def a_place(keep: Path | None, cache: Path) -> Iterator[Place]:
    """A folder for a measurement: the given one, or one that is gone afterwards. Speech is kept in `cache` between runs."""
    cache.mkdir(parents=True, exist_ok=True)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield _linked(keep, cache)
        return
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as folder:
        yield _linked(Path(folder), cache)


def _linked(folder: Path, cache: Path) -> Place:
    speech = folder / "speech"
    if not speech.exists():
        speech.unlink(missing_ok=True)  # a link to a place that is gone
        speech.symlink_to(cache.resolve(), target_is_directory=True)
    return Place(folder)
