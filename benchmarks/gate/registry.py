"""The national registry: a file as it is sold, loaded whole, and asked about many numbers at once and one at a time."""

from __future__ import annotations

import multiprocessing
import resource
import time
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate.made import NOON
from compliance.dnc import Lists
from compliance.dnc_load import LoadOrder, load

REGISTRY: Final = 258_500_000  # active numbers on 30 September 2025
AREAS: Final = 365
TEN_MILLION: Final = 10_000_000


def loading(folder: Path, scale: float) -> dict[str, float]:
    """A file as the registry sells it, sorted, as dense as the real one, in as many area codes as `scale` leaves."""
    path, home = folder / "national.txt", folder / "registry"
    areas = max(1, round(AREAS * scale))
    each = REGISTRY // AREAS
    with path.open("wb") as file:
        for area in range(areas):
            file.write(_lines(200 + area, each, seed=area))
    context = multiprocessing.get_context("spawn")  # a process of its own, so that its peak of memory is the load's alone
    results: multiprocessing.Queue[tuple[float, float, int, int]] = context.Queue()
    child = context.Process(target=_load_and_tell, args=(home, path, results))
    child.start()
    seconds, cpu, rows, peak = results.get()
    child.join()
    path.unlink()
    return {
        "registry_rows_loaded": float(rows),
        "registry_load_s": seconds,
        "registry_load_peak_mib": peak / 1024,
        "registry_load_cpu_s": cpu,
        **({"registry_whole_load_s": seconds, "registry_whole_load_peak_mib": peak / 1024} if scale == 1 else {}),
    }


def _load_and_tell(home: Path, path: Path, results: multiprocessing.Queue[tuple[float, float, int, int]]) -> None:
    began = time.perf_counter()
    manifest = load(home, LoadOrder("national", path, date(2026, 7, 10), "bench", NOON))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    results.put((time.perf_counter() - began, time.process_time(), manifest.rows, peak))


def _lines(area: int, count: int, seed: int) -> bytes:
    """`count` different numbers of one area code, in order, as "NPA,NNNNNNN" lines."""
    rng = np.random.default_rng(seed)
    rest = np.sort(rng.choice(8_000_000, size=count, replace=False)) + 2_000_000
    rows = np.empty((count, 12), dtype=np.uint8)
    rows[:, :4] = np.frombuffer(f"{area},".encode(), dtype=np.uint8)
    for column in range(7):
        rows[:, 4 + column] = rest // 10 ** (6 - column) % 10 + 48
    rows[:, 11] = 10
    return rows.tobytes()


def lookups(folder: Path, count: int) -> dict[str, float]:
    """Random numbers against the registry just loaded: many at a time, and one by one as the gate asks."""
    lists = Lists(folder / "registry")
    generation = lists.generation("national")
    assert generation is not None
    held = np.array([int(area) for area in generation.manifest.areas], dtype=np.int64)
    asked = _asked(held, count)
    began = time.perf_counter()
    generation.contains(asked)
    bulk = time.perf_counter() - began
    some = [f"+1{number}" for number in asked[:100_000].tolist()]
    began = time.perf_counter()
    for number in some:
        lists.answer("national", number)
    single = time.perf_counter() - began
    return {
        "dnc_numbers_scrubbed": float(count),
        "dnc_scrub_s": bulk,
        **({"dnc_ten_million_scrubbed_s": bulk} if count == TEN_MILLION else {}),
        "dnc_bulk_us_per_number": bulk / count * 1e6,
        "dnc_single_us": single / len(some) * 1e6,
    }


def _asked(areas: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(1)
    return rng.choice(areas, size=count) * 10_000_000 + rng.integers(2_000_000, 10_000_000, size=count)
