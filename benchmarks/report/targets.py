"""What we want of ourselves, beside what was measured: met, missed, or not measured. Pure.

Limits are in the units in which a figure is shown. Some targets ask for more than a number: to be better than the best
other engine of the same run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchmarks.report import words
from benchmarks.report.model import DRAFTS_WASTED, FALSE_STOPS, Run

OURS: Final = "offhook"


class Kind(StrEnum):
    """Where a target's value comes from."""

    P50 = "p50"
    P95 = "p95"
    COUNT = "how many"  # of a figure's occasions
    RATE = "rate"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Target:
    """`limit` is the most allowed, or the least where `is_least`. With `is_than_others` it is less than the best other has,
    or nothing at all where that one has nothing either."""

    suite: str
    figure: str
    kind: Kind
    limit: float = 0.0
    is_least: bool = False
    is_than_others: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target in words, with what was measured, both ready to be shown. `note` says what was not tried far enough."""

    suite: str
    what: str
    wanted: str
    measured: str
    is_met: bool
    note: str = ""


def _most(suite: str, figure: str, kind: Kind, limit: float) -> Target:
    return Target(suite, figure, kind, limit)


TARGETS: Final = (
    _most("latency", "first_audio", Kind.P95, 300),
    _most("latency", "gap", Kind.P50, 500),
    _most("latency", "gap", Kind.P95, 900),
    _most("latency", "content_gap", Kind.P50, 900),
    _most("latency", "lost_words", Kind.RATE, 0),
    _most("latency", DRAFTS_WASTED, Kind.RATE, 25),
    _most("bargein", "stop", Kind.P50, 250),
    _most("bargein", "stop", Kind.P95, 400),
    _most("bargein", "stop", Kind.P95, 300),
    _most("bargein", "missed_barge_ins", Kind.RATE, 2),
    Target("bargein", FALSE_STOPS, Kind.RATE, is_than_others=True),
    _most("bargein", "stops: backchannel", Kind.RATE, 30),
    Target("bargein", "stops: backchannel", Kind.RATE, is_than_others=True),
    _most("bargein", "stops: cough", Kind.RATE, 5),
    _most("bargein", "stops: echo", Kind.RATE, 2),
    _most("bargein", "heard_error", Kind.P95, 1),
    _most("bargein", "heard_error_untimed", Kind.P95, 2),
    _most("bargein", DRAFTS_WASTED, Kind.RATE, 25),
    _most("heard", "heard_error", Kind.P95, 1),
    _most("heard", "heard_error_untimed", Kind.P95, 2),
    _most("gaps", "holes", Kind.COUNT, 0),
    _most("turns", "endpoint_delay", Kind.P50, 400),
    _most("turns", "endpoint_delay", Kind.P95, 1200),
    _most("turns", "pauses_cut_inserted", Kind.RATE, 30),
    _most("turns", "pauses_cut_own", Kind.RATE, 10),
    _most("turns", "waits_over_1.5_s", Kind.RATE, 3),
    _most("turns", "interruptions_missed", Kind.RATE, 2),
    _most("turns", "detect_delay", Kind.P50, 300),
    _most("turns", "detect_delay", Kind.P95, 500),
    _most("turns", "false_backchannel", Kind.RATE, 30),
    _most("turns", "false_bursts", Kind.RATE, 5),
    _most("turns", "false_echo", Kind.RATE, 2),
    _most("turns", "false_tv", Kind.RATE, 30),
    _most("turns", "interruptions_missed_over_talk", Kind.RATE, 20),
    _most("turns", "ends_missed_over_talk", Kind.RATE, 10),
    _most("turns", "detectors_ms_per_call_second", Kind.NUMBER, 1.5),
    _most("density", "cpu_ms_per_call_second", Kind.NUMBER, 2.5),
    Target("density", "calls_per_core", Kind.NUMBER, 400, is_least=True),
    Target("density", "times_the_better_other", Kind.NUMBER, 6, is_least=True),
    _most("density", "bytes_per_call", Kind.NUMBER, 1),
    _most("density", "added_latency", Kind.P95, 20),
    _most("soak", "bytes_growth_per_call", Kind.NUMBER, 10),
    _most("soak", "files_growth_per_call", Kind.NUMBER, 0),
    _most("soak", "tasks_growth_per_call", Kind.NUMBER, 0),
    _most("simulation", "broken_laws", Kind.RATE, 0),
    Target("simulation", "events_per_second", Kind.NUMBER, 100_000, is_least=True),
    _most("providers", "adapter.ears_ms.p95", Kind.NUMBER, 5),
    _most("providers", "adapter.mind_ms.p95", Kind.NUMBER, 5),
    _most("providers", "adapter.mouth_ms.p95", Kind.NUMBER, 5),
    _most("providers", "adapter.openai_ms.p95", Kind.NUMBER, 5),
    _most("providers", "adapter.ears_ms.cpu_p95", Kind.NUMBER, 5),
    _most("providers", "adapter.mind_ms.cpu_p95", Kind.NUMBER, 5),
    _most("providers", "adapter.openai_ms.cpu_p95", Kind.NUMBER, 5),
    _most("providers", "adapter.mouth_ms.cpu_p95", Kind.NUMBER, 5),
    _most("providers", "connections.ears_opened", Kind.NUMBER, 0),
    _most("providers", "connections.mind_opened_on_the_path", Kind.NUMBER, 0),
    _most("providers", "connections.mouth_opened", Kind.NUMBER, 0),
    _most("providers", "stalled.ears.cost_p95_s", Kind.NUMBER, 1),
    _most("providers", "stalled.mind.cost_p95_s", Kind.NUMBER, 1),
    _most("providers", "stalled.mouth.cost_p95_s", Kind.NUMBER, 1),
    _most("providers", "stalled.ears.turns_lost", Kind.NUMBER, 0),
    _most("providers", "stalled.mind.turns_lost", Kind.NUMBER, 0),
    _most("providers", "stalled.mouth.turns_lost", Kind.NUMBER, 0),
    _most("providers", "hedging.ratio", Kind.NUMBER, 1.5),
    _most("providers", "hedging.more_requests", Kind.NUMBER, 0.1),
    _most("providers", "barge_in.characters_spoken_after", Kind.NUMBER, 0),
    _most("providers", "barge_in.sentences_billed_not_wanted_most", Kind.NUMBER, 1),
    _most("gate", "sqlite_verdict_with_receipt_ms_p99", Kind.NUMBER, 2),
    _most("gate", "postgres_verdict_with_receipt_ms_p99", Kind.NUMBER, 5),
    _most("gate", "dnc_bulk_us_per_number", Kind.NUMBER, 1),
    _most("gate", "dnc_ten_million_scrubbed_s", Kind.NUMBER, 5),
    _most("gate", "registry_whole_load_s", Kind.NUMBER, 300),
    _most("gate", "registry_whole_load_peak_mib", Kind.NUMBER, 1024),
    _most("gate", "preflight_of_a_million_s", Kind.NUMBER, 60),
    _most("context", "gather_p95", Kind.NUMBER, 300),
)


def verdicts(runs: Sequence[Run]) -> list[Verdict]:
    """Of every target that these runs have a figure for. Only our own engine has targets."""
    found: list[Verdict] = []
    for target in TARGETS:
        for run in runs:
            if run.suite == target.suite and run.engine == OURS:
                found += _judged(target, run, [each for each in runs if each.suite == run.suite and each.engine != OURS])
    return found


def _judged(target: Target, run: Run, others: Sequence[Run]) -> Iterator[Verdict]:
    value, limit = value_of(target, run), target.limit
    peers = [peer for peer in (value_of(target, other) for other in others) if peer is not None]
    if value is None or (target.is_than_others and not peers):
        return
    limit = min(peers) if target.is_than_others else limit
    if target.is_than_others:
        is_met, than = value < limit or value == 0, "less than {}, the best other's"
    else:
        is_met, than = (value >= limit, "at least {}") if target.is_least else (value <= limit, "at most {}")
    title, unit = _words(target)
    note = next((note for note in run.notes if note.startswith("not broken")), "") if target.suite == "density" else ""
    yield Verdict(
        run.suite,
        title,
        than.format(f"{words.number(limit)} {unit}".strip()),
        f"{words.number(value)} {unit}".strip(),
        is_met,
        note,
    )


def value_of(target: Target, run: Run) -> float | None:
    """The measured value in shown units; None where it was not measured."""
    match target.kind:
        case Kind.P50 | Kind.P95:
            figure = run.figures.get(target.figure)
            value = None if figure is None else figure.p50 if target.kind is Kind.P50 else figure.p95
            return None if value is None else value * words.figure_words(target.figure).scale
        case Kind.COUNT:
            return float(run.figures[target.figure].n) if target.figure in run.figures else 0.0
        case Kind.RATE:
            rate = run.shares[target.figure].rate if target.figure in run.shares else None
            return None if rate is None else 100 * rate
        case Kind.NUMBER:
            number = run.numbers.get(target.figure)
            return None if number is None else number * words.number_words(target.figure).scale


def _words(target: Target) -> tuple[str, str]:
    match target.kind:
        case Kind.P50 | Kind.P95:
            about = words.figure_words(target.figure)
            return f"{about.title}, {target.kind.value}", about.unit
        case Kind.COUNT:
            return words.figure_words(target.figure).title, ""
        case Kind.RATE:
            return words.share_words(target.figure).title, "%"
        case Kind.NUMBER:
            about = words.number_words(target.figure)
            return about.title, about.unit
