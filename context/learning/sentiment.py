"""How the caller sounded, from their words alone: a lexicon, negation, and a score. Pure.

Honest about itself: it counts some two hundred words of telephone English. It hears no tone, no irony and no other language,
and a polite refusal may read as friendly. Good for sorting calls to listen to; no ground for a decision about a person.

The normalisation is VADER's, score = s / sqrt(s^2 + 15) (Hutto and Gilbert, ICWSM 2014); the lexicon is our own and small.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from context.transcript import Speaker, Turn, words_of


class Feeling(StrEnum):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
    SILENT = "silent"  # the caller said nothing: there is nothing to judge


@dataclass(frozen=True, slots=True)
class Sentiment:
    """`score` from -1 to 1; 0 when nothing spoke either way."""

    label: Feeling
    score: float


MARKED: Final = 0.2  # score from which a call is not neutral
REACH: Final = 3  # words that a negation turns round ("not at all happy")
SPREAD: Final = 15.0  # VADER's alpha: how much it takes to get near 1

_WORDS: Final[dict[float, str]] = {
    3.0: "love loved excellent amazing fantastic awesome delighted thrilled",
    2.0: "great good happy glad wonderful perfect lovely nice pleased excited brilliant helpful interested appreciate thank"
    " thanks kind superb enjoy enjoyed satisfied welcome",
    1.0: "sure okay ok fine alright yes yeah absolutely definitely certainly please agreed works cool correct",
    -1.0: "busy expensive confused confusing unsure problem problems difficult slow wait later sorry trouble worried concern"
    " concerned no nope",
    -2.0: "bad annoying annoyed unhappy upset angry mad wrong disappointed disappointing useless rude pushy stop leave"
    " bother bothering bothered tired complaint complain waste wasting spam pointless ridiculous",
    -3.0: "hate hated terrible awful horrible scam fraud liar lying harassment harassing harass disgusting furious sue"
    " lawyer worst damn hell shit fuck fucking",
}
_LEXICON: Final = {word: weight for weight, words in _WORDS.items() for word in words.split()}
_PAIRS: Final[dict[tuple[str, str], float]] = {
    ("no", "problem"): 2.0,  # and its words do not count by themselves
    ("no", "thanks"): -1.0,
    ("no", "thank"): -1.0,
    ("no", "worries"): 1.0,
    ("stop", "calling"): -3.0,
    ("leave", "me"): -2.0,
    ("go", "away"): -3.0,
    ("hang", "up"): -1.0,
}
_NOT: Final = "not never dont don't didnt didn't isn't wasn't aren't won't can't cannot couldn't hardly"
_NEGATIONS: Final = frozenset(_NOT.split())
_STRONGER: Final = {"very": 1.5, "really": 1.5, "so": 1.3, "extremely": 1.8, "too": 1.3, "absolutely": 1.5, "quite": 1.2}
_WORD: Final = re.compile(r"[a-z]+(?:'[a-z]+)?")


def sentiment(turns: Sequence[Turn]) -> Sentiment:
    """Of what the caller said; the agent's words do not count."""
    said = words_of(Speaker.CALLER, turns)
    if not said:
        return Sentiment(Feeling.SILENT, 0.0)
    total = sum(weigh(sentence) for text in said for sentence in re.split(r"[.!?;,]+", text))
    score = round(total / math.sqrt(total * total + SPREAD), 3)
    return Sentiment(_label(score), score)


def weigh(sentence: str) -> float:
    """The sum of a sentence's words, each turned round by a negation and raised by what stands before it."""
    words = _WORD.findall(sentence.casefold().replace("’", "'"))
    pairs = {place for place, pair in enumerate(pairwise(words)) if pair in _PAIRS}
    total = sum(_PAIRS[words[place], words[place + 1]] for place in pairs)
    taken = pairs | {place + 1 for place in pairs}
    return total + sum(_weight(words, place) for place in range(len(words)) if place not in taken)


def _weight(words: Sequence[str], place: int) -> float:
    weight = _LEXICON.get(words[place], 0.0)
    if not weight:
        return 0.0
    before = words[max(0, place - REACH) : place]
    if before and before[-1] in _STRONGER:
        weight *= _STRONGER[before[-1]]
    # A negated word says less than its opposite: "not bad" is not "good".
    return weight * -0.6 if _NEGATIONS.intersection(before) else weight


def _label(score: float) -> Feeling:
    if abs(score) < MARKED:
        return Feeling.NEUTRAL
    return Feeling.POSITIVE if score > 0 else Feeling.NEGATIVE
