"""The right to dial: of several runners on one store one has it, because two would keep to twice the pace.

Safety does not hang on it. Two who both believed they had it would still not ring a phone twice: the attempts' own steps see
to that.
"""

from __future__ import annotations

import os
import platform
import secrets
from datetime import datetime, timedelta
from typing import Final

from dialer.ports import AttemptStore, Lease

LEASE: Final = timedelta(seconds=15)  # how long the right outlives a machine that falls silent
STAND_BY: Final = LEASE / 2  # when to ask again, and when to renew


class RightToDial:
    """One runner's hold on the right, taken and kept by `is_ours`."""

    def __init__(self, store: AttemptStore) -> None:
        self._store = store
        self._holder = f"{platform.node()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._until: datetime | None = None

    def is_due(self, at: datetime) -> bool:
        """Whether it must be taken or renewed before anything is dialled."""
        return self._until is None or at >= self._until - STAND_BY

    def renew_in(self, at: datetime) -> float:
        """Seconds until it is to be renewed, or asked for again."""
        return STAND_BY.total_seconds() if self._until is None else (self._until - STAND_BY - at).total_seconds()

    async def take(self, at: datetime) -> bool:
        """Take or renew it. False: another runner has it."""
        async with self._store.transaction() as work:
            held = await work.lease()
            if held is not None and held.holder != self._holder and held.until > at and not is_gone(held.holder):
                self._until = None
                return False
            is_ours = await work.swap_lease(held, Lease(self._holder, at + LEASE))
        self._until = at + LEASE if is_ours else None
        return is_ours

    async def give_up(self, at: datetime) -> None:
        """Let another runner have it at once."""
        if self._until is None:
            return
        async with self._store.transaction() as work:
            held = await work.lease()
            if held is not None and held.holder == self._holder:
                await work.swap_lease(held, Lease(self._holder, at))
        self._until = None


def is_gone(holder: str) -> bool:
    """Whether a holder is a process of this machine that has ended: its lease need not be waited out."""
    machine, process, _ = holder.rsplit("/", 2)
    if machine != platform.node():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives, and is somebody else's
        return False
    return False
