"""One step of a climb as the callers saw it: what crosses from their process, and what it says of the engine. Pure."""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from benchmarks.report.model import at

MOST_LATE: Final = 0.01  # share of late frames that breaks an engine
MOST_OURS_LATE: Final = 0.05  # share of the callers' own turns over 10 ms late: then it is them who are measured


FRAME_SECONDS: Final = 0.02


class Sound(StrEnum):
    """What the first sound of an answer is."""

    BRIDGE = "a word in between"
    CONTENT = "content"


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """One answer on the wire: to which line of which caller's script, and after how many seconds.

    `call` is the carrier's name of the call, `position` how much of the caller's audio it had by the end of the line, in
    samples; `sent` when each frame left, from the line's last on (monotonic seconds).
    """

    script: str
    line: int
    gap: float
    sound: Sound = Sound.CONTENT
    call: str = ""
    position: int = 0
    sent: tuple[float, ...] = ()

    @property
    def ended_at(self) -> float:
        """When the caller fell silent: a frame is sent as it begins."""
        return self.sent[0] + FRAME_SECONDS if self.sent else 0.0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """So many calls at once for some seconds. `began` and `ended` are wall clock, for the engine's own notes to be found."""

    calls: int
    live: int  # at the end
    began: float
    ended: float
    turns: tuple[Turn, ...] = ()
    unanswered: int = 0
    frames: int = 0
    late: int = 0
    dropped: int = 0  # calls that the engine ended or refused
    our_late_share: float = 0.0

    @property
    def gaps(self) -> tuple[float, ...]:
        return tuple(turn.gap for turn in self.turns)

    @property
    def gap_p95(self) -> float | None:
        return at(self.gaps, 95)

    @property
    def late_share(self) -> float:
        return self.late / self.frames if self.frames else 0.0

    @property
    def is_ours(self) -> bool:
        """Whether the callers were late themselves: then the step says nothing of the engine."""
        return self.our_late_share > MOST_OURS_LATE


def verdict(step: Step, base: float | None) -> str:
    """Why this step broke the engine; empty if it did not. `base`: p95 of the gap while it was hardly called, in seconds."""
    if step.live != step.calls:
        return "calls were dropped"
    if step.late_share > MOST_LATE:
        return f"{step.late_share:.1%} of frames late"
    if step.gap_p95 is None:
        return "nobody was answered"
    if base is not None and step.gap_p95 > 2 * base:
        return "response gap p95 doubled"
    return ""


def added(base: Sequence[Step], crowded: Sequence[Step], *, is_alike: bool = False) -> list[float]:
    """By how much longer each answer took among many callers than the same answer among few, in seconds. Lines that were not
    answered among few are left out.

    The same line of the same script is heard each time, by vendors of fixed pace, but a busy engine may also decide
    otherwise: wait for the end of the turn for longer, or bridge a wait. `is_alike`: only answers are compared that begin
    with the same kind of sound.
    """
    usual: defaultdict[tuple[str, int, str], list[float]] = defaultdict(list)
    for turn in itertools.chain.from_iterable(step.turns for step in base):
        usual[_what(turn, is_alike=is_alike)].append(turn.gap)
    crowd = ((turn, _what(turn, is_alike=is_alike)) for turn in itertools.chain.from_iterable(s.turns for s in crowded))
    return [turn.gap - statistics.median(usual[what]) for turn, what in crowd if what in usual]


def _what(turn: Turn, *, is_alike: bool) -> tuple[str, int, str]:
    return turn.script, turn.line, turn.sound if is_alike else ""
