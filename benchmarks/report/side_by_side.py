"""Every engine of a run on one picture: how long callers wait, and how often an engine stops or speaks when it should not.
Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks.report import words
from benchmarks.report.model import FALSE_STOPS, Result, Run
from benchmarks.report.svg_bars import Range, ranges, rates

_WAITS: Final = (
    ("latency", "first_audio", ""),
    ("latency", "gap", ""),
    ("latency", "content_gap", ""),
    ("bargein", "stop", ""),
    ("bargein", "gap", ", callers who interrupt"),
)
_RATES: Final = (
    ("bargein", FALSE_STOPS),
    ("bargein", "stops: backchannel"),
    ("bargein", "stops: cough"),
    ("bargein", "stops: click"),
    ("bargein", "stops: echo"),
    ("bargein", "missed_barge_ins"),
    ("latency", "cut_offs_in_pauses"),
)
_ABOUT: Final = (
    "The same calls and the same vendors in one run. A bar reaches to the median, its thin end to the 95th percentile. The "
    "response gap ends with the first sound; an “okay” or a “let me see” ends it, but not the gap to the first content. "
    "Below: how often something happened that should not. Nearer to the left is better everywhere."
)

_Runs = Mapping[tuple[str, str], Run]


def side_by_side(result: Result) -> Iterator[str]:
    """A section for the page; nothing where there is only one engine."""
    engines = list(dict.fromkeys(run.engine for run in result.runs if run.suite in ("latency", "bargein")))
    if len(engines) < 2:
        return
    runs = {(run.suite, run.engine): run for run in result.runs}
    waits = [row for row in (_wait(runs, engines, *each) for each in _WAITS) if row[2]]
    shares = [row for row in (_share(runs, engines, *each) for each in _RATES) if row[1]]
    yield f"<section><h2>Side by side</h2><p class='faint'>{_ABOUT}</p>"
    yield f"<div class='wide'>{ranges(waits, 'Median and 95th percentile of each engine')}"
    yield f"{rates(shares, 'How often each engine stopped or spoke when it should not')}</div></section>"


def _wait(runs: _Runs, engines: Sequence[str], suite: str, name: str, more: str) -> tuple[str, str, list[Range]]:
    about = words.figure_words(name)
    found: list[Range] = []
    for engine in engines:
        run = runs.get((suite, engine))
        figure = run.figures.get(name) if run else None
        if figure is not None and figure.p50 is not None and figure.p95 is not None:
            found.append((engine, figure.p50 * about.scale, figure.p95 * about.scale))
    return about.title + more, about.unit, found


def _share(runs: _Runs, engines: Sequence[str], suite: str, name: str) -> tuple[str, list[tuple[str, float, str]]]:
    found = []
    for engine in engines:
        run = runs.get((suite, engine))
        share = run.shares.get(name) if run else None
        if share is not None and share.rate is not None:
            found.append((engine, share.rate, f"{share.hits} of {share.of}"))
    return words.share_words(name).title, found
