"""What this room holds about a person: handed out whole, or erased for good (GDPR articles 15, 17 and 20; CCPA 1798.105).

Erasing keeps the call rows, without the person: when, how long and how it ended stay countable. What compliance must keep
(consents, receipts, the do-not-call entry itself) is another room's and is not touched. Files are named, not deleted here,
except by `delete_files`, which goes nowhere outside the folder it is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from context.calls import CallRecord
from context.facts import Fact
from context.knowledge import ledger
from context.store import call_record
from storage.tables.calls import answers, appointments, calls, effects, turns

ERASED: Final = "erased"  # stands where the number stood


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Everything about one number: calls with their words, and what was learned, also what is no longer current."""

    number: str
    calls: tuple[CallRecord, ...]
    facts: tuple[Fact, ...]

    def as_json(self) -> bytes:
        """A portable file (GDPR article 20): JSON, instants in ISO 8601."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased. `files` are recordings and journals, still there: the caller deletes them after the commit."""

    calls: int
    facts: int
    files: tuple[str, ...]


async def export_person(connection: AsyncConnection, number: str) -> PersonalData:
    ids = (
        await connection.execute(select(calls.c.id).where(calls.c.person == number).order_by(calls.c.started_at))
    ).scalars()
    records = [await call_record(connection, call_id) for call_id in list(ids)]
    return PersonalData(number, tuple(records), await ledger.everything_about(connection, number))


async def erase_person(connection: AsyncConnection, number: str, at: datetime) -> Erased:
    """Erase within the caller's transaction. After its commit call `KnowledgeBase.forget` and `delete_files`.

    A call that is still going on is erased with the rest; what it writes later carries the number again, so hang up first.
    """
    found = await connection.execute(select(calls).where(calls.c.person == number))
    rows = found.all()
    for row in rows:
        await _erase_call(connection, row.id, row.direction, at)
    facts = await ledger.erase(connection, number, at)
    files = tuple(path for row in rows for path in (row.recording_path, row.journal_path) if path)
    return Erased(len(rows), facts, files)


async def _erase_call(connection: AsyncConnection, call_id: str, direction: str, at: datetime) -> None:
    for table in (turns, answers, appointments):
        await connection.execute(delete(table).where(table.c.call_id == call_id))
    # The keys of effects stay: a tool that is asked for again after the erasure must still not run twice.
    await connection.execute(update(effects).where(effects.c.call_id == call_id).values(arguments="{}", result=""))
    theirs = "from_number" if direction == "inbound" else "to_number"
    blank: dict[str, object] = {
        "person": ERASED,
        theirs: ERASED,
        "contact_id": None,
        "carrier_sid": None,
        "summary": "",
        "metrics": {},
    }
    await connection.execute(
        update(calls)
        .where(calls.c.id == call_id)
        .values(**blank, sentiment="", sentiment_score=None, recording_path="", journal_path="")
        .values(learned_at=func.coalesce(calls.c.learned_at, at))  # nothing is left to learn from
    )


def delete_files(files: Iterable[str], home: Path) -> tuple[Path, ...]:
    """Delete the files that lie under `home`; returns those that are gone now. Blocks, briefly."""
    inside = home.resolve()
    paths = [(inside / name).resolve() for name in files]
    gone = [path for path in paths if path.is_relative_to(inside)]
    for path in gone:
        path.unlink(missing_ok=True)
    return tuple(gone)
