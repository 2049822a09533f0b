"""Plots as inline SVG, drawn here so that a report is one file that opens anywhere. Pure: values in, text out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from benchmarks.report.model import Mark, Point, Timeline

WIDTH: Final = 760
# Colours are the page's own (`html.py`), so that they change with the light.
COLORS: Final = {"offhook": "var(--offhook)", "pipecat": "var(--pipecat)", "livekit": "var(--livekit)"}
OTHERS: Final = ("var(--blue)", "var(--amber)", "var(--pink)", "var(--faint)")
INK: Final = "var(--ink)"
FAINT: Final = "var(--line)"
RULE: Final = "var(--rule)"
PAPER: Final = "var(--paper)"
KINDS: Final = {
    "hello": ("var(--faint)", "hello"),
    "turn": ("var(--blue)", "turn"),
    "bye": ("var(--blue)", "goodbye"),
    "barge_in": ("var(--red)", "takes the floor"),
    "backchannel": ("var(--amber)", "backchannel"),
    "cough": ("var(--amber)", "cough"),
    "click": ("var(--amber)", "click"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One engine's values."""

    name: str
    values: tuple[float, ...]


def color(name: str, number: int = 0) -> str:
    """An engine keeps its colour on every plot; a variant of it is drawn dashed."""
    return COLORS.get(name.split(" ")[0], OTHERS[number % len(OTHERS)])


def _dash(name: str) -> str:
    return ' stroke-dasharray="6 4"' if "(" in name else ""


def distribution(series: Sequence[Series], unit: str, label: str) -> str:
    """Cumulative distributions: how many per cent of the occasions were at most so long."""
    shown = [each for each in series if each.values]
    if not shown:
        return ""
    left, right, top, bottom = 46, 16, 18, 250
    most = nice(max(max(each.values) for each in shown))
    x = scale(0, most, left, WIDTH - right)
    y = scale(0, 1, bottom, top)
    parts = [_axis_x(x, most, bottom, unit), *(_rule_y(y(share), f"{share:.0%}", left) for share in (0, 0.5, 0.95))]
    for number, each in enumerate(shown):
        ordered = sorted(each.values)
        count = len(ordered)
        points = [(x(0), y(0))]
        for index, value in enumerate(ordered):
            points += [(x(value), y(index / count)), (x(value), y((index + 1) / count))]
        points.append((x(most), y(1)))
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        ink = color(each.name, number)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2.5" '
            f'stroke-linejoin="round"{_dash(each.name)}/>'
        )
        parts += _percentile_dots(ordered, x, y, ink, 14 + 13 * number)
    return drawing(bottom + 42, parts, label) + legend([each.name for each in shown])


def _percentile_dots(ordered: Sequence[float], x: _Scale, y: _Scale, ink: str, below: float) -> Iterator[str]:
    for share in (0.5, 0.95):
        value = ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]
        yield f'<circle cx="{x(value):.1f}" cy="{y(share):.1f}" r="4.5" fill="{ink}" stroke="{PAPER}" stroke-width="1.5"/>'
        side, anchor = (8, "start") if x(value) < WIDTH * 0.9 else (-8, "end")
        place = f'x="{x(value) + side:.1f}" y="{y(share) + below:.1f}" text-anchor="{anchor}"'
        yield f'<text {place} class="value" fill="{ink}">{compact(value)}</text>'


def climbs(curves: Sequence[tuple[str, Sequence[tuple[Point, float]]]], what: str, label: str) -> str:
    """A value of each step against its calls, whose axis is logarithmic; a cross where the engine broke."""
    drawn = [(name, points) for name, points in curves if points]
    if not drawn:
        return ""
    left, right, top, bottom = 46, 24, 22, 250
    calls = [point.calls for _, points in drawn for point, _ in points]
    most = nice(max(value for _, points in drawn for _, value in points))
    x, y = log_scale(min(calls) / 1.2, max(calls) * 1.2, left, WIDTH - right), scale(0, most, bottom, top)
    parts = [f'<text x="{left + 6}" y="12" class="axis">{escape(what)}</text>']
    parts += [_rule_y(y(value), compact(value), left) for value in ticks(most)]
    parts += [_mark_x(x(value), compact(value), bottom) for value in decades(min(calls) / 1.2, max(calls) * 1.2)]
    parts.append(f'<text x="{WIDTH - right}" y="{bottom + 33}" class="axis" text-anchor="end">calls at once</text>')
    for number, (name, points) in enumerate(drawn):
        ink = color(name, number)
        path = " ".join(f"{x(point.calls):.1f},{y(value):.1f}" for point, value in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2.5"{_dash(name)}/>')
        for point, value in points:
            px, py = x(point.calls), y(value)
            parts.append(_cross(px, py, ink, point.why) if point.is_broken else _dot(px, py, ink))
    return drawing(bottom + 42, parts, label) + legend([name for name, _ in drawn])


def _mark_x(px: float, text: str, bottom: float) -> str:
    return f'<text x="{px:.1f}" y="{bottom + 16}" class="axis" text-anchor="middle">{text}</text>'


def _dot(px: float, py: float, ink: str) -> str:
    return f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.5" fill="{ink}"/>'


def _cross(px: float, py: float, ink: str, why: str) -> str:
    lines = f'<path d="M{px - 6:.1f} {py - 6:.1f}l12 12m0 -12l-12 12" stroke="{ink}" stroke-width="3"/>'
    where = px + 10 if px < WIDTH * 0.7 else px - 10
    anchor = "start" if px < WIDTH * 0.7 else "end"
    place = f'x="{where:.1f}" y="{py - 8:.1f}" text-anchor="{anchor}"'
    return f'{lines}<text {place} class="value" fill="{ink}">{escape(why)}</text>'


def timeline(call: Timeline, engine: str = "offhook") -> str:
    """One call: the caller's loudness above the line, the agent's below, and what each sound was meant to be."""
    length = max(len(call.caller), len(call.agent)) * call.step
    if not length:
        return ""
    left, right, middle, height = 56, 12, 112, 58
    x = scale(0, length, left, WIDTH - right)
    parts = [_mark(mark, x, middle, height, number % 2) for number, mark in enumerate(_spoken_first(call.marks))]
    parts.append(_envelope(call.caller, call.step, x, middle - 2, -height, "var(--blue)"))
    parts.append(_envelope(call.agent, call.step, x, middle + 2, height, color(engine)))
    parts.append(f'<line x1="{left}" y1="{middle}" x2="{WIDTH - right}" y2="{middle}" stroke="{FAINT}" stroke-width="1"/>')
    parts.append(f'<text x="{left - 8}" y="{middle - 24}" class="axis" text-anchor="end">caller</text>')
    parts.append(f'<text x="{left - 8}" y="{middle + 32}" class="axis" text-anchor="end">agent</text>')
    parts.append(_axis_x(x, length, middle + height + 6, "seconds"))
    return drawing(middle + height + 48, parts, f"One call, {escape(call.title)}")


def _spoken_first(marks: Sequence[Mark]) -> list[Mark]:
    """Marks with a word above them next to each other, so that their words can alternate between two lines."""
    return sorted(marks, key=lambda mark: (mark.kind in ("turn", "hello", "bye", "clear"), mark.at))


def _mark(mark: Mark, x: _Scale, middle: float, height: float, row: int) -> str:
    top = middle - height - 14
    if mark.kind == "clear":
        px = x(mark.at)
        return (
            f'<line x1="{px:.1f}" y1="{middle}" x2="{px:.1f}" y2="{middle + height + 2}" stroke="var(--red)" '
            f'stroke-width="1.5" stroke-dasharray="3 2"><title>cleared at {mark.at:.2f} s</title></line>'
        )
    ink, words = KINDS.get(mark.kind, (FAINT, mark.kind))
    start, end = x(mark.at), x(mark.until if mark.until is not None else mark.at)
    box = (
        f'<rect x="{start:.1f}" y="{top:.1f}" width="{max(3.0, end - start):.1f}" height="{height + 12:.1f}" '
        f'fill="{ink}" opacity=".09" rx="3"><title>{escape(mark.text)}</title></rect>'
    )
    if mark.kind in ("turn", "hello", "bye"):
        return box
    return box + f'<text x="{start:.1f}" y="{top - 4 - 14 * row:.1f}" class="value" fill="{ink}">{escape(words)}</text>'


def _envelope(values: Sequence[float], step: float, x: _Scale, base: float, height: float, ink: str) -> str:
    if not values:
        return ""
    points = [f"{x(index * step):.1f},{base + value * height:.1f}" for index, value in enumerate(values)]
    ends = f"{x(0):.1f},{base:.1f} {' '.join(points)} {x((len(values) - 1) * step):.1f},{base:.1f}"
    return f'<polygon points="{ends}" fill="{ink}" opacity=".85"/>'


# --- axes ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def scale(low: float, high: float, start: float, end: float) -> _Scale:
    """Values from `low` to `high` onto pixels from `start` to `end`."""
    return _Scale(low, high, start, end)


@dataclass(frozen=True, slots=True)
class _LogScale:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = math.log(max(value, self.low) / self.low) / (math.log(self.high / self.low) or 1.0)
        return self.start + share * (self.end - self.start)


def log_scale(low: float, high: float, start: float, end: float) -> _LogScale:
    """Values from `low` (over 0) to `high` onto pixels, equal ratios as equal lengths."""
    return _LogScale(low, high, start, end)


def decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 of every power of ten that lies between."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step * 10.0**power for power in powers for step in (1, 2, 5) if low <= step * 10.0**power <= high]


def nice(value: float) -> float:
    """The next round number: where an axis ends."""
    if value <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value))


def ticks(most: float) -> list[float]:
    """Round numbers between 0 and `most`, four to eight of them."""
    power = 10.0 ** math.floor(math.log10(most / 4))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if most / (each * power) <= 8)
    return [round(index * step, 10) for index in range(int(most / step + 1e-9) + 1)]


def compact(value: float) -> str:
    return (
        f"{value:,.0f}".replace(",", "\u202f")
        if abs(value) >= 10
        else f"{value:g}"
        if value == int(value)
        else f"{value:.2f}"
    )


def _axis_x(x: _Scale, most: float, bottom: float, unit: str) -> str:
    marks = "".join(
        f'<text x="{x(value):.1f}" y="{bottom + 16}" class="axis" text-anchor="middle">{compact(value)}</text>'
        for value in ticks(most)
    )
    line = f'<line x1="{x(0):.1f}" y1="{bottom}" x2="{x(most):.1f}" y2="{bottom}" stroke="{FAINT}"/>'
    return f'{line}{marks}<text x="{x(most):.1f}" y="{bottom + 33}" class="axis" text-anchor="end">{escape(unit)}</text>'


def _rule_y(py: float, text: str, left: float) -> str:
    line = f'<line x1="{left}" y1="{py:.1f}" x2="{WIDTH - 16}" y2="{py:.1f}" stroke="{RULE}"/>'
    return f'{line}<text x="{left - 8}" y="{py + 4:.1f}" class="axis" text-anchor="end">{escape(text)}</text>'


def drawing(height: float, parts: Sequence[str], label: str) -> str:
    """The parts as one picture; `label` is for those who cannot see it."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
    )


def legend(names: Sequence[str]) -> str:
    """Which colour is whose."""
    keys = "".join(
        f'<span><i style="background:{color(name, number)}"></i>{escape(name)}</span>' for number, name in enumerate(names)
    )
    return f'<p class="legend">{keys}</p>'
