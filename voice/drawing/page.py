"""One call as one self-contained page: the picture, drawn by the page's own script, and its figures as plain tables.

Pure, but for reading the page's own template, style and script. Nothing of a call goes in unescaped, and the page asks no
host for anything: its policy forbids it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from statistics import median
from string import Template
from typing import Final

from voice.drawing.agreement import Finding, Measured, compare, measured_gap
from voice.drawing.pack import pack
from voice.drawing.recording import Recording
from voice.drawing.story import Difference, Gap, Story, Turn

SLOW: Final = 1.2  # seconds: a response gap that people remark on
_FEW: Final = 4  # barge-ins told one by one
_MOST_DIFFERENCES: Final = 200  # rows; a core that decides otherwise early decides otherwise about everything


def page(
    story: Story, recording: Recording | None = None, *, audio: str = "", view: tuple[float, float] | None = None
) -> str:
    """The whole page. `audio` is where the recording lies, seen from the page; `view` is what is shown first, in seconds."""
    script = _part("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_part("page.html")).substitute(
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; media-src 'self' file:",
        title=escape(f"{story.facts.call}: {story.facts.agent}, {story.facts.at:%Y-%m-%d %H:%M}"),
        style=_part("page.css"),
        script=script,
        story=pack(story, recording, view).decode(),
        heading=escape(story.facts.call),
        verdict=_verdict(story),
        facts=_facts(story),
        jump='<button type="button" class="alarm" data-do="difference" title="Next difference (d)">difference ›</button>'
        if story.differences
        else "",
        legend='<li><i class="k then"></i>decided then only</li><li><i class="k now"></i>decided now only</li>'
        if story.differences
        else "",
        audio=f'<audio id="sound" controls preload="auto" src="{escape(audio)}" aria-label="The recording"></audio>'
        if audio
        else "",
        differences=_differences(story.differences),
        agreement=_agreement(compare(story, recording)) if recording is not None else "",
        turns=_turns(story, recording),
        footer=_footer(story, recording),
    )


@cache
def _part(name: str) -> str:
    return (files("voice.drawing") / name).read_text("utf-8")


# --- the head ---------------------------------------------------------------------------------------------------------


def _verdict(story: Story) -> str:
    if not story.differences:
        text = f"Replayed: {story.facts.events:,} events, the same decisions"
        return f'<p class="verdict same">{text}</p>'
    first = story.differences[0]
    count = f"{len(story.differences)} of {story.facts.events:,} events"
    text = f"Replayed: {count} decided otherwise, the first at {first.at:.3f} s"
    return f'<p class="verdict other">{text}</p>'


def _facts(story: Story) -> str:
    facts, gaps = story.facts, [gap.length for gap in story.gaps]
    who = f"{facts.persona} for {facts.seller} ({facts.agent})"
    answered = [turn for turn in story.turns if turn.speaker == "caller" and not turn.is_taken_back]
    told = [
        ("agent", who),
        ("direction", facts.direction),
        ("when", f"{facts.at:%Y-%m-%d %H:%M:%S} UTC"),
        ("media for", _clock(facts.duration)),
        ("ended", f"{facts.ending}: {facts.detail}" if facts.detail else facts.ending),
        ("who picked up", facts.party),
        ("caller turns", str(len(answered))),
        ("response gap", f"{_ms(median(gaps))} median, {_ms(max(gaps))} longest" if gaps else "none"),
        ("barge-ins", _stops(story)),
    ]
    rows = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in told if value)
    return f'<dl class="facts">{rows}</dl>'


def _stops(story: Story) -> str:
    stops = [barge.stopped - barge.began for barge in story.barge_ins]
    if len(stops) > _FEW:
        return f"{len(stops)}, stopped after {_ms(median(stops))} median, {_ms(max(stops))} longest"
    return f"{len(stops)}, stopped after {', '.join(map(_ms, stops))}" if stops else "none"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0.0, seconds), 60)
    return f"{minutes:.0f}:{rest:04.1f}"


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col"{" class=n" if name.endswith("·") else ""}>{name.rstrip("·")}</th>' for name in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _turns(story: Story, recording: Recording | None) -> str:
    if not story.turns:
        return '<p class="soft">Nobody said anything.</p>'
    heads = ["from", "for·", "who", "words", "gap·", *(["recorded·"] if recording is not None else []), "where the gap went"]
    rows = (
        _turn(turn, measured_gap(turn.gap, recording) if recording and turn.gap else None, recording) for turn in story.turns
    )
    return _table(heads, rows) + _key()


def _key() -> str:
    names = ("deciding that the turn is over", "waiting for the last words", "the mind", "the voice", "the line")
    keys = "".join(f'<li><i class="k s{number}"></i>{name}</li>' for number, name in enumerate(names))
    return f'<ul class="legend">{keys}</ul>'


def _turn(turn: Turn, measured: Measured | None, recording: Recording | None) -> str:
    kind = ' class="back"' if turn.is_taken_back else ""
    span = f'data-from="{turn.began * 1000:.0f}" data-to="{max(turn.ended, turn.gap.ended if turn.gap else 0.0) * 1000:.0f}"'
    cells = [
        f'<td><button type="button" {span} title="Show in the picture">{_clock(turn.began)}</button></td>',
        f'<td class="n">{turn.ended - turn.began:.1f} s</td>',
        f'<td class="who {turn.speaker}">{turn.speaker}</td>',
        f"<td>{_words(turn)}</td>",
        _gap(turn.gap),
    ]
    if recording is not None:
        cells.append(f'<td class="n">{_ms(measured.length) if measured else ""}</td>')
    cells.append(f"<td>{_stages(turn.gap) if turn.gap else ''}</td>")
    return f"<tr{kind}>{''.join(cells)}</tr>"


def _gap(gap: Gap | None) -> str:
    slow = " slow" if gap is not None and gap.length > SLOW else ""
    return f'<td class="n{slow}">{_ms(gap.length) if gap is not None else ""}</td>'


def _words(turn: Turn) -> str:
    text = escape(turn.text) or '<span class="soft">(no words understood)</span>'
    if turn.thrown_away:
        text += f' <del title="thrown away, never heard">{escape(turn.thrown_away)}</del>'
    notes = [f"turn over: {turn.why}"] if turn.why else []
    notes += [f"{turn.confidence:.0%} sure of the words"] if turn.confidence is not None else []
    notes += ["said while we spoke, and not answered"] if turn.is_over_us else []
    notes += ["the caller went on: part of the next turn"] if turn.is_taken_back else []
    return text + "".join(f'<span class="why">{escape(note)}</span>' for note in notes)


def _stages(gap: Gap) -> str:
    told = ", ".join(f"{stage.name} {_ms(stage.length)}" for stage in gap.stages if stage.length >= 0.0005)
    parts = "".join(
        f'<i class="s{number}" style="width:{100 * stage.length / gap.length:.1f}%"></i>'
        for number, stage in enumerate(gap.stages)
        if stage.length > 0
    )
    return f'<div class="stages" role="img" aria-label="{told}" title="{told}">{parts}</div><span class="why">{told}</span>'


def _differences(differences: Sequence[Difference]) -> str:
    if not differences:
        return ""
    more = len(differences) - _MOST_DIFFERENCES
    rest = f'<p class="soft">and {more} more: a core that decides otherwise once goes on from there</p>' if more > 0 else ""
    table = _table(["at", "what happened", "decided then", "decided now"], map(_difference, differences[:_MOST_DIFFERENCES]))
    return f'<section aria-labelledby="diff"><h2 id="diff">Then and now</h2>{table}{rest}</section>'


def _difference(each: Difference) -> str:
    at = f'data-from="{each.at * 1000 - 1000:.0f}" data-to="{each.at * 1000 + 1000:.0f}"'
    now = [f"cannot be taken: {each.broke}"] if each.broke else each.now
    then, now_ = ("<br>".join(escape(line) for line in lines) or "–" for lines in (each.then, now))
    return (
        f'<tr><td><button type="button" {at} title="Show in the picture">{each.at:.3f}</button></td>'
        f"<td><code>{escape(each.cause[:160])}</code></td><td>{then}</td><td>{now_}</td></tr>"
    )


def _agreement(findings: Iterable[Finding]) -> str:
    words = {
        True: '<span class="yes">agrees</span>',
        False: '<span class="no">does not agree</span>',
        None: "nothing to compare",
    }
    rows = (
        f"<tr><td>{escape(each.name)}</td><td>{words[each.agrees]}</td><td>{escape(each.says)}</td></tr>"
        for each in findings
    )
    table = _table(["what", "journal and recording", "measured"], rows)
    return f'<section aria-labelledby="agree"><h2 id="agree">The recording and the journal</h2>{table}</section>'


def _footer(story: Story, recording: Recording | None) -> str:
    text = "Times are of the engine's clock, from the opening of the media link. This page holds what people said:"
    text += " keep it as you keep the journal."
    if recording is not None:
        text += f" The recording {recording.path.name} begins at {recording.offset:+.3f} s of that clock."
    return escape(text)
