from __future__ import annotations

from voice.providers.resilience.breaker import Admission, Breaker, BreakerPolicy, State


def opened(at: float = 10.0) -> Breaker:
    breaker = Breaker()
    assert [breaker.failed(at) for _ in range(3)] == [False, False, True]
    return breaker


def test_failures_in_a_row_open_it_and_one_success_between_them_does_not() -> None:
    breaker = Breaker()
    breaker.failed(1.0)
    breaker.failed(2.0)
    assert breaker.succeeded() is False
    assert breaker.failed(3.0) is False
    assert breaker.admit(3.0) is Admission.YES


def test_being_late_weighs_half() -> None:
    breaker = Breaker()
    assert [breaker.failed(0.0, is_late=True) for _ in range(5)] == [False, False, False, False, True]
    mixed = Breaker()
    assert [mixed.failed(0.0), mixed.failed(0.0, is_late=True), mixed.failed(0.0)] == [False, False, True]


def test_one_that_is_late_again_and_again_is_doubted_before_it_is_given_up() -> None:
    breaker = Breaker()
    doubts = []
    for _ in range(5):
        breaker.failed(0.0, is_late=True)
        doubts.append(breaker.is_doubted(0.0))
    assert doubts == [False, False, False, True, True]
    assert breaker.is_open(0.0)
    breaker.succeeded()
    assert not breaker.is_doubted(9.0)


def test_an_open_one_admits_nobody_until_it_has_cooled_down_then_one_probe() -> None:
    breaker = opened()
    assert breaker.admit(14.9) is Admission.NO
    assert breaker.is_open(14.9)
    assert not breaker.is_open(15.0)
    assert breaker.admit(15.0) is Admission.PROBE
    assert breaker.admit(15.0) is Admission.NO
    assert breaker.succeeded() is True
    assert breaker.state is State.CLOSED


def test_a_failed_probe_doubles_the_cool_down_up_to_the_longest() -> None:
    breaker, now = opened(), 15.0
    waits = []
    for _ in range(6):
        assert breaker.admit(now) is Admission.PROBE
        assert breaker.failed(now) is True
        waits.append(breaker.reopens_at - now)
        now = breaker.reopens_at
    assert waits == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_a_rejection_opens_it_at_once_and_for_longer() -> None:
    breaker = Breaker(BreakerPolicy(cool_down_rejected=90.0))
    assert breaker.failed(0.0, is_rejected=True) is True
    assert breaker.is_open(89.0)


def test_a_late_failure_of_an_open_one_changes_nothing() -> None:
    breaker = opened()
    assert breaker.failed(12.0) is False
    assert breaker.reopens_at == 15.0


def test_a_probe_that_we_called_off_says_nothing() -> None:
    breaker = opened()
    breaker.admit(15.0)
    breaker.released()
    assert breaker.admit(15.1) is Admission.PROBE
