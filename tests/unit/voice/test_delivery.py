"""Our voice on its way: lowered, stopped, held and taken up again without a lost or repeated word."""

from __future__ import annotations

import pytest

from voice.actions import ClearPlayout, Note, Play, SetGain
from voice.delivery import Delivery
from voice.events import ReplyId, SpeechArrived, Word
from voice.reply import Reply

TEXT = "well then, one two three."
WORDS = tuple(Word(word, 0.4 * n, 0.4 * (n + 1)) for n, word in enumerate(TEXT.split()))
AUDIO = bytes(range(250)) * 64  # two seconds, every sample told from its neighbours


def speaking(words: tuple[Word, ...] = WORDS, *, heard: int = 1, text: str = TEXT) -> tuple[Delivery, Reply]:
    """Two seconds of audio sent at 10 s, over a line without delay."""
    delivery, reply = Delivery(0.3), Reply(ReplyId(1))
    assert delivery.probe(9.0) == Play(b"", ((0, "0/1"),))
    assert not delivery.returned("0/1", 9.0)
    reply.speak(text)
    note, play = delivery.play(reply, SpeechArrived(reply.id, 0, AUDIO, words), 10.0)
    assert note == Note("agent", text)
    assert isinstance(play, Play)
    for offset, name in play.marks[:heard]:
        assert delivery.returned(name, 10.0 + offset / 8000)
    return delivery, reply


def test_a_lower_voice_is_the_same_audio_from_where_the_ear_is():
    delivery, reply = speaking()
    clear, gain, play = delivery.duck(10.5)
    assert (clear, gain) == (ClearPlayout(), SetGain(0.3))
    assert isinstance(play, Play)
    assert play.audio == AUDIO[4000:]
    assert [name for _, name in play.marks] == ["1/6400/1", "1/9600/1", "1/12800/1", "1/16000/1"]
    assert play.marks[0][0] == 2400
    assert not delivery.returned("1/6400", 10.5)
    assert delivery.playout.strays == 0
    _, full, rest = delivery.unduck(10.75)
    assert full == SetGain(1.0)
    assert isinstance(rest, Play)
    assert rest.audio == AUDIO[6080:]  # the frame that has begun is played to its end
    assert delivery.unduck(10.8) == []
    delivery.playout.complete(reply.id, 0)
    assert delivery.returned("1/16000/2", 12.0)
    assert delivery.playout.heard_text(reply.id) == TEXT


def test_a_pause_loses_nothing_and_goes_on_with_the_word_that_was_cut():
    delivery, reply = speaking()
    assert delivery.pause(10.5) == [ClearPlayout()]
    assert delivery.is_paused
    assert delivery.pause(10.55) == []
    assert delivery.playout.is_playing, "it is not heard to its end"
    assert not delivery.returned("1/6400", 10.5), "a clear returns marks that nobody has heard"
    note, gain, play = delivery.unduck(10.7)
    assert (note, gain) == (Note("decision", "going on where we paused"), SetGain(1.0))
    assert isinstance(play, Play)
    assert play.audio == AUDIO[3200:]  # "then," began at 0.4 s
    delivery.playout.complete(reply.id, 0)
    assert delivery.returned(play.marks[-1][1], 12.6)
    assert delivery.playout.heard_text(reply.id) == TEXT


def test_a_pause_that_is_too_long_ends_in_a_lower_voice():
    delivery, _ = speaking()
    delivery.pause(10.5)
    _, gain, play = delivery.end_pause(10.78)
    assert gain == SetGain(0.3)
    assert isinstance(play, Play)
    assert delivery.end_pause(10.8) == []


def test_what_comes_from_the_voice_meanwhile_waits():
    delivery, reply = speaking()
    reply.speak("And four.")
    delivery.pause(10.5)
    assert delivery.play(reply, SpeechArrived(reply.id, 1, AUDIO[:800], ()), 10.6) == []
    *_, play = delivery.unduck(10.7)
    assert isinstance(play, Play)
    assert play.audio == AUDIO[3200:] + AUDIO[:800]


def test_a_pause_becomes_a_stop_without_another_clear():
    for stops in ("hold", "stop"):
        delivery, _ = speaking()
        delivery.duck(10.4)
        delivery.pause(10.5)
        assert getattr(delivery, stops)(10.6) == [SetGain(1.0)]
        assert not delivery.is_paused
        assert delivery.playout.heard == 4000


def test_who_hangs_up_before_a_pause_takes_effect_has_not_heard_what_it_left_out():
    for after, heard in ((0.05, "well"), (0.5, "well then,")):
        delivery, reply = Delivery(0.3), Reply(ReplyId(1))
        delivery.probe(9.0)
        delivery.returned("0/1", 9.3)
        reply.speak(TEXT)
        delivery.play(reply, SpeechArrived(reply.id, 0, AUDIO, WORDS), 10.0)
        delivery.returned("1/3200", 10.7)
        delivery.pause(10.9)
        delivery.gone(10.9 + after)
        assert delivery.playout.heard_text(reply.id) == heard


def test_there_is_no_pause_at_the_very_end():
    delivery, _ = speaking()
    assert delivery.pause(11.97) == []
    assert not delivery.is_paused


def test_what_is_almost_over_is_not_sent_again():
    delivery, _ = speaking()
    assert delivery.duck(11.97) == [SetGain(0.3)]


def test_a_stop_remembers_what_the_clock_says_though_no_mark_has_come_back():
    delivery, reply = speaking()
    delivery.duck(10.5)
    assert delivery.stop(11.25) == [ClearPlayout(), SetGain(1.0)]
    assert delivery.playout.heard_text(reply.id) == "well then, one"
    assert delivery.stop(11.3) == []


def test_without_any_mark_nothing_is_believed_heard():
    delivery, reply = speaking(heard=0)
    delivery.stop(11.25)
    assert delivery.playout.heard_text(reply.id) == ""
    delivery, reply = speaking(heard=0)
    delivery.gone(11.25)
    assert delivery.playout.heard_text(reply.id) == ""


def test_a_line_that_went_away_heard_no_more():
    delivery, reply = speaking()
    delivery.gone(10.85)
    assert delivery.playout.heard_text(reply.id) == "well then,"


@pytest.mark.parametrize(
    ("stopped", "resumed"),
    [(10.5, 0), (11.0, 6400), (11.3, 6400), (11.9, 6400)],
    ids=["in the first clause", "in the second", "a word later", "near its end"],
)
def test_it_is_taken_up_where_the_clause_began(stopped: float, resumed: int):
    delivery, _ = speaking()
    assert delivery.hold(stopped) == [ClearPlayout()]
    (play,) = delivery.take_up(stopped + 1.0)
    assert isinstance(play, Play)
    assert play.audio == AUDIO[resumed:]


def test_a_long_clause_is_not_said_again_but_from_the_word_that_was_cut():
    words = tuple(Word(word, 0.35 * n, 0.35 * (n + 1)) for n, word in enumerate(["one", "two", "three", "four", "five"]))
    delivery, _ = speaking(words, text="one two three four five")
    delivery.hold(11.7)
    (play,) = delivery.take_up(12.5)
    assert isinstance(play, Play)
    assert play.audio == AUDIO[11200:]


def test_without_words_it_goes_on_exactly_there():
    delivery, _ = speaking(())
    delivery.hold(11.5)
    (play,) = delivery.take_up(12.5)
    assert isinstance(play, Play)
    assert play.audio == AUDIO[12000:]
    delivery, _ = speaking(WORDS[:2])
    delivery.hold(11.5)
    (play,) = delivery.take_up(12.5)
    assert isinstance(play, Play)
    assert play.audio == AUDIO[12000:]


def test_nothing_is_left_to_take_up():
    delivery, _ = speaking()
    delivery.duck(10.2)
    assert delivery.hold(14.0) == [ClearPlayout(), SetGain(1.0)]
    assert delivery.take_up(15.0) == []
    assert delivery.hold(16.0) == []


def test_what_was_let_go_is_not_sent_again():
    delivery, reply = speaking()
    delivery.hold(10.5)
    delivery.let_go()
    assert delivery.take_up(11.0) == []
    assert delivery.playout.heard_text(reply.id) == "well"
