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
    "simulation": "How fast the conversation core decides",
    "providers": "What vendors cost, and what a failing one costs",
    "gate": "What a lawful call costs",
    "context": "How fast we know what we know",
    "turns": "When the agent takes its turn, on recorded speech",
}
PLOTTED: Final = {"latency": ("gap", "first_audio"), "bargein": ("stop", "gap"), "gaps": ("holes",)}
CARDS: Final = (
    ("latency", "gap", "response gap"),
    ("latency", "first_audio", "answer to first audio"),
    ("bargein", "stop", "barge-in, mouth to silence"),
    ("bargein", "heard_error", "heard-text error"),
)
_STYLE: Final = """
:root{color-scheme:light;--ink:#1c2430;--faint:#5d6878;--rule:#e4e8ee;--accent:#0f766e}
*{box-sizing:border-box}
body{margin:0;background:#f5f7f9;color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:860px;margin:0 auto;padding:40px 20px 64px}
h1{font-size:34px;line-height:1.15;margin:0 0 6px;letter-spacing:-.02em}
h2{font-size:22px;margin:0 0 2px;letter-spacing:-.01em}
h3{font-size:15px;margin:26px 0 6px;font-weight:600}
p{margin:0 0 10px}.faint{color:var(--faint);font-size:14px}
section{background:#fff;border:1px solid var(--rule);border-radius:12px;padding:26px 28px;margin-top:22px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(145px,1fr));gap:14px;margin:26px 0 0}
.card{background:#fff;border:1px solid var(--rule);border-radius:12px;padding:16px 18px}
.card b{display:block;font-size:28px;line-height:1.1;letter-spacing:-.02em;color:var(--accent)}
.card b small{font-size:15px;font-weight:500;letter-spacing:0}
.card span{display:block;font-size:14px;margin-top:4px}.card em{font-style:normal;color:var(--faint);font-size:13px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums;margin-top:12px}
th,td{text-align:right;padding:6px 0 6px 18px;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal}
th{font-weight:600;vertical-align:bottom}td small{color:var(--faint)}
svg{display:block;width:100%;height:auto;margin-top:6px;font-family:inherit}
svg .axis{font-size:12px;fill:#5d6878}svg .value{font-size:12px;font-weight:600}
.legend{display:flex;flex-wrap:wrap;gap:18px;font-size:13px;margin:4px 0 0}
.legend i{display:inline-block;width:18px;height:4px;border-radius:2px;margin-right:7px;vertical-align:middle}
.warn{border-left:3px solid #d97706;padding:2px 0 2px 12px;font-size:14px;color:#7c4a03;margin-top:14px}
.targets{list-style:none;margin:0;padding:0;font-size:14px}
.targets li{padding:4px 0;border-bottom:1px solid var(--rule)}
.targets b{display:inline-block;width:66px;margin-right:10px;border-radius:5px;text-align:center;font-size:12px}
.met b{background:#d9f2ec;color:#0b5f58}.missed b{background:#fde2e2;color:#b42318}
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
        f"{machine.memory_gb:g} GB, {escape(machine.system)}, Python {escape(machine.python)} · seed {result.seed} · "
        f"measured in {result.seconds:.0f} s</p>"
    )
    if max(machine.load) > machine.cores:
        yield (
            f"<p class='warn'>The load average was {machine.load[0]:.1f} before and {machine.load[1]:.1f} after on "
            f"{machine.cores} cores: others were at work on this machine. Compare the engines of this page with each other, "
            "and nothing on it with another page.</p>"
        )
    yield from _cards(result)
    yield from side_by_side(result)
    for suite in dict.fromkeys(run.suite for run in result.runs):
        yield from _section(suite, [run for run in result.runs if run.suite == suite])
    yield (
        "<section><h2>How it was measured</h2><p>Carrier and callers are processes of their own and speak the carrier's "
        "media-stream protocol with the engine. Both directions of every call are recorded by media time: left the "
        "caller's mouth, right the caller's ear. Every boundary of speech is found twice, by loudness and by a speech "
        "model; where the two differ by more than 120 ms the figure is discarded, and counted as such. With parts on "
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
        found.append(_card(f"{numbers['calls_per_core']:.0f}", "calls", f"{beyond}on one core", cpu))
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
    if any(run.curve for run in runs):
        yield "<h3>CPU per call as calls are added; a cross where the engine broke</h3>"
        yield svg.density([(run.engine, run.curve) for run in runs], "CPU per call against calls")
        held = [(run.engine, run.numbers["calls_per_core"]) for run in runs if "calls_per_core" in run.numbers]
        yield f"<h3>Calls on one core</h3>{bars(held, 'Calls on one core')}"
    yield _table(runs)
    for run in runs:
        if run.timeline is not None:
            yield f"<h3>A call with {escape(run.engine)}</h3>{svg.timeline(run.timeline, run.engine)}"
        for note in (words.own_setup_of(run), *run.notes, words.account_of(run), words.discards_of(run)):
            if note:
                yield f"<p class='faint'>{escape(run.engine)}: {escape(note)}</p>"
    yield _targets([each for each in verdicts(runs) if each.suite == suite])
    yield "</section>"


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
        yield f"<h3>{escape(about.title)}: {escape(about.about)}</h3>{drawn}"


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
