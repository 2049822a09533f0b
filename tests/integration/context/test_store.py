import asyncio

import pytest

from context import store
from context.calls import Appointment, CallState, Effect, SavedAnswer
from context.errors import UnknownCall
from context.transcript import Speaker, Turn

PERSON = "+13125550142"


async def test_a_call_from_dialling_to_its_end(database, call, at):
    async with database.transaction() as connection:
        assert await store.create_call(connection, call(campaign_id="k1", metrics={"ring": 1}))
        await store.note_carrier_sid(connection, "call-1", "CA1")
        assert await store.answer_call(connection, "call-1", at(1))
        await store.note_answered_by(connection, "call-1", "human")
        assert await store.end_call(
            connection, "call-1", at(2), "opted_out", metrics={"gap": 0.5}, recording_path="r.wav", journal_path="j.log"
        )
    async with database.reading() as connection:
        found = await store.get_call(connection, "call-1")
        assert found is not None
        assert found.carrier_sid == "CA1"
        assert await store.get_call(connection, "nobody") is None
    assert (found.state, found.answered_at, found.ended_at) == (CallState.ENDED, at(1), at(2))
    assert (found.disposition, found.answered_by, found.metrics) == ("opted_out", "human", {"gap": 0.5})
    assert (found.recording_path, found.journal_path, found.campaign_id) == ("r.wav", "j.log", "k1")


async def test_what_comes_twice_or_late_changes_nothing(database, call, at):
    async with database.transaction() as connection:
        assert await store.create_call(connection, call())
        assert not await store.create_call(connection, call(agent="other"))
        assert await store.end_call(connection, "call-1", at(1), "no_answer")
        assert not await store.end_call(connection, "call-1", at(9), "answered")
        assert not await store.answer_call(connection, "call-1", at(3))
        assert not await store.answer_call(connection, "nobody", at(3))
        found = await store.get_call(connection, "call-1")
    assert found is not None
    assert (found.agent, found.ended_at, found.disposition, found.answered_at) == ("ann", at(1), "no_answer", None)


async def test_turns_are_written_in_order_and_again(database, call):
    hello = Turn(Speaker.AGENT, "Hello, this is", 0.5, 1.0, is_cut=True)
    who = Turn(Speaker.CALLER, "Who?", 0.9, 1.2, confidence=0.8)
    ann = Turn(Speaker.AGENT, "Ann.", 2, 3)
    async with database.transaction() as connection:
        await store.create_call(connection, call())
        await store.write_turns(connection, "call-1", [who, hello])
        await store.write_turns(connection, "call-1", [who, hello])
        assert await store.transcript(connection, "call-1") == (hello, who)
        await store.write_turns(connection, "call-1", [ann], first=2)
        await store.write_turns(connection, "call-1", [], first=9)
        assert await store.transcript(connection, "call-1") == (hello, who, ann)
        await store.write_turns(connection, "call-1", [])
        assert await store.transcript(connection, "call-1") == ()


async def test_an_answer_given_again_is_the_later_one(database, call, at):
    async with database.transaction() as connection:
        await store.create_call(connection, call())
        await store.save_answer(connection, "call-1", SavedAnswer("owner", "no", "No", at(1)))
        await store.save_answer(connection, "call-1", SavedAnswer("owner", "yes", "I mean yes", at(2)))
        assert await store.saved_answers(connection, "call-1") == (SavedAnswer("owner", "yes", "I mean yes", at(2)),)


async def test_a_tool_takes_effect_once(database, call, at):
    async with database.transaction() as connection:
        await store.create_call(connection, call())

    async def book(words: str) -> bool:
        async with database.transaction() as connection:
            effect = Effect("call-1/3/book", "call-1", "book_appointment", "{}", at(1), ok=True, result=words)
            recorded = await store.record_effect(connection, effect)
            if recorded.is_new:
                booking = Appointment(effect.key, words, "", at(1))
                assert await store.book_appointment(connection, "call-1", PERSON, booking)
                assert not await store.book_appointment(connection, "call-1", PERSON, booking)
            return recorded.is_new

    assert sorted(await asyncio.gather(*(book(f"at {hour}") for hour in range(8)))) == [False] * 7 + [True]
    async with database.reading() as connection:
        (booked,) = await store.booked(connection, "call-1")
        (effect,) = await store.effects_of(connection, "call-1")
    assert effect.result == booked.when


async def test_calls_are_listed_newest_first_page_by_page(database, call):
    async with database.transaction() as connection:
        for number in range(7):
            campaign = "even" if number % 2 == 0 else "odd"
            await store.create_call(connection, call(f"call-{number}", minutes=number // 2, campaign_id=campaign))
        first = await store.list_calls(connection, limit=3)
        rest = await store.list_calls(connection, after=(first[-1].started_at, first[-1].id))
        assert [listed.id for listed in (*first, *rest)] == [f"call-{number}" for number in range(6, -1, -1)]
        assert len(await store.list_calls(connection, campaign_id="even", person=PERSON)) == 4
        assert await store.list_calls(connection, state=CallState.ENDED) == ()
        assert await store.list_calls(connection, person="+1999") == ()


async def test_history_holds_ended_calls_but_not_the_one_ahead(database, call, write_call):
    for number in range(4):
        await write_call(call(f"call-{number}", minutes=number), summary=f"summary {number}")
    async with database.transaction() as connection:
        await store.create_call(connection, call("call-9", minutes=9))
        history = await store.past_calls(connection, PERSON, limit=2, besides="call-3")
        assert [past.summary for past in history] == ["summary 2", "summary 1"]
        assert await store.past_calls(connection, "+1999") == ()


async def test_an_unknown_call_has_no_record(database):
    async with database.reading() as connection:
        with pytest.raises(UnknownCall, match="nobody"):
            await store.call_record(connection, "nobody")
