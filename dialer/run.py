"""The runner: dials whoever is due, step by step, so that a crash at any instant loses a call at worst and doubles none.

The steps of a dial, each committed before the next begins:
1. one work: a fresh verdict of the gate (its receipt stored), the attempt as INTENT, counted against every cap (`claim.py`);
2. one work: the attempt as DISPATCHING, if nobody has called it off and the clearance still holds (`dispatch.py`);
3. the request to the carrier, sent once;
4. one work: what the carrier said; no answer leaves the attempt UNKNOWN, never to be dialled again.
A crash after 1 leaves an INTENT, which is undone at the next start; after 2 or 3 a DISPATCHING, which becomes UNKNOWN.

Decides nothing: `pacing` chooses, the gate permits, `attempt` and `retry` say what a fact means. It sleeps until the next
deadline or until somebody calls `wake`; it never looks again without a reason.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Final, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from dialer import orders
from dialer.attempt import (
    Attempt,
    AttemptId,
    CancelWanted,
    CarrierEvent,
    ConversationEnded,
    DispatchLost,
    Disposition,
    Fact,
    GivenUp,
    PartyReported,
    Phase,
)
from dialer.campaign import Campaign, CampaignState, Contact, Hold
from dialer.claim import Cleared, claim
from dialer.dispatch import begin, fact_of, place
from dialer.lease import RightToDial
from dialer.pacing import FOREVER, Candidate, Limit, Pace, decide, next_chance
from dialer.ports import AttemptStore, CallPlacer, Gate, Work
from dialer.settle import Chances, Uncount, change_state, learn
from dialer.settle import hold as write_hold
from storage.events import AttemptChanged, CampaignChanged, ContactsImported, NumberCancelled, Recorded

log = structlog.get_logger()

PLACE_TIMEOUT: Final = 30.0  # seconds until a request without an answer is given up as unknown
LONGEST_SLEEP: Final = 60.0  # seconds; a wall clock that was set, or a machine that slept, is noticed within this
QUEUE: Final = 50  # candidates looked at in one turn, of each campaign
RECOVERY: Final = 5.0  # seconds until what holds a campaign is asked about again
BREATHER: Final = 1.0  # seconds after something has failed that is worth another try


class Clock(Protocol):
    def now(self) -> float:
        """Monotonic seconds: for pacing."""

    def at(self) -> datetime:
        """Wall clock, aware: for whatever people and rules read."""


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    def at(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look at the world asks for: a call to place, calls to cancel, and when to look again (seconds from now)."""

    to_dial: Cleared | None
    to_cancel: tuple[str, ...]
    wake_in: float


@dataclass(frozen=True, slots=True)
class _Situation:
    """What a turn sees, all of one instant."""

    campaigns: Mapping[str, Campaign] = field(default_factory=dict)
    exhausted: tuple[Campaign, ...] = ()
    overdue: tuple[Attempt, ...] = ()
    unwanted: frozenset[str] = frozenset()  # calls to be cancelled
    lines: Mapping[str, int] = field(default_factory=dict)
    queue: tuple[Candidate, ...] = ()
    next_instants: tuple[datetime | None, ...] = ()


def _nowhere(contact: Contact) -> None:
    return None


def _free(campaign: Campaign) -> Hold | None:
    return None


class Runner:
    """Dials the running campaigns of `store`, within the limits of the house and of each of them.

    `zone_of` says where a contact's clock stands, if anybody knows; `draw` is a draw in [0, 1); `uncount` is told of
    attempts that provably reached nobody, so that they count against no cap. `hold_of` is asked before anybody is dialled:
    while ears, mind or mouth are down nobody is rung for silence, and what has been spent is spent.
    """

    def __init__(
        self,
        store: AttemptStore,
        gate: Gate,
        placer: CallPlacer,
        house: Limit,
        *,
        clock: Clock | None = None,
        zone_of: Callable[[Contact], tzinfo | None] = _nowhere,
        draw: Callable[[], float] = random.random,
        uncount: Uncount | None = None,
        hold_of: Callable[[Campaign], Hold | None] = _free,
        place_timeout: float = PLACE_TIMEOUT,
    ) -> None:
        self._store = store
        self._gate = gate
        self._placer = placer
        self._clock = clock or SystemClock()
        self._chances = Chances(zone_of, draw, uncount)
        self._hold_of = hold_of
        self._place_timeout = place_timeout
        self._pace = Pace(house, {})
        self._right = RightToDial(store)
        self._woken = asyncio.Event()
        self._is_closing = False
        self._cancelled: set[str] = set()  # calls whose cancelling is asked for, so that it is asked for once

    # --- the life of a runner -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Dial until `close`; then wait for the requests that are out.

        Of several runners on one store one dials and the others stand by; one of them takes over when it ends, however it
        ends.
        """
        is_in_order = False
        async with asyncio.TaskGroup() as tasks:
            while not self._is_closing:
                self._woken.clear()
                turn = Turn(None, (), BREATHER)
                try:
                    is_ours = not self._right.is_due(self._clock.at()) or await self._right.take(self._clock.at())
                    if is_ours and not is_in_order:
                        await self.recover()
                    is_in_order = is_ours
                    turn = await self.turn() if is_ours else Turn(None, (), FOREVER)
                    turn = replace(turn, wake_in=min(turn.wake_in, self._right.renew_in(self._clock.at())))
                except (SQLAlchemyError, OSError) as error:
                    log.error("dialer_turn_failed", error=type(error).__name__, why=str(error)[:200])
                if turn.to_dial is not None:
                    tasks.create_task(self.dispatch(turn.to_dial))
                for call_sid in turn.to_cancel:
                    tasks.create_task(self._cancel(call_sid))
                await self._sleep(turn.wake_in)
        await self._right.give_up(self._clock.at())

    def wake(self) -> None:
        """Something has changed: look again now."""
        self._woken.set()

    def heed(self, recorded: Recorded) -> None:
        """To be shown everything in the log: orders are given, and callbacks come, in other processes too."""
        match recorded.event:
            case CampaignChanged() | NumberCancelled() | ContactsImported():
                self.wake()
            case AttemptChanged(disposition=disposition) if disposition:
                self.wake()  # a line is free
            case _:
                pass

    def close(self) -> None:
        """Dial nobody any more; `run` returns once the requests that are out have been answered."""
        self._is_closing = True
        self._woken.set()

    async def recover(self) -> None:
        """Put in order what a process that ended in the middle of things left behind. To be done before any turn."""
        at = self._clock.at()
        async with self._store.transaction() as work:
            for attempt in await work.active_attempts():
                if attempt.phase is Phase.INTENT:
                    await learn(work, attempt, CancelWanted("the process ended before dialling", at), at, self._chances)
                elif attempt.phase is Phase.DISPATCHING:
                    lost = DispatchLost("the process ended before the carrier had answered", at)
                    await learn(work, attempt, lost, at, self._chances)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(min(max(seconds, 0.0), LONGEST_SLEEP)):
                await self._woken.wait()
        except TimeoutError:
            pass

    # --- a turn ---------------------------------------------------------------------------------------------------------

    async def turn(self) -> Turn:
        """Look at the world once: close what is overdue, then ask the gate for one after another until one is cleared."""
        at = self._clock.at()
        seen = await self._look(at)
        for attempt in seen.overdue:
            await self._tell(attempt.id, GivenUp(at))
        for campaign in seen.exhausted:
            await self._finish(campaign.id, at)
        if seen.overdue:
            return Turn(None, self._to_cancel(seen.unwanted), 0.0)
        return await self._choose(seen)

    async def _look(self, at: datetime) -> _Situation:
        async with self._store.reading() as work:
            running = await work.campaigns(CampaignState.RUNNING)
            queue: list[Candidate] = []
            for campaign in running:
                queue += await work.due(campaign.id, at, QUEUE)
            return _Situation(
                campaigns={each.id: each for each in running},
                exhausted=tuple([each for each in running if await _is_exhausted(work, each)]),
                overdue=tuple(await work.overdue_attempts(at)),
                unwanted=frozenset(await work.unwanted_calls()),
                lines=await work.lines(at),
                queue=tuple(queue),
                next_instants=(await work.next_due([each.id for each in running], at), await work.next_change(at)),
            )

    async def _choose(self, seen: _Situation) -> Turn:
        began = self._clock.now()
        held = await self._held(seen)
        free = [candidate for candidate in seen.queue if candidate.campaign_id not in held]
        queue = list(free)
        self._pace = replace(self._pace, campaigns={each.id: each.limit for each in seen.campaigns.values()})
        live = seen.lines
        cleared = None
        while chosen := decide(queue, live, self._pace, self._clock.now()):
            queue.remove(chosen[0])
            cleared = await claim(self._store, self._gate, chosen[0], self._clock.at())
            if cleared is not None or self._is_closing or self._woken.is_set():
                break
        if cleared is not None:
            campaign_id = cleared.attempt.campaign_id
            self._pace = self._pace.after_call(campaign_id, self._clock.now())
            live = {**live, campaign_id: live.get(campaign_id, 0) + 1}
        if free and not queue:
            # There may be more than a turn looks at. A whole night's refusals must not take the machine from live calls:
            # rest for as long as it took.
            rest = 0.0 if cleared else self._clock.now() - began
            return Turn(cleared, self._to_cancel(seen.unwanted), rest)
        chance = next_chance(queue, live, self._pace) - self._clock.now()
        wake_in = min(chance, _until_next(seen, self._clock.at()), RECOVERY if held else FOREVER)
        return Turn(cleared, self._to_cancel(seen.unwanted), wake_in)

    async def _held(self, seen: _Situation) -> set[str]:
        """The campaigns that dial nobody now; what is new about them is written down and told, once."""
        holds = {each.id: self._hold_of(each) for each in seen.campaigns.values()}
        for campaign in seen.campaigns.values():
            hold = holds[campaign.id]
            if (hold.code if hold else "") != (campaign.hold.code if campaign.hold else ""):
                await self._write_hold(campaign.id, hold)
        return {campaign_id for campaign_id, hold in holds.items() if hold is not None}

    async def _write_hold(self, campaign_id: str, hold: Hold | None) -> None:
        async with self._store.transaction() as work:
            campaign = await work.campaign(campaign_id)
            if campaign is None or campaign.state is not CampaignState.RUNNING:
                return
            await write_hold(work, campaign, hold, self._clock.at())
        if hold is not None:
            log.warning("nobody_dialled", campaign=campaign.name, code=hold.code, why=hold.why)
        else:
            log.info("dials_again", campaign=campaign.name)

    def _to_cancel(self, unwanted: frozenset[str]) -> tuple[str, ...]:
        """Calls that ring for somebody who wants none, as far as their cancelling is not under way."""
        fresh = unwanted - self._cancelled
        self._cancelled = set(unwanted)
        return tuple(sorted(fresh))

    async def _finish(self, campaign_id: str, at: datetime) -> None:
        async with self._store.transaction() as work:
            campaign = await work.campaign(campaign_id)
            if campaign is None or campaign.state is not CampaignState.RUNNING or not await _is_exhausted(work, campaign):
                return
            await change_state(work, campaign, CampaignState.FINISHED, at, "every contact is closed")

    # --- what a turn asks for -------------------------------------------------------------------------------------------

    async def dispatch(self, cleared: Cleared) -> None:
        """Dial an attempt, once. Never raises: what cannot be written down now is settled by callbacks, or at a restart."""
        try:
            if not await begin(self._store, cleared, self._clock.at(), self._chances):
                self.wake()
                return
            placing = await place(self._placer, cleared, self._place_timeout)
            await self._tell(cleared.attempt.id, fact_of(placing, self._clock.at()))
        except (SQLAlchemyError, OSError) as error:
            attempt = cleared.attempt.id
            log.error("dispatch_not_recorded", attempt=attempt, error=type(error).__name__, why=str(error)[:200])

    async def _cancel(self, call_sid: str) -> None:
        try:
            async with asyncio.timeout(self._place_timeout):
                await self._placer.cancel(call_sid)
        except Exception as error:
            log.warning("cancel_failed", call_sid=call_sid, error=type(error).__name__)
            self._cancelled.discard(call_sid)
            await asyncio.sleep(BREATHER)  # it may still ring: ask again, but not in a storm
            self.wake()

    # --- what others tell us --------------------------------------------------------------------------------------------

    async def on_carrier_event(self, event: CarrierEvent) -> Attempt | None:
        """A status callback. Told twice, late or out of order, it is taken for what it is. None: no attempt of ours."""
        async with self._store.transaction() as work:
            attempt = await work.attempt(event.attempt_id) if event.attempt_id else None
            attempt = attempt or await work.attempt_by_call(event.call_sid)
            is_news = await work.note_carrier_event(event, attempt.id if attempt else "")
            if attempt is None or not is_news:
                return attempt
            if attempt.progress.call_sid not in ("", event.call_sid):
                log.warning("callback_of_another_call", attempt=attempt.id, call_sid=event.call_sid)
                return None
            after = await learn(work, attempt, event, self._clock.at(), self._chances)
        self._note(attempt, after)
        return after

    async def on_party_reported(self, attempt_id: str, answered_by: str) -> Attempt | None:
        """The carrier's machine detection has an opinion; the conversation's own counts for more."""
        return await self._tell(AttemptId(attempt_id), PartyReported(answered_by, self._clock.at()))

    async def on_conversation_ended(self, attempt_id: str, disposition: Disposition, detail: str = "") -> Attempt | None:
        """Our side of an answered call is over."""
        return await self._tell(AttemptId(attempt_id), ConversationEnded(disposition, self._clock.at(), detail))

    async def cancel_number(self, number: str, reason: str = "opted_out", seller: str = "") -> list[str]:
        """Nobody rings this number any more: see `orders.cancel_number`. The carrier is asked to cancel by the next turn."""
        async with self._store.transaction() as work:
            ringing = await orders.cancel_number(work, number, reason, self._clock.at(), seller)
        self.wake()
        return ringing

    async def _tell(self, attempt_id: AttemptId, fact: Fact) -> Attempt | None:
        async with self._store.transaction() as work:
            attempt = await work.attempt(attempt_id)
            if attempt is None:
                return None
            after = await learn(work, attempt, fact, self._clock.at(), self._chances)
        self._note(attempt, after)
        return after

    def _note(self, before: Attempt, after: Attempt) -> None:
        """Wake for a change that a turn can do something about. After its commit: a turn must be able to see it."""
        at = self._clock.at()
        is_freed = before.is_on_line(at) and not after.is_on_line(at)
        is_lost = after.phase is Phase.UNKNOWN  # it gives its line back sooner than it was going to
        if is_freed or is_lost or after.progress.is_cancel_wanted or after.disposition is not before.disposition:
            self.wake()


async def _is_exhausted(work: Work, campaign: Campaign) -> bool:
    """Whether nothing more can come of a campaign: nobody waits, and no phone rings or is talked on because of it."""
    return not await work.has_open_contacts(campaign.id) and not await work.has_active_attempts(campaign.id)


def _until_next(seen: _Situation, at: datetime) -> float:
    """Seconds until a contact falls due, an attempt expires, or a lost one gives its line back."""
    waits = [(instant - at).total_seconds() for instant in seen.next_instants if instant is not None and instant > at]
    return min(waits, default=FOREVER)
