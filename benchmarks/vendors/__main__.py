"""Runs stand-ins as a process of their own, until interrupted.

    python -m benchmarks.vendors deepgram --port 9101 --preset published --seed 7 --script lines.txt
    python -m benchmarks.vendors all --port 9101 --agents agents/*.toml --real

`all` takes four ports from `--port` on: deepgram, elevenlabs, anthropic, openai. Prints one JSON line a vendor when ready,
with the settings that point offhook at it; with `--env` the settings alone, as a shell reads them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

import structlog

from benchmarks.vendors.build import VENDORS, Real, stand_in
from benchmarks.vendors.presets import PRESETS
from benchmarks.vendors.standin import StandIn


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vendors", description="Stand-ins for the vendors.")
    parser.add_argument("vendor", choices=[*VENDORS, "all"])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="published", help="whose delays (default: published)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--script", type=Path, help="a file with a line for each utterance (ears) or reply (minds)")
    parser.add_argument("--agents", type=Path, nargs="*", default=[], help="agent files: the minds answer by playbook")
    parser.add_argument("--real", action="store_true", help="really listen, speak and answer, with the embedded parts")
    parser.add_argument("--env", action="store_true", help="print only the settings, as a shell reads them")
    return parser.parse_args(argv)


async def run(args: argparse.Namespace) -> None:
    """Start what was asked for, say so, and serve until SIGINT or SIGTERM."""
    real = Real(args.agents) if args.real or args.agents else None
    script = args.script.read_text().splitlines() if args.script else []
    names = VENDORS if args.vendor == "all" else (args.vendor,)
    running: list[StandIn] = []
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        for offset, name in enumerate(names):
            vendor = await stand_in(name, PRESETS[args.preset], args.seed, script, real)
            await vendor.start(args.host, args.port + offset if args.port else 0)
            running.append(vendor)
            print(_told(vendor, is_for_shell=args.env), flush=True)
        await stop.wait()
    finally:
        for vendor in running:
            await vendor.close()
        if real is not None:
            await real.close()


def _told(vendor: StandIn, *, is_for_shell: bool) -> str:
    if is_for_shell:
        return "\n".join(f"export {name}={value}" for name, value in vendor.settings().items())
    return json.dumps({"vendor": vendor.vendor, "port": vendor.port, "settings": vendor.settings()})


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # what is printed is for programs
    asyncio.run(run(arguments()))
