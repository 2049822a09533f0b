from __future__ import annotations

from voice.events import Transcribed, Word
from voice.providers.resilience.replay import Replay, shifted


def test_what_is_final_need_not_be_heard_again() -> None:
    replay = Replay()
    replay.hear(b"a" * 8000)
    replay.hear(b"b" * 8000)
    replay.final((Word("hello", 0.2, 1.5),))
    assert (replay.start, replay.audio) == (1.5, b"b" * 4000)
    assert replay.position == 16000


def test_an_empty_final_settles_what_it_was_asked_for_and_no_more() -> None:
    replay = Replay()
    replay.final(())
    replay.hear(b"a" * 800)
    replay.asked()
    replay.hear(b"b" * 800)
    replay.final(())
    assert replay.audio == b"b" * 800


def test_words_timed_beyond_what_was_heard_or_before_it_do_no_harm() -> None:
    replay = Replay()
    replay.hear(b"a" * 800)
    replay.final((Word("late", 5.0, 9.0),))
    assert replay.audio == b""
    replay.final((Word("early", 0.0, 0.01),))
    assert replay.position == 800


def test_it_does_not_grow_for_ever() -> None:
    replay = Replay()
    for _ in range(40):
        replay.hear(b"x" * 8000)
    assert len(replay.audio) == 30 * 8000
    assert replay.start == 10.0


def test_words_keep_the_times_of_the_call() -> None:
    heard = Transcribed("yes", True, 0.9, 1.0, (Word("yes", 0.5, 0.8),), 0.7, "es")
    moved = shifted(heard, 2.0)
    assert moved.words == (Word("yes", 2.5, 2.8),)
    assert (moved.text, moved.is_final, moved.confidence, moved.end_of_turn) == ("yes", True, 0.9, 0.7)
    assert moved.language == "es"
    assert shifted(heard, 0.0) is heard
