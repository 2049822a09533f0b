from __future__ import annotations

import pytest

from voice.actions import Note, RunTool
from voice.agent import AgentDefinition
from voice.course import Course, Phase
from voice.effects import Effects
from voice.events import CallId
from voice.farewells import Farewells
from voice.memory import Memory
from voice.policy import Policy
from voice.reply import LeaveByHangup, LeaveByTransfer
from voice.report import Ending
from voice.waits import Waits
from voice.wishes import Say, Step

AGENT = AgentDefinition("test", "Acme", "Ava", "ask", "Hello.", "Goodbye.")
MANNERS = AGENT.manners


@pytest.fixture
def course() -> Course:
    course = Course(Policy(), Waits())
    course.phase = Phase.TALKING
    return course


@pytest.fixture
def farewells(course: Course) -> Farewells:
    return Farewells(AGENT, course, Effects(Memory(CallId("c")), ""))


def hangs_up(words: str, reason: str) -> Step:
    return Say(words, is_protected=True, leave=LeaveByHangup(reason))


def test_a_no_is_written_before_it_is_answered(farewells: Farewells, course: Course):
    written, _, said = farewells.opted_out("stop calling")
    assert isinstance(written, RunTool)
    assert (written.name, written.arguments) == ("opt_out", '{"words": "stop calling"}')
    assert said == hangs_up(MANNERS.opted_out, "opted out")
    assert course.ending is Ending.OPTED_OUT


def test_a_second_no_is_answered_and_not_written_again(farewells: Farewells):
    farewells.opted_out("stop calling")
    again = farewells.opted_out("I said stop")
    assert not any(isinstance(step, RunTool) for step in again)
    assert again[-1] == hangs_up(MANNERS.opted_out, "opted out")


def test_trouble_is_told_and_kept_for_the_report(farewells: Farewells, course: Course):
    assert farewells.trouble("timeout") == [
        Note("decision", "no reply: timeout"),
        hangs_up(MANNERS.trouble, "trouble: timeout"),
    ]
    assert (course.ending, course.detail) == (Ending.TROUBLE, "timeout")


def test_the_longest_call_changes_no_ending_that_is_decided(farewells: Farewells, course: Course):
    assert farewells.time_is_up() == [hangs_up(MANNERS.time_is_up, "time is up")]
    assert course.ending is Ending.TIME_UP
    farewells.opted_out("stop calling")
    farewells.time_is_up()
    assert course.ending is Ending.OPTED_OUT


def test_nobody_who_answers_is_left_politely(farewells: Farewells, course: Course):
    assert farewells.silence() == [hangs_up(MANNERS.silence_goodbye, "silence")]
    assert course.ending is Ending.SILENCE


def test_a_hand_over_is_announced_first_and_ends_nothing_yet(farewells: Farewells, course: Course):
    noted, said = farewells.hand_over("+16145550199")
    assert isinstance(noted, Note)
    assert said == Say(MANNERS.transferring, is_protected=True, leave=LeaveByTransfer("supervisor-0", "+16145550199"))
    assert course.ending is None
