"""What is counted and timed of calls as the engine sees them: from a call's report and from the log, into `Metrics`.

The instants are the engine's own (when the caller stopped, when audio left for the carrier). What a caller really heard, and
when, is measured from two-channel recordings: `offhook bench`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from api.metrics import Metrics
from storage.events import ContactClosed, ContactDeferred, Recorded
from voice.actions import Note
from voice.report import CallReport


@dataclass(frozen=True, slots=True)
class Gaps:
    """Seconds: from the open media link to our first audio (None: none was ever sent), and from each end of a caller's turn
    to the audio that answers it."""

    first_audio: float | None
    responses: tuple[float, ...] = ()

    def figures(self) -> dict[str, object]:
        """As they are kept with the call."""
        found: dict[str, object] = {}
        if self.first_audio is not None:
            found["first_audio"] = round(self.first_audio, 4)
        if self.responses:
            found["response_gap"] = {
                "median": round(median(self.responses), 4),
                "longest": round(max(self.responses), 4),
            }
        return found


def gaps_of(report: CallReport) -> Gaps:
    """The gaps of a call that is over. What was said over each other answers nothing and is left out."""
    lines = report.transcript
    return Gaps(
        first_audio=next((line.started for line in lines if line.speaker == "agent"), None),
        responses=tuple(
            after.started - before.ended
            for before, after in pairwise(lines)
            if before.speaker == "caller" and after.speaker == "agent" and after.started >= before.ended
        ),
    )


def measure_gaps(metrics: Metrics, gaps: Gaps) -> None:
    if gaps.first_audio is not None:
        metrics.first_audio(gaps.first_audio)
    for seconds in gaps.responses:
        metrics.response_gap(seconds)


def measure_context(metrics: Metrics, took: Mapping[str, float]) -> None:
    """`took`: seconds by source, from dialling."""
    for source, seconds in took.items():
        metrics.context_took(source, seconds)


def measure_note(metrics: Metrics, note: Note) -> None:
    """A caller took the floor: from their first sound to our silence being ordered."""
    after = dict(note.detail).get("after") if note.kind == "decision" else None
    if after is not None:
        metrics.barge_in_stop(float(after))


def count_refusals(metrics: Metrics, recorded: Recorded) -> None:
    """Count each rule by which the gate kept a contact from being called."""
    if isinstance(recorded.event, ContactDeferred | ContactClosed):
        for rule in recorded.event.rules:
            metrics.attempt_refused(rule)
