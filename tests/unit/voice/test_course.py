"""The course of a call: who decides how it ends, and the last order."""

from __future__ import annotations

import pytest

from voice.actions import Hangup, Transfer
from voice.course import Course, Phase
from voice.policy import Policy
from voice.reply import LeaveByHangup, LeaveByTransfer
from voice.report import Ending
from voice.waits import Wait, Waits


def a_course(phase: Phase = Phase.TALKING) -> tuple[Course, Waits]:
    waits = Waits()
    course = Course(Policy(gone_within=5.0), waits)
    course.phase = phase
    return course, waits


def test_the_first_reason_to_end_stays_the_ending():
    course, _ = a_course()
    course.ends(Ending.SILENCE, "nobody spoke")
    course.ends(Ending.COMPLETED, "goodbye")
    course.over("hangup")
    assert (course.ending, course.detail, course.phase) == (Ending.SILENCE, "nobody spoke", Phase.ENDED)


def test_after_our_hang_up_only_the_end_of_the_leg_is_waited_for():
    course, waits = a_course()
    waits.set(Wait.SILENCE, 3.0)
    assert course.leave(LeaveByHangup("done"), 2.0) == [Hangup("done")]
    assert (course.phase, course.ending, course.detail) == (Phase.LEAVING, Ending.COMPLETED, "done")
    assert dict(waits.instants) == {Wait.GONE: 7.0}


def test_a_transfer_waits_for_nothing_and_may_fail():
    course, waits = a_course()
    assert course.leave(LeaveByTransfer("t1", "+16145550199"), 2.0) == [Transfer("t1", "+16145550199")]
    assert (course.is_talking, waits.deadline) == (False, None)
    course.stays()
    assert (course.is_talking, course.transferred_to) == (True, "")


@pytest.mark.parametrize(
    ("phase", "to", "ending"),
    [
        (Phase.TALKING, "", Ending.CALLER_LEFT),
        (Phase.MACHINE, "", Ending.MACHINE),
        (Phase.LEAVING, "+16145550199", Ending.TRANSFERRED),
    ],
)
def test_an_end_that_nothing_of_ours_decided(phase: Phase, to: str, ending: Ending):
    course, waits = a_course(phase)
    course.transferred_to = to
    waits.set(Wait.BEEP, 9.0)
    course.over("hangup")
    assert (course.ending, course.detail, waits.deadline) == (ending, "hangup", None)
