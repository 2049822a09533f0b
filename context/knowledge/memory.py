"""A knowledge index in memory: for tests, and for searching when another process holds the one on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from context.facts import Fact, FactId, Hit, Scope
from context.knowledge.words import bm25, fuse, terms
from context.ports import Embedder, Mode

LEAST_ALIKE: Final = 0.25  # cosine below which two sentences have nothing to do with each other (MiniLM)


class MemoryIndex:
    """Looks at every fact for every search: fine for some thousands."""

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._embedder = embedder
        self._facts: dict[FactId, Fact] = {}
        self._vectors: dict[FactId, list[float]] = {}
        self._terms: dict[FactId, Counter[str]] = {}

    @property
    def mode(self) -> Mode:
        return Mode.HYBRID if self._embedder else Mode.WORDS

    async def count(self) -> int:
        return len(self._facts)

    async def put(self, facts: Sequence[Fact]) -> None:
        if self._embedder is not None:
            vectors = await self._embedder.embed([fact.text for fact in facts])
            self._vectors.update(zip((fact.id for fact in facts), vectors, strict=True))
        self._facts.update((fact.id, fact) for fact in facts)
        self._terms.update((fact.id, Counter(terms(fact.text))) for fact in facts)

    async def remove(self, ids: Sequence[FactId]) -> None:
        for fact_id in ids:
            self._facts.pop(fact_id, None)
            self._vectors.pop(fact_id, None)
            self._terms.pop(fact_id, None)

    async def search(self, query: str, scope: Scope, limit: int) -> tuple[Hit, ...]:
        visible = {fact_id: fact for fact_id, fact in self._facts.items() if scope.sees(fact)}
        words = bm25(query, {fact_id: self._terms[fact_id] for fact_id in visible})
        rankings = [sorted(words, key=lambda fact_id: -words[fact_id])]
        if self._embedder is not None and query.strip() and visible:
            rankings.append(self._nearest((await self._embedder.embed([query]))[0], visible))
        best = list(fuse(*rankings).items())[:limit]
        return tuple(Hit(visible[fact_id], score) for fact_id, score in best)

    def _nearest(self, vector: Sequence[float], visible: dict[FactId, Fact]) -> list[FactId]:
        alike = {fact_id: _dot(vector, self._vectors[fact_id]) for fact_id in visible}
        close = [fact_id for fact_id, likeness in alike.items() if likeness >= LEAST_ALIKE]
        return sorted(close, key=lambda fact_id: -alike[fact_id])

    async def erase(self, number: str) -> None:
        await self.remove([fact_id for fact_id, fact in self._facts.items() if fact.number == number])

    async def clear(self) -> None:
        self._facts.clear()
        self._vectors.clear()
        self._terms.clear()

    async def close(self) -> None:
        """Nothing to give back."""


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))
