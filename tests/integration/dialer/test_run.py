from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from compliance.verdict import Rule
from dialer import orders
from dialer.attempt import Attempt, AttemptId, CarrierEvent, CarrierStatus, Disposition, Phase
from dialer.campaign import CampaignState, ContactState, Order
from dialer.claim import claim
from dialer.pacing import Candidate, Limit
from dialer.ports import Placed, PlaceRefused, PlaceUnknown
from dialer.run import SystemClock
from storage.events import AttemptChanged, CallAnswered, CampaignChanged, ContactsImported, NumberCancelled, Recorded

ANN, BOB, CYD = "+16145550101", "+16145550102", "+16145550103"
World = Any


async def test_everybody_is_dialled_once_and_the_campaign_finishes(world: World) -> None:
    await world.campaign(ANN, BOB, CYD)
    await world.turns()
    assert sorted(number for number, _ in world.carrier.placed) == [ANN, BOB, CYD]
    assert {(await world.last(number)).phase for number in (ANN, BOB, CYD)} == {Phase.DISPATCHED}
    for number in (ANN, BOB, CYD):
        await world.end(number)
    assert await world.turns() == float("inf")
    assert await world.state() is CampaignState.FINISHED
    ann = await world.contact(ANN)
    assert (ann.state, ann.disposition, ann.tries) == (ContactState.CLOSED, Disposition.ANSWERED, 1)
    assert ann.receipt_id == f"receipt-{(await world.last(ANN)).id}"


async def test_the_attempt_is_on_its_way_before_the_carrier_hears_of_it(world: World) -> None:
    await world.campaign(ANN)
    seen = []
    plain = world.carrier.place

    async def place(clearance: Any, attempt: Any) -> Any:
        seen.append((await world.last(ANN)).phase)
        return await plain(clearance, attempt)

    world.carrier.place = place
    turn = await world.runner.turn()
    assert (await world.last(ANN)).phase is Phase.INTENT
    await world.runner.dispatch(turn.to_dial)
    assert seen == [Phase.DISPATCHING]


async def test_lines_are_kept_to_and_a_call_that_ends_makes_room(world: World) -> None:
    await world.campaign(ANN, BOB, CYD, limit=Limit(2, 1000.0))
    await world.turns()
    assert len(world.carrier.placed) == 2
    await world.end(ANN)
    await world.turns()
    assert len(world.carrier.placed) == 3


async def test_calls_keep_their_distance(world: World) -> None:
    world.house = Limit(100, 2.0)
    world.runner = world.new_runner()
    await world.campaign(ANN, BOB)
    assert (await world.turn()).wake_in == pytest.approx(0.5)
    assert (await world.turn()).to_dial is None
    world.clock.seconds += 0.5
    assert (await world.turn()).to_dial is not None


# --- the gate ---------------------------------------------------------------------------------------------------------


async def test_a_refusal_with_an_hour_puts_the_contact_off_until_then(world: World, refusal: Any) -> None:
    opens = world.clock.at() + timedelta(hours=2)
    world.gate.answers[ANN] = lambda contact, at: refusal(contact, at, Rule.WINDOW_FEDERAL, until=opens)
    await world.campaign(ANN)
    assert await world.turns() == 7200.0
    ann = await world.contact(ANN)
    assert (ann.state, ann.due_at, ann.rules) == (ContactState.WAITING, opens, ("WINDOW_FEDERAL",))
    assert (ann.receipt_id, ann.reason) == ("receipt-no", "WINDOW_FEDERAL says no. (a book)")
    assert await world.attempts(ANN) == []
    del world.gate.answers[ANN]
    world.clock.seconds += 7200
    await world.turns()
    assert [number for number, _ in world.carrier.placed] == [ANN]
    assert world.gate.asked == [ANN, ANN]


async def test_a_refusal_for_good_closes_the_contact(world: World, refusal: Any) -> None:
    world.gate.answers[ANN] = lambda contact, at: refusal(contact, at, Rule.DNC_INTERNAL, Rule.WINDOW_FEDERAL)
    await world.campaign(ANN, BOB)
    await world.turns()
    ann = await world.contact(ANN)
    assert (ann.state, ann.disposition) == (ContactState.CLOSED, Disposition.REFUSED)
    assert ann.rules == ("DNC_INTERNAL", "WINDOW_FEDERAL")
    assert [number for number, _ in world.carrier.placed] == [BOB]


async def test_what_only_the_operator_can_mend_holds_the_contact(world: World, refusal: Any) -> None:
    world.gate.answers[ANN] = lambda contact, at: refusal(contact, at, Rule.DNC_LIST_STALE)
    await world.campaign(ANN)
    assert await world.turns() == 600.0
    assert (await world.contact(ANN)).state is ContactState.WAITING


async def test_refusals_cost_no_pace(world: World, refusal: Any) -> None:
    world.house = Limit(100, 1.0)
    world.runner = world.new_runner()
    world.gate.answers |= {n: (lambda contact, at: refusal(contact, at, Rule.DNC_INTERNAL)) for n in (ANN, BOB)}
    await world.campaign(ANN, BOB, CYD)
    await world.turn()
    assert [number for number, _ in world.carrier.placed] == [CYD]


async def test_a_gate_that_fails_opens_for_nobody(world: World) -> None:
    world.gate.answers[ANN] = RuntimeError("the rule book is gone")
    await world.campaign(ANN)
    assert await world.turns() == 600.0
    assert world.carrier.placed == []
    assert (await world.contact(ANN)).reason == "the gate could not be asked"


async def test_a_clearance_that_has_grown_old_dials_nobody(world: World) -> None:
    await world.campaign(ANN)
    turn = await world.runner.turn()
    world.clock.seconds += 60
    await world.runner.dispatch(turn.to_dial)
    assert world.carrier.placed == []
    assert (await world.last(ANN)).disposition is Disposition.CANCELLED
    assert (await world.contact(ANN)).state is ContactState.WAITING
    await world.turns()
    assert len(world.carrier.placed) == 1


# --- how it ends ------------------------------------------------------------------------------------------------------


async def test_a_busy_line_is_rung_again_later_and_only_then(world: World) -> None:
    await world.campaign(ANN)
    await world.turns()
    await world.end(ANN, CarrierStatus.BUSY)
    assert await world.turns() == 900.0
    ann = await world.contact(ANN)
    assert (ann.state, ann.disposition, ann.reason) == (ContactState.WAITING, Disposition.BUSY, "busy")
    world.clock.seconds += 900
    await world.turns()
    assert [attempt.ordinal for attempt in await world.attempts(ANN)] == [1, 2]


async def test_a_refusal_of_the_carrier_is_taken_at_its_word(world: World) -> None:
    world.carrier.answers[ANN] = PlaceRefused(Disposition.INVALID_NUMBER, "21211: not valid")
    world.carrier.answers[BOB] = PlaceRefused(Disposition.FAILED, "20429: too many requests")
    await world.campaign(ANN, BOB)
    await world.turns()
    assert (await world.contact(ANN)).state is ContactState.CLOSED
    assert (await world.contact(BOB)).due_at == world.clock.at() + timedelta(seconds=300)


async def test_what_provably_reached_nobody_counts_against_no_cap(world: World) -> None:
    told: list[tuple[str, str]] = []

    async def uncount(work: Any, attempt: Any, why: str, at: Any) -> None:
        told.append((attempt.number, why))

    world.uncount = uncount
    world.runner = world.new_runner()
    world.carrier.answers[ANN] = PlaceRefused(Disposition.FAILED, "20429")
    world.carrier.answers[BOB] = PlaceUnknown("timeout")
    await world.campaign(ANN, BOB, CYD)
    await world.turns()
    await world.end(CYD, CarrierStatus.FAILED)
    world.clock.seconds += 300
    turn = await world.runner.turn()
    world.clock.seconds += 60
    await world.runner.dispatch(turn.to_dial)
    assert told == [(ANN, "20429"), (turn.to_dial.attempt.number, "the clearance no longer holds")]


@pytest.mark.parametrize("answer", [PlaceUnknown("503"), ConnectionResetError("after sending")])
async def test_an_unknown_outcome_is_never_dialled_again(world: World, answer: Any) -> None:
    world.carrier.answers[ANN] = answer
    await world.campaign(ANN)
    await world.turns()
    assert (await world.last(ANN)).phase is Phase.UNKNOWN
    for _ in range(5):
        world.clock.seconds += 60
        await world.turns()
    assert len(world.carrier.placed) == 1
    world.clock.seconds += 600
    await world.turns()
    assert (await world.last(ANN)).disposition is Disposition.UNKNOWN
    assert (await world.contact(ANN)).state is ContactState.CLOSED
    assert len(world.carrier.placed) == 1


async def test_a_request_without_an_answer_is_unknown_and_its_callback_settles_it(world: World) -> None:
    world.place_timeout = 0.01
    world.runner = world.new_runner()
    world.carrier.answers[ANN] = asyncio.Event()
    await world.campaign(ANN)
    await world.turns()
    attempt = await world.last(ANN)
    assert attempt.phase is Phase.UNKNOWN
    await world.told(attempt.id, CarrierStatus.NO_ANSWER, 3)
    assert (await world.last(ANN)).disposition is Disposition.NO_ANSWER
    assert (await world.contact(ANN)).due_at == world.clock.at() + timedelta(hours=4)


async def test_callbacks_doubled_late_and_before_the_answer_change_nothing(world: World) -> None:
    held = asyncio.Event()
    world.carrier.answers[ANN] = held
    await world.campaign(ANN)
    turn = await world.runner.turn()
    dispatch = asyncio.create_task(world.runner.dispatch(turn.to_dial))
    await world.carrier.taken.wait()
    attempt = await world.last(ANN)
    await world.told(attempt.id, CarrierStatus.IN_PROGRESS, 2)
    await world.told(attempt.id, CarrierStatus.RINGING, 1)
    await world.told(attempt.id, CarrierStatus.IN_PROGRESS, 2)
    held.set()
    await dispatch
    assert (await world.last(ANN)).phase is Phase.ANSWERED
    await world.told(attempt.id, CarrierStatus.COMPLETED, 3)
    await world.told(attempt.id, CarrierStatus.COMPLETED, 3)
    await world.told(attempt.id, CarrierStatus.RINGING)
    ended = await world.last(ANN)
    assert (ended.disposition, ended.progress.call_sid) == (Disposition.ANSWERED, f"CA-{attempt.id}")


async def test_callbacks_of_other_calls_are_nobodys(world: World) -> None:
    await world.campaign(ANN)
    assert await world.told("nobody", CarrierStatus.RINGING) is None
    await world.turns()
    attempt = await world.last(ANN)
    forged = CarrierEvent("CA-other", CarrierStatus.COMPLETED, world.clock.at(), attempt.id)
    assert await world.runner.on_carrier_event(forged) is None
    by_call = CarrierEvent(f"CA-{attempt.id}", CarrierStatus.RINGING, world.clock.at())
    assert (await world.runner.on_carrier_event(by_call)).phase is Phase.RINGING


async def test_the_conversation_has_the_last_word_even_after_the_carrier(world: World) -> None:
    await world.campaign(ANN)
    await world.turns()
    await world.end(ANN)
    await world.turns()
    assert await world.state() is CampaignState.FINISHED
    await world.conversed(ANN, Disposition.MACHINE)
    ann = await world.contact(ANN)
    assert (ann.state, ann.disposition) == (ContactState.WAITING, Disposition.MACHINE)
    assert await world.state() is CampaignState.RUNNING
    await world.conversed(ANN, Disposition.OPTED_OUT)
    assert (await world.contact(ANN)).state is ContactState.CLOSED


async def test_the_carriers_machine_detection_counts_if_nobody_knows_better(world: World) -> None:
    await world.campaign(ANN)
    await world.turns()
    await world.runner.on_party_reported((await world.last(ANN)).id, "machine_start")
    await world.end(ANN)
    assert (await world.contact(ANN)).disposition is Disposition.MACHINE
    assert await world.runner.on_party_reported("nobody", "human") is None


async def test_a_call_whose_end_is_never_told_gives_its_number_and_line_back(world: World) -> None:
    await world.campaign(ANN, BOB, limit=Limit(1, 1000.0))
    await world.turns()
    await world.conversed(ANN, Disposition.ANSWERED)
    await world.turns()
    assert len(world.carrier.placed) == 2
    world.clock.seconds += 30
    await world.turns()
    assert (await world.last(ANN)).disposition is Disposition.ANSWERED


# --- calling off ------------------------------------------------------------------------------------------------------


async def test_an_opt_out_calls_off_what_waits_and_what_rings_everywhere(world: World) -> None:
    await world.campaign(ANN, BOB)
    await world.turns()
    await world.campaign(ANN, campaign_id="c2")
    ringing = await world.last(ANN)
    assert await world.runner.cancel_number(ANN) == [f"CA-{ringing.id}"]
    assert (await world.contact(ANN, "c2")).state is ContactState.CALLED_OFF
    await world.turns()
    await world.turns()
    assert world.carrier.cancelled == [f"CA-{ringing.id}"]
    await world.told(ringing.id, CarrierStatus.CANCELED, 3)
    ann = await world.contact(ANN)
    assert (ann.state, ann.disposition, ann.reason) == (ContactState.CALLED_OFF, Disposition.CANCELLED, "opted_out")
    assert (await world.last(BOB)).progress.is_active


async def test_an_opt_out_towards_one_seller_leaves_the_others(world: World) -> None:
    await world.campaign(ANN, state=CampaignState.PAUSED)
    await world.campaign(ANN, campaign_id="c2", seller="Other", state=CampaignState.PAUSED)
    assert await world.runner.cancel_number(ANN, seller="Other") == []
    assert (await world.contact(ANN)).state is ContactState.WAITING
    assert (await world.contact(ANN, "c2")).state is ContactState.CALLED_OFF


async def test_the_call_in_which_the_person_opts_out_is_not_cut(world: World) -> None:
    await world.campaign(ANN)
    await world.turns()
    await world.told((await world.last(ANN)).id, CarrierStatus.IN_PROGRESS, 2)
    assert await world.runner.cancel_number(ANN) == []
    await world.turns()
    assert world.carrier.cancelled == []
    await world.conversed(ANN, Disposition.OPTED_OUT)
    await world.end(ANN)
    assert (await world.contact(ANN)).disposition is Disposition.OPTED_OUT


async def test_an_opt_out_between_the_clearance_and_the_request_wins(world: World) -> None:
    await world.campaign(ANN)
    turn = await world.runner.turn()
    await world.runner.cancel_number(ANN)
    await world.runner.dispatch(turn.to_dial)
    assert world.carrier.placed == []
    assert (await world.contact(ANN)).state is ContactState.CALLED_OFF


async def test_an_opt_out_while_the_request_is_out_cancels_the_call_once_it_has_a_name(world: World) -> None:
    held = asyncio.Event()
    world.carrier.answers[ANN] = held
    await world.campaign(ANN)
    turn = await world.runner.turn()
    dispatch = asyncio.create_task(world.runner.dispatch(turn.to_dial))
    await world.carrier.taken.wait()
    assert await world.runner.cancel_number(ANN) == []
    held.set()
    await dispatch
    await world.turns()
    assert world.carrier.cancelled == [f"CA-{(await world.last(ANN)).id}"]


# --- orders -----------------------------------------------------------------------------------------------------------


async def give(world: World, order: Order) -> Any:
    async with world.store.transaction() as work:
        campaign = await work.campaign("c1")
        return await orders.give(work, campaign, order, world.clock.at())


async def test_a_pause_lets_nothing_new_out_and_cuts_nothing_off(world: World) -> None:
    await world.campaign(ANN, BOB, limit=Limit(1, 1000.0))
    await world.turns()
    await give(world, Order.PAUSE)
    await world.end(ANN)
    assert await world.turns() == float("inf")
    assert len(world.carrier.placed) == 1
    assert world.carrier.cancelled == []
    await give(world, Order.RESUME)
    await world.turns()
    assert len(world.carrier.placed) == 2


async def test_a_pause_between_the_clearance_and_the_request_wins(world: World) -> None:
    await world.campaign(ANN)
    turn = await world.runner.turn()
    await give(world, Order.PAUSE)
    await world.runner.dispatch(turn.to_dial)
    assert world.carrier.placed == []
    assert (await world.contact(ANN)).state is ContactState.WAITING


async def test_a_stop_calls_off_what_nobody_has_answered(world: World) -> None:
    await world.campaign(ANN, BOB)
    await world.turns()
    await world.told((await world.last(BOB)).id, CarrierStatus.IN_PROGRESS)
    await give(world, Order.STOP)
    await world.turns()
    assert world.carrier.cancelled == [f"CA-{(await world.last(ANN)).id}"]


# --- crashes ----------------------------------------------------------------------------------------------------------


async def test_after_a_crash_an_intent_is_undone_and_a_request_that_may_be_out_is_unknown(world: World) -> None:
    await world.campaign(ANN, BOB)
    await world.runner.turn()
    world.clock.seconds += 0.1
    second = await world.runner.turn()
    world.carrier.answers[second.to_dial.attempt.number] = asyncio.Event()
    dispatch = asyncio.create_task(world.runner.dispatch(second.to_dial))
    await world.carrier.taken.wait()
    dispatch.cancel()
    await asyncio.gather(dispatch, return_exceptions=True)

    dialled = second.to_dial.attempt.number
    other = BOB if dialled == ANN else ANN
    world.runner = world.new_runner()
    await world.runner.recover()
    assert (await world.last(dialled)).phase is Phase.UNKNOWN
    assert (await world.last(other)).disposition is Disposition.CANCELLED
    await world.turns()
    assert sorted(number for number, _ in world.carrier.placed) == sorted([dialled, other])


# --- the shell --------------------------------------------------------------------------------------------------------


async def test_the_runner_sleeps_until_it_is_woken_and_ends_when_closed(world: World) -> None:
    dialled = asyncio.Event()
    plain = world.carrier.place

    async def place(clearance: Any, attempt: Any) -> Any:
        dialled.set()
        return await plain(clearance, attempt)

    world.carrier.place = place
    async with asyncio.timeout(10):
        running = asyncio.create_task(world.runner.run())
        await asyncio.sleep(0)
        await world.campaign(ANN)
        world.runner.wake()
        await dialled.wait()
        world.runner.close()
        await running
    assert (await world.last(ANN)).phase is Phase.DISPATCHED


async def test_the_runner_cancels_at_the_carrier_by_itself(world: World) -> None:
    done = asyncio.Event()

    async def cancel(call_sid: str) -> None:
        done.set()

    world.carrier.cancel = cancel
    world.carrier.answers[ANN] = Placed("CA-x")
    async with asyncio.timeout(10):
        await world.campaign(ANN)
        running = asyncio.create_task(world.runner.run())
        await world.carrier.taken.wait()
        await world.runner.cancel_number(ANN)
        await done.wait()
        world.runner.close()
        await running


async def test_orders_and_free_lines_elsewhere_wake_it(world: World) -> None:
    changed = AttemptChanged(campaign_id="c1", contact_id="k", number="x", phase="ringing")
    heard = {
        ContactsImported(campaign_id="c1", batch_id="b", kept=1, bad=0, duplicates=0): True,
        CampaignChanged(campaign_id="c1", state="running"): True,
        NumberCancelled(number="x", reason="opted_out", attempts=0, contacts=1): True,
        AttemptChanged(campaign_id="c1", contact_id="k", number="x", phase="ended", disposition="busy"): True,
        changed: False,
        CallAnswered(): False,
    }
    for event, is_woken in heard.items():
        runner = world.new_runner()
        runner.heed(Recorded(1, world.clock.at(), event))
        assert runner._woken.is_set() is is_woken


async def test_a_database_that_fails_for_a_while_ends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.run.BREATHER", 0.0)
    failed = 0
    plain = world.runner.turn

    async def turn() -> Any:
        nonlocal failed
        failed += 1
        if failed < 3:
            raise OSError("disk")
        return await plain()

    world.runner.turn = turn
    async with asyncio.timeout(10):
        await world.campaign(ANN)
        running = asyncio.create_task(world.runner.run())
        await world.carrier.taken.wait()
        world.runner.close()
        await running
    assert failed >= 3


async def test_a_cancel_that_fails_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.run.BREATHER", 0.0)
    asked, done = 0, asyncio.Event()

    async def cancel(call_sid: str) -> None:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise ConnectionError
        done.set()

    world.carrier.cancel = cancel
    async with asyncio.timeout(10):
        await world.campaign(ANN)
        running = asyncio.create_task(world.runner.run())
        await world.carrier.taken.wait()
        await world.runner.cancel_number(ANN)
        await done.wait()
        world.runner.close()
        await running
    assert asked == 3


async def test_what_cannot_be_written_down_after_the_request_is_left_to_the_callbacks(world: World) -> None:
    await world.campaign(ANN)
    turn = await world.runner.turn()

    async def tell(attempt_id: Any, fact: Any) -> None:
        raise OSError("disk full")

    world.runner._tell = tell
    await world.runner.dispatch(turn.to_dial)
    attempt = await world.last(ANN)
    assert attempt.phase is Phase.DISPATCHING
    await world.told(attempt.id, CarrierStatus.RINGING)
    assert (await world.last(ANN)).phase is Phase.RINGING


async def test_what_has_changed_since_the_look_is_noticed(world: World, new_contact: Any) -> None:
    at = world.clock.at()
    campaign = await world.campaign(ANN)
    stale = Candidate("c1-0101", "c1", 0, at)
    assert await claim(world.store, world.gate, Candidate("gone", "c1", 0, at), at) is None
    async with world.store.transaction() as work:
        await work.save_contact(new_contact(ANN, "c1", at, due_at=at + timedelta(seconds=9)))
    assert await claim(world.store, world.gate, stale, at) is None
    async with world.store.transaction() as work:
        await work.save_contact(new_contact(ANN, "c1", at))
        await work.save_campaign(replace(campaign, state=CampaignState.PAUSED))
    assert await claim(world.store, world.gate, stale, at) is None
    await world.runner._finish("c1", at)
    assert await world.state() is CampaignState.PAUSED
    assert world.gate.asked == []


async def test_two_claims_to_one_number_leave_one_attempt(world: World) -> None:
    await world.campaign(ANN)
    await world.campaign(ANN, campaign_id="c2")
    at = world.clock.at()
    plain = world.gate.judge

    async def judge(work: Any, campaign: Any, contact: Any, attempt: Any, at: Any) -> Any:
        await work.add_attempt(Attempt(AttemptId("rival"), "c2", "c2-0101", ANN, 1, "r", at))
        return await plain(work, campaign, contact, attempt, at)

    world.gate.judge = judge
    assert await claim(world.store, world.gate, Candidate("c1-0101", "c1", 0, at), at) is None
    assert await world.attempts(ANN) == []


async def test_a_database_error_within_the_gate_is_not_taken_for_the_gates(world: World, new_contact: Any) -> None:
    await world.campaign(ANN)
    world.gate.answers[ANN] = OSError("disk")
    with pytest.raises(OSError, match="disk"):
        await world.runner.turn()
    assert (await world.contact(ANN)).reason == ""


async def test_a_contact_that_was_called_off_while_the_gate_failed_stays_so(world: World) -> None:
    await world.campaign(ANN)
    world.gate.answers[ANN] = RuntimeError("gone")
    plain, works = world.store.transaction, 0

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Any]:
        nonlocal works
        works += 1
        if works == 2:  # between the work that failed and the one that puts the contact by
            async with plain() as work:
                await orders.cancel_number(work, ANN, "opted_out", world.clock.at())
        async with plain() as work:
            yield work

    world.store.transaction = transaction
    await claim(world.store, world.gate, Candidate("c1-0101", "c1", 0, world.clock.at()), world.clock.at())
    assert (await world.contact(ANN)).state is ContactState.CALLED_OFF


def test_the_clocks_of_a_runner_are_the_systems() -> None:
    clock = SystemClock()
    assert clock.at().tzinfo is not None
    assert clock.now() <= clock.now()
