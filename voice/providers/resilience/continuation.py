"""Where the next voice goes on when one fails in mid-sentence: at the first word not spoken to its end. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_WORD: Final = re.compile(r"\S+")
_NOT_SPOKEN: Final = re.compile(r"[^\w]+")
_SECONDS_PER_CHARACTER: Final = 0.065  # of English at an ordinary pace, pauses included; for voices without word times


def rest_of(text: str, spoken: Sequence[str], seconds: float) -> str:
    """What remains of a text of which these words were spoken in that many seconds of audio.

    Words are matched in order, loosely, because a voice may write them differently ("$5" as "five dollars"): one that is
    not found is passed over, and the last that is found counts. Without any words the time decides, rounded down to a
    word's beginning, since a word said twice is better than a word not said.
    """
    words = list(_WORD.finditer(text))
    if not words:
        return ""
    if spoken:
        return _from(text, words, _reached(words, spoken))
    characters = seconds / _SECONDS_PER_CHARACTER
    return _from(text, words, sum(1 for word in words if word.end() <= characters))


def _reached(words: Sequence[re.Match[str]], spoken: Sequence[str]) -> int:
    reached = 0
    for said in spoken:
        plain = _plain(said)
        ahead = range(reached, min(reached + 4, len(words)))
        found = next((index for index in ahead if _plain(words[index].group()) == plain), None)
        if found is not None:
            reached = found + 1
    return reached


def _from(text: str, words: Sequence[re.Match[str]], index: int) -> str:
    return text[words[index].start() :] if index < len(words) else ""


def _plain(word: str) -> str:
    return _NOT_SPOKEN.sub("", word.lower())
