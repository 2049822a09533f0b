from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.measuring import Gaps, count_refusals, gaps_of, measure_context, measure_gaps, measure_note
from api.metrics import Metrics
from storage.events import CallAnswered, ContactClosed, ContactDeferred, Event, Recorded
from voice.actions import Note
from voice.events import CallId, Party
from voice.report import CallReport, Ending, Line

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def report(*lines: Line) -> CallReport:
    return CallReport(CallId("ca_1"), Ending.COMPLETED, "", lines, (), Party.HUMAN, "", 20.0)


def said(speaker: str, started: float, ended: float) -> Line:
    return Line(speaker, "words", started, ended)


def test_gaps_are_from_the_callers_last_sound_to_our_first():
    call = report(said("agent", 0.1, 3.0), said("caller", 4.0, 5.0), said("agent", 5.6, 8.0), said("caller", 9.0, 9.5))
    gaps = gaps_of(call)
    assert gaps.first_audio == 0.1
    assert gaps.responses == pytest.approx((0.6,))


def test_what_was_said_over_each_other_answers_nothing():
    call = report(said("agent", 0.1, 3.0), said("caller", 2.0, 4.0), said("agent", 3.5, 8.0))
    assert gaps_of(call).responses == ()


def test_a_call_in_which_nobody_spoke():
    gaps = gaps_of(report())
    assert gaps == Gaps(None)
    assert gaps.figures() == {}
    metrics = Metrics()
    measure_gaps(metrics, gaps)
    assert metrics.value("offhook_first_audio_seconds_count") == 0


def test_gaps_are_kept_and_measured():
    gaps = Gaps(0.123456, (0.5, 0.7, 1.1))
    assert gaps.figures() == {"first_audio": 0.1235, "response_gap": {"median": 0.7, "longest": 1.1}}
    metrics = Metrics()
    measure_gaps(metrics, gaps)
    assert metrics.value("offhook_response_gap_seconds_count") == 3
    assert metrics.value("offhook_first_audio_seconds_sum") == pytest.approx(0.123456)


def test_a_barge_in_is_timed_from_the_callers_first_sound():
    metrics = Metrics()
    for note in (
        Note("decision", "the caller takes the floor: voice", (("after", "0.288"),)),
        Note("decision", "turn over: silence"),
        Note("caller", "wait", (("after", "nonsense"),)),
    ):
        measure_note(metrics, note)
    assert metrics.value("offhook_barge_in_stop_seconds_count") == 1
    assert metrics.value("offhook_barge_in_stop_seconds_sum") == pytest.approx(0.288)


def test_context_is_timed_by_source():
    metrics = Metrics()
    measure_context(metrics, {"contact": 0.02, "total": 0.2})
    assert metrics.value("offhook_context_seconds_count", source="total") == 1


def refused(kind: type[ContactClosed] | type[ContactDeferred], *rules: str) -> Event:
    more = {"disposition": "refused"} if kind is ContactClosed else {"until": AT}
    return kind(campaign_id="c", contact_id="k", number="", reason="", rules=rules, **more)  # type: ignore[arg-type]


def test_refusals_are_counted_by_rule():
    metrics = Metrics()
    for event in (
        refused(ContactDeferred, "WINDOW_FEDERAL", "WINDOW_STATE"),
        refused(ContactClosed, "WINDOW_FEDERAL"),
        refused(ContactClosed),
        CallAnswered(),
    ):
        count_refusals(metrics, Recorded(1, AT, event))
    assert metrics.value("offhook_attempts_refused_total", rule="WINDOW_FEDERAL") == 2
    assert metrics.value("offhook_attempts_refused_total", rule="WINDOW_STATE") == 1
