"""What every launcher of an engine is told on its command line. Standard library."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`notes` is where the engine writes what it knows of itself; `core` -1 means any; `stall` in seconds, 0 for none.

    `vendors` are the addresses of the vendors' stand-ins by name; none: the scripted parts in the engine's own process.
    """

    port: int
    bank: Path
    notes: Path
    pace: str
    seed: int
    core: int
    stall: float
    variant: str
    vendors: dict[str, str] = field(default_factory=dict)


def read(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(description="An engine under test.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--notes", type=Path, required=True)
    parser.add_argument("--pace", default="fixed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int, default=-1)
    parser.add_argument("--stall", type=float, default=0.0, help="seconds the loop is held up, once a second")
    parser.add_argument("--variant", default="", help="another way to set the engine up")
    parser.add_argument("--vendors", type=json.loads, default={}, help="JSON: where deepgram, openai, elevenlabs listen")
    chosen = parser.parse_args(arguments)
    return Options(**vars(chosen))
