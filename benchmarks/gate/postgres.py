"""A PostgreSQL server of one's own, for as long as it is measured: on a free port of this machine, in a folder that goes.

It is a child of this process and ends with it, however that ends: a bench that was killed leaves no server behind.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_USER: Final = "postgres"  # a server refuses to run as root
_PR_SET_PDEATHSIG: Final = 1  # prctl(2): the signal a process gets when its parent dies
_READY_WITHIN: Final = 30.0  # seconds


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of an empty database; "" where PostgreSQL, or our driver for it, is not installed."""
    programs = _programs() if find_spec("asyncpg") is not None else None
    if programs is None:
        yield ""
        return
    data = folder / "postgres"
    data.mkdir()
    user = _as_user(folder, data)
    port = _free_port()
    making = (str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", _USER)
    subprocess.run(making, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user)
    serving = (str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(data))
    with (data / "log").open("wb") as log, _serving(serving, user, log.fileno()) as server:
        _wait_for(programs, port, server)
        yield f"postgresql+asyncpg://{_USER}@127.0.0.1:{port}/postgres"


@contextmanager
def _serving(command: tuple[str, ...], user: str | None, log: int) -> Iterator[subprocess.Popen[bytes]]:
    server = subprocess.Popen(command, stdout=log, stderr=log, user=user, preexec_fn=_end_with_parent)
    try:
        yield server
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: what it holds is thrown away
        server.wait()


def _end_with_parent() -> None:
    """In the child, once it has become its user: a change of user would undo it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_for(programs: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    asking = (str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port))
    ends = time.monotonic() + _READY_WITHIN
    while subprocess.run(asking, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"PostgreSQL did not start within {_READY_WITHIN:.0f} seconds; what it said is in its log")
        time.sleep(0.05)


def _programs() -> Path | None:
    """Where `initdb` and the server are: on the path, or where Debian keeps them."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in found if (each / "initdb").exists() and (each / "pg_isready").exists()), None)


def _as_user(folder: Path, data: Path) -> str | None:
    """Whom the server runs as: ourselves (None), unless we are root. The folder is theirs then."""
    if os.geteuid() != 0:
        return None
    shutil.chown(data, pwd.getpwnam(_USER).pw_uid)
    folder.chmod(0o711)
    return _USER


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
