"""What is measured: an engine by its name, or anything that has a URL. Knows where each lives and what version it is."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from benchmarks.errors import BenchmarkError

MODULES: Final[Mapping[str, str]] = {
    "offhook": "benchmarks.engines.offhook",
    "pipecat": "benchmarks.peers.pipecat_server",
    "livekit": "benchmarks.peers.livekit_server",
}
DISTRIBUTIONS: Final[Mapping[str, str]] = {"offhook": "offhook", "pipecat": "pipecat-ai", "livekit": "livekit-agents"}
# What each brings along to reach the vendors: printed with a result, because a figure is that of these versions.
PLUGINS: Final[Mapping[str, tuple[str, ...]]] = {
    "offhook": ("deepgram-sdk", "openai", "elevenlabs", "websockets", "uvicorn"),
    "pipecat": ("deepgram-sdk", "openai", "websockets", "uvicorn"),
    "livekit": ("livekit-plugins-deepgram", "livekit-plugins-openai", "livekit-plugins-elevenlabs", "uvicorn"),
}
SETTINGS: Final[Mapping[tuple[str, str], str]] = {
    ("offhook", ""): "default policy; the opening was spoken while it rang",
    ("pipecat", ""): "FastAPI transport, Silero VAD, smart-turn v3 ends turns",
    ("pipecat", "vad"): "FastAPI transport, Silero VAD, a turn ends by silence",
    ("livekit", ""): "AgentSession, bundled VAD and turn detector, preemptive generation; no SIP, no room",
    ("livekit", "vad"): "AgentSession, a turn ends by silence, preemptive speech; no SIP, no room",
}
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
            f"{name} is not installed here: pip install 'offhook[peer-{name}]', or name a Python with it: --{name}-python"
        )
    return Engine(name, python=python, variant=variant)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def version_of(engine: Engine) -> str:
    """The version of an engine, as its own environment says."""
    return "" if engine.url else _versions(engine.python, DISTRIBUTIONS[engine.name])[0] or "checkout"


def setup_of(engine: Engine) -> dict[str, str]:
    """How an engine is set up, and the versions of what it reaches the vendors with; nothing is known of a URL."""
    if engine.url:
        return {}
    names = PLUGINS[engine.name]
    found = zip(names, _versions(engine.python, *names), strict=True)
    told = ", ".join(f"{name} {version}" for name, version in found if version)
    return {"settings": SETTINGS.get((engine.name, engine.variant), engine.variant), "with": told}


@cache
def _versions(python: str, *names: str) -> list[str]:
    """Of each distribution in that environment; empty where it is not installed."""
    found = subprocess.run([python, "-c", _ASK, *names], capture_output=True, text=True, timeout=30, check=False)
    lines = found.stdout.splitlines()
    return lines if len(lines) == len(names) else [""] * len(names)


_ASK: Final = """
import sys, importlib.metadata as metadata
for name in sys.argv[1:]:
    try:
        print(metadata.version(name))
    except metadata.PackageNotFoundError:
        print()
"""
