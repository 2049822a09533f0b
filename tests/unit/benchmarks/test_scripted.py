"""Ears with published delays: what they hear, and when they say so."""

import json
import random
from base64 import b64encode

import numpy as np
import pytest

from benchmarks.engines.scripted import (
    FRAME,
    PACES,
    UNTIMED,
    Bank,
    Delay,
    Listener,
    Pace,
    Part,
    Script,
    Spoken,
    Words,
    is_loud_pcm,
    is_untimed,
    mouth_of,
    overlapping,
    pieces,
    to_pcm,
    tokens,
)
from benchmarks.processes import _offered
from telephony.audio import SILENT_FRAME, decode
from telephony.simulator.person import tone

LOUD = tone(300, 0.02, -20)
SCRIPT = Script((Part("yes I do", 0.6), Part("", 0.3), Part("and then some", 0.8)), ("First reply.", "Second."))
FIXED = PACES["fixed"]


def listener(pace: Pace = FIXED) -> Listener:
    return Listener(SCRIPT, pace, random.Random(1))


def hear(ears: Listener, loud: float, quiet: float) -> list[Words]:
    """So many seconds of speech, then of silence."""
    told: list[Words] = []
    for frame in [LOUD] * round(loud / 0.02) + [SILENT_FRAME] * round(quiet / 0.02):
        told += ears.hear(frame)
    return told


def finals(told: list[Words]) -> list[str]:
    return [words.text for words in told if words.is_final]


def test_a_final_comes_after_its_delay_and_not_before():
    ears = listener()
    assert finals(hear(ears, 0.6, 0.14)) == []
    assert finals(hear(ears, 0.0, 0.02)) == ["yes I do"]


def test_interims_grow_while_the_caller_speaks():
    interims = [words.text for words in hear(listener(), 0.6, 0.0)]
    assert interims
    assert all("yes I do".startswith(text) for text in interims)


def test_silence_alone_is_nothing():
    assert hear(listener(), 0.0, 2.0) == []


def test_a_short_pause_does_not_end_an_utterance():
    ears = listener()
    hear(ears, 0.3, 0.1)
    assert finals(hear(ears, 0.3, 0.2)) == ["yes I do"]
    assert ears.utterances == [(0, 0.7)]


def test_an_utterance_that_spans_parts_has_all_their_words():
    ears = listener()
    assert finals(hear(ears, 1.6, 0.2)) == ["yes I do and then some"]


def test_a_cough_has_no_words():
    ears = listener()
    hear(ears, 0.6, 0.2)
    assert finals(hear(ears, 0.3, 0.2)) == [""]


def test_more_sounds_than_the_script_has_are_words_without_text():
    ears = listener()
    hear(ears, 2.0, 0.2)
    assert hear(ears, 0.4, 0.2) == [Words("", True)]


def test_finish_gives_what_there_is():
    ears = listener()
    assert ears.finish() == [Words("", True)]
    hear(ears, 0.6, 0.0)
    assert ears.is_hearing
    assert ears.finish() == [Words("yes I do", True)]
    assert not ears.is_hearing


def test_finish_waits_for_a_final_that_is_on_its_way():
    ears = listener()
    hear(ears, 0.6, 0.1)
    assert ears.finish() == []
    assert finals(hear(ears, 0.0, 0.1)) == ["yes I do"]


def test_audio_of_any_length_is_cut_into_frames():
    whole, pieced = listener(), listener()
    audio = LOUD * 30 + SILENT_FRAME * 20
    told = [words for start in range(0, len(audio), 130) for words in pieced.hear(audio[start : start + 130])]
    assert told == whole.hear(audio)
    assert whole.received == 50 * FRAME


def test_loudness_is_the_same_in_both_forms():
    for frame in (LOUD, SILENT_FRAME, tone(300, 0.02, -30), tone(300, 0.02, -60)):
        ears = listener()
        ears.hear(frame)
        assert ears.is_hearing == is_loud_pcm(to_pcm(frame))


def test_pcm_agrees_with_the_codec():
    every = bytes(range(256))
    assert np.array_equal(np.frombuffer(to_pcm(every), np.int16), decode(every))


def test_delays_are_drawn_around_their_median():
    rng = random.Random(3)
    drawn = sorted(Delay(0.5, 1.1).draw(rng) for _ in range(2000))
    assert drawn[1000] == pytest.approx(0.5, rel=0.1)
    assert drawn[1900] == pytest.approx(1.1, rel=0.15)
    assert Delay(0.2, 0.2).draw(rng) == 0.2


def test_tokens_lose_nothing():
    assert "".join(tokens("one two three")) == "one two three "


def test_pieces_carry_each_word_once():
    words = (("one", 0.0, 0.3), ("two", 0.35, 0.45), ("three", 0.5, 0.9))
    found = list(pieces(Spoken(b"\x10" * 7600, words)))
    assert b"".join(piece.audio for piece in found) == b"\x10" * 7600
    assert [word for piece in found for word, _, _ in piece.words] == ["one", "two", "three"]
    assert found[1].words[0] == ("two", 0.0, pytest.approx(0.05))


BYE = [["Bye", 0.0, 0.02], ["now.", 0.03, 0.05]]


@pytest.fixture
def bank(tmp_path):
    speech = {"Hello.": (b"\x01" * 800, [["Hello.", 0.0, 0.1]]), "Bye now.": (b"\x02" * 400, BYE)}
    content = {
        "opening": "Hello.",
        "scripts": {"a-1": {"parts": [["yes", 0.4]], "replies": ["Hello. Bye now."]}},
        "speech": {text: {"audio": b64encode(audio).decode(), "words": words} for text, (audio, words) in speech.items()},
    }
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(content))
    return Bank(path)


def test_a_bank_says_what_it_knows(bank):
    assert bank.say(" Hello. ").audio == b"\x01" * 800


def test_a_bank_finds_sentences_within_a_text(bank):
    said = bank.say("Hello. Bye now.")
    assert said.audio == b"\x01" * 800 + b"\x02" * 400
    assert said.words[1] == ("Bye", pytest.approx(0.1), pytest.approx(0.12))


def test_a_bank_says_a_part_of_a_sentence(bank):
    """Some engines ask for a sentence in pieces: a hum in its place would be a voice that nobody knows."""
    assert bank.say("now. bye").audio == b"\x02" * 160 + b"\x02" * 240
    assert [word for word, _, _ in bank.say("now. Hello. who").words] == ["now.", "Hello.", "who"]


def test_speech_in_pieces_holds_every_word_that_sounds_in_each():
    words = (("one", 0.0, 0.3), ("two", 0.35, 0.45), ("three", 0.7, 0.9))
    found = list(overlapping(Spoken(b"\x10" * 7600, words)))
    assert [[word for word, _, _ in piece.words] for piece in found] == [["one", "two"], ["two", "three"], ["three"]]
    assert found[1].words[0] == ("two", pytest.approx(-0.05), pytest.approx(0.05))


def test_a_bank_hums_what_it_does_not_know(bank):
    assert len(bank.say("who knows this").words) == 3


def test_an_unknown_caller_gets_a_script_all_the_same(bank):
    assert bank.script("nobody") is bank.script("a-1")


def test_every_second_four_callers_hear_a_voice_without_word_times_and_the_others_in_the_next_round():
    first = [is_untimed(f"bargein-{number}", 1) for number in range(8)]
    assert first == [False] * 4 + [True] * 4
    assert [is_untimed(f"bargein-{number}", 2) for number in range(8)] == [not each for each in first]
    assert not is_untimed("", 1)


def test_the_mouth_of_a_call_is_found_among_the_vendors():
    both = {"elevenlabs": "a", UNTIMED: "b"}
    assert [mouth_of(both, name, 1) for name in ("bargein-0", "bargein-4")] == ["a", "b"]
    assert mouth_of({"elevenlabs": "a"}, "bargein-4", 1) == "a"


@pytest.mark.parametrize(
    ("word_times", "offered"),
    [("", {"elevenlabs": "a"}), ("half", {"elevenlabs": "a", UNTIMED: "b"}), ("none", {"elevenlabs": "b"})],
)
def test_an_engine_is_told_of_the_voices_its_run_wants(word_times, offered):
    assert _offered({"elevenlabs": "a", UNTIMED: "b"}, word_times) == offered
