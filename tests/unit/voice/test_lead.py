"""How far ahead audio is sent."""

from __future__ import annotations

from itertools import count

from voice.lead import FIRST, LEAST, MOST, Lead


def frames(lead: Lead, seconds: float, *, start: float = 0.0, stall: float = 0.0, every: float = 1.0) -> list[float]:
    """Frames of 20 ms; those in the first `stall` seconds of `every` second come when it is over."""
    ordered = []
    for number in count(int(start / 0.02)):
        position = (number + 1) * 160
        now = position / 8000
        if now > start + seconds:
            return ordered
        since = now % every
        changed = lead.frame(position, now + max(0.0, stall - since) if since < stall else now)
        ordered += [changed] if changed is not None else []
    return ordered


def test_a_calm_line_needs_little():
    lead = Lead()
    assert lead.seconds == FIRST
    ordered = frames(lead, 40.0)
    assert ordered == sorted(ordered, reverse=True)
    assert lead.seconds <= LEAST + 0.021


def test_stalls_are_bridged_at_once_and_long_remembered():
    lead = Lead()
    frames(lead, 40.0)
    (first, *_) = frames(lead, 10.0, start=40.0, stall=0.1)
    assert first > 0.25
    assert lead.seconds > 0.25


def test_there_is_a_limit():
    lead = Lead()
    assert lead.late(3.0, 1.0) == MOST
    assert lead.late(3.0, 1.0) is None
