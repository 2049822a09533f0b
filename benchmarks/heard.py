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

ALIKE: Final = 0.5  # normalised correlation from which on samples are the same speech; other words stay under 0.3
_TEMPLATE: Final = int(0.3 * SAMPLE_RATE)  # samples of a sentence's beginning that name it
_AROUND: Final = int(0.25 * SAMPLE_RATE)  # samples about a sound's beginning in which a sentence's may lie
_DRIFT: Final = 120  # samples a word may lie from where it is expected
_LATEST: Final = int(2.5 * SAMPLE_RATE)  # samples a word may be late, in a reply that was held up
_SURE: Final = int(0.25 * SAMPLE_RATE)  # samples by which a word is known again far from where it was expected
_SURELY_ALIKE: Final = 0.7
_PRESENT: Final = 0.85  # of a word where it is expected: correlation is the root of the share of it that was played
_ENOUGH: Final = 0.6  # of a word: more than half of it makes it heard


@dataclass(frozen=True, slots=True)
class HeardSentence:
    """One sentence as it was heard. Positions in samples since the answer; `end` is the last heard word's."""

    text: str
    start: int
    end: int
    words: int
    of: int

    @property
    def is_whole(self) -> bool:
        return self.words >= self.of


class Voice:
    """Everything the agent may say, ready to be looked for."""

    def __init__(self, speech: Mapping[str, Spoken]) -> None:
        self.speech = speech
        self._samples = {text: _floats(spoken.audio) for text, spoken in speech.items()}

    def find(self, ear: NDArray[np.int16], spans: Sequence[Span]) -> list[HeardSentence]:
        """The sentences heard, in order. `spans` are the stretches of sound in the ear."""
        samples = ear.astype(np.float32)
        found: list[HeardSentence] = []
        for start, end in spans:
            if found and start < found[-1].end:
                start = found[-1].end  # a later sentence may begin within the same stretch
            while start < end:
                sentence = self._sentence_at(samples, start)
                if sentence is None:
                    break
                found.append(sentence)
                start = max(sentence.end, start + _TEMPLATE)
        return found

    def _sentence_at(self, ear: Floats, start: int) -> HeardSentence | None:
        low = max(0, start - _AROUND)
        region = ear[low : start + _AROUND + _TEMPLATE]
        best, where, what = ALIKE, 0, ""
        for text, samples in self._samples.items():
            alike, at = _best(region, samples[:_TEMPLATE])
            if alike > best:
                best, where, what = alike, low + at, text
        return self._walk(ear, what, where) if what else None

    def _walk(self, ear: Floats, text: str, start: int) -> HeardSentence:
        """Follow a sentence word by word until one is not there."""
        samples, words = self._samples[text], self.speech[text].words
        shift, end, count = start, start + _TEMPLATE, 0
        for _, began, ended in words:
            first, last = round(began * SAMPLE_RATE), round(ended * SAMPLE_RATE)
            at = _near(ear, samples, first, last, shift + first)
            if at is None:
                break
            shift = at - first
            end, count = at + last - first, count + 1
        return HeardSentence(text, start, end, count, len(words))


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


def believed_count(reply: str, believed: Sequence[str]) -> int:
    """How many words of a reply the engine's memory holds as said."""
    wanted = words_of(reply)
    longest = 0
    for text in believed:
        known = words_of(text)
        for start in range(len(known)):
            count = 0
            while start + count < len(known) and count < len(wanted) and known[start + count] == wanted[count]:
                count += 1
            longest = max(longest, count)
    return longest
