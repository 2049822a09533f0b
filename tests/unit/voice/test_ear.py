"""Where the ear is: between receipts, with late ones, and over lines that take their time."""

from __future__ import annotations

import pytest

from voice.ear import Ear


def playing(trip: float | None = 0.1, start: float = 0.0) -> Ear:
    """Two seconds of audio sent at 10 s."""
    ear = Ear()
    if trip is not None:
        ear.probed(5.0)
        ear.probe_returned(5.0 + trip)
    ear.queued(0, 16000, 10.0)
    if start:
        ear.marked(800, 10.0 + 0.1 + start + (trip or 0.0))
    return ear


def test_before_anything_was_sent_nothing_was_heard():
    ear = Ear()
    assert (ear.position(3.0), ear.round_trip, ear.offset, ear.is_known) == (0, None, 0.0, False)
    ear.marked(800, 1.0)
    ear.probe_returned(2.0)
    assert (ear.round_trip, ear.is_known) == (None, True)


def test_an_order_travels_as_long_as_the_audio_did():
    ear = playing()
    assert ear.position(10.5) == 4000
    assert ear.heard_when_cut(10.5) == 3200
    assert ear.position(13.0) == 16000


def test_what_a_carrier_takes_to_begin_is_learned_from_its_marks():
    ear = playing(start=0.06)
    assert ear.position(10.5) == pytest.approx(4000 - 480, abs=8)
    assert ear.offset == pytest.approx(0.11)


def test_a_late_mark_changes_nothing_but_the_jitter():
    ear = playing()
    ear.marked(800, 10.2)
    ear.marked(1600, 10.45)
    assert ear.position(10.5) == 4000
    assert ear.jitter == pytest.approx(0.15)


def test_an_underrun_is_believed_after_two_marks():
    ear = playing()
    for number, late in ((1, 0.0), (2, 0.0), (3, 0.3), (4, 0.3)):
        ear.marked(800 * number, 10.1 + 0.1 * number + late)
    assert ear.position(11.0) == pytest.approx(8000 - 2400, abs=8)


def test_no_mark_comes_back_before_its_audio():
    ear = playing()
    ear.marked(8000, 10.4)
    assert ear.position(10.5) == pytest.approx(8800, abs=8)


def test_nor_sooner_than_the_way_takes():
    ear = playing(trip=0.5)
    ear.marked(800, 10.3)
    assert ear.round_trip == pytest.approx(0.2)


def test_a_frame_that_has_begun_is_played_to_its_end():
    ear = playing()
    assert ear.next_frame(10.5) == 4000
    assert ear.next_frame(10.501) == 4160
    assert ear.next_frame(11.9999) == 16000
    ear.cleared(10.5)
    assert ear.next_frame(10.6) == 4000


def test_while_the_way_is_unknown_some_of_it_is_assumed():
    ear = playing(trip=None)
    ear.marked(800, 10.2)
    assert ear.heard_when_cut(10.5) == 1600


def test_after_a_silence_or_a_clear_the_clock_starts_anew():
    ear = playing()
    ear.queued(16000, 24000, 15.0)
    assert ear.position(15.5) == 20000
    ear.marked(16000, 15.1)  # of the audio before the silence
    assert ear.cleared(15.5) == 20000
    assert ear.position(17.0) == 20000
    ear.queued(20000, 24000, 18.0)
    ear.queued(24000, 25000, 18.1)
    assert ear.position(18.25) == 22000
