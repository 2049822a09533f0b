"""The figures of a run's calls as one `Run`. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.figures import CallFigures
from benchmarks.plan import Plan
from benchmarks.report.model import Figure, Run, Share, Timeline, figure
from benchmarks.target import Engine, version_of


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
        figures={name: each for name, each in _distributions(calls).items() if each.n},
        shares={name: each for name, each in _shares(calls).items() if each.of},
        numbers=_numbers(calls, notes) | {"carrier_frames_late": float(late)},
        timeline=timeline,
        notes=tuple(remarks),
    )


def _setup(engine: Engine, plan: Plan) -> dict[str, str]:
    said = {"pace": plan.pace, "seed": str(plan.seed)}
    if plan.stall:
        said["loop stalls"] = f"{plan.stall:g} s every second"
    return said | ({"url": engine.url} if engine.url else {})


_LISTS: Final = (
    "first_audio",
    "gap",
    "content_gap",
    "stop",
    "holes",
    "lead",
    "lost_start",
)


def _distributions(calls: Sequence[CallFigures]) -> dict[str, Figure]:
    found = {name: figure([value for each in calls for value in getattr(each, name)]) for name in _LISTS}
    for name in ("heard_error", "heard_error_whole"):
        found[name] = figure([value for each in calls for value in getattr(each, name)], "words")
    return found


def _shares(calls: Sequence[CallFigures]) -> dict[str, Share]:
    def total(name: str) -> int:
        return int(sum(getattr(each, name) for each in calls))

    return {
        "missed_barge_ins": Share(hits=total("missed_barge_ins"), of=total("barge_ins")),
        "backchannel_stops": Share(hits=total("backchannel_stops"), of=total("backchannels")),
        "noise_stops": Share(hits=total("false_stops"), of=total("noises")),
        "cut_offs_in_pauses": Share(hits=total("cut_offs"), of=total("pauses")),
        "late_frames": Share(hits=total("late_frames"), of=total("agent_frames")),
    }


def _numbers(calls: Sequence[CallFigures], notes: Sequence[Mapping[str, object]]) -> dict[str, float]:
    talked = sum(each.seconds for each in calls) / 60
    found = {
        "discarded": float(sum(each.discarded for each in calls)),
        "unanswered": float(sum(each.unanswered for each in calls)),
        "double_talk_s_per_minute": round(sum(each.double_talk for each in calls) / max(talked, 1e-9), 2),
    }
    return found | load_of(notes)


def load_of(notes: Sequence[Mapping[str, object]], least: int = 1) -> dict[str, float]:
    """What the engine's calls cost it, over the seconds in which at least `least` of them were live."""
    seconds = [note for note in notes if "lag_p99" in note]
    cpu = call_seconds = 0.0
    lags: list[float] = []
    for before, after in itertools.pairwise(seconds):
        live = _number(after, "calls")
        if live < least:
            continue
        cpu += _number(after, "cpu") - _number(before, "cpu")
        call_seconds += live * (_number(after, "at") - _number(before, "at"))
        lags.append(_number(after, "lag_p99"))
    if not lags:
        return {}
    return {
        "cpu_ms_per_call_second": round(1000 * cpu / call_seconds, 3),
        "lag_p99_median_ms": round(1000 * sorted(lags)[len(lags) // 2], 2),
    }


def _number(note: Mapping[str, object], name: str) -> float:
    value = note.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
