"""How long a text is in tokens, about, and what to leave out when there is too much. Pure.

The estimate needs no vendor's tokenizer. It errs on the long side: leaving out one old call too many costs little, a prompt
over the limit costs the reply. Real counts come back with each reply's usage.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

BYTES_PER_TOKEN: Final = 3.2  # English prose has about 4 in current vocabularies; names, numbers and other languages fewer
TOKENS_PER_WORD: Final = 1.3


def tokens(text: str) -> int:
    """About how many tokens a text is, rather too many than too few."""
    return math.ceil(max(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN, len(text.split()) * TOKENS_PER_WORD))


@dataclass(frozen=True, slots=True)
class Line:
    """A line that may be left out. Of two the one with the lower `worth` goes first; of equals the later one."""

    text: str
    worth: float


def fit(lines: Iterable[Line], budget: int) -> tuple[str, ...]:
    """The worthiest lines that fit into `budget` tokens, in the order they came. A line too long alone is left out."""
    given = tuple(lines)
    kept: set[int] = set()
    left = budget
    for place in sorted(range(len(given)), key=lambda place: (-given[place].worth, place)):
        cost = tokens(given[place].text) + 1  # its line break
        if cost <= left:
            kept.add(place)
            left -= cost
    return tuple(line.text for place, line in enumerate(given) if place in kept)
