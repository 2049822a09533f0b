"""What became of a call is chained to the verdict that let it be made: once, and again when it gets surer."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import JSON, insert, select, update

from api.outcome_receipts import OutcomeReceipts
from compliance.audit import abandonment, export, verify_chain
from compliance.verdict import Clearance
from storage.events import AttemptChanged, CallEnded
from storage.log import append
from storage.tables.calls import calls, turns
from storage.tables.compliance import calls_counted, receipts
from storage.tables.dialing import attempts, campaigns, contacts

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)
ANN = "+16145550123"
EMPTY = {int: 0, float: 0.0, bool: False, str: ""}


def blank(table, **values):
    """A row of `table` with nothing in it but these."""
    wanted = [column for column in table.c if not column.nullable]
    return {
        column.name: {} if isinstance(column.type, JSON) else EMPTY.get(_kind(column), NOON) for column in wanted
    } | values


def _kind(column):
    return column.type.python_type


@pytest.fixture
async def keeper(database, store, proposed, given):
    """A campaign with one contact whose call was cleared as attempt a1, and the keeper of its outcomes."""
    async with database.transaction() as connection:
        await connection.execute(
            insert(campaigns).values(
                blank(campaigns, id="c1", name="autumn", seller="Acme", purpose="telemarketing", state="running")
            )
        )
        await connection.execute(insert(contacts).values(blank(contacts, id="k1", campaign_id="c1", number=ANN)))
        await store.record_consent(connection, given, NOON)
        assert isinstance(await store.judge(connection, proposed, NOON), Clearance)
    return OutcomeReceipts(database, store, ("+16145550100",), lambda: NOON + timedelta(minutes=5))


async def attempt(database, **values):
    row = blank(attempts, id="a1", campaign_id="c1", contact_id="k1", number=ANN, phase="ended", intended_at=NOON, **values)
    async with database.transaction() as connection:
        await connection.execute(insert(attempts).values(row))


async def answered_call(database, ended=True):
    dispatched = NOON + timedelta(seconds=1)
    await attempt(
        database,
        disposition="answered",
        dispatching_at=NOON,
        dispatched_at=dispatched,
        answered_at=NOON + timedelta(seconds=9),
        ended_at=NOON + timedelta(seconds=49),
        call_sid="CA1",
        answered_by="human",
    )
    call = blank(
        calls, id="call-1", attempt_id="a1", campaign_id="c1", from_number="+16145550100", to_number=ANN, agent="ann",
        agent_version="v7", recording_path="r.wav", started_at=NOON,
        ended_at=NOON + timedelta(seconds=49) if ended else None,
        metrics={"transferred_to": "sip:desk@acme.example"},
    )  # fmt: skip
    said = [
        ("caller", "Hello?", 0.2, 0.8),
        ("agent", "Hi, this is Ava, an AI assistant of Acme.", 1.1, 4.0),
        ("caller", "yes", 5.0, 5.4),
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(calls).values(call))
        for ordinal, (speaker, text, started, end) in enumerate(said):
            turn = blank(turns, call_id="call-1", ordinal=ordinal, speaker=speaker, text=text, started=started, ended=end)
            await connection.execute(insert(turns).values(turn))


async def outcomes(database):
    async with database.reading() as connection:
        query = select(receipts.c.body).where(receipts.c.kind == "outcome").order_by(receipts.c.seq)
        return [json.loads(body) for body in (await connection.execute(query)).scalars()]


async def test_an_answered_call(database, keeper):
    await answered_call(database)
    assert await keeper.note("a1")
    assert not await keeper.note("a1")
    [told] = await outcomes(database)
    assert (told["disposition"], told["answered_by"], told["duration"]) == ("answered", "person", 40.0)
    assert told["measured"] == {"greeting_ended": 0.8, "first_audio": 1.1, "identified": 4.0, "ended": 5.4}
    assert told["references"] == {"call": "call-1", "agent": "ann v7", "recording": "r.wav"}
    assert told["transferred_to"] == "sip:desk@acme.example"
    async with database.reading() as connection:
        [row] = (await connection.execute(select(calls_counted))).all()
        assert row.is_conversation
        file = await export(connection, NOON, number=ANN)
        ledger = await abandonment(connection, "c1", NOON + timedelta(days=1))
        assert (await verify_chain(connection)).holds
    assert (file.calls[0].disposition, file.calls[0].call_sid) == ("answered", "CA1")
    assert (ledger.answered_live, ledger.abandoned) == (1, 0)


@pytest.mark.parametrize(("offered", "breach"), [(5.6, False), (6.3, True)])
async def test_duties_are_judged_by_the_journals_marks(database, keeper, monkeypatch, offered, breach):
    played = {"first_audio": 1.1, "identified": 4.1, "ai_disclosed": 4.1, "recording_disclosed": 7.0}
    monkeypatch.setattr("api.outcome_receipts.said_in", lambda path, seller: {**played, "opt_out_offered": offered})
    await answered_call(database)
    async with database.transaction() as connection:
        await connection.execute(update(calls).values(journal_path="j.jsonl"))
    await keeper.note("a1")
    [told] = await outcomes(database)
    assert told["measured"]["opt_out_offered"] == offered
    assert [each.split(":")[0] for each in told["breaches"]] == (["us-opt-out"] if breach else [])
    async with database.reading() as connection:
        file = await export(connection, NOON, number=ANN)
    assert len(file.calls[0].breaches) == breach


async def test_a_call_that_has_not_ended_is_waited_for(database, keeper):
    await answered_call(database, ended=False)
    assert not await keeper.note("a1")
    async with database.transaction() as connection:
        await connection.execute(update(calls).values(ended_at=NOON + timedelta(seconds=49)))
    assert await keeper.note("a1")


async def test_what_gets_surer_is_told_again(database, keeper):
    await attempt(database, disposition="unknown", dispatching_at=NOON)
    assert await keeper.note("a1")
    async with database.transaction() as connection:
        await connection.execute(update(attempts).values(disposition="no_answer", call_sid="CA1"))
    assert await keeper.note("a1")
    assert [(each["disposition"], each["answered_by"]) for each in await outcomes(database)] == [
        ("unknown", "nobody"),
        ("no_answer", "nobody"),
    ]


@pytest.mark.parametrize("disposition", ["cancelled", "failed", "invalid_number"])
async def test_what_never_left_counts_against_no_cap(database, keeper, disposition):
    await attempt(database, disposition=disposition)
    assert await keeper.note("a1")
    assert not await keeper.note("a1")
    [told] = await outcomes(database)
    assert (told["disposition"], told["why"]) == ("never_left", disposition)
    async with database.reading() as connection:
        assert (await connection.execute(select(calls_counted))).all() == []


@pytest.mark.parametrize(
    ("disposition", "by", "who"), [("machine", "", "machine"), ("answered", "machine_start", "machine")]
)
async def test_who_answered(database, keeper, disposition, by, who):
    await attempt(database, disposition=disposition, dispatched_at=NOON, answered_by=by)
    await keeper.note("a1")
    [told] = await outcomes(database)
    assert (told["answered_by"], told["measured"], told["caller_id"]) == (who, {}, "+16145550100")


async def test_nothing_to_tell(database, keeper):
    assert not await keeper.note("nobody")
    await attempt(database, disposition="")
    assert not await keeper.note("a1")


async def test_what_an_earlier_process_left_is_written_at_the_start(database, keeper, monkeypatch):
    monkeypatch.setattr("api.outcome_receipts.PAGE", 1)
    await answered_call(database)
    assert await keeper.catch_up() == 1
    assert await keeper.catch_up() == 0


async def test_it_follows_the_log(database, keeper):
    task = asyncio.create_task(keeper.run())
    try:
        await answered_call(database)
        ended = CallEnded(disposition="answered", seconds=40.0)
        changed = AttemptChanged(
            campaign_id="c1", contact_id="k1", number="+1614•••0123", phase="ended", disposition="answered"
        )
        async with asyncio.timeout(20):
            while not await outcomes(database):
                async with database.transaction() as connection:
                    await append(connection, changed, NOON, attempt_id="a1")
                    await append(connection, ended, NOON, call_id="call-1", attempt_id="a1")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(await outcomes(database)) == 1
