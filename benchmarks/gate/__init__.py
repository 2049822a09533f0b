"""`offhook bench gate`: a verdict with its receipt, look-ups in bulk, a registry loaded, a campaign judged before it starts.

Everything is synthetic and made here, in a folder that is gone afterwards. The short form makes a share of a registry and of
a million contacts; the long form makes them whole: some four gigabytes and some minutes.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.gate.campaigns import MILLION, preflight
from benchmarks.gate.postgres import running
from benchmarks.gate.registry import TEN_MILLION, loading, lookups
from benchmarks.gate.verdicts import verdicts
from voice.collector import settle

Progress = Callable[[str], None]


async def measure(*, is_long: bool = False, progress: Progress = lambda _: None) -> dict[str, float]:
    """Every figure of the suite: milliseconds, microseconds, seconds and MiB, as the names say."""
    count, share, contacts = (2000, 1.0, MILLION) if is_long else (300, 0.005, 5_000)
    folder = Path(tempfile.mkdtemp(prefix="offhook-bench-"))
    settle()  # as a server does once it is open; what suites before this one have left would be looked through meanwhile
    try:
        progress(f"{count} verdicts on SQLite")
        figures = await verdicts(folder, count, f"sqlite+aiosqlite:///{folder}/bench.db", "sqlite")
        with running(folder) as url:
            if url:
                progress(f"{count} verdicts on PostgreSQL")
                figures |= await verdicts(folder, count, url, "postgres")
        progress(f"a registry of {share:.1%} of the real one's size")
        figures |= loading(folder, share)
        figures |= lookups(folder, TEN_MILLION if is_long else TEN_MILLION // 20)
        progress(f"{contacts:,} contacts judged before a campaign starts")
        figures |= await asyncio.to_thread(preflight, folder, contacts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return figures
