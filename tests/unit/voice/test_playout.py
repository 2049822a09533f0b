"""The ledger of what was heard."""

from __future__ import annotations

import pytest

from voice.events import ReplyId, Word
from voice.playout import Playout

R = ReplyId(1)
WORDS = (Word("hello,", 0.0, 0.3), Word("this", 0.3, 0.5), Word("is", 0.5, 0.6), Word("Ann", 0.6, 1.0))


def spoken() -> tuple[Playout, list[str]]:
    playout = Playout()
    playout.open(R, 0, "Hello, this is Ann.")
    marks = playout.queue(R, 0, b"\xff" * 8000, WORDS)
    playout.complete(R, 0)
    return playout, [name for _, name in marks]


def test_nothing_is_heard_before_a_mark_returns():
    playout, _ = spoken()
    assert playout.heard_text(R) == ""
    assert playout.is_playing
    assert playout.remaining == 1.0


def test_marks_lie_behind_the_words():
    playout = Playout()
    playout.open(R, 0, "Hello, this is Ann.")
    assert [offset for offset, _ in playout.queue(R, 0, b"\xff" * 8000, WORDS)] == [2400, 4000, 4800, 8000]


def test_heard_to_the_word_in_the_written_spelling():
    playout, names = spoken()
    assert playout.returned(names[1])
    assert playout.heard_text(R) == "Hello, this"


def test_a_lost_mark_is_made_up_for_by_the_next():
    playout, names = spoken()
    assert playout.returned(names[2])
    assert not playout.returned(names[0])
    assert playout.heard_text(R) == "Hello, this is"


def test_heard_to_the_end():
    playout, names = spoken()
    playout.returned(names[-1])
    assert playout.heard_text(R) == "Hello, this is Ann."
    assert not playout.is_playing
    assert playout.remaining == 0.0


def test_a_cleared_mark_means_nothing():
    playout, names = spoken()
    playout.returned(names[0])
    playout.cut(0)
    assert not playout.returned(names[-1])
    assert playout.heard_text(R) == "Hello,"


def test_a_voice_without_word_times_is_estimated_by_letters():
    playout = Playout()
    playout.open(R, 0, "one two three four")
    names = [name for _, name in playout.queue(R, 0, b"\xff" * 8000, ())]
    assert len(names) == 4
    playout.complete(R, 0)
    playout.returned(names[1])  # half of the audio, of nineteen letters and spaces
    assert playout.heard_text(R) == "one two"


def test_audio_that_comes_in_pieces():
    playout = Playout()
    playout.open(R, 0, "one two")
    first = playout.queue(R, 0, b"\xff" * 1600, (Word("one", 0.0, 0.2),))
    second = playout.queue(R, 0, b"\xff" * 1600, (Word("two", 0.0, 0.3),))  # a voice's times may run past its audio
    assert [offset for offset, _ in (*first, *second)] == [1600, 1600]
    playout.returned(second[-1][1])
    assert playout.heard_text(R) == "one two"
    playout.complete(R, 0)
    assert playout.heard_text(R) == "one two"


def test_words_spoken_otherwise_than_written():
    playout = Playout()
    playout.open(R, 0, "$5 please")
    marks = playout.queue(
        R, 0, b"\xff" * 8000, (Word("five", 0.0, 0.3), Word("dollars", 0.3, 0.6), Word("please", 0.6, 0.9))
    )
    playout.returned(marks[1][1])
    assert playout.heard_text(R) == "five dollars"


def test_an_empty_segment_says_nothing():
    playout = Playout()
    playout.open(R, 0, "…")
    assert playout.queue(R, 0, b"\xff" * 0, ()) == ()
    playout.complete(R, 0)
    assert playout.heard_text(R) == ""


def test_another_replys_words_are_not_ours():
    playout, names = spoken()
    playout.returned(names[-1])
    assert playout.heard_text(ReplyId(2)) == ""


def test_a_segment_must_be_opened():
    with pytest.raises(AssertionError):
        Playout().queue(R, 0, b"\xff", ())


def test_a_segment_without_audio_completes_silently():
    playout = Playout()
    playout.complete(R, 0)
    assert not playout.is_open(R, 0)


def test_a_segment_begins_to_sound_when_what_was_queued_before_it_is_through():
    playout, names = spoken()
    playout.open(R, 1, "How are you?")
    assert playout.begun() == ["Hello, this is Ann."]
    playout.queue(R, 1, b"\xff" * 4000, ())
    assert playout.begun() == []
    playout.returned(names[2])
    assert playout.begun() == []
    playout.returned(names[3])
    assert playout.begun() == ["How are you?"]
    assert playout.begun() == []


def test_a_segment_that_was_cut_off_before_it_sounded_never_begins():
    playout, _ = spoken()
    playout.open(R, 1, "How are you?")
    playout.queue(R, 1, b"\xff" * 4000, ())
    assert playout.begun() == ["Hello, this is Ann."]
    playout.cut(0)
    playout.open(ReplyId(2), 0, "Yes?")
    playout.queue(ReplyId(2), 0, b"\xff" * 4000, ())
    assert playout.begun() == ["Yes?"]


LOUD, MUTE = b"\x00" * 80, b"\xff" * 80


def test_words_without_times_take_their_share_of_what_sounds():
    playout = Playout()
    playout.open(R, 0, "abc, abc")
    playout.queue(R, 0, MUTE * 10 + LOUD * 50 + MUTE * 30 + LOUD * 40 + MUTE * 10, ())
    playout.complete(R, 0)
    playout.hold(59 * 80)
    assert playout.heard_text(R) == ""
    playout.hold(60 * 80)
    assert playout.heard_text(R) == "abc,"
    playout.hold(130 * 80)
    assert playout.heard_text(R) == "abc, abc"


def test_a_voice_that_is_still_at_it_is_believed_to_speak_as_fast_as_before():
    playout = Playout()
    playout.open(R, 0, "abc abc")
    playout.queue(R, 0, LOUD * 80, ())
    playout.complete(R, 0)
    playout.open(R, 1, "abc abc abc abc")
    playout.queue(R, 1, LOUD * 100, ())
    playout.cut(170 * 80)
    assert playout.heard_text(R) == "abc abc abc abc"
    playout.cut(100 * 80)
    assert playout.heard_text(R).count("abc") == 4, "what was heard stays heard"


def test_audio_in_which_nothing_sounds_is_shared_by_letters():
    playout = Playout()
    playout.open(R, 0, "abc abc")
    playout.queue(R, 0, MUTE * 80, ())
    playout.complete(R, 0)
    playout.hold(40 * 80)
    assert playout.heard_text(R) == "abc"


def test_a_sound_shorter_than_a_stretch_has_no_words():
    playout = Playout()
    playout.open(R, 0, "abc")
    playout.queue(R, 0, b"\xff" * 8, ())
    playout.complete(R, 0)
    assert playout.heard_text(R) == ""
