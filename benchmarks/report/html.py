"""A result as one page that stands alone: no scripts, no fonts, nothing fetched. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from benchmarks.report import svg, words
from benchmarks.report.model import Result, Run
from benchmarks.report.side_by_side import side_by_side
from benchmarks.report.svg_bars import bars
from benchmarks.report.targets import Verdict, verdicts

TITLES: Final = {
    "latency": "How long the caller waits",
    "bargein": "How the agent gives way",
    "gaps": "How smoothly the agent speaks, its loop held up once a second",
    "density": "How many calls one core carries",
    "soak": "What is left behind when calls come and go",
    "heard": "What the memory keeps of replies that are cut",
    "simulation": "How fast the conversation core decides",
    "providers": "What vendors cost, and what a failing one costs",
    "gate": "What a lawful call costs",
    "context": "How fast we know what we know",
    "turns": "When the agent takes its turn, on recorded speech",
}
PLOTTED: Final = {
    "latency": ("gap", "content_gap", "first_audio"),
    "bargein": ("stop", "gap"),
    "gaps": ("holes",),
    "turns": ("endpoint_delay", "detect_delay"),
}
CARDS: Final = (
    ("latency", "gap", "response gap"),
    ("latency", "content_gap", "to first content"),
    ("latency", "first_audio", "answer to first audio"),
    ("bargein", "stop", "barge-in, mouth to silence"),
    ("bargein", "heard_error", "heard-text error"),
)
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2430;--faint:#5d6878;--line:#8a94a3;--rule:#e4e8ee;--paper:#fff;--ground:#f5f7f9;
--accent:#0f766e;--offhook:#0f766e;--pipecat:#c2410c;--livekit:#6d28d9;--blue:#2563eb;
--amber:#b45309;--pink:#be185d;--red:#dc2626;--met:#d9f2ec;--met-ink:#0b5f58;--missed:#fde2e2;--missed-ink:#b42318;--warn:#7c4a03}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf2;--faint:#9aa5b4;--line:#6b7685;--rule:#2b3442;--paper:#171d26;
--ground:#0e1319;--accent:#2dd4bf;--offhook:#2dd4bf;--pipecat:#fb923c;--livekit:#a78bfa;--blue:#60a5fa;
--amber:#fbbf24;--pink:#f472b6;--red:#f87171;--met:#0f3d38;--met-ink:#7ee8d8;--missed:#4a1d1d;--missed-ink:#fca5a5;--warn:#fcd34d}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:860px;margin:0 auto;padding:40px 20px 64px}
h1{font-size:34px;line-height:1.15;margin:0 0 6px;letter-spacing:-.02em}
h2{font-size:22px;margin:0 0 2px;letter-spacing:-.01em}
h3{font-size:15px;margin:26px 0 6px;font-weight:600}
p{margin:0 0 10px}.faint{color:var(--faint);font-size:14px}
section{background:var(--paper);border:1px solid var(--rule);border-radius:12px;padding:26px 28px;margin-top:22px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:14px;margin:26px 0 0}
.card{background:var(--paper);border:1px solid var(--rule);border-radius:12px;padding:16px 18px}
.card b{display:block;font-size:28px;line-height:1.1;letter-spacing:-.02em;color:var(--accent)}
.card b small{font-size:15px;font-weight:500;letter-spacing:0}
.card span{display:block;font-size:14px;margin-top:4px}.card em{font-style:normal;color:var(--faint);font-size:13px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums;margin-top:12px}
th,td{text-align:right;padding:6px 0 6px 18px;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal}
th{font-weight:600;vertical-align:bottom}td small{color:var(--faint)}
svg{display:block;width:100%;height:auto;margin-top:6px;font-family:inherit}
svg .axis{font-size:12px;fill:var(--faint)}svg .value{font-size:12px;font-weight:600}
.legend{display:flex;flex-wrap:wrap;gap:18px;font-size:13px;margin:4px 0 0}
.legend i{display:inline-block;width:18px;height:4px;border-radius:2px;margin-right:7px;vertical-align:middle}
.warn{border-left:3px solid #d97706;padding:2px 0 2px 12px;font-size:14px;color:var(--warn);margin-top:14px}
.targets{list-style:none;margin:0;padding:0;font-size:14px}
.targets li{padding:4px 0;border-bottom:1px solid var(--rule)}
.targets b{display:inline-block;width:66px;margin-right:10px;border-radius:5px;text-align:center;font-size:12px}
.met b{background:var(--met);color:var(--met-ink)}.missed b{background:var(--missed);color:var(--missed-ink)}
details{margin-top:18px}summary{cursor:pointer;font-weight:600;font-size:15px}
.wide{overflow-x:auto}.wide svg{min-width:600px}
@media (max-width:560px){main{padding:22px 12px 40px}section{padding:18px 14px}h1{font-size:26px}}
@media print{body{background:#fff}section,.card{break-inside:avoid}}
"""


def page(result: Result) -> str:
    """The whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>offhook bench</title>'
        f"<style>{_STYLE}</style></head><body><main>{''.join(_body(result))}</main></body></html>\n"
    )


def _body(result: Result) -> Iterator[str]:
    machine = result.machine
    engines = ", ".join(dict.fromkeys(f"{run.engine} {run.version}".strip() for run in result.runs if run.version))
    yield f"<h1>Voice engines on a phone line</h1><p class='faint'>{escape(engines)}</p>"
    yield (
        f"<p class='faint'>{escape(result.made_at)} · {escape(machine.processor)}, {machine.cores} cores, "
        f"{machine.memory_gb:g} GB, {escape(machine.system)}, {escape(machine.runtime)} · seed {result.seed} · "
        f"measured in {result.seconds:.0f} s</p>"
    )
    if max(machine.load) > machine.cores:
        yield (
            f"<p class='warn'>The load average was {machine.load[0]:.1f} before and {machine.load[1]:.1f} after on "
            f"{machine.cores} cores: others were at work on this machine. Compare the engines of this page with each other, "
            "and nothing on it with another page.</p>"
        )
    for failure in result.failures:
        yield f"<p class='warn'>Not measured: {escape(failure)}</p>"
    yield from _cards(result)
    yield from side_by_side(result)
    for suite in dict.fromkeys(run.suite for run in result.runs):
        yield from _section(suite, [run for run in result.runs if run.suite == suite])
    yield (
        "<section><h2>How it was measured</h2><p>Carrier and callers are processes of their own and speak the carrier's "
        "media-stream protocol with the engine. Both directions of every call are recorded by media time: left the "
        "caller's mouth, right the caller's ear. Every boundary of speech is found twice, by loudness and by a speech "
        "model; where the two differ by more than 120 ms the figure is discarded, and counted as such. Of fewer than twenty "
        "values the 95th percentile is the largest. With parts on "
        "<em>sockets</em>, every engine reached the same stand-ins of Deepgram, OpenAI and ElevenLabs by its own "
        "plug-ins, with delays as published; with parts <em>inside</em>, recogniser, model and voice are scripted in its "
        "own process.</p>"
        f"<p class='faint'><code>{escape(result.command)}</code></p></section>"
    )


def _cards(result: Result) -> Iterator[str]:
    ours = {run.suite: run for run in result.runs if run.engine == "offhook"}
    found: list[str] = []
    for suite, name, title in CARDS:
        if suite in ours and name in ours[suite].figures:
            figure, about = ours[suite].figures[name], words.figure_words(name)
            p50, p95, _, count = words.shown_figure(figure, about)
            found.append(_card(p50, about.unit, title, f"p95 {p95}, n = {count}"))
    if "density" in ours:
        numbers = ours["density"].numbers
        beyond = "at least " if any(note.startswith("not broken") for note in ours["density"].notes) else ""
        cpu = f"{numbers['cpu_ms_per_call_second']:.1f} ms of CPU a second each"
        times = numbers.get("times_the_better_other")
        told = f"{cpu}; {words.number(times)} × the better other" if times is not None else cpu
        found.append(_card(f"{numbers['calls_per_core']:.0f}", "calls", f"{beyond}on one core", told))
    judged = verdicts(result.runs)
    if judged:
        met = sum(each.is_met for each in judged)
        missed = f"{len(judged) - met} missed, named below" if met < len(judged) else "none missed"
        found.append(_card(f"{met} of {len(judged)}", "", "targets met", missed))
    if found:
        yield f"<div class='cards'>{''.join(found)}</div>"


def _card(value: str, unit: str, title: str, about: str) -> str:
    value = f"<b>{value} <small>{escape(unit)}</small></b>"
    return f"<div class='card'>{value}<span>{escape(title)}</span><em>{escape(about)}</em></div>"


def _section(suite: str, runs: Sequence[Run]) -> Iterator[str]:
    yield f"<section><h2>{escape(TITLES.get(suite, suite))}</h2><p class='faint'>{escape(suite)}: "
    yield f"{escape(words.setup_of(runs[0]))}</p>"
    for name in PLOTTED.get(suite, ()):
        yield from _plot(name, runs)
    yield from _climbs(runs)
    yield from _timelines(runs)
    yield f"<details{'' if _is_short(runs) else ' open'}><summary>All figures</summary>{_table(runs)}"
    for run in runs:
        for note in (words.own_setup_of(run), *run.notes, words.account_of(run), words.discards_of(run)):
            if note:
                yield f"<p class='faint'>{escape(run.engine)}: {escape(note)}</p>"
    yield "</details>"
    yield _targets([each for each in verdicts(runs) if each.suite == suite])
    yield "</section>"


def _is_short(runs: Sequence[Run]) -> bool:
    """Whether pictures tell the gist, so that the table may wait to be opened."""
    return any(run.curve or run.timeline for run in runs)


def _climbs(runs: Sequence[Run]) -> Iterator[str]:
    if not any(run.curve for run in runs):
        return
    held = [(run.engine, run.numbers["calls_per_core"]) for run in runs if "calls_per_core" in run.numbers]
    yield f"<h3>Calls on one core</h3><div class='wide'>{bars(held, 'Calls on one core')}</div>"
    costs = [(run.engine, [(point, point.cpu_ms_per_call_second) for point in run.curve]) for run in runs]
    waits = [(run.engine, [(each, 1000 * each.gap_p95) for each in run.curve if each.gap_p95 is not None]) for run in runs]
    yield "<h3>What a call costs as calls are added; a cross where the engine broke</h3>"
    yield _wide(svg.climbs(costs, "CPU ms per second of call", "CPU per call against calls"))
    yield "<h3>How long callers wait as calls are added</h3>"
    yield _wide(svg.climbs(waits, "response gap p95, ms", "Response gap against calls"))


def _timelines(runs: Sequence[Run]) -> Iterator[str]:
    """The same caller with every engine, one below the other."""
    shown = [(run.engine, run.timeline) for run in runs if run.timeline is not None]
    if shown:
        several = len(shown) > 1 and len({timeline.title for _, timeline in shown}) == 1
        yield f"<h3>{'The same caller with each engine' if several else 'A call'}</h3>"
    for engine, timeline in shown:
        yield f"<p class='faint'>{escape(engine)}</p>{_wide(svg.timeline(timeline, engine))}"


def _wide(drawing: str) -> str:
    """Scrolls where the screen is too narrow for what is written in a picture."""
    return f"<div class='wide'>{drawing}</div>"


def _targets(found: Sequence[Verdict]) -> str:
    rows = "".join(_target(each) for each in found)
    return f"<h3>Against our targets</h3><ul class='targets'>{rows}</ul>" if rows else ""


def _target(found: Verdict) -> str:
    chip = "<li class='met'><b>met</b>" if found.is_met else "<li class='missed'><b>MISSED</b>"
    note = f" ({escape(found.note)})" if found.note else ""
    return f"{chip}{escape(found.what)}: <strong>{escape(found.measured)}</strong>, wanted {escape(found.wanted)}{note}</li>"


def _plot(name: str, runs: Sequence[Run]) -> Iterator[str]:
    about = words.figure_words(name)
    series = [
        svg.Series(run.engine, tuple(value * about.scale for value in run.figures[name].values))
        for run in runs
        if name in run.figures
    ]
    drawn = svg.distribution(series, about.unit, about.title)
    if drawn:
        yield f"<h3>{escape(about.title)}: {escape(about.about)}</h3>{_wide(drawn)}"


def _table(runs: Sequence[Run]) -> str:
    heads = "".join(f"<th>{escape(run.engine)}<br><small>{escape(run.version)}</small></th>" for run in runs)
    rows = [*_figure_rows(runs), *_share_rows(runs), *_number_rows(runs)]
    return f"<div class='scroll'><table><tr><th></th>{heads}</tr>{''.join(rows)}</table></div>" if rows else ""


def _figure_rows(runs: Sequence[Run]) -> Iterator[str]:
    for name in dict.fromkeys(name for run in runs for name in run.figures if words.is_shown(name)):
        about = words.figure_words(name)
        cells = []
        for run in runs:
            if name not in run.figures:
                cells.append("–")
                continue
            p50, p95, most, count = words.shown_figure(run.figures[name], about)
            cells.append(f"{p50} / {p95} / {most} <small>n={count}</small>")
        yield _row(f"{about.title}, {about.unit} <small>p50 / p95 / most</small>", cells)


def _share_rows(runs: Sequence[Run]) -> Iterator[str]:
    for name in dict.fromkeys(name for run in runs for name in run.shares):
        cells = [words.shown_share(run.shares[name]) if name in run.shares else "–" for run in runs]
        yield _row(escape(words.share_words(name).title), cells)


def _number_rows(runs: Sequence[Run]) -> Iterator[str]:
    for name in dict.fromkeys(name for run in runs for name in run.numbers):
        about = words.number_words(name)
        cells = [words.number(run.numbers[name] * about.scale) if name in run.numbers else "–" for run in runs]
        yield _row(escape(f"{about.title}{', ' + about.unit if about.unit else ''}"), cells)


def _row(title: str, cells: Sequence[str]) -> str:
    return f"<tr><td>{title}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
