"""Silences within a reply, from what a carrier noted."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.measure import Clear, Line, Sidecar, holes, start_of, stop_after
from benchmarks.segments import marked
from voice.events import DeadlinePassed, ReplyId, SpeechArrived
from voice.journal import Entry


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


# "Okay." is heard until 3/9600, "One moment." until 3/12800; then the reply itself.
SEGMENTS = {"3/4800": -1, "3/9600": -1, "3/12800": -2, "3/16000": 0, "3/19200": 0, "3/22400": 1}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("3/9600", "3/16000", []),  # the wait after a word in between
        ("3/9600/2", "3/16000/2", []),  # sent again
        ("3/9600", "3/12800", []),  # for another word in between
        ("3/12800", "3/16000", []),
        ("3/4800", "3/9600", [0.3]),  # within a word in between
        ("3/16000", "3/19200", [0.3]),  # early in the reply
        ("3/19200", "3/22400", [0.3]),  # between two sentences of it
        ("3/22400", "3/99999", [0.3]),  # nothing is told of what follows: content
    ],
)
def test_where_the_journal_tells_what_was_said_only_the_wait_after_a_word_in_between_is_no_hole(before, after, found):
    marks = [{"name": before, "placed": 0, "returned": 8000, "why": "played"}]
    marks.append({"name": after, "placed": 0, "returned": 12000, "why": "played"})
    noted = {"call_sid": "CA1", "marks": marks, "underruns": [{"at": 8000, "samples": 2400}]}
    assert list(holes(msgspec.convert(noted, Sidecar), SEGMENTS)) == found


def test_the_journal_tells_which_piece_a_mark_stands_in():
    def spoken(segment: int, *marks: tuple[int, str]) -> Entry:
        return Entry(1.0, SpeechArrived(ReplyId(3), segment, bytes(800)), [["Play", {"audio": 800, "marks": marks}]])

    held = Entry(1.0, DeadlinePassed(), [["Play", {"audio": 800, "marks": [(800, "4/99")]}]])
    other = Entry(1.0, SpeechArrived(ReplyId(3), 0, bytes(8)), [["Note", {}]])
    told = marked([spoken(-1, (400, "3/400"), (800, "3/800/2")), held, other, spoken(0, (800, "3/1600"))])
    assert told == {"3/400": -1, "3/800": -1, "3/1600": 0}


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


@pytest.mark.parametrize(
    ("ours", "cleared", "after"),
    [
        ((0, 10000), (10080,), 0.25),  # made silent
        ((0, 10000), (8800,), None),  # a lower voice, and the end of what it had to say
        ((0, 10000), (8800, 10000), 0.25),  # lower, then silent
        ((0, 10000), (), None),
        ((0, 40000), (40000,), None),  # four seconds later: not for this
        ((9000, 12000), (12000,), None),  # it began to speak after the person did
    ],
)
def test_a_stop_is_an_end_that_a_clear_made(ours: tuple[int, int], cleared: tuple[int, ...], after: float | None) -> None:
    clears = [Clear(at, 800) for at in cleared]
    assert stop_after(Line("Wait.", 8000, 16000), clears, [(8000, 16000)], [ours]) == after
