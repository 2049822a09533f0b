"""Silences within a reply, from what a carrier noted."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.measure import Sidecar, holes


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
