"""What the index on disk adds to the contract: it survives, is locked, and is made anew when it does not fit."""

import asyncio
import signal
import sys

import pytest

from context.errors import KnowledgeBroken, KnowledgeError, KnowledgeLocked
from context.facts import Scope
from context.knowledge.qdrant_edge import QdrantEdgeIndex
from context.ports import Mode

MINE = Scope("+13125550142")


async def test_facts_survive_the_process(tmp_path, embedder, told):
    index = await QdrantEdgeIndex.open(tmp_path, embedder)
    await index.put([told(1, "roof")])
    await index.close()
    again = await QdrantEdgeIndex.open(tmp_path, embedder)
    assert [hit.fact.text for hit in await again.search("roof", MINE, 5)] == ["roof"]
    await again.close()


async def test_acknowledged_facts_survive_a_killed_process(tmp_path):
    script = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from context.facts import make_fact
from context.knowledge.qdrant_edge import QdrantEdgeIndex
async def main():
    index = await QdrantEdgeIndex.open(Path(sys.argv[1]))
    at = datetime(2026, 11, 20, tzinfo=UTC)
    await index.put([make_fact(f"roof {n}", "operator", at, number="+13125550142") for n in range(300)])
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path))
    assert await process.wait() == -signal.SIGKILL
    index = await QdrantEdgeIndex.open(tmp_path)
    assert await index.count() == 300
    await index.close()


async def test_a_second_opener_is_told_who_has_it(tmp_path, embedder):
    index = await QdrantEdgeIndex.open(tmp_path, embedder)
    with pytest.raises(KnowledgeLocked, match="another process"):
        await QdrantEdgeIndex.open(tmp_path, embedder)
    with pytest.raises(KnowledgeLocked):  # nor is it made anew under the owner's feet
        await QdrantEdgeIndex.open(tmp_path, None)
    assert await index.count() == 0
    await index.close()


async def test_another_encoder_makes_it_anew(tmp_path, embedder, told):
    index = await QdrantEdgeIndex.open(tmp_path)
    assert index.mode is Mode.WORDS
    await index.put([told(1, "roof")])
    await index.close()
    again = await QdrantEdgeIndex.open(tmp_path, embedder)
    assert again.mode is Mode.HYBRID
    assert await again.count() == 0
    await again.put([told(1, "roof")])
    assert len(await again.search("roof", MINE, 5)) == 1
    await again.close()


async def test_what_cannot_be_read_is_made_anew(tmp_path, told):
    index = await QdrantEdgeIndex.open(tmp_path)
    await index.put([told(1, "roof")])
    await index.close()
    (tmp_path / "shard" / "edge_config.json").write_text("garbage")
    again = await QdrantEdgeIndex.open(tmp_path)
    assert await again.count() == 0
    await again.close()
    (tmp_path / "index.json").write_text("garbage")
    third = await QdrantEdgeIndex.open(tmp_path)
    assert await third.count() == 0
    await third.close()


async def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KnowledgeBroken, match="file"):
        await QdrantEdgeIndex.open(tmp_path / "file" / "knowledge")


async def test_a_closed_index_says_so(tmp_path):
    index = await QdrantEdgeIndex.open(tmp_path)
    closing = asyncio.create_task(index.close())
    asked = [asyncio.create_task(index.count()) for _ in range(3)]
    await closing
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        assert outcome == 0 or "not open" in str(outcome)
    with pytest.raises(KnowledgeError, match="closed"):
        await index.count()


async def test_a_query_that_cannot_be_encoded_is_searched_by_words(tmp_path, embedder, told):
    index = await QdrantEdgeIndex.open(tmp_path, embedder)
    await index.put([told(1, "roof")])
    embedder.is_broken = True
    assert [hit.fact.text for hit in await index.search("roof", MINE, 5)] == ["roof"]
    await index.close()
