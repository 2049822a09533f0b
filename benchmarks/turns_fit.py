"""Fits the weights of `voice/endpointing.py` to recorded cases, and tells how far they hold for speakers they have not seen.

    python -m benchmarks.turns_fit --corpus DIR

The detectors hear every end-of-turn case once; at each pause, `AT` windows after the voice, the floor's own contributions
are taken at unit weight, and a logistic regression is fitted to whether the turn was over. Ends and pauses weigh the same
altogether. The thresholds of `EndpointPolicy` are set by hand and stay as they are. The weights to ship are fitted to those
recordings alone whose licences allow it, the judged ones to all but a sixth of the speakers, for each sixth.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.turns import AT_ONCE
from benchmarks.turns_calls import InStep, InVirtualTime, named, turned
from benchmarks.turns_cases import Corpus
from benchmarks.turns_score import Case, Decision, Scores, score
from benchmarks.turns_tables import Report
from voice.detectors.pool import DetectorPool
from voice.detectors.smart_turn import SmartTurn
from voice.endpointing import Cue, EndpointPolicy
from voice.events import SAMPLE_RATE, VoiceEvidence
from voice.floor import Caller, Floor, FloorPolicy
from voice.providers.silero import SileroRows

Doubles = NDArray[np.float64]
Stream = list[tuple[float, VoiceEvidence]]  # ms at which a window was judged, and what was found

AT: Final = 7  # windows of silence: everything is measured by then, and nothing decided
FOLDS: Final = 6
SHORTEST: Final = 380  # ms: shorter pauses are over before anybody answers
UNFITTED: Final = ("clarity",)  # set by hand
NOT_FREE: Final = ("esc_", "nz_", "scratch", "fsdd")  # beginnings of noises and speakers under other terms than attribution
STIFFNESS: Final = 1.0  # of the ridge, over standardised contributions


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence, what speaks for or against an end there, at unit weight, and what it was."""

    case: Case
    is_end: bool
    parts: Mapping[str, float]


def hear(cases: Sequence[Case], corpus: Corpus, pool: DetectorPool) -> dict[str, Stream]:
    """What the detectors find in each case."""
    found: dict[str, Stream] = {}
    for first in range(0, len(cases), AT_ONCE):
        calls = [(case, InStep(pool), corpus.frames(case.file)) for case in cases[first : first + AT_ONCE]]
        found.update({case.id: [] for case, _, _ in calls})
        now = 0.0
        while calls:
            calls = [call for call in calls if _fed(call[1], next(call[2], None))]
            turned(pool)
            now += 20
            for case, line, _ in calls:
                found[case.id] += [(now, window) for window in line.found()]
    return found


def _fed(line: InStep, frame: bytes | None) -> bool:
    if frame is not None:
        line.feed(frame)
    return frame is not None


def bare(policy: EndpointPolicy) -> EndpointPolicy:
    """The same, with every weight one, and a patience that never ends."""
    cues = {name: replace(cue, weight=1.0) for name, cue in policy.cues.items()}
    return replace(policy, cues=cues, spoken=1.0, own_rest=0.0, unjudged=0.0, least=1e9)


def pauses(case: Case, stream: Stream, policy: EndpointPolicy) -> Iterable[Pause]:
    """The labelled pauses of a case and its end, as far as a silence was heard there."""
    labelled = [(pause.start, pause.end, False) for pause in case.pauses if pause.end - pause.start >= SHORTEST]
    if case.is_end_scored:
        labelled.append((case.turn_end, case.duration, True))
    floor = Floor(FloorPolicy(endpoint=bare(policy)))
    for _, window in stream:
        floor.evidence(window)
        at = window.position / SAMPLE_RATE * 1000
        if floor.caller is Caller.QUIET or round(floor.silence * SAMPLE_RATE) != AT * 256:
            continue
        for begun, ended, is_end in labelled:
            if begun <= at <= min(ended + 150, begun + AT * 32 + 350):
                yield Pause(case, is_end, dict(floor.believed.parts))


def fit(known: Sequence[Pause], policy: EndpointPolicy, threshold: float) -> EndpointPolicy:
    """The policy with weights that tell these ends from these pauses. Its bias is the regression's, less `threshold`."""
    names = ["spoken", *(name for name in policy.cues if name not in UNFITTED)]
    values = np.array([[pause.parts.get(name, 0.0) for name in names] for pause in known])
    weights, constant = regress(values, np.array([pause.is_end for pause in known], np.float64))
    by_name = dict(zip(names, weights.tolist(), strict=True))
    cues = {name: replace(cue, weight=by_name.get(name, cue.weight)) for name, cue in policy.cues.items()}
    return replace(policy, cues=cues, spoken=by_name["spoken"], bias=constant - threshold)


def regress(values: Doubles, truth: Doubles) -> tuple[Doubles, float]:
    """Logistic regression by Newton's method, both classes with the same weight altogether: weights, and the constant."""
    spread = values.std(axis=0) + 1e-9
    columns = np.hstack([values / spread, np.ones((len(values), 1))])
    share = truth.mean()
    each = np.where(truth == 1, 0.5 / share, 0.5 / (1 - share))
    ridge = np.diag([STIFFNESS] * (columns.shape[1] - 1) + [0.0])
    found = np.zeros(columns.shape[1])
    for _ in range(20):
        chance = 1 / (1 + np.exp(-columns @ found))
        slope = columns.T @ (each * (truth - chance)) - ridge @ found
        bend = (columns * (each * chance * (1 - chance))[:, None]).T @ columns + ridge
        found = found + np.linalg.solve(bend, slope)
    return found[:-1] / spread, float(found[-1])


def sixths(cases: Iterable[Case]) -> list[set[str]]:
    """The speakers in folds of about as many cases each."""
    folds: list[set[str]] = [set() for _ in range(FOLDS)]
    sizes = [0] * FOLDS
    for speaker, count in Counter(case.speaker for case in cases).most_common():
        smallest = sizes.index(min(sizes))
        folds[smallest].add(speaker)
        sizes[smallest] += count
    return folds


def judged(cases: Sequence[Case], heard: Mapping[str, Stream], policy_of: Callable[[Case], EndpointPolicy]) -> Report:
    """The cases' figures, each decided by its own policy."""
    scores = Scores()
    for case in cases:
        floor = Floor(FloorPolicy(endpoint=policy_of(case)))
        decisions = [
            Decision(what, at)
            for at, window in heard[case.id]
            for change in floor.evidence(window)
            for what in named(change)
        ]
        score(case, decisions, scores)
    return Report("offhook", cases, scores)


def is_free(case: Case) -> bool:
    """Whether weights fitted to this recording may be shipped."""
    return not any(name.startswith(NOT_FREE) for name in (case.noise, case.speaker))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the weights, and the figures of speakers left out."""
    parser = ArgumentParser(prog="python -m benchmarks.turns_fit", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with cases/cases.jsonl and the recordings")
    parser.add_argument("--threshold", type=float, default=0.5, help="log-odds, taken from the regression's constant")
    parser.add_argument("--without-model", action="store_true", help="without the turn model")
    options = parser.parse_args(arguments)
    corpus = Corpus(options.corpus)
    cases = [case for case in corpus.cases if case.group == "eot"]
    judge = None if options.without_model else InVirtualTime(SmartTurn())
    heard = hear(cases, corpus, DetectorPool(SileroRows(), judge))
    policy = EndpointPolicy()
    every = [
        pause for case in cases if case.sub in ("final", "pause", "short") for pause in pauses(case, heard[case.id], policy)
    ]
    shipped = fit([pause for pause in every if is_free(pause.case)], policy, options.threshold)
    print(_told(shipped), "\n")
    apart = {
        speaker: fit([pause for pause in every if pause.case.speaker not in fold], policy, options.threshold)
        for fold in sixths(cases)
        for speaker in fold
    }
    reports = {
        "as shipped": judged(cases, heard, lambda case: policy),
        "weights above": judged(cases, heard, lambda case: shipped),
        "each speaker by weights fitted to others": judged(cases, heard, lambda case: apart[case.speaker]),
    }
    for title, report in reports.items():
        print(f"### {title}\n\n{report.targets()}")
    return 0


def _told(policy: EndpointPolicy) -> str:
    cues: dict[str, Cue] = dict(policy.cues)
    return "\n".join(
        [
            f"bias {policy.bias:.2f}",
            f"spoken {policy.spoken:.2f}",
            *(f"{name} {cue.weight:.3f}" for name, cue in cues.items()),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
