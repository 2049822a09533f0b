"""An n-gram language model from sentences: Witten-Bell interpolated trigrams, written as ARPA back-off text.

Witten, Bell 1991 ("The zero-frequency problem"); the ARPA form as the CMU Sphinx tools read it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, TypeAlias

Gram: TypeAlias = tuple[str, ...]

ORDER: Final = 3
_START: Final = "<s>"
_END: Final = "</s>"
_NEVER: Final = -99.0  # log10 probability of what is never predicted: the start of a sentence
_SMALLEST: Final = 1e-9


def arpa(sentences: Iterable[Sequence[str]]) -> str:
    """The model of these sentences. Every word in them is in its vocabulary, and no other."""
    counts = _count(sentences)
    followers: dict[Gram, set[str]] = defaultdict(set)
    totals: Counter[Gram] = Counter()
    for table in counts:
        for gram, count in table.items():
            if gram == (_START,):
                continue  # it is never predicted, so it takes no share of what is
            followers[gram[:-1]].add(gram[-1])
            totals[gram[:-1]] += count

    @cache
    def probability(gram: Gram) -> float:
        context = gram[:-1]
        kinds = len(followers[context])
        lower = 1 / kinds if not context else probability(gram[1:])
        seen = counts[len(gram) - 1][gram] if len(gram) <= ORDER else 0
        return (seen + kinds * lower) / (totals[context] + kinds)

    def backoff(gram: Gram) -> float:
        """What is left for the unseen after this context, over what the shorter context gave to the seen."""
        nexts = followers[gram]
        left = 1 - sum(probability((*gram, word)) for word in nexts)
        lower = 1 - sum(probability((*gram[1:], word)) for word in nexts)
        return math.log10(max(left, _SMALLEST) / max(lower, _SMALLEST)) if nexts else 0.0

    lines = ["\\data\\", *(f"ngram {n}={len(table)}" for n, table in enumerate(counts, 1))]
    for order, table in enumerate(counts, 1):
        lines += ["", f"\\{order}-grams:"]
        for gram in sorted(table):
            chance = _NEVER if gram == (_START,) else math.log10(probability(gram))
            tail = f"\t{backoff(gram):.4f}" if order < ORDER else ""
            lines.append(f"{chance:.4f}\t{' '.join(gram)}{tail}")
    return "\n".join([*lines, "", "\\end\\", ""])


def _count(sentences: Iterable[Sequence[str]]) -> list[Counter[Gram]]:
    counts: list[Counter[Gram]] = [Counter() for _ in range(ORDER)]
    for sentence in sentences:
        words = (_START, *sentence, _END)
        for order, table in enumerate(counts, 1):
            table.update(zip(*(words[start:] for start in range(order)), strict=False))
    return counts
