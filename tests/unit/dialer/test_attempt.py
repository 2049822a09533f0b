from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.attempt import (
    GRACE,
    HANGUP_GRACE,
    Attempt,
    AttemptId,
    CancelWanted,
    CarrierAccepted,
    CarrierEvent,
    CarrierRefused,
    CarrierStatus,
    ConversationEnded,
    DispatchBegan,
    DispatchLost,
    Disposition,
    Fact,
    GivenUp,
    PartyReported,
    Phase,
    Progress,
    apply,
    is_machine,
    outcome_of,
)

T0 = datetime(2026, 11, 20, 15, tzinfo=UTC)


def after(*facts: Fact, known: Progress | None = None) -> Progress:
    progress = known or Progress()
    for fact in facts:
        progress = apply(progress, fact)
    return progress


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def told(status: CarrierStatus, seconds: float = 5, **more: object) -> CarrierEvent:
    return CarrierEvent(call_sid="CA1", status=status, at=at(seconds), **more)  # type: ignore[arg-type]


BEGAN = DispatchBegan(at(1))
ACCEPTED = CarrierAccepted("CA1", at(2))
RINGING = told(CarrierStatus.RINGING, 3, sequence=1)
ANSWERED = told(CarrierStatus.IN_PROGRESS, 9, sequence=2)
COMPLETED = told(CarrierStatus.COMPLETED, 60, sequence=3)


def test_the_life_of_an_answered_call() -> None:
    phases = [Progress()]
    for fact in (BEGAN, ACCEPTED, RINGING, ANSWERED, COMPLETED):
        phases.append(apply(phases[-1], fact))
    assert [each.phase for each in phases] == [
        Phase.INTENT,
        Phase.DISPATCHING,
        Phase.DISPATCHED,
        Phase.RINGING,
        Phase.ANSWERED,
        Phase.ENDED,
    ]
    end = phases[-1]
    assert end.disposition is Disposition.ANSWERED
    assert end.call_sid == "CA1"
    assert (end.dispatching_at, end.dispatched_at) == (at(1), at(2))
    assert (end.ringing_at, end.answered_at, end.ended_at) == (at(3), at(9), at(60))
    assert [each.disposition for each in phases[:-1]] == [None] * 5
    assert [each.is_active for each in phases] == [True] * 5 + [False]
    assert [each.has_left for each in phases] == [False] + [True] * 5


FAR_SIDE: list[Fact] = [ACCEPTED, RINGING, ANSWERED, COMPLETED, PartyReported("human", at(12))]


@pytest.mark.parametrize("last", [None, ConversationEnded(Disposition.OPTED_OUT, at(58), "stop calling me")])
def test_the_order_in_which_the_far_side_tells_things_does_not_matter(last: Fact | None) -> None:
    facts = [*FAR_SIDE, *([last] if last else [])]
    start = after(BEGAN)
    ends = {repr(after(*order, known=start)) for order in permutations(facts)}
    assert len(ends) == 1


@given(st.lists(st.sampled_from([*FAR_SIDE, ConversationEnded(Disposition.ABANDONED, at(20))]), max_size=12))
def test_what_is_told_twice_changes_nothing_and_nothing_ever_falls_back(facts: list[Fact]) -> None:
    known = after(BEGAN)
    for fact in facts:
        then = apply(known, fact)
        assert apply(then, fact) == then
        assert list(Phase).index(then.phase) >= list(Phase).index(known.phase)
        known = then


def test_a_callback_that_overtakes_the_answer_to_the_request_wins() -> None:
    known = after(BEGAN, RINGING, ACCEPTED)
    assert known.phase is Phase.RINGING
    assert known.dispatched_at == at(2)


@pytest.mark.parametrize("status", [CarrierStatus.QUEUED, CarrierStatus.INITIATED])
def test_a_queued_call_is_dispatched_and_no_more(status: CarrierStatus) -> None:
    assert after(BEGAN, told(status)).phase is Phase.DISPATCHED


def test_a_lost_request_is_unknown_until_a_callback_settles_it() -> None:
    lost = after(BEGAN, DispatchLost("timeout", at(30)))
    assert (lost.phase, lost.disposition, lost.detail) == (Phase.UNKNOWN, None, "timeout")
    assert lost.is_active
    settled = after(told(CarrierStatus.BUSY, 40), known=lost)
    assert settled.disposition is Disposition.BUSY
    assert settled.call_sid == "CA1"


def test_a_callback_before_the_timeout_keeps_the_attempt_from_being_unknown() -> None:
    assert after(BEGAN, RINGING, DispatchLost("timeout", at(30))).phase is Phase.RINGING


def test_what_is_given_up_is_unknown_and_a_late_callback_still_settles_it() -> None:
    given_up = after(BEGAN, DispatchLost("timeout", at(30)), GivenUp(at(900)))
    assert given_up.disposition is Disposition.UNKNOWN
    late = after(COMPLETED, known=given_up)
    assert late.disposition is Disposition.ANSWERED
    assert after(GivenUp(at(1000)), known=late).disposition is Disposition.ANSWERED


def test_an_answered_call_of_which_no_end_was_told_was_answered() -> None:
    assert after(BEGAN, ACCEPTED, ANSWERED, GivenUp(at(900))).disposition is Disposition.ANSWERED


def test_an_intent_that_is_given_up_never_left_the_house() -> None:
    assert after(GivenUp(at(90))).disposition is Disposition.CANCELLED


def test_a_refusal_of_the_carrier_ends_it() -> None:
    refused = after(BEGAN, CarrierRefused(Disposition.INVALID_NUMBER, "21211: not a valid phone number", at(2)))
    assert refused.disposition is Disposition.INVALID_NUMBER
    assert refused.detail.startswith("21211")


@pytest.mark.parametrize(
    ("event", "disposition"),
    [
        (told(CarrierStatus.COMPLETED), Disposition.ANSWERED),
        (told(CarrierStatus.BUSY), Disposition.BUSY),
        (told(CarrierStatus.BUSY, sip_code=603), Disposition.BUSY),
        (told(CarrierStatus.BUSY, sip_code=608), Disposition.BLOCKED),
        (told(CarrierStatus.NO_ANSWER), Disposition.NO_ANSWER),
        (told(CarrierStatus.NO_ANSWER, sip_code=487), Disposition.NO_ANSWER),
        (told(CarrierStatus.CANCELED), Disposition.CANCELLED),
        (told(CarrierStatus.FAILED), Disposition.FAILED),
        (told(CarrierStatus.FAILED, sip_code=503), Disposition.FAILED),
        (told(CarrierStatus.FAILED, sip_code=404), Disposition.INVALID_NUMBER),
        (told(CarrierStatus.FAILED, sip_code=607), Disposition.BLOCKED),
        (told(CarrierStatus.FAILED, error_code="21217"), Disposition.INVALID_NUMBER),
        (told(CarrierStatus.FAILED, error_code="32017", sip_code=503), Disposition.BLOCKED),
    ],
)
def test_what_a_final_status_means(event: CarrierEvent, disposition: Disposition) -> None:
    assert outcome_of(event) is disposition
    assert after(BEGAN, event).disposition is disposition


def test_a_status_that_ends_nothing_has_no_outcome() -> None:
    with pytest.raises(ValueError, match="ringing"):
        outcome_of(RINGING)


def test_the_carriers_codes_are_kept_for_people() -> None:
    ended = after(BEGAN, told(CarrierStatus.FAILED, sip_code=404, error_code="32009"))
    assert ended.detail == "failed, SIP 404, error 32009"


def test_the_conversation_knows_better_than_the_carrier() -> None:
    machine = replace(COMPLETED, answered_by="machine_start")
    assert after(BEGAN, ANSWERED, machine).disposition is Disposition.MACHINE
    person = ConversationEnded(Disposition.ANSWERED, at(50))
    assert after(BEGAN, ANSWERED, machine, person).disposition is Disposition.ANSWERED
    assert after(BEGAN, ANSWERED, person, machine).disposition is Disposition.ANSWERED


def test_a_conversation_is_proof_that_somebody_answered() -> None:
    known = after(BEGAN, ConversationEnded(Disposition.MACHINE, at(20)))
    assert (known.phase, known.answered_at) == (Phase.ANSWERED, at(20))


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("", "human", "human"),
        ("unknown", "machine_start", "machine_start"),
        ("machine_start", "unknown", "machine_start"),
        ("machine_start", "machine_end_beep", "machine_start"),
        ("", "unknown", "unknown"),
    ],
)
def test_the_surer_word_about_who_answered_is_kept_in_either_order(first: str, second: str, kept: str) -> None:
    for one, other in ((first, second), (second, first)):
        assert after(PartyReported(one, T0), PartyReported(other, T0)).answered_by == kept


def test_who_counts_as_a_machine() -> None:
    assert [is_machine(word) for word in ("machine_end_beep", "fax", "human", "unknown", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_what_has_not_left_the_house_is_cancelled_at_once_and_never_leaves() -> None:
    cancelled = after(CancelWanted("opted_out", at(1)))
    assert (cancelled.disposition, cancelled.detail) == (Disposition.CANCELLED, "opted_out")
    assert not after(BEGAN, known=cancelled).is_active


def test_what_has_left_is_marked_and_the_carrier_has_the_last_word() -> None:
    marked = after(BEGAN, ACCEPTED, RINGING, CancelWanted("opted_out", at(5)))
    assert (marked.phase, marked.is_cancel_wanted) == (Phase.RINGING, True)
    assert after(told(CarrierStatus.CANCELED, 6), known=marked).disposition is Disposition.CANCELLED
    assert after(ANSWERED, COMPLETED, known=marked).disposition is Disposition.ANSWERED


# --- limits ---------------------------------------------------------------------------------------------------------------


def attempt(*facts: Fact) -> Attempt:
    new = Attempt(AttemptId("a1"), "c1", "k1", "+16145550123", 1, "r1", T0, ring_timeout=25, longest_call=600)
    for fact in facts:
        new = new.after(fact)
    return new


def test_nothing_is_waited_for_for_ever() -> None:
    ring_and_talk = timedelta(seconds=625) + GRACE
    assert attempt().expires_at == T0 + GRACE
    assert attempt(BEGAN).expires_at == at(1) + ring_and_talk
    assert attempt(BEGAN, DispatchLost("", at(9))).expires_at == at(1) + ring_and_talk
    assert attempt(BEGAN, ACCEPTED, RINGING).expires_at == at(1) + ring_and_talk
    assert attempt(RINGING).expires_at == T0 + ring_and_talk
    assert attempt(BEGAN, ANSWERED).expires_at == at(9) + timedelta(seconds=600) + GRACE
    assert attempt(BEGAN, ConversationEnded(Disposition.MACHINE, at(20))).expires_at == at(20) + HANGUP_GRACE
    transferred = ConversationEnded(Disposition.TRANSFERRED, at(20))
    assert attempt(BEGAN, ANSWERED, transferred).expires_at == at(9) + timedelta(seconds=600) + GRACE
    assert attempt(BEGAN, COMPLETED).expires_at is None
    bare = attempt()
    assert replace(bare, progress=replace(bare.progress, phase=Phase.ANSWERED)).expires_at is not None


def test_which_attempts_take_a_line() -> None:
    assert attempt().is_on_line(T0)
    assert attempt(BEGAN, ACCEPTED, ANSWERED).is_on_line(at(300))
    assert not attempt(BEGAN, COMPLETED).is_on_line(at(61))
    assert not attempt(BEGAN, ConversationEnded(Disposition.TRANSFERRED, at(20))).is_on_line(at(21))


def test_a_lost_request_gives_its_line_back_once_no_phone_can_ring_any_more() -> None:
    lost = attempt(BEGAN, DispatchLost("timeout", at(30)))
    free = at(1) + timedelta(seconds=25) + GRACE
    assert lost.line_free_at() == free
    assert lost.is_on_line(free - timedelta(seconds=1))
    assert not lost.is_on_line(free)
    assert lost.progress.is_active
    assert attempt(DispatchLost("", at(1))).line_free_at() == T0 + timedelta(seconds=25) + GRACE
    assert (attempt().phase, attempt().disposition) == (Phase.INTENT, None)
