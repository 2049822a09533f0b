"""The embedded index: one Qdrant Edge shard in a folder, searched by meaning and by words, fused by rank.

All calls into the shard run in one thread of its own: they block, and a shard has one writer. What was put survives a
killed process (the shard's write-ahead log). The folder is derived data: when it was made by another version, or with
another encoder, or cannot be read, it is made anew and filled again from the database.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar, cast

import structlog
from qdrant_edge import (
    Bm25,
    Bm25Config,
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    FieldCondition,
    Filter,
    Fusion,
    MatchAny,
    MatchValue,
    Modifier,
    PayloadSchemaType,
    Point,
    Prefetch,
    Query,
    QueryRequest,
    SparseVector,
    UpdateOperation,
)

from context.errors import EmbedderError, KnowledgeBroken, KnowledgeError, KnowledgeLocked
from context.facts import Fact, FactId, Hit, Scope
from context.knowledge.memory import LEAST_ALIKE
from context.knowledge.words import RRF_K
from context.ports import Embedder, Mode

LAYOUT: Final = 1  # of the points; raise it when the payload or the vectors change, and every index is made anew
BATCH: Final = 128  # facts embedded and written at once
USUAL_LENGTH: Final = 16.0  # tokens of a fact: a sentence

_DENSE, _WORDS = "dense", "words"
_FILTERED = ("number", "campaign_id")

T = TypeVar("T")
log = structlog.get_logger()


class QdrantEdgeIndex:
    """Made by `open`. After `close` every call raises `KnowledgeError`."""

    def __init__(self, folder: Path, embedder: Embedder | None) -> None:
        self._folder = folder
        self._embedder = embedder
        self._bm25 = Bm25(Bm25Config(avg_len=USUAL_LENGTH, language="english"))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="knowledge")
        self._shard: EdgeShard | None = None  # touched in the thread only
        self._is_closed = False

    @classmethod
    async def open(cls, folder: Path, embedder: Embedder | None = None) -> Self:
        """Open the index in `folder`, or make one. Raises `KnowledgeLocked` and `KnowledgeBroken`."""
        index = cls(folder, embedder)
        try:
            await index._run(index._open)
        except BaseException:
            index._thread.shutdown(wait=False)
            raise
        return index

    @property
    def mode(self) -> Mode:
        return Mode.HYBRID if self._embedder else Mode.WORDS

    async def count(self) -> int:
        return await self._run(lambda: self._open_shard().count(CountRequest()))

    async def put(self, facts: Sequence[Fact]) -> None:
        for first in range(0, len(facts), BATCH):
            batch = facts[first : first + BATCH]
            dense = await self._embedder.embed([fact.text for fact in batch]) if self._embedder else None
            await self._run(partial(self._upsert, batch, dense))

    async def remove(self, ids: Sequence[FactId]) -> None:
        if ids:
            await self._update(UpdateOperation.delete_points(list(ids)))

    async def search(self, query: str, scope: Scope, limit: int) -> tuple[Hit, ...]:
        if not query.strip():
            return ()
        dense = await self._embed_query(query)
        return await self._run(lambda: self._search(query, dense, scope, limit))

    async def erase(self, number: str) -> None:
        about = Filter(must=[FieldCondition(key="number", match=MatchValue(value=number))])
        await self._update(UpdateOperation.delete_points_by_filter(about))

    async def clear(self) -> None:
        await self._run(self._make_anew)

    async def close(self) -> None:
        if not self._is_closed:
            await self._run(self._close)
            self._is_closed = True
            self._thread.shutdown(wait=False)

    # --- in the loop --------------------------------------------------------------------------------------------------

    async def _run(self, work: Callable[[], T]) -> T:
        if self._is_closed:
            raise KnowledgeError("the knowledge index is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except KnowledgeError:
            raise
        except Exception as error:  # the library raises bare `Exception`; this is the one place that knows
            raise KnowledgeError(f"the knowledge index failed: {error}") from error

    async def _update(self, operation: UpdateOperation) -> None:
        await self._run(lambda: self._open_shard().update(operation))

    async def _embed_query(self, query: str) -> list[float] | None:
        """A search by words alone is better than none: a failing encoder is logged, not passed on."""
        if self._embedder is None:
            return None
        try:
            return (await self._embedder.embed([query]))[0]
        except EmbedderError as error:
            log.warning("knowledge_query_not_embedded", reason=str(error))
            return None

    # --- in the thread ------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if (self._folder / "shard" / "edge_config.json").exists():
            self._shard = self._load()
        if self._shard is None or self._made_as() != self._recipe():
            self._make_anew()

    def _load(self) -> EdgeShard | None:
        try:
            return EdgeShard.load(str(self._folder / "shard"))
        except Exception as error:
            if "WouldBlock" in str(error):  # the write-ahead log's file lock is held
                raise KnowledgeLocked(
                    f"the knowledge index in {self._folder} is open in another process (a running `offhook serve`?):"
                    " stop that process, or let it do the work"
                ) from error
            log.warning("knowledge_index_unreadable", folder=str(self._folder), reason=str(error))
            return None

    def _make_anew(self) -> None:
        self._close()
        try:
            shutil.rmtree(self._folder / "shard", ignore_errors=True)
            (self._folder / "shard").mkdir(parents=True)
            self._shard = EdgeShard.create(str(self._folder / "shard"), _config(self._embedder))
            for name in _FILTERED:
                self._shard.update(UpdateOperation.create_field_index(name, PayloadSchemaType.Keyword))
            (self._folder / "index.json").write_text(json.dumps(self._recipe()))
        except Exception as error:
            raise KnowledgeBroken(f"no knowledge index can be made in {self._folder}: {error}") from error

    def _made_as(self) -> object:
        try:
            return json.loads((self._folder / "index.json").read_text())
        except (OSError, ValueError):
            return None

    def _recipe(self) -> dict[str, object]:
        return {"layout": LAYOUT, "encoder": self._embedder.name if self._embedder else ""}

    def _open_shard(self) -> EdgeShard:
        if self._shard is None:  # being closed, or it could not be made anew
            raise KnowledgeError("the knowledge index is not open")
        return self._shard

    def _close(self) -> None:
        if self._shard is not None:
            self._shard.flush()
            self._shard.close()
            self._shard = None

    def _upsert(self, batch: Sequence[Fact], dense: Sequence[Sequence[float]] | None) -> None:
        points = []
        for place, fact in enumerate(batch):
            vectors: dict[str, list[float] | SparseVector | list[list[float]]]
            vectors = {_WORDS: self._bm25.embed_document(fact.text)}
            if dense is not None:
                vectors[_DENSE] = list(dense[place])
            points.append(Point(fact.id, vectors, _payload(fact)))
        self._open_shard().update(UpdateOperation.upsert_points(points))

    def _search(self, query: str, dense: Sequence[float] | None, scope: Scope, limit: int) -> tuple[Hit, ...]:
        depth = max(4 * limit, 20)  # each ranking looks deeper than the answer: fusion needs something to agree on
        visible = _visible(scope)
        rankings = [Prefetch(limit=depth, query=Query.Nearest(self._bm25.embed_query(query), using=_WORDS), filter=visible)]
        if dense is not None:
            nearest = Query.Nearest(list(dense), using=_DENSE)
            rankings.append(Prefetch(limit=depth, query=nearest, filter=visible, score_threshold=LEAST_ALIKE))
        fused = cast(Fusion, Fusion.Rrf(k=RRF_K))  # the stubs do not say that a variant is one
        request = QueryRequest(limit=limit, prefetches=rankings, query=fused, with_payload=True)
        found = self._open_shard().query(request)
        return tuple(Hit(_fact(str(point.id), point.payload or {}), point.score) for point in found)


def _config(embedder: Embedder | None) -> EdgeConfig:
    dense = {_DENSE: EdgeVectorParams(size=embedder.size, distance=Distance.Cosine)} if embedder else {}
    return EdgeConfig(vectors=dense, sparse_vectors={_WORDS: EdgeSparseVectorParams(modifier=Modifier.Idf)})


def _visible(scope: Scope) -> Filter:
    return Filter(
        must=[
            FieldCondition(key="number", match=MatchAny(any=sorted({"", scope.number}))),
            FieldCondition(key="campaign_id", match=MatchAny(any=sorted({"", scope.campaign_id}))),
        ]
    )


def _payload(fact: Fact) -> dict[str, object]:
    return {
        "text": fact.text,
        "source": fact.source,
        "at": fact.at.isoformat(),
        "number": fact.number,
        "campaign_id": fact.campaign_id,
        "key": fact.key,
        "value": fact.value,
        "call_id": fact.call_id or "",
    }


def _fact(fact_id: str, payload: Mapping[str, object]) -> Fact:
    """Read back what `_payload` wrote. Raises `KeyError` or `ValueError` for a point that somebody else wrote."""
    word = {name: str(payload[name]) for name in ("text", "source", "number", "campaign_id", "key", "value", "call_id")}
    return Fact(
        FactId(fact_id),
        word["text"],
        word["source"],
        datetime.fromisoformat(str(payload["at"])),
        word["number"],
        word["campaign_id"],
        word["key"],
        word["value"],
        word["call_id"] or None,
    )
