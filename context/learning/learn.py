"""After the hang-up: read the call, sum it up, write what it taught, and have it searchable, all within seconds.

The database comes first, in one transaction with the summary; the index follows from the outbox and is tried again when it
fails. A call may be learned from twice, by two workers even: the same facts come out, and they are written once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

import structlog

from context.calls import CallRecord
from context.facts import Fact
from context.knowledge.base import KnowledgeBase
from context.learning.facts import learned
from context.learning.sentiment import Sentiment, sentiment
from context.learning.summary import summarise
from context.ports import Summariser
from context.store import call_record, unlearned, write_learning
from storage.database import Database

WITHIN: Final = 5.0  # seconds from the hang-up until the next call may know
SUMMARISER_WITHIN: Final = 3.0  # seconds a summariser has: the template takes none
RETRIES: Final = (0.1, 0.4, 1.0)  # seconds before the index is tried again

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Learned:
    """What a call came to. `took` holds seconds: read, summary, facts, index and total.

    `is_searchable` is False when the index could not follow in time; the facts are in the database all the same, and
    the next call with this person is told them from there.
    """

    call_id: str
    summary: str
    sentiment: Sentiment
    facts: tuple[Fact, ...]
    is_searchable: bool
    took: Mapping[str, float]


async def learn(
    call_id: str,
    database: Database,
    base: KnowledgeBase,
    at: datetime,
    summariser: Summariser | None = None,
) -> Learned:
    """Learn from a call that has ended; `at` is now. Raises `UnknownCall`."""
    loop = asyncio.get_running_loop()
    marks = [loop.time()]
    async with database.reading() as connection:
        record = await call_record(connection, call_id)
    marks.append(loop.time())
    feeling, facts = sentiment(record.turns), learned(record)
    summary = await _summary(record, summariser)
    marks.append(loop.time())
    async with database.transaction() as connection:
        await write_learning(connection, call_id, summary, feeling.label.value, feeling.score, at)
        await base.write(connection, facts, f"call {call_id}")
    marks.append(loop.time())
    is_searchable = await _follow(base)
    marks.append(loop.time())
    took = _took(marks)
    log.info("call_learned", call=call_id, facts=len(facts), searchable=is_searchable, took=round(took["total"], 3))
    return Learned(call_id, summary, feeling, facts, is_searchable, took)


async def learn_the_rest(database: Database, base: KnowledgeBase, at: datetime) -> int:
    """Learn from the calls that ended while nobody could (a process that died); returns how many."""
    async with database.reading() as connection:
        waiting = await unlearned(connection)
    for call_id in waiting:
        await learn(call_id, database, base, at)
    return len(waiting)


async def _summary(record: CallRecord, summariser: Summariser | None) -> str:
    if summariser is None:
        return summarise(record)
    try:
        async with asyncio.timeout(SUMMARISER_WITHIN):
            return (await summariser.summarise(record)).strip() or summarise(record)
    except Exception as error:  # somebody else's code and network: whatever it raises, the call is summed up
        log.warning("summariser_failed", call=record.call.id, error=type(error).__name__)
        return summarise(record)


async def _follow(base: KnowledgeBase) -> bool:
    for pause in RETRIES:
        if await base.follow() or base.is_shared:
            break
        await asyncio.sleep(pause)
    return await base.count_due() == 0


def _took(marks: list[float]) -> dict[str, float]:
    read, thought, written, indexed = (after - before for before, after in pairwise(marks))
    return {"read": read, "summary": thought, "facts": written, "index": indexed, "total": marks[-1] - marks[0]}
