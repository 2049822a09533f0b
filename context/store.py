"""Calls in the database: created at dialling, answered, ended, and everything said and done in between.

Every function takes the connection of a transaction somebody else opened, so a call, its attempt and its event can be
written together. Writes are safe to repeat: webhooks come twice, and a worker may die after a commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Table, and_, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from context.briefing import PastCall
from context.calls import Appointment, Call, CallRecord, CallState, Effect, SavedAnswer
from context.errors import UnknownCall
from context.transcript import Speaker, Turn, in_order
from storage.tables.calls import answers, appointments, calls, effects, turns

PAGE = 50  # calls a listing returns unless told otherwise

_CALL_FIELDS = tuple(spec.name for spec in fields(Call))


async def insert_once(connection: AsyncConnection, table: Table, **values: object) -> bool:
    """Insert a row unless its primary key is taken; say whether it was inserted."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    outcome = await connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())
    return outcome.rowcount == 1


# --- the life of a call -----------------------------------------------------------------------------------------------


async def create_call(connection: AsyncConnection, call: Call) -> bool:
    """Write a call that is about to be dialled, or has come in. False when it is already there (left as it is)."""
    row = {name: getattr(call, name) for name in _CALL_FIELDS} | {"metrics": dict(call.metrics), "state": call.state.value}
    return await insert_once(connection, calls, **row)


async def note_carrier_sid(connection: AsyncConnection, call_id: str, sid: str) -> None:
    """The carrier's name for the call, once it has one."""
    await _update_call(connection, calls.c.id == call_id, carrier_sid=sid)


async def answer_call(connection: AsyncConnection, call_id: str, at: datetime, answered_by: str = "") -> bool:
    """The call was picked up. False when it had been before, or has ended: a late or doubled word changes nothing."""
    fresh = and_(calls.c.id == call_id, calls.c.state == CallState.DIALLING.value)
    return await _update_call(
        connection, fresh, state=CallState.ANSWERED.value, answered_at=at, **_given(answered_by=answered_by)
    )


async def note_answered_by(connection: AsyncConnection, call_id: str, answered_by: str) -> None:
    """Human or machine, when the detector has made up its mind."""
    await _update_call(connection, calls.c.id == call_id, answered_by=answered_by)


async def end_call(
    connection: AsyncConnection,
    call_id: str,
    at: datetime,
    disposition: str,
    *,
    metrics: Mapping[str, object] | None = None,
    recording_path: str = "",
    journal_path: str = "",
) -> bool:
    """The call is over. The first end counts: False when it had ended before, and then nothing is changed."""
    unended = and_(calls.c.id == call_id, calls.c.state != CallState.ENDED.value)
    extras = _given(metrics=dict(metrics or {}), recording_path=recording_path, journal_path=journal_path)
    return await _update_call(
        connection, unended, state=CallState.ENDED.value, ended_at=at, disposition=disposition, **extras
    )


async def write_learning(
    connection: AsyncConnection, call_id: str, summary: str, sentiment: str, score: float, at: datetime
) -> None:
    await _update_call(
        connection, calls.c.id == call_id, summary=summary, sentiment=sentiment, sentiment_score=score, learned_at=at
    )


async def _update_call(connection: AsyncConnection, which: ColumnElement[bool], **values: object) -> bool:
    outcome = await connection.execute(update(calls).where(which).values(**values))
    return outcome.rowcount > 0


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value}


# --- what it cost -----------------------------------------------------------------------------------------------------

_COST: Final = calls.c.metrics["cost", "total"].as_float()  # dollars; null until the call has ended


async def spent(connection: AsyncConnection, campaign_ids: Sequence[str]) -> dict[str, float]:
    """Dollars that the ended calls of these campaigns cost; a campaign without any is left out."""
    wanted = select(calls.c.campaign_id, func.sum(_COST)).where(calls.c.campaign_id.in_(campaign_ids))
    found = await connection.execute(wanted.group_by(calls.c.campaign_id))
    return {campaign: dollars for campaign, dollars in found if campaign and dollars}


async def dearest(connection: AsyncConnection, campaign_id: str, since: datetime | None) -> tuple[datetime, float] | None:
    """The dearest call of a campaign that ended after `since`, if any cost anything: when it ended, and its dollars."""
    wanted = select(calls.c.ended_at, _COST).where(calls.c.campaign_id == campaign_id, _COST > 0)
    if since is not None:
        wanted = wanted.where(calls.c.ended_at > since)
    row = (await connection.execute(wanted.order_by(_COST.desc()).limit(1))).first()
    return None if row is None else (row[0], row[1])


async def spent_since(connection: AsyncConnection, since: datetime) -> list[tuple[datetime, float]]:
    """Every call that ended after `since` and cost something: when it ended, and its dollars; oldest first."""
    wanted = select(calls.c.ended_at, _COST).where(calls.c.ended_at > since, _COST > 0)
    return [(at, dollars) for at, dollars in (await connection.execute(wanted.order_by(calls.c.ended_at)))]


# --- what was said and done -------------------------------------------------------------------------------------------


async def write_turns(connection: AsyncConnection, call_id: str, said: Sequence[Turn], first: int = 0) -> None:
    """Write turns numbered from `first`, replacing any from there on: the last writer has heard the most."""
    await connection.execute(delete(turns).where(turns.c.call_id == call_id, turns.c.ordinal >= first))
    rows = [
        asdict(turn) | {"speaker": turn.speaker.value, "call_id": call_id, "ordinal": ordinal}
        for ordinal, turn in enumerate(in_order(said), start=first)
    ]
    if rows:
        await connection.execute(insert(turns), rows)


async def transcript(connection: AsyncConnection, call_id: str) -> tuple[Turn, ...]:
    found = await connection.execute(select(turns).where(turns.c.call_id == call_id).order_by(turns.c.ordinal))
    return tuple(Turn(Speaker(row.speaker), row.text, row.started, row.ended, row.is_cut, row.confidence) for row in found)


async def save_answer(connection: AsyncConnection, call_id: str, answer: SavedAnswer) -> None:
    """Write an answer; a question answered again keeps the later answer."""
    which = and_(answers.c.call_id == call_id, answers.c.question == answer.question)
    if not await insert_once(connection, answers, call_id=call_id, **asdict(answer)):
        await connection.execute(update(answers).where(which).values(value=answer.value, words=answer.words, at=answer.at))


async def saved_answers(connection: AsyncConnection, call_id: str) -> tuple[SavedAnswer, ...]:
    found = await connection.execute(select(answers).where(answers.c.call_id == call_id).order_by(answers.c.at))
    return tuple(SavedAnswer(row.question, row.value, row.words, row.at) for row in found)


async def book_appointment(connection: AsyncConnection, call_id: str, person: str, booking: Appointment) -> bool:
    """Write an appointment; False when its effect key is already there."""
    return await insert_once(connection, appointments, call_id=call_id, person=person, **asdict(booking))


async def booked(connection: AsyncConnection, call_id: str) -> tuple[Appointment, ...]:
    found = await connection.execute(
        select(appointments).where(appointments.c.call_id == call_id).order_by(appointments.c.at)
    )
    return tuple(Appointment(row.effect_key, row.when, row.note, row.at) for row in found)


@dataclass(frozen=True, slots=True)
class Recorded:
    """`is_new`: the key was free, and it is for the caller to act. Otherwise `effect` is what came of it before."""

    effect: Effect
    is_new: bool


async def record_effect(connection: AsyncConnection, effect: Effect) -> Recorded:
    """Claim a tool's key. In one transaction with what the tool writes, the tool takes effect exactly once."""
    if await insert_once(connection, effects, **asdict(effect)):
        return Recorded(effect, is_new=True)
    row = (await connection.execute(select(effects).where(effects.c.key == effect.key))).one()
    return Recorded(_effect(row._mapping), is_new=False)


async def effects_of(connection: AsyncConnection, call_id: str) -> tuple[Effect, ...]:
    found = await connection.execute(
        select(effects).where(effects.c.call_id == call_id).order_by(effects.c.at, effects.c.key)
    )
    return tuple(_effect(row._mapping) for row in found)


# --- reading calls ----------------------------------------------------------------------------------------------------


async def get_call(connection: AsyncConnection, call_id: str) -> Call | None:
    row = (await connection.execute(select(calls).where(calls.c.id == call_id))).one_or_none()
    return None if row is None else _call(row._mapping)


async def list_calls(
    connection: AsyncConnection,
    *,
    campaign_id: str | None = None,
    person: str | None = None,
    state: CallState | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = PAGE,
) -> tuple[Call, ...]:
    """Newest first. `after` is the (`started_at`, `id`) of the last call seen: the page behind it follows."""
    query = select(calls).order_by(calls.c.started_at.desc(), calls.c.id.desc()).limit(limit)
    if campaign_id is not None:
        query = query.where(calls.c.campaign_id == campaign_id)
    if person is not None:
        query = query.where(calls.c.person == person)
    if state is not None:
        query = query.where(calls.c.state == state.value)
    if after is not None:
        query = query.where(tuple_(calls.c.started_at, calls.c.id) < after)
    return tuple(_call(row._mapping) for row in await connection.execute(query))


async def call_record(connection: AsyncConnection, call_id: str) -> CallRecord:
    """Everything a call left behind. Raises `UnknownCall`."""
    call = await get_call(connection, call_id)
    if call is None:
        raise UnknownCall(f"there is no call {call_id!r}")
    return CallRecord(
        call,
        await transcript(connection, call_id),
        await saved_answers(connection, call_id),
        await booked(connection, call_id),
        await effects_of(connection, call_id),
    )


async def past_calls(connection: AsyncConnection, person: str, *, limit: int = 5, besides: str = "") -> tuple[PastCall, ...]:
    """Our history with a person: ended calls, newest first, without the call `besides`."""
    columns = (calls.c.started_at, calls.c.direction, calls.c.disposition, calls.c.summary)
    found = await connection.execute(
        select(*columns)
        .where(calls.c.person == person, calls.c.state == CallState.ENDED.value, calls.c.id != besides)
        .order_by(calls.c.started_at.desc())
        .limit(limit)
    )
    return tuple(PastCall(row.started_at, row.direction, row.disposition, row.summary) for row in found)


async def unlearned(connection: AsyncConnection, limit: int = 100) -> tuple[str, ...]:
    """Ended calls that nobody has learned from yet (the process died in between), oldest first."""
    found = await connection.execute(
        select(calls.c.id)
        .where(calls.c.state == CallState.ENDED.value, calls.c.learned_at.is_(None))
        .order_by(calls.c.ended_at)
        .limit(limit)
    )
    return tuple(found.scalars())


def _call(row: RowMapping) -> Call:
    values: dict[str, Any] = {name: row[name] for name in _CALL_FIELDS}
    return Call(**values | {"state": CallState(row["state"])})


def _effect(row: RowMapping) -> Effect:
    return Effect(row["key"], row["call_id"], row["name"], row["arguments"], row["at"], row["ok"], row["result"])
