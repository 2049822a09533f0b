"""Finds known phrases in what a recogniser wrote, although it wrote some words wrong, and says where each lies.

A phrase is fitted into the text in order (a local alignment): words weigh what they say ("cost" more than "it"), look-alikes
count in part, gaps cost. Of phrases that overlap the better and longer wins, so one turn may hold several.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from voice.language.stock import each
from voice.language.words import likeness, words

_LITTLE: Final = frozenset(
    each(
        "a an the is are am was be been do does did i you he she it we they me my your our us to of in on at for with and"
        " or but this that there will would can could have has had if as by from about into"
    )
)
_ANYWHERE: Final = frozenset(each("yes no not never okay right correct thank thanks please sure fine all"))
_NEGATIONS: Final = frozenset({"not", "never"})
_COMMON: Final = frozenset(
    each(
        "monday tuesday wednesday thursday friday saturday sunday today tomorrow morning afternoon evening noon month week"
        " year day one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty"
        " seventy eighty ninety hundred thousand dollars"
    )
)
_LITTLE_WEIGHT: Final = 0.3
_GAP: Final = 0.12  # what each unused word inside a phrase costs
_BELIEVED: Final = 0.68  # share of a phrase's weight that must be found
_ALONE: Final = 0.8  # and for a phrase that hangs on one word, how alike that word must be
_ALIKE: Final = 0.6  # below this, two words are simply different


@dataclass(frozen=True, slots=True)
class Spot:
    """A phrase found: `label` is whose it is, `start` and `end` the words it covers, `weight` what they say together.

    `is_telling`: it says more than yes, no and thanks, so it can be about one thing only.
    """

    label: str
    score: float
    start: int
    end: int
    weight: float
    is_telling: bool = True


@dataclass(frozen=True, slots=True)
class _Phrase:
    label: str
    words: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def weight(self) -> float:
        return sum(self.weights)


class Spotter:
    """All phrases of an agent, by label, ready to be looked for."""

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        self._phrases = [_phrase(label, text) for label, texts in phrases.items() for text in texts]
        self._by_word: dict[str, set[int]] = defaultdict(set)
        for number, phrase in enumerate(self._phrases):
            for word in self._keys(phrase):
                self._by_word[word].add(number)
        self._known = {word for phrase in self._phrases for word in phrase.words} | _COMMON
        self._alike: dict[str, frozenset[int]] = {}

    def all(self, text: Sequence[str]) -> list[Spot]:
        """Every phrase found in these words (of `words()`), best first, overlapping or not."""
        candidates = set().union(*(self._having(word) for word in text)) if text else set()
        found = [
            spot for number in sorted(candidates) if (spot := fit(self._phrases[number], text, self._known)) is not None
        ]
        return sorted(found, key=lambda spot: (-spot.score * spot.weight, spot.start, spot.label))

    @staticmethod
    def _keys(phrase: _Phrase) -> list[str]:
        heavy = max(phrase.weights)
        return [word for word, weight in zip(phrase.words, phrase.weights, strict=True) if weight == heavy]

    def _having(self, word: str) -> frozenset[int]:
        """The phrases with a telling word like this one."""
        if word not in self._alike:
            if len(self._alike) > 10_000:
                self._alike.clear()
            near = [
                numbers for key, numbers in self._by_word.items() if likeness(key, word, word not in self._known) >= _ALIKE
            ]
            self._alike[word] = frozenset().union(*near)
        return self._alike[word]


def _phrase(label: str, text: str) -> _Phrase:
    spoken = tuple(words(text))
    return _Phrase(label, spoken, tuple(_LITTLE_WEIGHT if word in _LITTLE else 1.0 for word in spoken))


def is_telling(spoken: Iterable[str]) -> bool:
    """Whether one of these words says more than grammar, yes, no and politeness."""
    return any(word not in _LITTLE and word not in _ANYWHERE for word in spoken)


def apart(spots: Iterable[Spot]) -> list[Spot]:
    """The spots that do not overlap a better one before them, in the order they were said."""
    kept: list[Spot] = []
    for spot in spots:
        if all(spot.end <= other.start or other.end <= spot.start for other in kept):
            kept.append(spot)
    return sorted(kept, key=lambda spot: spot.start)


def fit(phrase: _Phrase, text: Sequence[str], known: Set[str] = frozenset()) -> Spot | None:
    """Where the phrase fits best, if it is there at all. A `known` word is no mishearing of another that sounds like it.

    `best[j]` holds, for the phrase so far and a fit that ends before word j of the text: what was found, and where it began.
    """
    best: list[tuple[float, int]] = [(0.0, j) for j in range(len(text) + 1)]
    for word, weight in zip(phrase.words, phrase.weights, strict=True):
        row: list[tuple[float, int]] = [(best[0][0], 0)]
        for j, said in enumerate(text, 1):
            like = likeness(word, said, said not in known)
            taken = (best[j - 1][0] + weight * like, best[j - 1][1]) if like >= _ALIKE else (-1.0, j)
            missing = best[j]  # this word of the phrase was not said
            extra = (row[j - 1][0] - _GAP, row[j - 1][1])  # this word of the text is not of the phrase
            row.append(max(taken, missing, extra, key=lambda cell: cell[0]))
        best = row
    end = max(range(len(text) + 1), key=lambda j: best[j][0])
    found, start = best[end]
    score = found / phrase.weight
    if score < _BELIEVED or end <= start or not _is_carried(phrase, text[start:end]):
        return None
    if not _NEGATIONS & set(phrase.words) and _NEGATIONS & set(text[max(0, start - 1) : end]):
        return None  # "i do not own it" is no "i own it"
    return Spot(phrase.label, score, start, end, phrase.weight, is_telling(phrase.words))


def _is_carried(phrase: _Phrase, said: Sequence[str]) -> bool:
    """A phrase that hangs on one word needs that word, whatever else fits."""
    heavy = [word for word, weight in zip(phrase.words, phrase.weights, strict=True) if weight == 1.0]
    return len(heavy) != 1 or any(likeness(heavy[0], word) >= _ALONE for word in said)
