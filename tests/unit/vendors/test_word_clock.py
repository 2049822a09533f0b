from __future__ import annotations

from voice.events import Word
from voice.providers.elevenlabs_socket import Alignment, WordClock, timed, timed_by_http


def test_words_that_cross_pieces_belong_to_the_piece_they_end_in() -> None:
    clock = WordClock()
    assert clock.words("hi th", [0.0, 0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4, 0.5]) == (Word("hi", 0.0, 0.2),)
    clock.next_piece()
    assert clock.words("ere ", [0.0, 0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.3]) == (Word("there", 0.0, 0.3),)
    assert clock.words("no", [0.0, 0.1], [0.1, 0.2]) == ()
    assert clock.rest() == (Word("no", 0.0, 0.0),)
    assert clock.rest() == ()


def test_times_are_milliseconds_on_the_socket_and_nothing_without_an_alignment() -> None:
    clock = WordClock()
    assert timed(clock, Alignment(["h", "i", " "], [0, 60, 120], [60, 60, 0])) == (Word("hi", 0.0, 0.12),)
    assert timed(clock, None) == ()
    assert timed_by_http(clock, None) == ()
