"""What is measured: an engine by its name, or anything that has a URL. Knows where each lives and what version it is."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from benchmarks.errors import BenchmarkError

MODULES: Final[Mapping[str, str]] = {
    "offhook": "benchmarks.engines.offhook",
    "pipecat": "benchmarks.peers.pipecat_server",
    "livekit": "benchmarks.peers.livekit_server",
}
DISTRIBUTIONS: Final[Mapping[str, str]] = {"offhook": "offhook", "pipecat": "pipecat-ai", "livekit": "livekit-agents"}
IMPORTS: Final[Mapping[str, str]] = {"offhook": "voice", "pipecat": "pipecat", "livekit": "livekit.agents"}


@dataclass(frozen=True, slots=True)
class Engine:
    """What is measured: one of `MODULES`, or the URL of any server of media streams, or of an application's voice webhook.

    `number` is the application's that is rung, `token` signs its webhook.
    """

    name: str
    url: str = ""
    python: str = sys.executable
    variant: str = ""
    number: str = ""
    token: str = ""

    @property
    def title(self) -> str:
        return self.name + (f" ({self.variant})" if self.variant else "")


def engine(name: str, python: str = "", variant: str = "") -> Engine:
    """An engine by its name or URL. Raises `BenchmarkError` when it is neither, or not installed."""
    if name.startswith(("ws://", "wss://", "http://", "https://")):
        return Engine("engine", url=name, variant=variant)
    if name not in MODULES:
        raise BenchmarkError(f"{name}: no such target; give ws://…, or one of {', '.join(MODULES)}")
    python = python or sys.executable
    if python == sys.executable and not _is_installed(IMPORTS[name]):
        raise BenchmarkError(
            f"{name} is not installed here: pip install 'offhook[{name}]', or name a Python that has it with --{name}-python"
        )
    return Engine(name, python=python, variant=variant)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def version_of(engine: Engine) -> str:
    """The version of an engine, as its own environment says."""
    if engine.url:
        return ""
    name = DISTRIBUTIONS[engine.name]
    if engine.python == sys.executable:
        try:
            return version(name)
        except PackageNotFoundError:
            return "checkout"
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    found = subprocess.run([engine.python, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    return found.stdout.strip() or "unknown"
