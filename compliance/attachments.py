"""Files that prove a consent: a vendor's certificate, a screenshot, a recording. Kept once, by the digest of their bytes,
for as long as a consent in the ledger names them.

The ledger holds the name and the digest; whoever alters the file alters its digest, and the ledger cannot be altered unseen.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

FOLDER: Final = "evidence"
LARGEST: Final = 20 * 1024 * 1024  # bytes of one file


def keep(home: Path, content: bytes) -> str:
    """Keep these bytes, on the disk before this returns; their SHA-256. The same bytes twice are kept once."""
    digest = hashlib.sha256(content).hexdigest()
    path = place_of(home, digest)
    if path.exists():
        path.touch()  # wanted anew: not to be swept before the consent that names it is written
    else:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f".{digest}.{secrets.token_hex(4)}")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    return digest


def place_of(home: Path, digest: str) -> Path:
    return home / FOLDER / digest[:2] / digest


def sweep(home: Path, named: Collection[str], before: datetime) -> int:
    """Remove the files that no consent names any more; how many. One kept since `before` may yet be named: it stays."""
    gone = 0
    for path in (home / FOLDER).glob("??/*"):
        if path.name not in named and path.stat().st_mtime < before.timestamp():
            path.unlink()
            gone += 1
    return gone


def digests_in(text: str) -> set[str]:
    """The digests of all files that a ledger's entry names."""
    return set(re.findall(r"sha256:([0-9a-f]{64})", text))


def noted(attached: Iterable[tuple[str, str]]) -> str:
    """Names and digests as the ledger writes them down: `certificate.pdf sha256:ab12…`, one behind the other."""
    return "; ".join(f"{Path(name).name.replace(';', ' ')} sha256:{digest}" for name, digest in attached)
