"""Numbers as people say them: "about one fifty", "a couple hundred", "$1,200". Reads; never guesses."""

from __future__ import annotations

import re
from typing import Final

from voice.language.words import normalise

WORDS_BELOW_TWENTY: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
WORDS_OF_TENS: Final = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL: Final = {word: number for number, word in enumerate(WORDS_BELOW_TWENTY)}
_TENS: Final = {word: 10 * number for number, word in enumerate(WORDS_OF_TENS) if number > 1} | {"fourty": 40}
_SCALES: Final = {"hundred": 100, "hundreds": 100, "thousand": 1000, "grand": 1000}
_FEW: Final = {"a": 1, "an": 1, "couple": 2}


def spoken_number(text: str) -> int | None:
    """The first number in `text`, or None. Cents and fractions are dropped: nobody needs them on the telephone."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower().replace("$", " "))
    words = normalise(re.sub(r"(?<=\d)\.\d+", "", plain)).split()
    for start in range(len(words)):
        if (found := _number_at(words, start)) is not None:
            return found[0]
    return None


def _number_at(words: list[str], start: int) -> tuple[int, int] | None:
    """The number that begins at a word, and where it ends."""
    total, group, at, seen = 0, 0, start, False
    while at < len(words):
        word = words[at]
        following = words[at + 1] if at + 1 < len(words) else ""
        if word.isdigit() and len(word) <= 9:
            if seen and group and int(word) >= 100:
                break
            group, seen = group + int(word), True
        elif (
            word in _FEW
            and not seen
            and (following in _SCALES or (following in ("couple", "few") or (word == "couple" and following == "of")))
        ):
            if following in _SCALES:
                group = _FEW[word]
        elif word == "of" and at > start and words[at - 1] == "couple" and following in _SCALES:
            group = 2
        elif word in _SCALES and (seen or group):
            scale, seen = _SCALES[word], True
            total, group = (total + group * scale, 0) if scale == 1000 else (total, group * 100)
        elif word in _SMALL or word in _TENS:
            value = _SMALL.get(word, _TENS.get(word, 0))
            joined = _joined(group, value)
            if seen and joined is None:
                break
            group, seen = (value if joined is None else joined), True
        elif word == "and" and seen and group % 100 == 0 and (following in _SMALL or following in _TENS):
            pass
        else:
            break
        at += 1
    return (total + group, at) if seen else None


def _joined(group: int, value: int) -> int | None:
    """A group so far and the next word: "twenty" + "five", "hundred" + "fifty", and "one" + "fifty" (150); else None."""
    if group == 0 or group % 100 == 0:
        return group + value
    if value < 10 and group % 10 == 0 and group % 100 >= 20:
        return group + value
    if group < 10 and value >= 10:
        return group * 100 + value
    return None
