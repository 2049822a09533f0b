"""`offhook bench turns`: a call's detectors and floor over recorded cases, in virtual time, judged by `turns_score`.

The corpus is a folder with `cases/cases.jsonl` (one case a line) and the mu-law recordings beside it. It is for measuring
only: nothing of it is read by the engine itself. No recogniser takes part, so what is measured is what sound alone decides.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.turns_score import Case, Decision, Pause, Scores, score
from benchmarks.turns_tables import Report
from voice.detectors.pool import Alone, DetectorPool
from voice.detectors.smart_turn import Answer, SmartTurn
from voice.events import VoiceEvidence
from voice.floor import (
    Agent,
    CallerPaused,
    CallerStarted,
    DoubtRaised,
    DoubtSettled,
    Floor,
    FloorChange,
    FloorPolicy,
    FloorTaken,
    TurnOver,
)
from voice.providers.silero import SileroRows

Floats = NDArray[np.float32]

FRAME: Final = 160  # samples, and bytes of mu-law: 20 ms
FRAME_MS: Final = 20


class Detectors(Protocol):
    """What the bench needs of a call's detectors: the same face the session uses."""

    def feed(self, near: bytes) -> list[VoiceEvidence]: ...

    def played(self, audio: bytes) -> None: ...


class Corpus:
    """The cases of a folder, and their audio."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "cases"
        lines = (self.folder / "cases.jsonl").read_text().splitlines()
        self.cases = tuple(read_case(line) for line in lines if line.strip())

    def frames(self, file: str) -> Iterator[bytes]:
        """The whole 20 ms frames of one recording."""
        audio = (self.folder / file).read_bytes()
        return (audio[at : at + FRAME] for at in range(0, len(audio) - FRAME + 1, FRAME))


class _Row(msgspec.Struct):
    """A line of `cases.jsonl`, as far as the rules read it."""

    id: str
    group: str
    sub: str
    cond: str
    file: str
    dur_ms: int
    noise: str | None = None
    kind: str | None = None
    pauses: list[tuple[int, int, str]] = []
    turn_end_ms: int | None = None
    score_end: bool = True
    agent: str = ""
    expect: str = "none"
    event: tuple[int, int] = (0, 0)


def read_case(line: str) -> Case:
    """One line of the case list. Raises `msgspec.ValidationError` when it is not one."""
    row = msgspec.json.decode(line, type=_Row)
    return Case(
        id=row.id,
        group=row.group,
        sub=row.sub,
        condition=row.cond,
        file=row.file,
        duration=row.dur_ms,
        noise=row.noise or "",
        kind=row.kind or "",
        pauses=tuple(Pause(*pause) for pause in row.pauses),
        turn_end=row.turn_end_ms or 0,
        is_end_scored=row.score_end,
        agent=row.agent,
        is_interruption=row.expect == "interrupt",
        event=row.event,
    )


class Line:
    """One call under test: frames in, decisions out, each stamped with the end of the frame that brought it."""

    def __init__(self, detectors: Detectors, floor: Floor) -> None:
        self.detectors = detectors
        self.floor = floor
        self.seconds = 0.0  # of our own CPU time in the detectors
        self.windows = 0

    def tick(self, near: bytes, agent: bytes | None, now: float) -> list[Decision]:
        """One 20 ms of the caller, while `agent` (or nothing) leaves for the caller's ear."""
        changes = self._follow(Agent.SILENT if agent is None else Agent.AUDIBLE)
        began = time.process_time()
        if agent is not None:
            self.detectors.played(agent)
        evidence = self.detectors.feed(near)
        self.seconds += time.process_time() - began
        self.windows += len(evidence)
        for window in evidence:
            changes += self.floor.evidence(window)
        return [Decision(what, now) for change in changes for what in named(change)]

    def _follow(self, agent: Agent) -> list[FloorChange]:
        return self.floor.set_agent(agent) if agent is not self.floor.agent else []


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
        case DoubtSettled():
            return ("unduck",)
        case CallerPaused():
            return ("paused",)


def play(case: Case, corpus: Corpus, line: Line) -> list[Decision]:
    """One case as one fresh call. Our voice goes silent in the tick after the first stop, as it does when it is cleared."""
    decisions: list[Decision] = []
    agent = corpus.frames(case.agent) if case.agent else iter(())
    for index, near in enumerate(corpus.frames(case.file)):
        now = float((index + 1) * FRAME_MS)
        decisions += line.tick(near, next(agent, None), now)
        if any(decision.what == "interrupt" for decision in decisions):
            agent = iter(())
    return decisions


@dataclass(frozen=True, slots=True)
class Result:
    """One run: the report to print, and what it cost."""

    report: Report
    audio_seconds: float
    detector_seconds: float  # of CPU
    decisions: dict[str, list[Decision]]

    @property
    def cost(self) -> float:
        """Detector CPU, milliseconds per second of call."""
        return 1000 * self.detector_seconds / self.audio_seconds if self.audio_seconds else 0.0


def measure(
    corpus: Corpus,
    open_detectors: Callable[[], Detectors],
    *,
    policy: FloorPolicy | None = None,
    keep: Callable[[Case], bool] = lambda case: True,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Result:
    """Run the kept cases, each as a fresh call, and judge them."""
    cases = [case for case in corpus.cases if keep(case)]
    scores, every, cpu = Scores(), {}, 0.0
    for index, case in enumerate(cases):
        line = Line(open_detectors(), Floor(policy))
        every[case.id] = play(case, corpus, line)
        score(case, every[case.id], scores)
        cpu += line.seconds
        progress(index + 1, len(cases))
    return Result(Report("offhook", cases, scores), sum(case.duration for case in cases) / 1000, cpu, every)


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


def run(
    corpus: Path,
    *,
    keep: str = "",
    uses_model: bool = True,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Result:
    """Measure this engine on the corpus. `keep` is `group`, `group:sub`, or empty for all; the turn model may be left out.

    Raises `FileNotFoundError` when the folder holds no cases.
    """
    judge = InVirtualTime(SmartTurn()) if uses_model else None
    pool = DetectorPool(SileroRows(), judge)
    group, _, sub = keep.partition(":")
    return measure(
        Corpus(corpus),
        lambda: Alone(pool),
        keep=lambda case: group in ("", case.group) and sub in ("", case.sub),
        progress=progress,
    )


def summary(result: Result) -> str:
    """All tables, and what it cost."""
    minutes = result.audio_seconds / 60
    cost = f"Detectors: {result.cost:.2f} ms of CPU per second of call ({minutes:.0f} minutes of audio), models included."
    return f"{result.report.text()}\n{cost}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m benchmarks.turns --corpus DIR`: print the tables. Exit 2 when there is no corpus."""
    parser = ArgumentParser(prog="offhook bench turns", description="Turn-taking over recorded cases, in virtual time.")
    parser.add_argument("--corpus", type=Path, required=True, help="folder with cases/cases.jsonl and the recordings")
    parser.add_argument("--filter", default="", help="group or group:sub, for example eot or barge:echo")
    parser.add_argument("--without-model", action="store_true", help="without the turn model: silence and prosody alone")
    parser.add_argument("--decisions", type=Path, help="write every case's decisions there, one JSON line a case")
    options = parser.parse_args(arguments)
    if not (options.corpus / "cases" / "cases.jsonl").is_file():
        print(f"no cases/cases.jsonl in {options.corpus}", file=sys.stderr)
        return 2
    result = run(options.corpus, keep=options.filter, uses_model=not options.without_model, progress=_tell)
    if options.decisions:
        options.decisions.write_text("".join(decided(case, made) for case, made in result.decisions.items()))
    print(summary(result))
    return 0


def decided(case: str, decisions: Sequence[Decision]) -> str:
    """One case's decisions as a JSON line: `{"id": ..., "events": [[what, at_ms], ...]}`."""
    return msgspec.json.encode({"id": case, "events": [[made.what, made.at] for made in decisions]}).decode() + "\n"


def _tell(done: int, of: int) -> None:
    if sys.stderr.isatty() and (done % 20 == 0 or done == of):
        print(f"\r{done}/{of} cases", end="\n" if done == of else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
