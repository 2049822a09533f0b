"""What of the agent's speech reached the caller's ear, to the word: found in the recording, whatever the engine believes.

The engine's voice is known speech, so every word can be looked for: its own samples must be there, in order, near where the
words before it ended. Gain does not matter (a ducked word is heard), holes and pauses do not either. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.engines.scripted import Spoken
from benchmarks.measure import Span
from telephony.audio import SAMPLE_RATE, decode

Floats = NDArray[np.float32]

ALIKE: Final = 0.7  # normalised correlation of a beginning that is worth following; one that is another's comes to 0.5
_TEMPLATE: Final = int(0.3 * SAMPLE_RATE)  # samples of a sentence's beginning that name it
_AROUND: Final = int(0.25 * SAMPLE_RATE)  # samples about a sound's beginning in which a sentence's may lie
_DRIFT: Final = 120  # samples a word may lie from where it is expected
_LATEST: Final = int(2.5 * SAMPLE_RATE)  # samples a word may be late, in a reply that was held up
_SURE: Final = int(0.25 * SAMPLE_RATE)  # samples by which a word is known again far from where it was expected
_SURELY_ALIKE: Final = 0.9  # another word of the same voice reaches 0.75
_PRESENT: Final = 0.85  # of a word where it is expected: correlation is the root of the share of it that was played
_ENOUGH: Final = 0.6  # of a word: more than half of it makes it heard


@dataclass(frozen=True, slots=True)
class HeardSentence:
    """One sentence as it was heard, or what was heard of it from word `first` on, where it was taken up again. Positions in
    samples since the answer; `end` is the last heard word's, `words` how many were heard, of `of` the sentence has."""

    text: str
    start: int
    end: int
    words: int
    of: int
    first: int = 0

    @property
    def reached(self) -> int:
        """The word up to which the sentence was heard."""
        return self.first + self.words

    @property
    def is_whole(self) -> bool:
        """Whether it was heard to its end."""
        return self.reached >= self.of

    def is_continued_by(self, other: HeardSentence) -> bool:
        """Whether that is the same sentence, taken up where this was broken off, or a word or two before."""
        return other.text == self.text and other.first > 0 and self.first <= other.first <= self.reached + 1


class Voice:
    """Everything the agent may say, ready to be looked for."""

    def __init__(self, speech: Mapping[str, Spoken]) -> None:
        self.speech = speech
        self._samples = {text: _floats(spoken.audio) for text, spoken in speech.items()}
        self._templates = {
            (text, word): samples[self._begins(text, word) :][:_TEMPLATE]
            for text, samples in self._samples.items()
            for word in (0, *leading(text))
        }

    def find(self, ear: NDArray[np.int16], spans: Sequence[Span]) -> list[HeardSentence]:
        """The sentences heard, in order. `spans` are the stretches of sound in the ear."""
        samples = ear.astype(np.float32)
        found: list[HeardSentence] = []
        for start, end in spans:
            at = max(start, found[-1].end) if found else start  # a later sentence may begin within the same stretch
            while at < end - _AROUND:
                sentence = self._rest_at(samples, at, found) or self._sentence_at(samples, at)
                if sentence is None:
                    at += _AROUND
                    continue
                found.append(sentence)
                at = max(sentence.end, at + _AROUND)
        return found

    def _begins(self, text: str, word: int) -> int:
        return round(self.speech[text].words[word][1] * SAMPLE_RATE) if word else 0

    def _sentence_at(self, ear: Floats, start: int) -> HeardSentence | None:
        low = max(0, start - _AROUND)
        region = ear[low : start + _AROUND + _TEMPLATE]
        best, where, what = ALIKE, 0, ("", 0)
        for (text, word), template in self._templates.items():
            alike, at = _best(region, template)
            if alike > best:
                best, where, what = alike, low + at - self._begins(text, word), (text, word)
        found = self._walk(ear, what[0], where, what[1]) if what[0] else None
        return found if found is not None and (found.words > 1 or best > _SURELY_ALIKE) else None

    def _rest_at(self, ear: Floats, start: int, found: Sequence[HeardSentence]) -> HeardSentence | None:
        """The sentence that was broken off last, taken up again about here: from the word that was cut, or one beside it."""
        broken = next((each for each in reversed(found) if each.words), None)
        if broken is None or broken.is_whole:
            return None
        low = max(0, start - _AROUND)
        region = ear[low : start + _AROUND + _SURE]
        samples = self._samples[broken.text]
        best, where, number = _SURELY_ALIKE, 0, -1
        for index in range(max(1, broken.reached - 2), min(broken.of, broken.reached + 2)):
            first = self._begins(broken.text, index)
            alike, at = _best(region, samples[first : first + _SURE])
            if alike > best:
                best, where, number = alike, low + at - first, index
        return self._walk(ear, broken.text, where, number) if number > 0 else None

    def _walk(self, ear: Floats, text: str, shift: int, start: int = 0) -> HeardSentence | None:
        """Follow a sentence word by word, from word `start` on, until one is not there. `shift` is where the sentence's
        first sample lies, or would. None when nothing of it was heard."""
        samples, words = self._samples[text], self.speech[text].words
        began = end = shift + self._begins(text, start)
        count = 0
        for _, begins, ends in words[start:]:
            first, last = round(begins * SAMPLE_RATE), round(ends * SAMPLE_RATE)
            at = _near(ear, samples, first, last, shift + first)
            if at is None:
                break
            shift = at - first
            end, count = at + last - first, count + 1
        return HeardSentence(text, began, end, count, len(words), start) if count else None


def _near(ear: Floats, samples: Floats, first: int, last: int, expected: int) -> int | None:
    """Where the word lies: where it is expected, or, if the reply was held up, later. Later needs more of a likeness."""
    word = samples[first : first + max(1, int(_ENOUGH * (last - first)))]
    low = max(0, expected - _DRIFT)
    alike, at = _best(ear[low : expected + _DRIFT + len(word)], word)
    if alike > _PRESENT:
        return low + at
    stretch = samples[first : max(last, first + _SURE)]
    alike, at = _best(ear[low : expected + _LATEST + len(stretch)], stretch)
    return low + at if alike > _SURELY_ALIKE else None


def _best(region: Floats, template: Floats) -> tuple[float, int]:
    """The best normalised correlation of the template within the region, and where."""
    length = len(template)
    if length < 40 or len(region) < length:
        return 0.0, 0
    size = 1 << int(np.ceil(np.log2(len(region) + length)))
    product = np.fft.rfft(region, size) * np.conj(np.fft.rfft(template, size))
    lags = len(region) - length + 1
    raw = np.fft.irfft(product, size)[:lags]
    squares = np.concatenate([[0.0], np.cumsum(region.astype(np.float64) ** 2)])
    energy = np.sqrt(np.maximum(squares[length:] - squares[:-length], 1.0) * max(1.0, float(template @ template)))
    alike = raw / energy
    at = int(np.argmax(alike))
    return float(alike[at]), at


def _floats(audio: bytes) -> Floats:
    return decode(audio).astype(np.float32)


def words_of(text: str) -> list[str]:
    """Words as they compare: lower case, without punctuation."""
    stripped = ("".join(letter for letter in word.lower() if letter.isalnum()) for word in text.split())
    return [word for word in stripped if word]


def leading(text: str) -> list[int]:
    """How many words a sentence may be said without, at its beginning: "Sure," and the like are sometimes said already."""
    words = text.split()
    return [count for count in (1, 2) if len(words) > count + 1 and words[count - 1].endswith(",")]


def believed_count(reply: str, believed: Sequence[str]) -> int:
    """How many words of a reply the engine's memory holds as said."""
    wanted = words_of(reply)
    counts = ((start, _count(wanted[start:], believed)) for start in (0, *leading(reply)))
    return max(start + count if count else 0 for start, count in counts)


def _count(wanted: Sequence[str], believed: Sequence[str]) -> int:
    longest = 0
    for text in believed:
        known = words_of(text)
        for start in range(len(known)):
            count = 0
            while start + count < len(known) and count < len(wanted) and known[start + count] == wanted[count]:
                count += 1
            longest = max(longest, count)
    return longest
