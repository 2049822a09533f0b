"""What became of each call, chained to the receipt of the verdict that let it be made: the record a lawyer asks for.

Follows the log: when an attempt has ended and its call, if there was one, too, an outcome receipt is written, once for each
thing that is learned of it. An attempt that provably reached nobody is taken out of the caps again. What an earlier process
left unwritten is written at the start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.said_when import said_in
from compliance.disclosure import ENDED, FIRST_AUDIO, GREETING_ENDED, IDENTIFIED, OPT_OUT_OFFERED, breaches, duties
from compliance.record import Errand, LineType, Place, Purpose, VoiceKind
from compliance.store import CallOutcome, ComplianceStore
from compliance.zones import where
from dialer.attempt import Disposition
from storage.database import Database
from storage.events import AttemptChanged, CallEnded
from storage.log import follow
from storage.tables.calls import calls, turns
from storage.tables.compliance import receipts
from storage.tables.dialing import attempts, campaigns

log = structlog.get_logger()

PAGE: Final = 200
# What is judged afterwards. The callback number is judged before (`compliance.script`): whoever hangs up first misses it.
_JUDGED: Final = frozenset(
    {"identify", "opt_out", "speak", "disclose_ai", "disclose_recording", "end_on_opt_out", "voicemail_number"}
)
_NOBODY: Final = frozenset(
    {
        Disposition.UNKNOWN, Disposition.CANCELLED, Disposition.FAILED, Disposition.NO_ANSWER, Disposition.BUSY,
        Disposition.BLOCKED, Disposition.INVALID_NUMBER,
    }
)  # fmt: skip


class OutcomeReceipts:
    """Writes the outcome receipts of one house. `caller_ids`: what a campaign without a number of its own shows first."""

    def __init__(
        self, database: Database, compliance: ComplianceStore, caller_ids: Sequence[str], at: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._compliance = compliance
        self._caller_ids = caller_ids
        self._at = at
        self._after: int | None = None

    async def run(self) -> None:
        """Until cancelled. Events that come while it catches up are in the log, and looked at after it."""
        await self.catch_up()
        async for recorded in follow(self._database, self._after):
            self._after = recorded.id
            event = recorded.event
            if recorded.attempt_id and (
                isinstance(event, CallEnded) or (isinstance(event, AttemptChanged) and event.disposition)
            ):
                await self.note(recorded.attempt_id)

    async def catch_up(self) -> int:
        """Every ended attempt that has no outcome receipt yet; how many were written."""
        count, last = 0, ""
        while True:
            async with self._database.reading() as connection:
                missing = await _without_receipt(connection, last)
            if not missing:
                break
            last = missing[-1]
            for attempt in missing:
                count += await self.note(attempt)
        if count:
            log.info("outcomes_recorded_late", attempts=count)
        return count

    async def note(self, attempt_id: str) -> bool:
        """Write what is known of this attempt, if it has ended and this has not been written before."""
        async with self._database.transaction() as connection:
            attempt = await _one(connection, select(attempts).where(attempts.c.id == attempt_id))
            if attempt is None or not attempt.disposition or await _told(connection, attempt_id) == attempt.disposition:
                return False
            if attempt.dispatched_at is None and not attempt.call_sid and attempt.disposition != Disposition.UNKNOWN:
                await self._compliance.never_left(
                    connection, attempt.id, attempt.number, attempt.disposition, self._at(), attempt.campaign_id
                )
                return True
            call = await _one(connection, select(calls).where(calls.c.attempt_id == attempt_id))
            if call is not None and call.ended_at is None:
                return False  # the call's own end is still to come, and will bring us here again
            outcome = await self._outcome(connection, attempt, call)
            await self._compliance.record_outcome(connection, outcome, self._at())
            return True

    async def _outcome(self, connection: AsyncConnection, attempt: Row[Any], call: Row[Any] | None) -> CallOutcome:
        campaign = await _one(connection, select(campaigns).where(campaigns.c.id == attempt.campaign_id))
        words = select(turns).where(turns.c.call_id == call.id).order_by(turns.c.ordinal) if call is not None else None
        said = (await connection.execute(words)).all() if words is not None else ()
        shown = (campaign.from_number if campaign is not None else "") or next(iter(self._caller_ids), "")
        seller = campaign.seller if campaign is not None else ""
        journal = Path(call.journal_path) if call is not None and call.journal_path else None
        by_journal = await asyncio.to_thread(said_in, journal, seller) if journal is not None else {}
        measured = _measured(said, seller) | by_journal
        answered = attempt.answered_at or (call.answered_at if call is not None else None)
        ended = attempt.ended_at or (call.ended_at if call is not None else None)
        return CallOutcome(
            attempt=attempt.id,
            number=attempt.number,
            disposition=attempt.disposition,
            at=attempt.dispatching_at or attempt.intended_at,
            duration=(ended - answered).total_seconds() if answered and ended and ended > answered else 0.0,
            is_conversation=any(each.speaker == "caller" and each.text.strip() for each in said),
            answered_by=_answered_by(attempt),
            caller_id=call.from_number if call is not None else shown,
            call_sid=attempt.call_sid,
            campaign=attempt.campaign_id,
            contact=attempt.contact_id,
            transferred_to=_transferred_to(call),
            measured=measured,
            breaches=self._breaches(attempt, campaign, measured),
            references=_references(call),
        )

    def _breaches(self, attempt: Row[Any], campaign: Row[Any] | None, measured: Mapping[str, float]) -> tuple[str, ...]:
        """The duties that can be judged from what was measured, and were not met."""
        rules = self._compliance.rules
        if campaign is None or rules.areas is None or OPT_OUT_OFFERED not in measured:
            return ()  # without a journal the sentences' times are not known, and nothing is judged by guessing
        errand = Errand(campaign.seller, Purpose(campaign.purpose), VoiceKind.ARTIFICIAL)
        on = attempt.intended_at.date()
        states = where(attempt.number, Place(), on, rules).states
        judged = tuple(each for each in duties(errand, LineType.UNKNOWN, states, on, rules) if each.duty in _JUDGED)
        found = breaches(judged, measured, answered_by=_answered_by(attempt))
        return tuple(f"{each.entry}: {each.says} {each.found}" for each in found)


def _answered_by(attempt: Row[Any]) -> str:
    if attempt.disposition in _NOBODY:
        return "nobody"
    is_machine = attempt.disposition == Disposition.MACHINE or str(attempt.answered_by).startswith(("machine", "fax"))
    return "machine" if is_machine else "person"


def _measured(said: Sequence[Row[Any]], seller: str) -> dict[str, float]:
    """What the transcript's times tell, in seconds from the answer, where there is no journal. Late rather than early:
    `identified` is the end of the turn in which the seller's name was heard."""
    found: dict[str, float] = {}
    for turn in said:
        if turn.speaker == "caller" and FIRST_AUDIO not in found:
            found.setdefault(GREETING_ENDED, turn.ended)
        elif turn.speaker == "agent":
            found.setdefault(FIRST_AUDIO, turn.started)
            if seller and seller.lower() in turn.text.lower():
                found.setdefault(IDENTIFIED, turn.ended)
    if said:
        found[ENDED] = max(turn.ended for turn in said)
    return found


def _references(call: Row[Any] | None) -> dict[str, str]:
    if call is None:
        return {}
    known = {
        "call": call.id,
        "agent": f"{call.agent} {call.agent_version}".strip(),
        "recording": call.recording_path,
        "journal": call.journal_path,
    }
    return {name: value for name, value in known.items() if value}


def _transferred_to(call: Row[Any] | None) -> str:
    metrics = call.metrics if call is not None else None
    return str(metrics.get("transferred_to") or "") if isinstance(metrics, Mapping) else ""


async def _one(connection: AsyncConnection, query: Any) -> Row[Any] | None:
    return (await connection.execute(query)).first()


class _Told(msgspec.Struct):
    disposition: str = ""
    why: str = ""


async def _told(connection: AsyncConnection, attempt_id: str) -> str:
    """The disposition that the attempt's last outcome receipt holds; empty if there is none."""
    query = select(receipts.c.body).where(receipts.c.attempt == attempt_id, receipts.c.kind == "outcome")
    body = (await connection.execute(query.order_by(receipts.c.seq.desc()).limit(1))).scalar()
    if body is None:
        return ""
    told = msgspec.json.decode(body, type=_Told)
    return told.why if told.disposition == "never_left" else told.disposition


async def _without_receipt(connection: AsyncConnection, after: str) -> list[str]:
    told = select(receipts.c.id).where(receipts.c.attempt == attempts.c.id, receipts.c.kind == "outcome").exists()
    query = select(attempts.c.id).where(attempts.c.id > after, attempts.c.disposition != "", ~told)
    return list((await connection.execute(query.order_by(attempts.c.id).limit(PAGE))).scalars())
