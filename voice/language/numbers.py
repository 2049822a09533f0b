"""Numbers as people say them: "about one fifty", "a couple hundred", "$1,200". Reads; never guesses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from voice.language.words import normalise

WORDS_BELOW_TWENTY: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
WORDS_OF_TENS: Final = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES: Final = {word: number for number, word in enumerate(WORDS_BELOW_TWENTY)} | {
    word: 10 * number for number, word in enumerate(WORDS_OF_TENS) if number > 1
}
_SCALES: Final = {"hundred": 100, "thousand": 1000, "grand": 1000}
_MOST_DIGITS: Final = 9
# What is said for the number before "hundred": "a hundred", "a couple of hundred".
_FEW: Final = re.compile(r"\b(?:(a couple(?: of)?|couple(?: of)?)|an?) (?=hundred|thousand|grand)")


def spoken_number(text: str) -> int | None:
    """The first number in `text`, or None. Cents and fractions are dropped: nobody needs them on the telephone."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower().replace("$", " "))
    plain = normalise(re.sub(r"(?<=\d)\.\d+", "", plain)).replace("hundreds", "hundred")
    said = _FEW.sub(lambda found: "two " if found[1] else "one ", plain).split()
    for start, word in enumerate(said):
        if _value(word) is not None:
            return _number(said[start:])
    return None


def _number(said: Sequence[str]) -> int:
    """The number these words begin with; the first of them is a value.

    `total` holds whole thousands, `group` what is below: "two thousand | three hundred and five".
    """
    total, group, at = 0, 0, 0
    while at < len(said):
        value, scale = _value(said[at]), _SCALES.get(said[at])
        following = _value(said[at + 1]) if at + 1 < len(said) else None
        if scale == 1000 and total == 0:
            total, group = group * 1000, 0
        elif scale == 100 and 0 < group < 100:
            group *= 100
        elif value is not None and (joined := _joined(group, value)) is not None and (at == 0 or value):
            group = joined
        elif not (said[at] == "and" and at and group % 100 == 0 and following is not None):
            break
        at += 1
    return total + group


def _value(word: str) -> int | None:
    if word.isdecimal() and len(word) <= _MOST_DIGITS:
        return int(word)
    return _VALUES.get(word)


def _joined(group: int, value: int) -> int | None:
    """A group so far and the next word: "twenty" "five", "hundred" "fifty", and "one" "fifty" (150); None if they part."""
    if group % 100 == 0 and (group == 0 or value < 100):
        return group + value
    if value < 10 and group % 10 == 0 and group % 100 >= 20:
        return group + value
    if group < 10 and 10 <= value < 100:
        return group * 100 + value
    return None
