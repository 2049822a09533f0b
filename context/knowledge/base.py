"""The knowledge base: facts in the database first, the index after, and never a fact that only the index has.

`add` returns once the database has the facts and the index was told; when the index fails the facts stay due, and
`catch_up` (at start, after each call, from time to time) brings it in line. Nothing is lost, and nothing is indexed twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from context.briefing import KnownFact
from context.errors import EmbedderError, KnowledgeError, KnowledgeLocked
from context.facts import OPERATOR, Fact, Hit, Scope
from context.knowledge import ledger
from context.knowledge.changes import Change, Plan, Rollback
from context.knowledge.memory import MemoryIndex
from context.knowledge.minilm import MiniLmEmbedder
from context.knowledge.qdrant_edge import QdrantEdgeIndex
from context.ports import Embedder, KnowledgeIndex, Mode
from storage.database import Database

log = structlog.get_logger()

PATIENCE: Final = (0.1, 0.2, 0.4, 0.8)  # seconds between tries at an index that is open elsewhere
KEPT_UP_EVERY: Final = 2.0  # seconds; asking costs one look at an index of the database
FOUND: Final = 5  # facts a search returns unless told otherwise


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of new facts: how many are new, how many replaced older ones, how many said nothing new.

    `is_indexed` is False when the index could not follow yet: the facts are safe, and searched once it has caught up.
    """

    plan: Plan
    is_indexed: bool


class KnowledgeBase:
    """Facts about people and campaigns. Use `open_knowledge` for the configured one; give the parts yourself in tests."""

    def __init__(
        self,
        database: Database,
        index: KnowledgeIndex,
        *,
        now: Callable[[], datetime] = _utc_now,
        is_shared: bool = False,
    ) -> None:
        self._database = database
        self._index = index
        self._now = now
        self._follow = asyncio.Lock()  # one at a time follows the outbox: two would write every fact twice
        self._position = 0  # in the history, of an index that is a copy
        self.is_shared = is_shared  # another process owns the index on disk and follows the outbox; ours is a copy

    @property
    def mode(self) -> Mode:
        """Whether searches compare meaning and words, or words alone."""
        return self._index.mode

    async def start(self) -> Self:
        """Bring the index in line with the database; one that was lost is filled again."""
        if not self.is_shared and await self._index.count() == 0:
            async with self._database.transaction() as connection:
                await ledger.mark_all_due(connection)
        await self.catch_up()
        return self

    # --- writing ------------------------------------------------------------------------------------------------------

    async def add(self, facts: Sequence[Fact], by: str = OPERATOR) -> Added:
        """Write facts; older values of the same slots are superseded. Never raises for the index's sake."""
        async with self._database.transaction() as connection:
            planned = await self.write(connection, facts, by)
        return Added(planned, is_indexed=await self.follow())

    async def write(self, connection: AsyncConnection, facts: Sequence[Fact], by: str) -> Plan:
        """The first half of `add`, within a transaction of the caller's; `follow` is the other, after its commit."""
        return await ledger.add(connection, facts, by, self._now())

    async def rollback(self, to: int, number: str | None = None) -> Rollback:
        """Make what we know (about one person) what it was after change `to`. Raises `UnknownChange`."""
        async with self._database.transaction() as connection:
            undone = await ledger.rollback(connection, to, self._now(), number)
        await self.follow()
        return undone

    async def erase_person(self, number: str) -> int:
        """Forget a person's facts for good; returns how many there were. `context/person.py` erases the rest."""
        async with self._database.transaction() as connection:
            erased = await ledger.erase(connection, number, self._now())
        await self.forget(number)
        return erased

    async def forget(self, number: str) -> None:
        """Take a person out of the index, after the database's facts were erased. A failure leaves them due."""
        try:
            await self._index.erase(number)
        except KnowledgeError as error:
            log.error("knowledge_erasure_delayed", reason=str(error))
        await self.follow()

    # --- reading ------------------------------------------------------------------------------------------------------

    async def search(self, query: str, scope: Scope, limit: int = FOUND) -> tuple[Hit, ...]:
        """The facts visible in `scope` nearest to the query, best first. Raises `KnowledgeError`."""
        if self.is_shared:
            await self.catch_up()  # nobody tells a copy what the other processes wrote
        return await self._index.search(query, scope, limit)

    async def for_person(self, number: str, limit: int = 50) -> tuple[KnownFact, ...]:
        """What we know about a person, newest first, from the database: it is there before it is indexed."""
        async with self._database.reading() as connection:
            return tuple(fact.known() for fact in await ledger.facts_about(connection, number, limit))

    async def history(
        self, number: str | None = None, key: str | None = None, limit: int | None = None
    ) -> tuple[Change, ...]:
        """What was learned, replaced and taken back, oldest first."""
        async with self._database.reading() as connection:
            return await ledger.history(connection, number=number, key=key, limit=limit)

    # --- the index ----------------------------------------------------------------------------------------------------

    async def follow(self) -> bool:
        """`catch_up`, with failure as a value: False when facts are still due."""
        try:
            await self.catch_up()
        except KnowledgeError as error:
            log.warning("knowledge_index_behind", reason=str(error))
            return False
        return not self.is_shared

    async def catch_up(self) -> int:
        """Bring the index in line with the outbox; returns how many facts that took. Raises `KnowledgeError`."""
        async with self._follow:
            return await (self._follow_history() if self.is_shared else self._follow_outbox())

    async def _follow_outbox(self) -> int:
        followed = 0
        while due := await self._due():
            followed += await self._bring(due)
            async with self._database.transaction() as connection:
                await ledger.settle(connection, due)
        return followed

    async def _follow_history(self) -> int:
        """For a copy: the outbox's flags are the owner's to lower, so it goes by its own place in the history."""
        async with self._database.reading() as connection:
            due, position = await ledger.changed_since(connection, self._position)
        followed = await self._bring(due)
        self._position = position
        return followed

    async def _bring(self, due: ledger.Due) -> int:
        await self._index.put(due.put)
        await self._index.remove(due.remove)
        return len(due.put) + len(due.remove)

    async def keep_up(self, every: float = KEPT_UP_EVERY) -> None:
        """Follow for ever what others wrote to the database (a command beside this server), until cancelled."""
        while True:
            await self.follow()
            await asyncio.sleep(every)

    async def _due(self) -> ledger.Due | None:
        async with self._database.reading() as connection:
            due = await ledger.due(connection)
        return due if due.put or due.remove else None

    async def count_due(self) -> int:
        async with self._database.reading() as connection:
            return await ledger.count_due(connection)

    async def close(self) -> None:
        await self._index.close()


async def open_embedder() -> Embedder | None:
    """The sentence encoder, when it is installed and is the one we know; otherwise None, and the log says why."""
    try:
        return await MiniLmEmbedder.open()
    except EmbedderError as error:
        log.error("sentence_encoder_refused", reason=str(error))
        return None


async def open_knowledge(
    database: Database, home: Path, *, embedder: Embedder | None = None, may_share: bool = False
) -> KnowledgeBase:
    """The knowledge base under `home`, in line with the database. Raises `KnowledgeLocked` and `KnowledgeBroken`.

    An index that another process has open is waited for a moment, because a command is soon done. With `may_share` it is no
    obstacle: searches go by words over a copy in memory, and what is written here is indexed by the process that has it.
    """
    for pause in PATIENCE if not may_share else ():
        try:
            return await _open_own(database, home, embedder)
        except KnowledgeLocked:
            await asyncio.sleep(pause)
    try:
        return await _open_own(database, home, embedder)
    except KnowledgeLocked:
        if not may_share:
            raise
    log.info("knowledge_by_words", reason="another process has the index")
    return await KnowledgeBase(database, MemoryIndex(), is_shared=True).start()


async def _open_own(database: Database, home: Path, embedder: Embedder | None) -> KnowledgeBase:
    index = await QdrantEdgeIndex.open(home / "knowledge", embedder)
    try:
        return await KnowledgeBase(database, index).start()
    except BaseException:
        await index.close()
        raise
