from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from voice.errors import ProviderRejected, ProviderUnavailable
from voice.pricing.consumption import Stage
from voice.providers.resilience.breaker import Admission
from voice.providers.resilience.health import Health


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_provider_that_goes_down_is_one_line_and_one_more_when_it_is_back(clock: Clock) -> None:
    record = Health(clock).record(Stage.MIND, "anthropic")
    with capture_logs() as lines:
        for _ in range(20):
            record.failed(ProviderUnavailable("anthropic", "overloaded"), clock.now)
        clock.now += 5.0
        assert record.breaker.admit(clock.now) is Admission.PROBE
        record.failed(ProviderUnavailable("anthropic", "overloaded"), clock.now)  # a probe: no news
        record.succeeded(0.5)
    shown = [(line["log_level"], line["event"]) for line in lines if line["log_level"] != "debug"]
    assert shown == [("error", "provider_down"), ("info", "provider_still_down"), ("info", "provider_back")]
    assert record.last_error == "overloaded"


def test_a_wrong_key_takes_it_down_at_once(clock: Clock) -> None:
    health = Health(clock)
    record = health.record(Stage.MIND, "anthropic")
    record.failed(ProviderRejected("anthropic", "wrong_key"), clock.now)
    assert list(health.admitted([record])) == []
    clock.now += 60.0
    assert [admission for _, admission in health.admitted([record])] == [Admission.PROBE]


def test_late_five_times_in_a_row_is_down_and_an_answer_between_forgives(clock: Clock) -> None:
    record = Health(clock).record(Stage.MOUTH, "elevenlabs")
    told: list[int] = []
    record.on_doubt.add(lambda: told.append(1))
    for _ in range(3):
        record.late(2.0, clock.now)
    assert told == []
    record.succeeded(0.2)
    for _ in range(4):
        record.late(2.0, clock.now)
    assert told == [1]
    assert not record.breaker.is_open(clock.now)
    record.late(2.0, clock.now)
    assert told == [1, 1]
    assert record.breaker.is_open(clock.now)
    assert record.last_error == "too_slow"


def test_being_called_off_in_time_says_nothing(clock: Clock) -> None:
    record = Health(clock).record(Stage.MOUTH, "elevenlabs")
    for _ in range(9):
        record.called_off()
    assert not record.breaker.is_open(clock.now)


def test_a_probe_that_is_late_is_a_failed_probe(clock: Clock) -> None:
    health = Health(clock)
    record = health.record(Stage.MIND, "openai")
    assert health.record(Stage.MIND, "openai") is record
    record.failed(ProviderRejected("openai", "quota"), clock.now)
    clock.now += 60.0
    list(health.admitted([record]))
    record.late(2.0, clock.now)
    assert record.breaker.is_open(clock.now + 1.0)


def test_when_all_are_down_those_who_were_only_slow_are_asked_together(clock: Clock) -> None:
    health = Health(clock)
    slow, wrong = health.record(Stage.MIND, "a"), health.record(Stage.MIND, "b")
    assert [record for record, _ in health.askable([slow, wrong])] == [slow, wrong]
    for _ in range(5):
        slow.late(2.0, clock.now)
    wrong.failed(ProviderRejected("b", "wrong_key"), clock.now)
    assert health.askable([slow, wrong]) == [(slow, Admission.PROBE)]
    other = health.record(Stage.MIND, "c")
    assert health.askable([slow, wrong, other]) == [(other, Admission.YES), (slow, Admission.YES)]


def test_calls_can_be_taken_while_every_stage_has_somebody(clock: Clock) -> None:
    health = Health(clock)
    assert health.can_take_calls()
    first, second = health.record(Stage.MIND, "anthropic"), health.record(Stage.MIND, "openai")
    health.record(Stage.EARS, "deepgram").connected(0.1)
    first.failed(ProviderRejected("anthropic", "wrong_key"), clock.now)
    assert health.can_take_calls()
    second.failed(ProviderRejected("openai", "wrong_key"), clock.now)
    assert health.is_down(Stage.MIND)
    assert not health.can_take_calls()
    clock.now += 60.0
    assert health.can_take_calls()  # half open: somebody has to try
