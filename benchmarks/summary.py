"""The figures of a run's calls as one `Run`. Pure."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.engines.scripted import is_untimed
from benchmarks.figures import CallFigures, Tally
from benchmarks.plan import Plan
from benchmarks.report.model import DRAFTS_WASTED, FALSE_STOPS, Figure, Run, Share, Timeline, figure
from benchmarks.target import Engine, setup_of, version_of

TICKS: Final = 50  # a second of call
CROWDED: Final = 0.05  # of the carrier's own ticks late, from which on a result says so


def summary(
    engine: Engine,
    plan: Plan,
    calls: Sequence[CallFigures],
    notes: Sequence[Mapping[str, object]],
    remarks: Sequence[str],
    timeline: Timeline | None = None,
) -> Run:
    """One run's figures from its calls'."""
    seconds = sum(each.seconds for each in calls)
    late = sum(each.carrier_frames_late for each in calls)
    return Run(
        suite=plan.suite,
        engine=engine.title,
        version=version_of(engine),
        setup=_setup(engine, plan),
        calls=len(calls),
        call_seconds=round(seconds, 1),
        figures={name: each for name, each in (_distributions(calls, plan) | load_figures(notes)).items() if each.n},
        shares={name: each for name, each in (_shares(calls) | _drafts(calls, notes)).items() if each.of},
        numbers=_numbers(calls, notes) | {"carrier_frames_late": float(late)},
        discarded=_discarded(calls),
        timeline=timeline,
        notes=(*_crowded(late, seconds), *_wordless(calls), *remarks),
    )


def _crowded(late: int, seconds: float) -> list[str]:
    """A warning where the carrier itself was held up so often that its figures are those of the machine."""
    share = late / max(1.0, seconds * TICKS)
    return [f"the carrier itself was late in {share:.0%} of its ticks: the machine was too busy"] if share > CROWDED else []


def _wordless(calls: Sequence[CallFigures]) -> list[str]:
    """That an agent does not speak, but beeps or hums, and what is not known for it."""
    count = sum(not each.is_speech for each in calls)
    told = f"in {count} of {len(calls)} calls the agent made sounds that are no speech: they were found by loudness alone"
    return [told] if count else []


def _setup(engine: Engine, plan: Plan) -> dict[str, str]:
    is_ours = not engine.url or plan.vendors_at
    parts = {"parts": plan.parts, "pace": plan.pace} if is_ours else {"parts": "the engine's own"}
    said = parts | {"seed": str(plan.seed)} | setup_of(engine)
    if is_ours and plan.word_times:
        said["word times"] = f"with {plan.word_times} of the calls"
    if plan.stall:
        said["loop stalls"] = f"{plan.stall:g} s every second"
    return said | ({"url": engine.url} if engine.url else {})


_LISTS: Final = ("first_audio", "gap", "content_gap", "stop", "holes", "lead", "lost_start")


def _distributions(calls: Sequence[CallFigures], plan: Plan) -> dict[str, Figure]:
    found = {name: figure([value for each in calls for value in getattr(each, name)]) for name in _LISTS}
    timed = [each for each in calls if not _is_untimed(each, plan)]
    untimed = [each for each in calls if _is_untimed(each, plan)]
    found["heard_error"] = figure([value for each in timed for value in each.heard_error], "words")
    found["heard_error_untimed"] = figure([value for each in untimed for value in each.heard_error], "words")
    found["heard_error_whole"] = figure([value for each in calls for value in each.heard_error_whole], "words")
    found["claimed_gap"] = figure([value for each in calls for value in each.claims.waits])
    for stage in dict.fromkeys(stage for each in calls for stage in each.claims.stages):
        found[f"stage: {stage}"] = figure([value for each in calls for value in each.claims.stages.get(stage, ())])
    return found


def _is_untimed(call: CallFigures, plan: Plan) -> bool:
    """Whether the agent spoke with the voice that has no word times."""
    return plan.word_times == "none" or (plan.word_times == "half" and is_untimed(call.scenario, plan.seed))


def _shares(calls: Sequence[CallFigures]) -> dict[str, Share]:
    found = {
        "missed_barge_ins": _total([each.missed for each in calls]),
        "cut_offs_in_pauses": _total([each.cut_offs for each in calls]),
        "late_frames": _total([each.late_frames for each in calls]),
        "lost_words": _total([each.lost_words for each in calls]),
    }
    every = [tally for each in calls for why, tally in each.stops.items() if ":" not in why]  # not each murmur's word again
    found[FALSE_STOPS] = _total(every)
    for why in sorted({why for each in calls for why in each.stops}):
        found[f"stops: {why}"] = _total([each.stops[why] for each in calls if why in each.stops])
    return found


def _drafts(calls: Sequence[CallFigures], notes: Sequence[Mapping[str, object]]) -> dict[str, Share]:
    """How many of the replies that an engine began before a turn was over were thrown away, where it tells."""
    measured = {each.call_sid for each in calls}
    told = [note for note in notes if note.get("call_sid") in measured]
    hits, of = (int(sum(_number(note, name) for note in told)) for name in ("wasted", "speculated"))
    return {DRAFTS_WASTED: Share(hits=hits, of=of)}


def _total(tallies: Sequence[Tally]) -> Share:
    return Share(hits=sum(each.hits for each in tallies), of=sum(each.of for each in tallies))


def _discarded(calls: Sequence[CallFigures]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in calls:
        found.update(each.discarded)
    return dict(found)


def _numbers(calls: Sequence[CallFigures], notes: Sequence[Mapping[str, object]]) -> dict[str, float]:
    talked = sum(each.seconds for each in calls) / 60
    found = {
        "discarded": float(sum(each.discarded.total() for each in calls)),
        "unanswered": float(sum(each.unanswered for each in calls)),
        "double_talk_s_per_minute": round(sum(each.double_talk for each in calls) / max(talked, 1e-9), 2),
    }
    return found | _understated(calls) | load_of(notes)


def _understated(calls: Sequence[CallFigures]) -> dict[str, float]:
    """By how much the engine's own account of a wait falls short of what the caller heard, at the median of the run."""
    heard = figure([value for each in calls for value in each.gap]).p50
    claimed = figure([value for each in calls for value in each.claims.waits]).p50
    return {} if heard is None or claimed is None else {"understated_gap_ms": round(1000 * (heard - claimed), 1)}


def load_of(notes: Sequence[Mapping[str, object]], least: int = 1) -> dict[str, float]:
    """What the engine's calls cost it, over the seconds in which at least `least` of them were live."""
    seconds = list(_seconds(notes, least))
    if not seconds:
        return {}
    cpu, call_seconds = sum(each.cpu for each in seconds), sum(each.call_seconds for each in seconds)
    lags = sorted(each.lag for each in seconds)
    return {
        "cpu_ms_per_call_second": round(1000 * cpu / call_seconds, 3),
        "lag_p99_median_ms": round(1000 * lags[len(lags) // 2], 2),
    }


def load_figures(notes: Sequence[Mapping[str, object]], least: int = 1) -> dict[str, Figure]:
    """The same second by second, so that two results can be compared with an interval."""
    seconds = list(_seconds(notes, least))
    return {
        "cpu": figure([each.cpu / each.call_seconds for each in seconds]),
        "loop_lag": figure([each.lag for each in seconds]),
    }


@dataclass(frozen=True, slots=True)
class _Second:
    """One second of the engine's life: CPU seconds spent, seconds of call carried, loop lag p99 in seconds."""

    cpu: float
    call_seconds: float
    lag: float


def _seconds(notes: Sequence[Mapping[str, object]], least: int) -> Iterator[_Second]:
    for before, after in itertools.pairwise(note for note in notes if "lag_p99" in note):
        live = _number(after, "calls")
        if live >= least:
            passed = live * (_number(after, "at") - _number(before, "at"))
            yield _Second(_number(after, "cpu") - _number(before, "cpu"), passed, _number(after, "lag_p99"))


def _number(note: Mapping[str, object], name: str) -> float:
    value = note.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
