"""Where a measurement was made: the machine in the words a reader needs. The shell of `/proc`."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from benchmarks.report.model import Machine
from voice.build import is_compiled


def this_machine(load_before: float) -> Machine:
    """This machine now; `load_before` is the load average when the measurement began."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=(round(load_before, 2), round(load(), 2)),
        compiled=is_compiled(),
    )


def load() -> float:
    """The load average of the last minute: above the number of cores, figures are those of a crowd."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
