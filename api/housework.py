"""The house at work: it dials, follows the log, and does what must be done beside the calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.compose import Open
from api.measuring import count_refusals
from api.outcome_receipts import OutcomeReceipts
from api.person_rights import keep_forgetting
from context.learning.learn import learn_the_rest
from storage.events import Recorded
from storage.log import follow, read

BREATHER: Final = 1.0  # seconds after the database has failed

log = structlog.get_logger()


@asynccontextmanager
async def working(house: Open) -> AsyncIterator[None]:
    """The house at work: it dials, follows the log, and makes up for what an earlier process left undone."""
    await house.left_over.close()
    await house.runner.recover()
    await house.singles.put_away()
    following = _Following(house)
    outcomes = OutcomeReceipts(house.database, house.compliance, house.settings.twilio_from, house.at)
    forgetting = partial(keep_forgetting, house.database, house.compliance, house.at)
    async with asyncio.TaskGroup() as tasks:
        dialling = [tasks.create_task(house.runner.run(), name="dialer")] if house.settings.has_carrier else []
        beside = [
            tasks.create_task(_lasting("log", following.run), name="log"),
            tasks.create_task(_lasting("outcomes", outcomes.run), name="outcomes"),
            tasks.create_task(_lasting("knowledge", house.knowledge.keep_up), name="knowledge"),
            tasks.create_task(_lasting("forgetting", forgetting), name="forgetting"),
            tasks.create_task(_lasting("learning", lambda: learn_the_rest_of(house)), name="learn the rest"),
        ]
        try:
            yield
        finally:
            house.runner.close()
            if dialling:
                await asyncio.wait(dialling)
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await outcomes.catch_up()
            await following.catch_up()


class _Following:
    """Shows everything that is written to whoever watches, and to those whom it concerns."""

    def __init__(self, house: Open) -> None:
        self._house = house
        self._after: int | None = None

    async def run(self) -> None:
        async for recorded in follow(self._house.database, self._after):
            self._show(recorded)

    async def catch_up(self) -> None:
        """The last words of a house that closes: whoever watches still learns how the calls ended."""
        if self._after is None:
            return
        with suppress(SQLAlchemyError, OSError):
            async with self._house.database.reading() as connection:
                for recorded in await read(connection, self._after):
                    self._show(recorded)

    def _show(self, recorded: Recorded) -> None:
        house = self._house
        self._after = recorded.id
        house.hot.publish(recorded)
        house.runner.heed(recorded)
        house.switchboard.heed(recorded)
        count_refusals(house.metrics, recorded)


async def _lasting(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` to its end, and again from where it was when the database fails it: no outage of that ends the house."""
    while True:
        try:
            await work()
            return
        except (SQLAlchemyError, OSError) as error:
            log.error("background_work_failed", work=name, error=type(error).__name__, why=str(error)[:200])
            await asyncio.sleep(BREATHER)


async def learn_the_rest_of(house: Open) -> None:
    """What calls of an earlier process were to teach us."""
    count = await learn_the_rest(house.database, house.knowledge, datetime.now(UTC))
    if count:
        log.info("learned_from_earlier_calls", calls=count)
