"""A verdict with everything it takes: rules, caps, consent, lists, and its receipt written. On SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from benchmarks.gate.made import ERRAND, NOON, given, number
from compliance.dnc_load import LoadOrder, load
from compliance.store import ComplianceStore, ProposedCall
from storage.database import Database


async def verdicts(folder: Path, count: int, url: str, name: str) -> dict[str, float]:
    """Each in a transaction of its own, to the commit that puts the receipt on the disk; and the judging inside it alone."""
    home = folder / f"home-{name}"
    (folder / "614.txt").write_text("6145550199\n")
    load(home, LoadOrder("national", folder / "614.txt", date(2026, 7, 10), "bench", NOON))
    database = Database(url)
    await database.migrate()
    store = ComplianceStore.open(home)
    try:
        async with database.transaction() as connection:
            for place in range(count):
                await store.record_consent(connection, given(place, number(place), f"p{place}"), NOON)
        judging, whole = [], []
        for place in range(count):
            proposed = ProposedCall(number(place), ERRAND, f"b{place}", f"k{place}", f"p{place}")
            began = time.perf_counter()
            async with database.transaction() as connection:
                inside = time.perf_counter()
                await store.judge(connection, proposed, NOON + timedelta(seconds=place))
                judging.append(time.perf_counter() - inside)
            whole.append(time.perf_counter() - began)
    finally:
        await database.close()
    return _spread(f"{name}_verdict_with_receipt_ms", judging) | _spread(f"{name}_verdict_to_commit_ms", whole)


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds[len(seconds) // 20 :])  # the first twentieth warms caches up
    return {f"{name}_{label}": 1000 * ordered[int(len(ordered) * share)] for label, share in (("p50", 0.5), ("p99", 0.99))}
