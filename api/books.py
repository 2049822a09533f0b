"""What is written of a call while it lives and when it is over, each step with its event in one transaction.

Keeps the books and nothing else: it never ends a call, and it tells nobody but the database, the log and the metrics.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from api.house import House
from api.live_call import LiveCall
from api.outcomes import costs_of, turns_of
from context import store
from context.calls import Call
from context.learning.learn import learn
from dialer.attempt import Disposition
from storage.events import CallAnswered, CallEnded, CallLearned, CallStarted, Event
from storage.log import append
from telephony.number import mask
from voice.events import Direction, Party
from voice.report import CallReport

log = structlog.get_logger()


class Books:
    """The records of all calls of this process."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def open(self, call: LiveCall) -> None:
        """A call is about to be dialled, or comes in."""
        record = _record_of(call)
        self._house.metrics.call_started(record.direction)
        log.info("call_started", call=record.id, direction=record.direction, number=mask(record.person), agent=record.agent)
        async with self._house.database.transaction() as connection:
            await store.create_call(connection, record)
            started = CallStarted(direction=record.direction, number=mask(record.person), agent=record.agent)
            await self._tell(connection, started, call)

    async def note_sid(self, call: LiveCall, call_sid: str) -> None:
        """The carrier's name for the call."""
        call.carrier_sid = call_sid
        async with self._house.database.transaction() as connection:
            await store.note_carrier_sid(connection, call.errand.call, call_sid)

    async def note_answer(self, call: LiveCall) -> None:
        async with self._house.database.transaction() as connection:
            await store.answer_call(connection, call.errand.call, call.answered_at or self._house.at())
            await self._tell(connection, CallAnswered(), call)

    async def close_unanswered(self, call: LiveCall, disposition: Disposition) -> None:
        """There was no conversation. Said twice, it is written once."""
        async with self._house.database.transaction() as connection:
            costs = self.costs(call)
            if await store.end_call(connection, call.errand.call, self._house.at(), disposition.value, metrics=costs):
                await self._tell(connection, CallEnded(disposition=disposition.value), call)

    async def close(
        self, call: LiveCall, report: CallReport, disposition: Disposition, measures: Mapping[str, object], journal: str
    ) -> None:
        """The conversation is over: what was said and what came of it."""
        name = call.errand.call
        ended = CallEnded(disposition=disposition.value, seconds=round(report.duration, 3), reason=report.detail)
        async with self._house.database.transaction() as connection:
            await store.answer_call(connection, name, call.answered_at or self._house.at())
            await store.write_turns(connection, name, turns_of(report))
            if report.party is not Party.UNKNOWN:
                await store.note_answered_by(connection, name, report.party.value)
            await store.end_call(
                connection, name, self._house.at(), disposition.value, metrics=measures, journal_path=journal
            )
            await self._tell(connection, ended, call)

    def costs(self, call: LiveCall) -> dict[str, object]:
        """What the call used and cost: also one that nobody answered, for ears and mouth were ready."""
        return costs_of(call.account, self._house.meter.table, self._house.at().date())

    async def learn(self, call: LiveCall) -> None:
        """What the next call should know of this one."""
        house = self._house
        learned = await learn(call.errand.call, house.database, house.knowledge, house.at())
        told = CallLearned(facts=len(learned.facts), seconds=round(learned.took["total"], 3))
        async with house.database.transaction() as connection:
            await self._tell(connection, told, call)

    async def _tell(self, connection: AsyncConnection, event: Event, call: LiveCall) -> None:
        await append(connection, event, self._house.at(), call_id=call.errand.call, attempt_id=call.errand.attempt_id)


def _record_of(call: LiveCall) -> Call:
    errand = call.errand
    is_outbound = errand.direction is Direction.OUTBOUND
    return Call(
        id=errand.call,
        direction=errand.direction.value,
        from_number=errand.ours if is_outbound else errand.person,
        to_number=errand.person if is_outbound else errand.ours,
        person=errand.person,
        started_at=call.started_at,
        agent=errand.agent.name,
        agent_version=errand.agent.version,
        attempt_id=errand.attempt_id or None,
        campaign_id=errand.campaign_id or None,
        contact_id=errand.contact_id or None,
        carrier_sid=call.carrier_sid or None,
    )
