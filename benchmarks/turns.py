"""`offhook bench turns`: a call's detectors and floor over recorded cases, in virtual time, judged by `turns_score`.

The corpus is a folder with `cases/cases.jsonl` (one case a line) and the mu-law recordings beside it. It is for measuring
only: nothing of it is read by the engine itself. No recogniser takes part, so what is measured is what sound alone decides.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.turns_calls import Detectors, InStep, InVirtualTime, Line, Play, turned
from benchmarks.turns_cases import Corpus
from benchmarks.turns_score import Case, Decision, Scores, score
from benchmarks.turns_tables import Report
from voice.detectors.pool import DetectorPool
from voice.detectors.smart_turn import SmartTurn
from voice.floor import Floor, FloorPolicy
from voice.providers.silero import SileroRows

AT_ONCE: Final = 100  # calls, as on a server: what detectors cost depends on it, what they find does not


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
    judge: Callable[[], None] = lambda: None,
    policy: FloorPolicy | None = None,
    keep: Callable[[Case], bool] = lambda case: True,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Result:
    """Run the kept cases, each as a fresh call, and score them. `judge` is called when every call has had its next frame."""
    cases = [case for case in corpus.cases if keep(case)]
    scores, every, cpu = Scores(), {}, 0.0
    for first in range(0, len(cases), AT_ONCE):
        plays = [Play(case, corpus, Line(open_detectors(), Floor(policy))) for case in cases[first : first + AT_ONCE]]
        cpu += _in_step(plays, judge)
        for play in plays:
            every[play.case.id] = play.decisions
            score(play.case, play.decisions, scores)
        progress(first + len(plays), len(cases))
    return Result(Report("offhook", cases, scores), sum(case.duration for case in cases) / 1000, cpu, every)


def _in_step(plays: Sequence[Play], judge: Callable[[], None]) -> float:
    """Play all of them to their ends; the CPU seconds it took to judge what they heard."""
    cpu = 0.0
    while plays := [play for play in plays if play.hear()]:
        began = time.process_time()
        judge()
        cpu += time.process_time() - began
        for play in plays:
            play.decide()
    return cpu


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
    pool = DetectorPool(SileroRows(), InVirtualTime(SmartTurn()) if uses_model else None)
    group, _, sub = keep.partition(":")
    return measure(
        Corpus(corpus),
        lambda: InStep(pool),
        judge=lambda: turned(pool),
        keep=lambda case: group in ("", case.group) and sub in ("", case.sub),
        progress=progress,
    )


def summary(result: Result) -> str:
    """All tables, and what it cost."""
    minutes = result.audio_seconds / 60
    amount = f"{minutes:.0f} minutes of audio, {AT_ONCE} calls at once"
    cost = f"Detectors: {result.cost:.2f} ms of CPU per second of call ({amount}), models included."
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
