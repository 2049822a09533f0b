"""What an earlier process did not live to end: its calls are ended in the books, with all that their journals still know.

A journal is written event by event, so a call that was cut short by a crash has its words there, and the tools it had asked
for. They are run again under the same keys: what had taken effect does not take it twice, what had not is made up for. An
opt-out that was said in the last instant is not lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from api.call_tools import CallTools, OptOuts
from api.errands import Errand
from api.outcomes import disposition_of, turns_of
from context import store
from context.calls import Call, CallState
from dialer.attempt import Disposition
from dialer.ports import AttemptStore
from dialer.run import Runner
from storage.database import Database
from storage.events import CallEnded
from storage.log import append
from voice import journal
from voice.actions import RunTool
from voice.agent import AgentDefinition
from voice.events import CallId, Direction, LegEnded
from voice.report import CallReport

MOST_LEFT: Final = 10_000  # calls looked at
REASON: Final = "the server ended in the middle of it"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cut:
    """A call that was cut short, as far as its journal tells."""

    agent: AgentDefinition
    report: CallReport
    tools: tuple[RunTool, ...]


def cut_short(path: Path) -> Cut | None:
    """Run a journal through the core once more, and end the call where it ends; None if there is none that can be read."""
    if not path.exists():
        return None
    try:
        header, entries = journal.read(path)
        conversation, tools, now = header.conversation(), [], 0.0
        for entry in entries:
            now = entry.now
            tools += [each for each in conversation.handle(entry.event, now) if isinstance(each, RunTool)]
        tools += [each for each in conversation.handle(LegEnded(REASON), now) if isinstance(each, RunTool)]
    except Exception as error:  # an older core's journal may lead this one anywhere, and must not keep the house shut
        log.warning("journal_of_no_use", journal=path.name, error=type(error).__name__)
        return None
    return Cut(header.agent, conversation.report(), tuple(tools))


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Closes what was left open. To be done before any call of this process."""

    database: Database
    attempts: AttemptStore
    opt_outs: OptOuts
    runner: Runner
    home: Path
    at: Callable[[], datetime]

    async def close(self) -> int:
        """How many calls that were."""
        async with self.database.reading() as connection:
            open_calls = [
                call
                for state in (CallState.DIALLING, CallState.ANSWERED)
                for call in await store.list_calls(connection, state=state, limit=MOST_LEFT)
            ]
        for call in open_calls:
            path = self.home / "journals" / f"{call.id}.jsonl"
            cut = await asyncio.to_thread(cut_short, path)
            if cut is not None:
                await self._make_up(call, cut)
            await self._end(call, cut, str(path))
        if open_calls:
            log.warning("calls_of_an_earlier_process_ended", calls=len(open_calls))
        return len(open_calls)

    async def _make_up(self, call: Call, cut: Cut) -> None:
        campaign = None
        if call.campaign_id:
            async with self.attempts.reading() as work:
                campaign = await work.campaign(call.campaign_id)
        errand = Errand(
            CallId(call.id),
            Direction(call.direction),
            cut.agent,
            call.person,
            seller=campaign.seller if campaign is not None else cut.agent.seller,
            attempt_id=call.attempt_id or "",
            purpose=campaign.purpose if campaign is not None else "",
        )
        toolbox = CallTools(self.database, errand, self.opt_outs, self.at)
        for tool in cut.tools:
            await toolbox.run(tool.name, tool.arguments, tool.key)

    async def _end(self, call: Call, cut: Cut | None, path: str) -> None:
        disposition = disposition_of(cut.report) if cut is not None else Disposition.UNKNOWN
        ended = CallEnded(
            disposition=disposition.value, seconds=round(cut.report.duration, 3) if cut is not None else 0.0, reason=REASON
        )
        answered = call.answered_at or call.started_at
        at = answered + timedelta(seconds=cut.report.duration) if cut is not None else self.at()
        async with self.database.transaction() as connection:
            if cut is not None:
                await store.answer_call(connection, call.id, answered)
                await store.write_turns(connection, call.id, turns_of(cut.report))
            await store.end_call(
                connection,
                call.id,
                at,
                disposition.value,
                metrics={"detail": REASON},
                journal_path=path if cut is not None else "",
            )
            await append(connection, ended, self.at(), call_id=call.id, attempt_id=call.attempt_id or "")
        if cut is not None and call.attempt_id:
            await self.runner.on_conversation_ended(call.attempt_id, disposition, REASON)
