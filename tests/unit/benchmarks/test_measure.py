"""Silences within a reply, from what a carrier noted."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.measure import Line, Sidecar, holes, start_of


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("3/9600", "3/16000", [0.3]),
        ("3/9600/2", "3/16000/2", [0.3]),  # sent again
        ("3/9600", "4/1600", []),  # another reply
        ("3/4000", "3/9600", [0.3]),  # early in a reply as well
        ("theirs", "theirs", [0.3]),  # of an engine whose marks tell no position
    ],
)
def test_a_silence_between_two_marks_of_one_reply_is_a_hole(before: str, after: str, found: list[float]) -> None:
    marks = [{"name": before, "placed": 0, "returned": 8000, "why": "played"}]
    marks.append({"name": after, "placed": 0, "returned": 12000, "why": "played"})
    noted = {"call_sid": "CA1", "marks": marks, "underruns": [{"at": 8000, "samples": 2400}]}
    assert list(holes(msgspec.convert(noted, Sidecar))) == found


@pytest.mark.parametrize(
    ("sounds", "began"),
    [
        ([(8400, 16000)], 8400),
        ([(7200, 16000)], 8000),  # the agent's own voice came back right before
        ([(2000, 4000)], None),
    ],
)
def test_a_line_begins_when_it_sounds_and_not_before_it_was_said(sounds: list[tuple[int, int]], began: int | None) -> None:
    assert start_of(Line("Wait.", 8000, 16000), sounds) == began
