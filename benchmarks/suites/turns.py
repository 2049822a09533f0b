"""Turn-taking over a folder of recorded cases, as a suite: the tables' figures in the shape of every other suite's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.report.model import Figure, Run, Share, figure
from benchmarks.turns import run
from benchmarks.turns_score import Case
from benchmarks.turns_tables import Report, is_talk

_BURSTS = ("cough", "sneeze", "laugh", "breath", "noise")
_CLEAR = ("clean", "gsm", "loss", "low36")


def turns(corpus: Path, progress: Callable[[str], None]) -> Run:
    """All cases, in virtual time: machine and load do not matter. Raises `FileNotFoundError`."""
    found = run(corpus, progress=lambda done, of: progress(f"{done} of {of} cases"))
    report = found.report
    return Run(
        suite="turns",
        engine="offhook",
        setup={"cases": str(len(found.decisions)), "time": "virtual"},
        call_seconds=round(found.audio_seconds, 1),
        figures={name: each for name, each in _figures(report).items() if each.n},
        shares={name: each for name, each in _shares(report).items() if each.of},
        numbers={"detectors_ms_per_call_second": round(found.cost, 3)},
    )


def _figures(report: Report) -> dict[str, Figure]:
    ends = report.turns(lambda case: case.sub in ("final", "pause", "short"))
    detected = report.interruptions(lambda case: case.condition in _CLEAR)
    return {
        "endpoint_delay": figure([delay / 1000 for delay in ends.delays]),
        "detect_delay": figure([each.delay / 1000 for each in detected if each.delay is not None]),
    }


def _shares(report: Report) -> dict[str, Share]:
    ends = report.turns(lambda case: case.sub in ("final", "pause", "short"))
    talk = report.turns(is_talk)
    inserted = [pause.is_cut for pause in report.turns(lambda case: case.sub == "pause").pauses("inserted")]
    own = [pause.is_cut for pause in report.turns(lambda case: case.sub == "final").pauses("", 250)]
    clear = [each.delay is None for each in report.interruptions(lambda case: case.condition in _CLEAR)]
    loud = [each.delay is None for each in report.interruptions(is_talk)]
    return {
        "pauses_cut_inserted": _share(inserted),
        "pauses_cut_own": _share(own),
        "waits_over_1.5_s": Share(hits=ends.slow, of=ends.scored),
        "interruptions_missed": _share(clear),
        "interruptions_missed_over_talk": _share(loud),
        "ends_missed_over_talk": Share(hits=talk.missed, of=talk.scored),
        "false_backchannel": _false(report, "backchannel"),
        "false_bursts": _false(report, *_BURSTS),
        "false_echo": _false(report, "echo"),
        "false_tv": _false(report, "tv"),
    }


def _share(hits: list[bool]) -> Share:
    return Share(hits=sum(hits), of=len(hits))


def _false(report: Report, *subs: str) -> Share:
    def keep(case: Case) -> bool:
        return case.sub in subs

    return _share([each.is_false for each in report.quiet_barges(keep)])
