"""Audio a little ahead of real time."""

from __future__ import annotations

import pytest

from telephony.audio import level
from voice.pacer import CHUNK, Pacer

SECOND = b"\x10" * 8000


def sent(items: list[bytes | str]) -> int:
    return sum(len(item) for item in items if isinstance(item, bytes))


def test_sends_its_lead_at_once_and_then_as_time_passes():
    pacer = Pacer(lead=0.3)
    pacer.put(SECOND, ())
    assert sent(pacer.due(10.0)) == 2400
    assert sent(pacer.due(10.0)) == 0
    assert pacer.next_due == pytest.approx(10.0)
    assert sent(pacer.due(10.02)) == CHUNK
    assert sent(pacer.due(10.3)) == 1600


def test_marks_go_out_behind_their_audio():
    pacer = Pacer()
    pacer.put(b"\x10" * 300, ((100, "a"), (300, "b")))
    items = pacer.due(0.0)
    assert items == [b"\x10" * 100, "a", b"\x10" * 200, "b"]
    assert pacer.next_due is None


def test_a_mark_waits_for_audio_that_is_not_due():
    pacer = Pacer(lead=0.1)
    pacer.put(b"\x10" * 1600, ((1600, "end"),))
    assert "end" not in pacer.due(0.0)
    assert "end" in pacer.due(0.1)


def test_clear_drops_what_waits():
    pacer = Pacer()
    pacer.put(SECOND, ((8000, "end"),))
    pacer.due(0.0)
    pacer.clear()
    assert pacer.due(5.0) == []
    assert pacer.next_due is None


def test_a_stalled_loop_is_counted_only_in_the_middle_of_speech():
    pacer = Pacer(lead=0.2)
    pacer.put(SECOND, ())
    pacer.due(1.0)
    assert sent(pacer.due(2.0)) == 1600
    assert pacer.underruns == 1
    pacer.due(3.0)
    pacer.put(SECOND, ())
    pacer.due(9.0)
    pacer.clear()
    pacer.put(SECOND, ())
    pacer.due(20.0)
    assert pacer.underruns == 3


def test_ducking_and_back():
    pacer = Pacer(lead=0.1)
    pacer.put(SECOND, ())
    full = pacer.due(0.0)[0]
    pacer.set_gain(0.3)
    low = pacer.due(0.1)[0]
    pacer.set_gain(1.0)
    again = pacer.due(0.2)[0]
    assert isinstance(full, bytes)
    assert isinstance(low, bytes)
    assert level(low) == pytest.approx(level(full) - 10.5, abs=0.5)
    assert again == full


def test_two_marks_may_stand_in_one_place():
    pacer = Pacer()
    pacer.put(b"\x10" * 100, ((100, "a"), (100, "b")))
    assert pacer.due(0.0) == [b"\x10" * 100, "a", "b"]
