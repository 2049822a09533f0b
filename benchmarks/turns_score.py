"""The rules by which turn-taking is judged: what a decision at an instant is worth, given what was really said.

End of turn: the first `turn_ended` not earlier than 150 ms before the true end is the endpoint, and its distance from that
end the delay; none before the recording stops means the end was missed. Every earlier one is a cut-off, charged to the
labelled pause it followed (at most once per pause), or to speech itself when no pause was running (400 ms of grace).
Barge-in: only the first `interrupt` counts. A true interruption is detected between its onset and one second after its
end; earlier is a false stop of the noise before it. Where nobody takes the floor, any `interrupt` is false.
Line: `turn_ended` where nobody took a turn; a voicemail greeting is exactly one turn, over when the greeting is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

TOLERANCE_MS: Final = 150
PAUSE_GRACE_MS: Final = 400
INTERRUPT_GRACE_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Pause:
    start: int  # ms, as all times here
    end: int
    kind: str  # natural, inserted, digits


@dataclass(frozen=True, slots=True)
class Case:
    """One recording and the truth about it. Times in milliseconds from its beginning."""

    id: str
    group: str  # eot, barge, line
    sub: str
    condition: str
    file: str
    duration: int
    noise: str = ""
    kind: str = ""
    pauses: tuple[Pause, ...] = ()
    turn_end: int = 0
    is_end_scored: bool = True
    agent: str = ""  # file with our own voice, playing all the while
    is_interruption: bool = False
    event: tuple[int, int] = (0, 0)
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the engine decided and when: turn_ended, interrupt, speech_started, duck, pause or unduck."""

    what: str
    at: float


@dataclass(frozen=True, slots=True)
class PauseScore:
    length: int
    kind: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class TurnScore:
    delay: float | None
    pauses: tuple[PauseScore, ...] = ()
    in_speech: int = 0
    extra: int = 0

    @property
    def is_cut(self) -> bool:
        return self.in_speech > 0 or any(pause.is_cut for pause in self.pauses)


@dataclass(frozen=True, slots=True)
class BargeScore:
    """`delay` of a detected interruption; `is_early` when the noise before it already stopped us; counted beside: `ducks`,
    and `pauses`, silences that are taken back in a moment unless they become a stop."""

    delay: float | None = None
    is_early: bool = False
    is_false: bool = False
    ducks: int = 0
    pauses: int = 0


@dataclass(frozen=True, slots=True)
class LineScore:
    turns: int
    starts: int
    early: int = 0
    delay: float | None = None
    extra: int = 0


@dataclass(slots=True)
class Scores:
    """Every case's score, by the kind of case."""

    turns: dict[str, TurnScore] = field(default_factory=dict)
    barges: dict[str, BargeScore] = field(default_factory=dict)
    lines: dict[str, LineScore] = field(default_factory=dict)


def score_turn(case: Case, ended: Sequence[float]) -> TurnScore:
    """Judge the ends of turn decided in one end-of-turn case."""
    limit = case.turn_end - TOLERANCE_MS
    late = [at for at in ended if at >= limit]
    early = [at for at in ended if at < limit]
    cut: set[int] = set()
    in_speech = 0
    for at in early:
        begun = [index for index, pause in enumerate(case.pauses) if pause.start < at]
        if begun and at <= case.pauses[begun[-1]].end + PAUSE_GRACE_MS:
            cut.add(begun[-1])
        else:
            in_speech += 1
    pauses = tuple(PauseScore(p.end - p.start, p.kind, index in cut) for index, p in enumerate(case.pauses))
    delay = late[0] - case.turn_end if late and case.is_end_scored else None
    return TurnScore(delay, pauses, in_speech, max(0, len(late) - 1))


def score_barge(case: Case, stops: Sequence[float], ducks: int) -> BargeScore:
    """Judge the first stop of our voice in one barge-in case."""
    if not stops:
        return BargeScore(ducks=ducks)
    first = stops[0]
    if not case.is_interruption:
        return BargeScore(is_false=True, ducks=ducks)
    onset, end = case.event
    if first < onset:
        return BargeScore(is_early=True, ducks=ducks)
    return BargeScore(first - onset if first <= end + INTERRUPT_GRACE_MS else None, ducks=ducks)


def score_line(case: Case, ended: Sequence[float], starts: int) -> LineScore:
    """Judge a line on which nobody talks to us: noise, music, tones, or a voicemail greeting."""
    if case.sub != "voicemail":
        return LineScore(len(ended), starts)
    late = [at for at in ended if at >= case.turn_end - TOLERANCE_MS]
    delay = late[0] - case.turn_end if late else None
    return LineScore(len(ended), starts, len(ended) - len(late), delay, max(0, len(late) - 1))


def score(case: Case, decisions: Sequence[Decision], into: Scores) -> None:
    """Judge one case's decisions and file the result."""
    ended = [decision.at for decision in decisions if decision.what == "turn_ended"]
    if case.group == "eot":
        into.turns[case.id] = score_turn(case, ended)
    elif case.group == "barge":
        stops = [decision.at for decision in decisions if decision.what == "interrupt"]
        made = Counter(decision.what for decision in decisions)
        into.barges[case.id] = replace(score_barge(case, stops, made["duck"]), pauses=made["pause"])
    else:
        starts = sum(decision.what == "speech_started" for decision in decisions)
        into.lines[case.id] = score_line(case, ended, starts)
