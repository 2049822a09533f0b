"""Remembering that somebody must not be called, without remembering who it was: salted hashes of numbers.

A ten-digit number has too few possibilities for a bare hash to hide it. The salt lies in a file of its own beside the lists,
not in the database, so that a copied table alone gives nobody away.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

SALT_FILE: Final = "tombstones.salt"


def number_hash(salt: bytes, number: str) -> str:
    """The tombstone of a number in E.164."""
    return hmac.new(salt, number.encode(), hashlib.sha256).hexdigest()


def load_salt(home: Path) -> bytes:
    """The salt of this home folder, made on first use. Two processes that make it at once agree: one link wins."""
    path = home / SALT_FILE
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        mine = home / f".{SALT_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_bytes()
