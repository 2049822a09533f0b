"""Recorded cases as calls: a call's detectors and its floor, fed frame by frame, many calls in step, in virtual time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.turns_cases import Corpus
from benchmarks.turns_score import Case, Decision
from voice.detectors.call import Found
from voice.detectors.pool import DetectorPool
from voice.detectors.smart_turn import Answer, SmartTurn
from voice.events import VoiceEvidence
from voice.floor import (
    Agent,
    CallerPaused,
    CallerStarted,
    DoubtGrown,
    DoubtRaised,
    DoubtSettled,
    Floor,
    FloorChange,
    FloorTaken,
    TurnOver,
)

Floats = NDArray[np.float32]

FRAME_MS: Final = 20


class Detectors(Protocol):
    """What the bench needs of a call's detectors: the same face the session uses."""

    def feed(self, audio: bytes) -> None: ...

    def played(self, audio: bytes) -> None: ...

    def found(self) -> list[VoiceEvidence]:
        """The evidence of every window judged since this was last asked."""


class InStep:
    """One call's detectors among those of many that are fed a frame each and then judged together."""

    def __init__(self, pool: DetectorPool) -> None:
        self._call = pool.enter()
        self._found: list[VoiceEvidence] = []
        self._call.begin(self._take)
        self.feed = self._call.feed
        self.played = self._call.played

    def found(self) -> list[VoiceEvidence]:
        """The evidence of every window judged since this was last asked."""
        found, self._found = self._found, []
        return found

    def _take(self, found: Found) -> None:
        if isinstance(found, VoiceEvidence):
            self._found.append(found)


def turned(pool: DetectorPool) -> None:
    """Judge what waits and tell every call."""
    for call, found in pool.turn():
        call.tell(found)


class Line:
    """One call under test: frames in, decisions out, each stamped with the end of the frame that brought it."""

    def __init__(self, detectors: Detectors, floor: Floor) -> None:
        self.detectors = detectors
        self.floor = floor

    def hear(self, near: bytes, agent: bytes | None) -> list[FloorChange]:
        """20 ms of the caller, while `agent` (or nothing) leaves for the caller's ear."""
        if agent is not None:
            self.detectors.played(agent)
        self.detectors.feed(near)
        now = Agent.SILENT if agent is None else Agent.AUDIBLE
        return self.floor.set_agent(now) if now is not self.floor.agent else []

    def decide(self) -> list[FloorChange]:
        """What the windows judged since then have changed."""
        return [change for window in self.detectors.found() for change in self.floor.evidence(window)]


def named(change: FloorChange) -> tuple[str, ...]:
    """The judges' words for a change of the floor."""
    match change:
        case CallerStarted():
            return ("speech_started",)
        case FloorTaken():
            return ("speech_started", "interrupt")
        case TurnOver():
            return ("turn_ended",)
        case DoubtRaised():
            return ("duck",)
        case DoubtGrown():
            return ("pause",)
        case DoubtSettled():
            return ("unduck",)
        case CallerPaused():
            return ("paused",)


class Play:
    """One case as one fresh call. Our voice goes silent in the tick after the first stop, as it does when it is cleared."""

    def __init__(self, case: Case, corpus: Corpus, line: Line) -> None:
        self.case = case
        self.decisions: list[Decision] = []
        self._line = line
        self._near = corpus.frames(case.file)
        self._agent = corpus.frames(case.agent) if case.agent else iter(())
        self._now = 0.0  # ms

    def hear(self) -> bool:
        """The next frame; whether there was one."""
        near = next(self._near, None)
        if near is None:
            return False
        self._now += FRAME_MS
        self._note(self._line.hear(near, next(self._agent, None)))
        return True

    def decide(self) -> None:
        self._note(self._line.decide())

    def _note(self, changes: Iterable[FloorChange]) -> None:
        made = [Decision(what, self._now) for change in changes for what in named(change)]
        if any(decision.what == "interrupt" for decision in made):
            self._agent = iter(())
        self.decisions += made


class InVirtualTime:
    """The turn model without a thread: answers come `late` windows (32 ms each) after the question, as from a busy one."""

    def __init__(self, model: SmartTurn, late: int = 2) -> None:
        self._model = model
        self._late = late

    def ask(self, samples: Floats) -> Answer:
        return _Delayed(self._model.judge(samples), self._late)


@dataclass(slots=True)
class _Delayed:
    value: float
    windows: int

    def done(self) -> bool:
        self.windows -= 1
        return self.windows < 0

    def result(self) -> float:
        return self.value
