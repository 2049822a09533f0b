"""The agent's lane says what the caller really heard: held against the simulated line's own truth."""

from __future__ import annotations

import pytest

from voice.drawing.agent import Mouth
from voice.drawing.orders import Order
from voice.events import MarkReturned, ReplyId, SegmentSpoken, SpeechArrived, Word

ONE = ReplyId(1)


def speak(number: int = 0, text: str = "one two three four", reply: int = 1) -> Order:
    return Order("Speak", {"reply": reply, "segment": number, "text": text})


def play(length: int, *marks: tuple[int, str]) -> Order:
    return Order("Play", {"audio": length, "marks": [list(mark) for mark in marks]})


def arrived(length: int, *words: Word, number: int = 0) -> SpeechArrived:
    return SpeechArrived(ONE, number, b"\xff" * length, words)


def test_every_word_lies_where_it_sounded(barged):
    played = {(sound.reply, sound.word): sound for sound in barged.world.played}
    heard = 0
    for segment in barged.story.segments:
        for word in segment.words:
            if not word.is_heard:
                continue
            heard += 1
            assert word.ended == pytest.approx(played[segment.reply, word.text].end, abs=0.03)
    assert heard > 8


def test_what_was_talked_over_is_cut_where_it_was(barged):
    cut = [segment for segment in barged.story.segments if segment.cut is not None]
    assert [segment.text.split()[0] for segment in cut] == ["I", "And"]
    (barge,) = barged.story.barge_ins
    assert cut[0].cut == pytest.approx(barge.stopped)
    assert 0 < cut[0].heard < cut[0].length
    assert cut[1].heard == 0
    assert cut[1].began is None
    assert any(not word.is_heard for word in cut[0].words)


def test_marks_thrown_away_are_no_receipts(barged):
    assert any(not is_heard for _, _, is_heard in barged.story.receipts)
    assert sum(is_heard for _, _, is_heard in barged.story.receipts) > 8


def test_without_word_times_words_lie_by_their_letters():
    mouth = Mouth()
    mouth.take(0.0, None, [speak()])
    mouth.take(0.1, arrived(8000), [play(8000, (4000, "1/4000"), (8000, "1/8000"))])
    mouth.take(0.2, SegmentSpoken(ONE, 0), [])
    mouth.take(0.7, MarkReturned("1/4000"), [])
    mouth.take(1.2, MarkReturned("1/8000"), [])
    (segment,) = mouth.segments()
    assert segment.cut is None
    assert segment.began == pytest.approx(0.2)
    assert [word.text for word in segment.words] == ["one", "two", "three", "four"]
    assert segment.words[-1].ended == pytest.approx(1.2)
    assert all(word.is_heard for word in segment.words)


def test_a_draft_is_played_when_it_is_committed():
    mouth = Mouth()
    mouth.take(0.0, None, [speak(), speak(1, "five")])
    mouth.take(0.1, arrived(800, Word("one", 0.0, 0.1)), [])
    mouth.take(0.2, arrived(800, Word("two", 0.0, 0.1)), [])
    mouth.take(0.3, arrived(400, Word("five", 0.0, 0.05), number=1), [])
    mouth.take(1.0, None, [play(1600, (800, "1/800"), (1600, "1/1600")), play(400, (400, "1/2000"))])
    for at, name in [(1.1, "1/800"), (1.2, "1/1600"), (1.25, "1/2000")]:
        mouth.take(at, MarkReturned(name), [])
    first, second = mouth.segments()
    assert [word.ended for word in first.words] == [pytest.approx(1.1), pytest.approx(1.2)]
    assert second.began == pytest.approx(1.2)
    assert second.ended == pytest.approx(1.25)


def test_a_piece_may_be_played_in_two_and_a_lost_mark_is_passed_over():
    mouth = Mouth()
    mouth.take(0.0, None, [speak()])
    mouth.take(0.1, arrived(800, Word("one", 0.0, 0.1)), [play(400, (400, "1/400")), play(400, (400, "1/800"))])
    mouth.take(0.3, MarkReturned("1/800"), [])
    (segment,) = mouth.segments()
    assert segment.heard == pytest.approx(0.1)
    assert segment.ended == pytest.approx(0.3)


def test_a_start_after_a_silence_belongs_to_the_mark_behind_it():
    mouth = Mouth()
    mouth.take(0.0, None, [speak(), speak(1, "five")])
    mouth.take(0.0, arrived(800, Word("one", 0.0, 0.1)), [play(800, (800, "1/800"))])
    mouth.take(0.1, MarkReturned("1/800"), [])
    mouth.take(5.0, arrived(800, Word("five", 0.0, 0.1), number=1), [play(800, (800, "1/1600"))])
    mouth.take(5.1, MarkReturned("1/1600"), [])
    assert mouth.segments()[1].began == pytest.approx(5.0)


def test_what_is_sent_again_in_another_voice_was_not_thrown_away():
    mouth = Mouth()
    mouth.take(0.0, None, [speak()])
    mouth.take(
        0.0, arrived(8000, Word("one", 0.0, 0.5), Word("two", 0.5, 1.0)), [play(8000, (4000, "1/4000"), (8000, "1/8000"))]
    )
    mouth.take(0.1, SegmentSpoken(ONE, 0), [])
    mouth.take(0.3, None, [Order("ClearPlayout", {}), play(5600, (1600, "1/4000/1"), (5600, "1/8000/1"))])
    mouth.take(0.35, MarkReturned("1/4000"), [])
    for at, name in [(0.5, "1/4000/1"), (1.0, "1/8000/1")]:
        mouth.take(at, MarkReturned(name), [])
    (segment,) = mouth.segments()
    assert segment.cut is None
    assert (segment.heard, segment.ended) == (pytest.approx(1.0), pytest.approx(1.0))
    assert all(word.is_heard for word in segment.words)


def test_what_is_said_again_after_a_wrong_stop_was_heard_the_first_time():
    mouth = Mouth()
    mouth.take(0.0, None, [speak()])
    mouth.take(
        0.0, arrived(8000, Word("one", 0.0, 0.5), Word("two", 0.5, 1.0)), [play(8000, (4000, "1/4000"), (8000, "1/8000"))]
    )
    mouth.take(0.1, SegmentSpoken(ONE, 0), [])
    mouth.take(0.5, MarkReturned("1/4000"), [])
    mouth.take(0.7, None, [Order("ClearPlayout", {})])
    mouth.take(2.0, None, [play(8000, (4000, "1/4000/1"), (8000, "1/8000/1"))])
    for at, name in [(2.5, "1/4000/1"), (3.0, "1/8000/1")]:
        mouth.take(at, MarkReturned(name), [])
    (segment,) = mouth.segments()
    assert segment.cut is None
    assert [word.ended for word in segment.words] == [pytest.approx(0.5), pytest.approx(3.0)]


def test_what_nobody_ordered_and_marks_nobody_placed_change_nothing():
    mouth = Mouth()
    mouth.take(0.0, arrived(800), [])
    mouth.take(0.1, SegmentSpoken(ONE, 0), [])
    mouth.take(0.2, MarkReturned("9/9"), [play(100), play(50, (50, "x"))])
    mouth.take(0.3, None, [Order("Hangup", {})])
    assert mouth.segments() == ()
    assert mouth.receipts == [("9/9", 0.2, False)]


def test_a_segment_whose_audio_never_came_and_one_that_was_empty():
    mouth = Mouth()
    mouth.take(0.0, None, [speak(), speak(1)])
    mouth.take(0.1, arrived(0, number=1), [play(0)])
    mouth.take(0.2, None, [Order("StopReply", {"reply": 1}), Order("ClearPlayout", {})])
    mouth.take(0.3, None, [Order("StopReply", {"reply": 1})])
    never, empty = mouth.segments()
    assert never.arrived is None
    assert never.cut == pytest.approx(0.2)
    assert empty.words == ()


def test_audio_that_no_mark_ever_confirmed_was_not_heard():
    mouth = Mouth()
    mouth.take(0.0, None, [speak()])
    mouth.take(0.1, arrived(800, Word("one", 0.0, 0.2)), [play(800, (800, "1/800"))])
    (segment,) = mouth.segments()
    assert segment.began is None
    assert [word.is_heard for word in segment.words] == [False]
