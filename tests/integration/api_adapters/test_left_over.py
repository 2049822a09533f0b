"""What a process that was killed leaves open, and what the next one makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.compose import Open, open_house
from api.settings import Settings
from benchmarks.simulate import Utterance, World
from context import store
from context.calls import Call, CallState
from storage.tables.compliance import internal_dnc
from voice.conversation import Conversation
from voice.events import CallId, Direction
from voice.journal import VERSION, JournalHeader, JournalWriter
from voice.policy import Policy

AGENTS = Path(__file__).parents[3] / "agents"
ANN, OURS = "+16145550123", "+13025550100"


@pytest.fixture
async def house(tmp_path: Path, furnish: Callable[[Path], Path]) -> AsyncIterator[Open]:
    settings = Settings(_env_file=None, home=furnish(tmp_path), agents=AGENTS)  # type: ignore[call-arg]
    async with open_house(settings) as house:
        yield house


async def left(house: Open, call_id: str, *, answered: bool = False) -> None:
    at = house.at() - timedelta(hours=1)
    async with house.database.transaction() as connection:
        await store.create_call(connection, Call(call_id, "inbound", ANN, OURS, ANN, at, "solar", "1"))
        if answered:
            await store.answer_call(connection, call_id, at)


def wrote(house: Open, call_id: str, until: float, *said: Utterance) -> None:
    """The journal of a call that broke off at `until`."""
    agent = house.agents.get("solar")
    opening = "Hello, this is Ava. Do you own your home?"
    conversation = Conversation(CallId(call_id), agent, Direction.INBOUND, opening)
    header = JournalHeader(VERSION, CallId(call_id), agent, Direction.INBOUND, opening, Policy(), house.at())
    writer = JournalWriter(house.settings.home / "journals" / f"{call_id}.jsonl", header)
    world = World(conversation, utterances=said, mind=lambda _: ("Great.",)).run(until=until)
    for now, event, actions in world.log:
        writer.write(now, event, actions)
    writer.close()


async def kept(house: Open, call_id: str) -> tuple[Any, list[tuple[str, str]]]:
    async with house.database.reading() as connection:
        call = await store.get_call(connection, call_id)
        said = [(turn.speaker.value, turn.text) for turn in await store.transcript(connection, call_id)]
    assert call is not None
    return call, said


async def test_calls_without_a_word_are_ended_once(house: Open) -> None:
    await left(house, "ca_0")
    await left(house, "ca_1", answered=True)
    await left(house, "ca_2")
    async with house.database.transaction() as connection:
        await store.end_call(connection, "ca_2", house.at(), "answered")
    assert await house.left_over.close() == 2
    assert await house.left_over.close() == 0
    ends = [(await kept(house, f"ca_{number}"))[0].disposition for number in range(3)]
    assert ends == ["unknown", "unknown", "answered"]


async def test_what_was_said_before_the_crash_is_in_the_transcript(house: Open) -> None:
    await left(house, "ca_1", answered=True)
    wrote(house, "ca_1", 6.5, Utterance(4.0, 0.6, "yes I do"))
    assert await house.left_over.close() == 1
    call, said = await kept(house, "ca_1")
    assert (call.state, call.disposition) == (CallState.ENDED, "answered")
    assert call.metrics["detail"] == "the server ended in the middle of it"
    assert said[:2] == [("agent", "Hello, this is Ava. Do you own your home?"), ("caller", "yes I do")]
    assert call.talked < 10.0


async def test_an_opt_out_in_the_last_instant_is_not_lost_and_not_taken_twice(house: Open) -> None:
    await left(house, "ca_1", answered=True)
    wrote(house, "ca_1", 5.6, Utterance(4.0, 0.9, "stop calling me"))
    await house.left_over.close()
    call, _ = await kept(house, "ca_1")
    assert call.disposition == "opted_out"
    async with house.database.reading() as connection:
        rows = (await connection.execute(internal_dnc.select())).all()
        effects = await store.effects_of(connection, "ca_1")
    assert [row.number for row in rows] == [ANN]
    assert [(effect.name, effect.ok) for effect in effects] == [("opt_out", True)]


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"{}\n"])
async def test_a_journal_that_cannot_be_read_keeps_no_house_shut(house: Open, garbage: bytes) -> None:
    await left(house, "ca_1", answered=True)
    folder = house.settings.home / "journals"
    folder.mkdir()
    (folder / "ca_1.jsonl").write_bytes(garbage)
    assert await house.left_over.close() == 1
    assert (await kept(house, "ca_1"))[0].disposition == "unknown"
