"""Words as a recogniser writes them, and how alike two of them sound."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from voice.language.stock import CONTRACTIONS, FILLERS

_NOT_SPOKEN: Final = re.compile(r"[^a-z0-9' ]+")
# Letters that a recogniser (or an ear on a bad line) takes for each other, as one class each; vowels count for nothing.
_SOUNDS: Final = str.maketrans({**dict.fromkeys("bp", "b"), **dict.fromkeys("dt", "d"), **dict.fromkeys("ckqg", "k"),
                                **dict.fromkeys("fv", "f"), **dict.fromkeys("szx", "s"), **dict.fromkeys("mn", "n"),
                                **dict.fromkeys("aeiouyhw", None), "j": "s", "l": "l", "r": "r"})  # fmt: skip


def normalise(text: str) -> str:
    """Lower case, no punctuation but apostrophes inside words, single spaces."""
    plain = _NOT_SPOKEN.sub(" ", text.lower().replace("’", "'"))
    return " ".join(word for each in plain.split() if (word := each.strip("'")))


def words(text: str) -> list[str]:
    """The words that carry meaning: contractions written out, fillers dropped (unless there is nothing else)."""
    spoken = " ".join(CONTRACTIONS.get(word, word) for word in normalise(text).split()).split()
    return [word for word in spoken if word not in FILLERS] or spoken


@lru_cache(maxsize=20_000)
def likeness(one: str, other: str, by_sound: bool = True) -> float:
    """How alike two words are to the ear, 0 to 1: the same, the same stem, a few letters or (`by_sound`) sounds apart."""
    if one == other:
        return 1.0
    if _stem(one) == _stem(other):
        return 0.95
    if min(len(one), len(other)) < 4:
        return 0.0
    letters = 1 - distance(one, other) / max(len(one), len(other))
    sounds = 0.8 if by_sound and sound(one) == sound(other) and len(sound(one)) > 1 and one[0] == other[0] else 0.0
    return max(letters if letters >= 0.7 else 0.0, sounds)


def sound(word: str) -> str:
    """A rough phonetic key: the consonants by kind, doubles once."""
    key = word.replace("ph", "f").replace("ck", "k").translate(_SOUNDS)
    return re.sub(r"(.)\1+", r"\1", key)


def distance(one: str, other: str) -> int:
    """Edit distance (Levenshtein): insertions, deletions and replacements of one letter."""
    previous = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        current = [row]
        for column, right in enumerate(other, 1):
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (left != right)))
        previous = current
    return previous[-1]


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
