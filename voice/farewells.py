"""The ways in which we end a call with words: a no, trouble, the longest call, nobody who answers, a hand-over. Pure.

Each decides how the call will have ended before anything is said; what is said is not given up for anything.
"""

from __future__ import annotations

from voice.actions import Note
from voice.agent import AgentDefinition
from voice.course import Course
from voice.effects import Effects
from voice.reply import Departure, LeaveByHangup
from voice.report import Ending
from voice.wishes import Say, Step


class Farewells:
    """The last words of one call. `course` and `effects` are the call's."""

    def __init__(self, agent: AgentDefinition, course: Course, effects: Effects) -> None:
        self._agent = agent
        self._course = course
        self._effects = effects

    def opted_out(self, words: str) -> list[Step]:
        """The guard that no model can talk away: written first, said, and the call ends (47 CFR 64.1200(b)(3))."""
        self._course.ending = Ending.OPTED_OUT
        return [*self._effects.opt_out(words), _last(self._agent.manners.opted_out, LeaveByHangup("opted out"))]

    def trouble(self, reason: str) -> list[Step]:
        """The mind failed for good: an apology and a promise, then the end; the report asks for a callback."""
        self._course.detail, self._course.ending = reason, Ending.TROUBLE
        leave = LeaveByHangup(f"trouble: {reason}")
        return [Note("decision", f"no reply: {reason}"), _last(self._agent.manners.trouble, leave)]

    def time_is_up(self) -> list[Step]:
        """The longest call the agent may have is over."""
        self._course.ends(Ending.TIME_UP)
        return [_last(self._agent.manners.time_is_up, LeaveByHangup("time is up"))]

    def silence(self) -> list[Step]:
        """Nobody has answered when asked."""
        self._course.ending = Ending.SILENCE
        return [_last(self._agent.manners.silence_goodbye, LeaveByHangup("silence"))]

    def hand_over(self, to: str) -> list[Step]:
        """Announced, and once that has been heard, done."""
        leave, actions = self._effects.hand_over(to)
        return [*actions, _last(self._agent.manners.transferring, leave)]


def _last(words: str, leave: Departure) -> Say:
    return Say(words, is_protected=True, leave=leave)
