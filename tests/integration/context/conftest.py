from __future__ import annotations

import asyncio
import hashlib
import math
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from context import store
from context.calls import Call
from context.errors import EmbedderError
from context.facts import Fact, gist, make_fact
from context.knowledge.base import KnowledgeBase
from context.knowledge.memory import MemoryIndex
from context.knowledge.qdrant_edge import QdrantEdgeIndex
from context.ports import KnowledgeIndex
from storage.database import Database

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PERSON = "+13125550142"


class BagOfWords:
    """An encoder for tests: words hashed into 64 places, so that sentences sharing words are alike. Breaks when told to."""

    name = "bag-of-words"
    size = 64

    def __init__(self) -> None:
        self.is_broken = False
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self.is_broken:
            raise EmbedderError("broken for the test")
        self.asked += texts
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        counts = [1e-3] * self.size
        for word in gist(text).split():
            counts[hashlib.sha256(word.encode()).digest()[0] % self.size] += 1.0
        length = math.sqrt(sum(count * count for count in counts))
        return [count / length for count in counts]

    async def close(self) -> None: ...


@pytest.fixture
def embedder() -> BagOfWords:
    return BagOfWords()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables and no rows, made once."""
    path = tmp_path_factory.mktemp("database") / "empty.db"

    async def make() -> None:
        database = Database(f"sqlite:///{path}")
        await database.create_all()
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def database(tmp_path: Path, empty_database: Path) -> AsyncIterator[Database]:
    shutil.copy(empty_database, tmp_path / "offhook.db")
    database = Database(f"sqlite:///{tmp_path / 'offhook.db'}")
    yield database
    await database.close()


@pytest.fixture(params=["memory", "qdrant_edge", "memory_by_words", "qdrant_edge_by_words"])
async def index(request: pytest.FixtureRequest, tmp_path: Path, embedder: BagOfWords) -> AsyncIterator[KnowledgeIndex]:
    """Every kind of index: what holds for one must hold for all."""
    encoder = None if request.param.endswith("_by_words") else embedder
    is_edge = request.param.startswith("qdrant_edge")
    index: KnowledgeIndex = await QdrantEdgeIndex.open(tmp_path / "knowledge", encoder) if is_edge else MemoryIndex(encoder)
    yield index
    await index.close()


@pytest.fixture
async def base(database: Database) -> KnowledgeBase:
    return await KnowledgeBase(database, MemoryIndex(), now=lambda: NOON).start()


@pytest.fixture
def at() -> Callable[[float], datetime]:
    return lambda minutes: NOON + timedelta(minutes=minutes)


@pytest.fixture
def told() -> Callable[..., Fact]:
    def make(minutes: float, text: str, source: str = "operator", **rest: str) -> Fact:
        return make_fact(text, source, NOON + timedelta(minutes=minutes), **{"number": PERSON, **rest})  # type: ignore[arg-type]

    return make


@pytest.fixture
def call() -> Callable[..., Call]:
    """A call to the person, about to be dialled: `call("call-1", minutes=3)`."""

    def make(call_id: str = "call-1", minutes: float = 0, **rest: object) -> Call:
        values: dict[str, object] = {
            "id": call_id,
            "direction": "outbound",
            "from_number": "+13125550100",
            "to_number": PERSON,
            "person": PERSON,
            "agent": "ann",
            "agent_version": "1",
            "started_at": NOON + timedelta(minutes=minutes),
        }
        return Call(**values | rest)  # type: ignore[arg-type]

    return make


@pytest.fixture
def write_call(database: Database) -> Callable[..., Awaitable[None]]:
    """Write a call that was answered after 5 seconds and ended a minute later."""

    async def write(call: Call, disposition: str = "answered", summary: str = "", **paths: str) -> None:
        async with database.transaction() as connection:
            await store.create_call(connection, call)
            await store.answer_call(connection, call.id, call.started_at + timedelta(seconds=5), "human")
            await store.end_call(connection, call.id, call.started_at + timedelta(seconds=65), disposition, **paths)
            if summary:
                await store.write_learning(connection, call.id, summary, "neutral", 0.0, call.started_at)

    return write
