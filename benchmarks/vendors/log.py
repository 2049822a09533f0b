"""What a stand-in saw: everything a client asked, sent, cancelled and wasted, in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = "str | int | float | bool"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing seen: `at` is monotonic seconds, `connection` numbers the TCP connections from 1."""

    at: float
    connection: int
    kind: str
    fields: Mapping[str, Value] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Value:
        return self.fields[name]


class Log:
    """Append only; readers may wait for an entry instead of polling for it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, connection: int, kind: str, **fields: Value) -> None:
        self.entries.append(Entry(time.monotonic(), connection, kind, fields))
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def of(self, kind: str, **fields: Value) -> list[Entry]:
        """All entries of one kind whose fields have these values."""
        return [entry for entry in self.entries if entry.kind == kind and fields.items() <= dict(entry.fields).items()]

    def total(self, kind: str, name: str) -> float:
        """The sum of one numeric field over the entries of one kind."""
        return sum(float(entry.fields.get(name, 0)) for entry in self.of(kind))

    def count(self, kind: str, **fields: Value) -> int:
        return len(self.of(kind, **fields))

    async def wait_for(self, kind: str, *, count: int = 1, within: float = 10.0, **fields: Value) -> Entry:
        """The `count`-th entry of a kind, once it is there. Raises `TimeoutError` after `within` seconds."""
        async with asyncio.timeout(within):
            while self.count(kind, **fields) < count:
                waiter = asyncio.get_running_loop().create_future()
                self._waiting.append(waiter)
                await waiter
        return self.of(kind, **fields)[count - 1]

    def clear(self) -> None:
        self.entries.clear()
