import asyncio

import pytest

from context import store
from context.calls import Appointment, Effect, SavedAnswer
from context.errors import KnowledgeError, UnknownCall
from context.facts import Scope
from context.gather import CallAhead, Gathering
from context.knowledge.base import KnowledgeBase
from context.knowledge.memory import MemoryIndex
from context.learning import learn as learning
from context.learning.learn import learn, learn_the_rest
from context.sources import usual_sources
from context.transcript import Speaker, Turn

PERSON = "+13125550142"


@pytest.fixture
async def spoken(database, call, write_call, at):
    """A call that was answered, talked through and ended."""
    await write_call(call("call-1"))
    async with database.transaction() as connection:
        said = [Turn(Speaker.AGENT, "Do you own it?", 0, 1), Turn(Speaker.CALLER, "Yes, thank you, wonderful.", 1, 2)]
        await store.write_turns(connection, "call-1", said)
        await store.save_answer(connection, "call-1", SavedAnswer("owner", "yes", "Yes", at(0.5)))
        remember = Effect("k1", "call-1", "remember", '{"fact":"The dog bites."}', at(0.6), ok=True)
        await store.record_effect(connection, remember)
        await store.book_appointment(connection, "call-1", PERSON, Appointment("k2", "Friday at three", "", at(0.7)))


async def test_the_next_call_knows_what_this_one_learned(database, base, spoken, at):
    learned = await learn("call-1", database, base, at(2))
    assert learned.is_searchable
    assert learned.sentiment.label.value == "positive"
    assert set(learned.took) == {"read", "summary", "facts", "index", "total"}
    assert {hit.fact.text for hit in await base.search("dog", Scope(PERSON))} == {"The dog bites."}
    async with database.reading() as connection:
        call = await store.get_call(connection, "call-1")
    assert call is not None
    assert (call.summary, call.sentiment, call.learned_at) == (learned.summary, "positive", at(2))
    briefing = await Gathering.start(CallAhead(PERSON, "call-2"), usual_sources(database, base)).briefing()
    assert {fact.key for fact in briefing.knowledge} == {"owner", "appointment", ""}
    assert [past.summary for past in briefing.history] == [learned.summary]


async def test_learning_twice_and_at_once_writes_once(database, base, spoken, at):
    await asyncio.gather(*(learn("call-1", database, base, at(2)) for _ in range(4)))
    await learn("call-1", database, base, at(9))
    assert len(await base.for_person(PERSON)) == 3
    assert len(await base.history(PERSON)) == 3


async def test_calls_that_nobody_learned_from_are_made_up_for(database, base, spoken, at):
    assert await learn_the_rest(database, base, at(2)) == 1
    assert await learn_the_rest(database, base, at(3)) == 0
    assert len(await base.for_person(PERSON)) == 3


class Down(MemoryIndex):
    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def put(self, facts):
        self.failures -= 1
        if self.failures >= 0:
            raise KnowledgeError("down for the test")
        await super().put(facts)


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr(learning, "RETRIES", (0.0, 0.0, 0.0))


async def test_an_index_that_fails_once_is_tried_again(database, spoken, at, no_pauses):
    assert (await learn("call-1", database, KnowledgeBase(database, Down(1)), at(2))).is_searchable


async def test_an_index_that_stays_down_costs_no_fact(database, spoken, at, no_pauses):
    base = KnowledgeBase(database, Down(99))
    learned = await learn("call-1", database, base, at(2))
    assert not learned.is_searchable
    assert len(await base.for_person(PERSON)) == 3
    assert await base.count_due() == 3


class Writer:
    def __init__(self, words: str | None) -> None:
        self._words = words

    async def summarise(self, record):
        if self._words is None:
            raise OSError("no network in the test")
        return self._words


async def test_a_summariser_may_write_better_and_may_fail(database, base, spoken, at):
    assert (await learn("call-1", database, base, at(2), Writer("They were kind."))).summary == "They were kind."
    for useless in (Writer(None), Writer("  ")):
        assert (await learn("call-1", database, base, at(2), useless)).summary.startswith("Outbound call")


async def test_a_summariser_that_hangs_is_not_waited_for(database, base, spoken, at, monkeypatch):
    monkeypatch.setattr(learning, "SUMMARISER_WITHIN", 0.0)

    class Hanging:
        async def summarise(self, record):
            await asyncio.Event().wait()
            return ""

    assert (await learn("call-1", database, base, at(2), Hanging())).summary.startswith("Outbound call")


async def test_a_call_that_is_not_there(database, base, at):
    with pytest.raises(UnknownCall):
        await learn("nobody", database, base, at(2))
