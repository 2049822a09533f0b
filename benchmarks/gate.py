"""`offhook bench gate`: a verdict with its receipt, look-ups in bulk, a registry loaded, a campaign judged before it starts.

Everything is synthetic and made here; the database is a SQLite file in a folder of its own unless a URL is given. `scale`
is the share of a national registry and of a million contacts that is really made; figures at full size are its linear
continuation and are named so.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.consent import Given
from compliance.dnc import Lists
from compliance.dnc_load import LoadOrder, load
from compliance.preflight import preflight
from compliance.record import (
    CallerId,
    CallRecord,
    Consent,
    ConsentKind,
    Errand,
    ListAnswer,
    PastCall,
    Purpose,
    Reassigned,
    ReassignedAnswer,
    VoiceKind,
)
from compliance.rules import Rulebook, load_rulebook
from compliance.store import ComplianceStore, ProposedCall
from storage.database import Database

NOON: Final = datetime(2026, 7, 14, 16, tzinfo=UTC)
REGISTRY: Final = 258_500_000  # active numbers on 30 September 2025
AREAS: Final = 365
CONTACTS: Final = 1_000_000
SHOWN: Final = CallerId("+16145550100", is_shown=True, is_authorised=True)
ERRAND: Final = Errand("acme", Purpose.TELEMARKETING, VoiceKind.ARTIFICIAL, "solar", "bench", SHOWN)


async def measure(scale: float = 0.1, verdicts: int = 2000, url: str = "") -> dict[str, float]:
    """Every figure of the suite: milliseconds, microseconds, seconds and MiB, as the names say."""
    folder = Path(tempfile.mkdtemp(prefix="offhook-bench-"))
    try:
        figures = await _verdicts(folder, verdicts, url or f"sqlite+aiosqlite:///{folder}/bench.db")
        figures |= _loading(folder, scale)
        figures |= _lookups(folder, int(10_000_000 * min(1.0, scale * 10)))
        figures |= _preflights(scale)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return figures


# --- verdicts -----------------------------------------------------------------------------------------------------------


async def _verdicts(folder: Path, count: int, url: str) -> dict[str, float]:
    """Each in a transaction of its own, to the commit that puts the receipt on the disk; and the judging inside it alone."""
    home = folder / "home"
    (folder / "614.txt").write_text("6145550199\n")
    load(home, LoadOrder("national", folder / "614.txt", date(2026, 7, 10), "bench", NOON))
    database = Database(url)
    await database.migrate()
    store = ComplianceStore.open(home)
    try:
        async with database.transaction() as connection:
            for place in range(count):
                await store.record_consent(connection, _given(place), NOON)
        judging, whole = [], []
        for place in range(count):
            proposed = ProposedCall(_number(place), ERRAND, f"b{place}", f"k{place}", f"p{place}")
            began = time.perf_counter()
            async with database.transaction() as connection:
                inside = time.perf_counter()
                await store.judge(connection, proposed, NOON + timedelta(seconds=place))
                judging.append(time.perf_counter() - inside)
            whole.append(time.perf_counter() - began)
    finally:
        await database.close()
    return _spread("verdict_with_receipt_ms", judging) | _spread("verdict_to_commit_ms", whole)


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds[len(seconds) // 20 :])  # the first twentieth warms caches up
    return {f"{name}_{label}": 1000 * ordered[int(len(ordered) * share)] for label, share in (("p50", 0.5), ("p99", 0.99))}


def _given(place: int) -> Given:
    consent = Consent(
        id=f"g{place}",
        kind=ConsentKind.WRITTEN,
        number=_number(place),
        sellers=frozenset({"acme"}),
        obtained_at=NOON - timedelta(days=40),
        wording="I agree that Acme may call me with an AI-generated voice. " * 4,
        is_signed=True,
        names_artificial_voice=True,
        says_not_a_condition=True,
    )
    return Given(consent.id, consent, f"p{place}")


def _number(place: int, area: int = 614) -> str:
    return f"+1{area}{2_000_000 + place:07d}"


# --- the registry -------------------------------------------------------------------------------------------------------


def _loading(folder: Path, scale: float) -> dict[str, float]:
    """A file as the registry sells it, sorted, as dense as the real one, in as many area codes as `scale` leaves."""
    path, home = folder / "national.txt", folder / "registry"
    areas = max(1, round(AREAS * scale))
    each = REGISTRY // AREAS
    with path.open("wb") as file:
        for area in range(areas):
            file.write(_lines(200 + area, each, seed=area))
    context = multiprocessing.get_context("spawn")  # a process of its own, so that its peak of memory is the load's alone
    results: multiprocessing.Queue[tuple[float, int, int]] = context.Queue()
    child = context.Process(target=_load_and_tell, args=(home, path, results))
    child.start()
    seconds, rows, peak = results.get()
    child.join()
    path.unlink()
    return {
        "registry_rows_loaded": float(rows),
        "registry_load_s": seconds,
        "registry_load_peak_mib": peak / 1024,
        "registry_load_s_at_full_size": seconds * REGISTRY / rows,
    }


def _load_and_tell(home: Path, path: Path, results: multiprocessing.Queue[tuple[float, int, int]]) -> None:
    began = time.perf_counter()
    manifest = load(home, LoadOrder("national", path, date(2026, 7, 10), "bench", NOON))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    results.put((time.perf_counter() - began, manifest.rows, peak))


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


def _lookups(folder: Path, count: int) -> dict[str, float]:
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
        "dnc_bulk_us_per_number": bulk / count * 1e6,
        "dnc_single_us": single / len(some) * 1e6,
    }


def _asked(areas: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(1)
    return rng.choice(areas, size=count) * 10_000_000 + rng.integers(2_000_000, 10_000_000, size=count)


# --- a campaign before it starts ----------------------------------------------------------------------------------------


def _preflights(scale: float) -> dict[str, float]:
    count = int(CONTACTS * scale)
    book = load_rulebook()
    began, worked = time.perf_counter(), time.process_time()
    result = preflight(_records(count, book), NOON + timedelta(hours=6), book)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    assert result.contacts == count
    return {
        "preflight_contacts": float(count),
        "preflight_s": seconds,
        "preflight_s_per_million": seconds / count * CONTACTS,
        "preflight_cpu_s_per_million": cpu / count * CONTACTS,
    }


def _records(count: int, book: Rulebook) -> Iterator[CallRecord]:
    """Contacts all over the country: one in eight without consent, one in ten listed, some called before."""
    assert book.areas is not None
    areas = sorted(code for codes in book.areas.states.values() for code in codes)
    fresh = date(2026, 7, 10)
    blank = CallRecord("", ERRAND, reassigned=ReassignedAnswer(Reassigned.NO, fresh))
    lists = [(ListAnswer("national", listed, True, fresh), ListAnswer("internal", False)) for listed in (False, True)]
    for place in range(count):
        number = _number(place * 7919 % 8_000_000, areas[place % len(areas)])
        consent = replace(_CONSENT, number=number)
        yield replace(
            blank,
            number=number,
            consents=() if place % 8 == 0 else (consent,),
            lists=lists[place % 10 == 0],
            history=(PastCall(NOON - timedelta(hours=2), number, "solar", "acme"),) if place % 5 == 0 else (),
        )


_CONSENT: Final = _given(0).consent


if __name__ == "__main__":
    for figure, worth in asyncio.run(measure()).items():
        print(f"{figure:38} {worth:14.3f}")
