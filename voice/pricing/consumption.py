"""What ears, mind and mouth used, and whose account it goes to.

A provider is shared by all calls, and its port says nothing of calls; so the account travels the way a call's tasks do: in
the context. `bill_to(account)` around a call's session is all that is needed; what is billed outside of one is only counted
for the process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    EARS = "ears"
    MIND = "mind"
    MOUTH = "mouth"


@dataclass(frozen=True, slots=True)
class Consumption:
    """One thing used. Only the quantities of its stage are set; `tokens_in` excludes cached ones.

    `is_wasted`: nobody heard it (a hedge that lost, a reply that was cancelled); it costs the same. `reply` is the number,
    within its call, of the reply it was used for; 0 for none.
    """

    stage: Stage
    provider: str
    model: str = ""
    seconds: float = 0.0  # of audio listened to
    characters: int = 0  # spoken
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0  # read from the cache
    tokens_stored: int = 0  # written to the cache for minutes
    tokens_stored_long: int = 0  # written to the cache for an hour
    is_wasted: bool = False
    reply: int = 0


@dataclass(slots=True)
class Account:
    """Everything one call used."""

    call: str = ""
    campaign: str = ""
    budget: Decimal | None = None  # dollars this call may cost; None: as much as any
    entries: list[Consumption] = field(default_factory=list)

    def add(self, consumption: Consumption) -> None:
        self.entries.append(consumption)

    def waste(self, replies: Collection[int]) -> None:
        """Nobody heard these replies: what they used was wasted, whether they were cut off or finished in vain."""
        self.entries = [replace(entry, is_wasted=True) if entry.reply in replies else entry for entry in self.entries]

    def of(self, stage: Stage) -> list[Consumption]:
        return [entry for entry in self.entries if entry.stage is stage]


_CURRENT: Final[ContextVar[Account | None]] = ContextVar("account", default=None)
_REPLY: Final[ContextVar[int]] = ContextVar("reply", default=0)
_WATCHERS: Final[list[Callable[[Consumption, Account | None], None]]] = []


@contextmanager
def bill_to(account: Account) -> Iterator[Account]:
    """Within this block, and in tasks started within it, everything used goes to this account."""
    token = _CURRENT.set(account)
    try:
        yield account
    finally:
        _CURRENT.reset(token)


@contextmanager
def bill_for(reply: int) -> Iterator[None]:
    """Within this block everything used is used for this reply of the call."""
    token = _REPLY.set(reply)
    try:
        yield
    finally:
        _REPLY.reset(token)


def bill(consumption: Consumption) -> None:
    """Write something used to the current account, and tell whoever watches the process."""
    if reply := _REPLY.get():
        consumption = replace(consumption, reply=reply)
    account = _CURRENT.get()
    if account is not None:
        account.add(consumption)
    for watch in _WATCHERS:
        watch(consumption, account)


@contextmanager
def watching(watch: Callable[[Consumption, Account | None], None]) -> Iterator[None]:
    """Within this block, every consumption of the process is told to `watch` (budgets, metrics)."""
    _WATCHERS.append(watch)
    try:
        yield
    finally:
        _WATCHERS.remove(watch)
