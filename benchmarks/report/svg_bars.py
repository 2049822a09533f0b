"""Engines beside each other, drawn: bars, ranges, and how often something happened that should not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TypeAlias

from benchmarks.report.svg import INK, PAPER, RULE, WIDTH, color, compact, drawing, legend, scale


def bars(series: Sequence[tuple[str, float]], label: str) -> str:
    """One bar for each engine."""
    if not series:
        return ""
    most = max(value for _, value in series) or 1.0
    rows = []
    for number, (name, value) in enumerate(series):
        top, width = 8 + number * 34, max(2.0, (WIDTH - 330) * value / most)
        rows.append(f'<text x="150" y="{top + 17}" class="axis" text-anchor="end">{escape(name)}</text>')
        rows.append(f'<rect x="160" y="{top}" width="{width:.1f}" height="24" rx="3" fill="{color(name, number)}"/>')
        rows.append(f'<text x="{168 + width:.1f}" y="{top + 17}" class="value" fill="{INK}">{compact(value)}</text>')
    return drawing(12 + 34 * len(series), rows, label)


_ROW = 40  # pixels from one share to the next

Range: TypeAlias = tuple[str, float, float]  # engine, p50, p95


def ranges(rows: Sequence[tuple[str, str, Sequence[Range]]], label: str) -> str:
    """A block for each figure, a row in it for each engine: a bar to the median, a whisker to the 95th percentile. Each
    has a scale of its own; the numbers stand beside."""
    parts: list[str] = []
    top = 0.0
    for title, unit, bars_ in rows:
        most = max(p95 for _, _, p95 in bars_) or 1.0
        x = scale(0, most, 120, WIDTH - 150)
        parts.append(f'<text x="0" y="{top + 18}" class="value" fill="{INK}">{escape(title)}</text>')
        for number, (name, p50, p95) in enumerate(bars_):
            y = top + 28 + 24 * number
            ink = color(name, number)
            parts.append(f'<text x="110" y="{y + 13}" class="axis" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="120" y="{y}" width="{max(1.0, x(p50) - 120):.1f}" height="17" rx="3" fill="{ink}"/>')
            parts.append(
                f'<path d="M{x(p50):.1f} {y + 8.5}H{x(p95):.1f}m0 -5v10" stroke="{ink}" stroke-width="2.5" fill="none"/>'
            )
            told = f"{compact(p50)} / {compact(p95)} {unit}"
            parts.append(f'<text x="{x(p95) + 10:.1f}" y="{y + 13}" class="value" fill="{INK}">{told}</text>')
        top += 28 + 24 * len(bars_) + 12
    return drawing(top, parts, label)


def rates(rows: Sequence[tuple[str, Sequence[tuple[str, float, str]]]], label: str) -> str:
    """A line for each thing that should not happen: how often it did with each engine, as a dot between 0 and 100 %."""
    if not rows:
        return ""
    x = scale(0, 1, 250, WIDTH - 30)
    names = list(dict.fromkeys(name for _, cells in rows for name, _, _ in cells))
    parts = [
        f'<text x="{x(share):.1f}" y="12" class="axis" text-anchor="middle">{share:.0%}</text>'
        f'<line x1="{x(share):.1f}" y1="18" x2="{x(share):.1f}" y2="{30 + _ROW * len(rows)}" stroke="{RULE}"/>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    for row, (title, cells) in enumerate(rows):
        y = 40 + _ROW * row
        parts.append(f'<text x="0" y="{y + 4}" class="value" fill="{INK}">{escape(title)}</text>')
        parts.append(f'<line x1="{x(0)}" y1="{y}" x2="{x(1)}" y2="{y}" stroke="{RULE}"/>')
        for name, rate, told in reversed(cells):
            number = names.index(name)
            shift = (number - (len(names) - 1) / 2) * 10
            parts.append(
                f'<circle cx="{x(rate):.1f}" cy="{y + shift:.1f}" r="5" fill="{color(name, number)}" stroke="{PAPER}" '
                f'stroke-width="1.5"><title>{escape(name)}: {escape(told)}</title></circle>'
            )
    return drawing(40 + _ROW * len(rows), parts, label) + legend(names)
