"""Speech on its way out: silence at the edges goes, words keep their place; and what espeak's marks mean."""

from __future__ import annotations

import numpy as np
import pytest

from telephony.audio import decode
from voice.events import Word
from voice.providers.embedded.espeak import timed_words
from voice.providers.embedded.mouth_worker import Voice
from voice.providers.embedded.synthesis import CATALOGUE, Samples16, Timbre, sentences

RATE = 16000


def tone(seconds: float) -> Samples16:
    return (8000 * np.sin(np.arange(int(RATE * seconds)) * 2 * np.pi * 500 / RATE)).astype(np.int16)


def silence(seconds: float) -> Samples16:
    return np.zeros(int(RATE * seconds), np.int16)


class Outlet:
    def __init__(self, timbre: Timbre | None = None) -> None:
        self.audio = b""
        self.words: list[tuple[str, float]] = []
        self.pieces = 0
        self.voice = Voice(RATE, timbre or Timbre("any"), self._take)

    def _take(self, audio: bytes, words: tuple[Word, ...]) -> None:
        self.words += [(word.text, len(self.audio) / 8000 + word.start) for word in words]
        self.audio += audio
        self.pieces += 1

    def feed(self, samples: Samples16, words: tuple[Word, ...] = ()) -> None:
        for start in range(0, len(samples), 320):
            self.voice.take(samples[start : start + 320], words if start == 0 else (), 0.0)

    def end(self) -> float:
        self.voice.end()
        return len(self.audio) / 8000


def test_silence_at_the_edges_goes_and_pauses_stay() -> None:
    outlet = Outlet()
    words = (Word("one", 0.5, 0.9), Word("two", 1.3, 1.7))
    outlet.feed(np.concatenate([silence(0.5), tone(0.4), silence(0.4), tone(0.4), silence(0.8)]), words)
    assert outlet.end() == pytest.approx(0.01 + 1.2 + 0.15, abs=0.02)
    assert [text for text, _ in outlet.words] == ["one", "two"]
    assert [at for _, at in outlet.words] == [pytest.approx(0.01, abs=0.02), pytest.approx(0.81, abs=0.02)]
    assert outlet.pieces > 3


def test_a_longer_throat_takes_longer() -> None:
    outlet = Outlet(Timbre("any", tract=1.25, gain=0.5))
    outlet.feed(tone(1.0), (Word("one", 0.8, 0.9),))
    assert outlet.end() == pytest.approx(1.25, abs=0.03)
    assert outlet.words == [("one", pytest.approx(1.0, abs=0.03))]
    assert int(np.abs(decode(outlet.audio)[800:-800].astype(int)).max()) == pytest.approx(4000, rel=0.05)


def test_nothing_but_silence_is_next_to_nothing() -> None:
    outlet = Outlet()
    outlet.feed(silence(2.0), (Word("mute", 0.1, 0.2),))
    assert outlet.end() <= 0.15
    assert [text for text, _ in outlet.words] == ["mute"]


def test_a_number_of_many_marks_is_one_word() -> None:
    marks = [(0, 0.0), (4, 0.2), (5, 0.4), (8, 0.6), (16, 1.0)]
    words = timed_words("pay $150.25 in  cash", marks, 1.5)
    assert words == [Word("pay", 0.0, 0.2), Word("$150.25", 0.2, 1.0), Word("cash", 1.0, 1.5)]
    assert timed_words("", [], 0.0) == []


def test_sentences_are_spoken_one_by_one() -> None:
    assert sentences("One. Two? Three! four 3.5 ") == ["One.", "Two?", "Three!", "four 3.5"]
    assert sentences("  ") == []


def test_both_engines_have_the_same_voices() -> None:
    assert set(CATALOGUE["flite"]) == set(CATALOGUE["espeak"])
    assert {"female", "male", "caller"} <= set(CATALOGUE["flite"])
