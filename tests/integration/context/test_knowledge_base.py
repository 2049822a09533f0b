import asyncio

import pytest

from context.errors import KnowledgeError, KnowledgeLocked, UnknownChange
from context.facts import Scope
from context.knowledge import base as knowledge_base
from context.knowledge.base import KnowledgeBase, open_embedder, open_knowledge
from context.knowledge.changes import Kind
from context.knowledge.memory import MemoryIndex
from context.ports import Mode
from storage.errors import DatabaseUnusable

PERSON = "+13125550142"
MINE = Scope(PERSON)


@pytest.fixture
async def base(database, index):
    """Over every kind of index."""
    return await KnowledgeBase(database, index).start()


async def _found(base, query="roof", scope=MINE):
    return {hit.fact.text for hit in await base.search(query, scope)}


async def test_a_fact_is_searchable_and_known_at_once(base, told):
    added = await base.add([told(1, "The roof leaks", key="roof", value="leaks")])
    assert added.is_indexed
    assert await _found(base) == {"The roof leaks"}
    (known,) = await base.for_person(PERSON)
    assert (known.key, known.value) == ("roof", "leaks")
    assert await base.for_person("+1999") == ()


async def test_a_superseded_value_is_not_found_any_more_but_its_history_is(base, told):
    await base.add([told(1, "The roof leaks", key="roof", value="leaks")])
    await base.add([told(2, "The roof is new", key="roof", value="new")])
    assert await _found(base) == {"The roof is new"}
    assert [(change.kind, change.text) for change in await base.history(PERSON)] == [
        (Kind.PUT, "The roof leaks"),
        (Kind.WITHDRAW, "The roof leaks"),
        (Kind.PUT, "The roof is new"),
    ]
    assert len(await base.history(PERSON, limit=1)) == 1
    assert await base.history(key="dog") == ()


async def test_an_outdated_report_is_kept_but_not_told(base, told):
    await base.add([told(2, "The roof is new", key="roof", value="new")])
    added = await base.add([told(1, "The roof leaks", key="roof", value="leaks")])
    assert len(added.plan.outdated) == 1
    assert await _found(base) == {"The roof is new"}
    again = await base.add([told(1, "The roof leaks", key="roof", value="leaks")])
    assert len(again.plan.known) == 1


async def test_rolling_back_restores_words_search_and_history(base, told):
    await base.add([told(1, "The roof leaks", key="roof", value="leaks")])
    await base.add([told(2, "The roof is new", key="roof", value="new"), told(2, "roof of another", number="+1999")])
    undone = await base.rollback(1, PERSON)
    assert (len(undone.put), len(undone.withdraw)) == (1, 1)
    assert await _found(base) == {"The roof leaks"}
    assert await _found(base, scope=Scope("+1999")) == {"roof of another"}
    await base.rollback(0)
    assert await _found(base) == await _found(base, scope=Scope("+1999")) == set()
    assert (await base.history())[-1].by == "rollback to 0"
    for nowhere in (-1, 999):
        with pytest.raises(UnknownChange):
            await base.rollback(nowhere)


async def test_what_was_rolled_back_is_not_learned_again_from_the_same_call(base, told):
    fact = told(1, "The roof leaks", source="call 1")
    await base.add([fact])
    await base.rollback(0)
    await base.add([fact])
    assert await _found(base) == set()


async def test_erasing_a_person_is_for_good(base, told):
    await base.add([told(1, "The roof leaks"), told(1, "roof of another", number="+1999")])
    assert await base.erase_person(PERSON) == 1
    assert await _found(base) == set()
    assert await base.for_person(PERSON) == ()
    assert await base.history(PERSON) == ()
    assert all(change.text != "The roof leaks" and change.number != PERSON for change in await base.history())
    await base.rollback(1)
    assert await _found(base) == set()
    assert await base.erase_person(PERSON) == 0


class Failing(MemoryIndex):
    """An index that is down until told otherwise."""

    is_down = True

    async def put(self, facts):
        if self.is_down:
            raise KnowledgeError("down for the test")
        await super().put(facts)

    async def erase(self, number):
        if self.is_down:
            raise KnowledgeError("down for the test")
        await super().erase(number)


async def test_a_fact_outlives_a_failing_index(database, told):
    index = Failing()
    base = KnowledgeBase(database, index)
    added = await base.add([told(1, "The roof leaks")])
    assert not added.is_indexed
    assert [fact.text for fact in await base.for_person(PERSON)] == ["The roof leaks"]
    assert await base.count_due() == 1
    index.is_down = False
    assert await base.catch_up() == 1
    assert await base.catch_up() == 0
    assert await _found(base) == {"The roof leaks"}


async def test_an_erasure_that_the_index_missed_is_made_up_for(database, told):
    index = Failing()
    index.is_down = False
    base = KnowledgeBase(database, index)
    await base.add([told(1, "The roof leaks")])
    index.is_down = True
    await base.erase_person(PERSON)
    index.is_down = False
    await base.catch_up()
    assert await index.count() == 0


async def test_an_index_that_was_lost_is_filled_again(database, base, told):
    await base.add([told(number, f"roof {number}") for number in range(3)])
    fresh = await KnowledgeBase(database, MemoryIndex()).start()
    assert len(await _found(fresh)) == 3


async def test_a_base_that_cannot_start_lets_go_of_its_index(database, tmp_path, told):
    with pytest.raises(DatabaseUnusable):
        await open_knowledge(Unusable(), tmp_path)  # type: ignore[arg-type]
    again = await open_knowledge(database, tmp_path)
    await again.close()


class Unusable:
    def transaction(self):
        raise DatabaseUnusable("for the test")


async def test_an_index_that_was_kept_is_not_filled_again(database, tmp_path, told, embedder):
    first = await open_knowledge(database, tmp_path, embedder=embedder)
    await first.add([told(1, "The roof leaks")])
    await first.close()
    embedder.asked.clear()
    again = await open_knowledge(database, tmp_path, embedder=embedder)
    assert again.mode is Mode.HYBRID
    assert embedder.asked == []
    assert await _found(again) == {"The roof leaks"}
    await again.close()


async def test_many_at_once_are_all_written_and_indexed_once(base, told):
    await asyncio.gather(*(base.add([told(number % 5, f"roof number {number % 5}")]) for number in range(20)))
    assert len(await base.for_person(PERSON)) == 5
    assert await base.count_due() == 0
    assert len(await base.history(PERSON)) == 5


async def test_beside_a_process_that_has_the_index_searches_and_writes_still_work(database, tmp_path, told, monkeypatch):
    owner = await open_knowledge(database, tmp_path)
    await owner.add([told(1, "The roof leaks")])
    monkeypatch.setattr(knowledge_base, "PATIENCE", (0.0,))
    with pytest.raises(KnowledgeLocked):
        await open_knowledge(database, tmp_path)
    beside = await open_knowledge(database, tmp_path, may_share=True)
    assert beside.is_shared
    assert beside.mode is Mode.WORDS
    added = await beside.add([told(2, "The roof is slate")])
    assert not added.is_indexed
    assert await _found(beside) == {"The roof leaks", "The roof is slate"}
    assert await _found(owner) == {"The roof leaks"}
    await owner.catch_up()
    assert await _found(owner) == {"The roof leaks", "The roof is slate"}
    await owner.rollback(1)  # a copy follows what the owner does
    assert await _found(beside) == {"The roof leaks"}
    assert not await beside.follow()
    await beside.close()
    await owner.close()


async def test_keeping_up_follows_what_others_write(database, told):
    index = Noticing()
    base = KnowledgeBase(database, index)
    keeping = asyncio.create_task(base.keep_up(every=0.0))
    await KnowledgeBase(database, MemoryIndex(), is_shared=True).add([told(1, "The roof leaks")])
    await index.noticed.wait()
    keeping.cancel()
    await asyncio.wait([keeping])
    assert await _found(base) == {"The roof leaks"}


class Noticing(MemoryIndex):
    def __init__(self) -> None:
        super().__init__()
        self.noticed = asyncio.Event()

    async def put(self, facts):
        await super().put(facts)
        if facts:
            self.noticed.set()


async def test_an_encoder_that_is_not_the_one_we_know_is_refused_and_logged(monkeypatch, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.setattr("context.knowledge.minilm.find_weights", lambda: tmp_path)
    assert await open_embedder() is None
