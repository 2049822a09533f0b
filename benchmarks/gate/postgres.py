"""A PostgreSQL server of one's own, for as long as it is measured: on a free port of this machine, in a folder that goes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_USER: Final = "postgres"  # a server refuses to run as root


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of an empty database; "" where PostgreSQL, or our driver for it, is not installed."""
    programs = _programs() if find_spec("asyncpg") is not None else None
    if programs is None:
        yield ""
        return
    data = folder / "postgres"
    data.mkdir()
    ours = _as_user(folder, data)
    port = _free_port()
    _run(*ours, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", _USER)
    options = f"-h 127.0.0.1 -p {port} -k {data}"
    control = [*ours, str(programs / "pg_ctl"), "-D", str(data)]
    _run(*control, "-w", "-o", options, "-l", str(data / "log"), "start")
    try:
        yield f"postgresql+asyncpg://{_USER}@127.0.0.1:{port}/postgres"
    finally:
        _run(*control, "-m", "immediate", "-w", "stop")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _programs() -> Path | None:
    """Where `initdb` and `pg_ctl` are: on the path, or where Debian keeps them."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in found if (each / "initdb").exists() and (each / "pg_ctl").exists()), None)


def _as_user(folder: Path, data: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(data, _USER)
    folder.chmod(0o711)
    return ["runuser", "-u", _USER, "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
