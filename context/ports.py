"""What this room needs from outside: an index to search what we know, an encoder of sentences, a writer of summaries.

Contracts that hold for every adapter:
* nothing blocks the event loop: disk and arithmetic live in threads of the adapter's own;
* no library's exception leaves an adapter: only `ContextError` and its children (context/errors.py);
* putting a fact twice, removing one that is not there, closing twice: all allowed, none an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from context.calls import CallRecord
from context.facts import Fact, FactId, Hit, Scope


class Mode(StrEnum):
    """What a search compares."""

    HYBRID = "hybrid"  # meaning (sentence vectors) and words (BM25), fused by rank
    WORDS = "words"  # BM25 alone: no sentence encoder is installed


class Embedder(Protocol):
    """Sentences to unit vectors of `size` numbers. `name` changes whenever its vectors do."""

    name: str
    size: int

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in order. Raises `EmbedderError`."""

    async def close(self) -> None: ...


class KnowledgeIndex(Protocol):
    """Current facts, searchable. Derived from the database, so it may be thrown away and filled again."""

    @property
    def mode(self) -> Mode: ...

    async def count(self) -> int: ...

    async def put(self, facts: Sequence[Fact]) -> None:
        """Add facts, or replace those of the same id. When it returns they are found, and survive the process."""

    async def remove(self, ids: Sequence[FactId]) -> None: ...

    async def search(self, query: str, scope: Scope, limit: int) -> tuple[Hit, ...]:
        """The facts visible in `scope` nearest to `query`, best first; scores compare within one answer only."""

    async def erase(self, number: str) -> None:
        """Remove everything about a person."""

    async def clear(self) -> None: ...

    async def close(self) -> None: ...


class Summariser(Protocol):
    """Writes a call's summary in its own words (a large model, say). The template stands in when it fails or is late."""

    async def summarise(self, record: CallRecord) -> str: ...
