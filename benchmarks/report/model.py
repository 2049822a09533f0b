"""The shape of a result: what every report is drawn from, what `compare` compares, what the JSON schema describes. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.errors import BadResult

SCHEMA_VERSION: Final = 1
SCHEMA_FILE: Final = "result.schema.json"  # beside this module

# Shares by the names that several modules know them by.
DRAFTS_WASTED: Final = "drafts_wasted"
FALSE_STOPS: Final = "false_stops"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One distribution. `values` holds every single measurement, so that others can compute what they like."""

    unit: str
    values: tuple[float, ...]
    n: int
    p50: float | None
    p95: float | None
    max: float | None
    is_less_better: bool = True


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """`hits` of `of` occasions."""

    hits: int
    of: int
    is_less_better: bool = True

    @property
    def rate(self) -> float | None:
        return self.hits / self.of if self.of else None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a density curve."""

    calls: int
    cpu_ms_per_call_second: float
    gap_p50: float | None = None
    gap_p95: float | None = None
    late_share: float = 0.0
    lag_p99: float = 0.0  # seconds
    bytes_per_call: float = 0.0
    is_broken: bool = False
    why: str = ""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth a word on a call's timeline."""

    at: float
    kind: str
    text: str = ""
    until: float | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One call for the eye: the loudness of both voices (0 to 1), a value every `step` seconds."""

    title: str
    step: float
    caller: tuple[float, ...]
    agent: tuple[float, ...]
    marks: tuple[Mark, ...] = ()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One suite against one engine."""

    suite: str
    engine: str
    version: str = ""
    setup: dict[str, str] = {}
    calls: int = 0
    call_seconds: float = 0.0
    figures: dict[str, Figure] = {}
    shares: dict[str, Share] = {}
    numbers: dict[str, float] = {}
    discarded: dict[str, int] = {}  # figures on which the two detectors did not agree, by name
    curve: tuple[Point, ...] = ()
    timeline: Timeline | None = None
    notes: tuple[str, ...] = ()


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured; `load` is the load average when it began and when it ended, `compiled` whether our hot modules
    were native code."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    load: tuple[float, float] = (0.0, 0.0)
    compiled: bool = False

    @property
    def runtime(self) -> str:
        """What our own engine ran on, in words."""
        return f"Python {self.python}, offhook {'compiled' if self.compiled else 'interpreted'}"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All runs of one measurement. `command` is what made it; `took` are the seconds of each suite, `failures` what could
    not be measured, and why."""

    made_at: str
    seconds: float
    machine: Machine
    runs: tuple[Run, ...]
    took: dict[str, float] = {}
    failures: tuple[str, ...] = ()
    seed: int = 1
    command: str = ""
    schema_version: int = SCHEMA_VERSION


def figure(values: Sequence[float], unit: str = "s", *, is_less_better: bool = True) -> Figure:
    """A distribution with the percentiles people ask for."""
    kept = tuple(round(value, 4) for value in values)
    return Figure(
        unit=unit,
        values=kept,
        n=len(kept),
        p50=at(kept, 50),
        p95=at(kept, 95),
        max=max(kept, default=None),
        is_less_better=is_less_better,
    )


def at(values: Sequence[float], percentile: float) -> float | None:
    """The percentile (nearest rank); None when there is nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(percentile / 100 * len(ordered)) - 1))]


def schema() -> bytes:
    """The JSON schema of a result, as text."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Result)), indent=2) + b"\n"


def write(path: Path, result: Result) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))


def read(path: Path) -> Result:
    """Raises `BadResult` when the file is not a result."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadResult(f"{path}: {error}") from error
