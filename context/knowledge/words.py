"""Search by words in plain Python: BM25 and rank fusion. Pure; small sets only (it looks at every fact).

BM25 after Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009); fusion after Cormack,
Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009), whose k = 60 is used everywhere here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Final, TypeVar

from context.facts import gist

K1: Final = 1.2  # how soon repeating a word stops helping
B: Final = 0.75  # how much a long text is held against it
RRF_K: Final = 60

_COMMON: Final = (
    "a an and are as at be but by for from had has have he her his i if in is it its me my no not of on or our she so that"
    " the their them they this to was we were what when where which who will with would you your"
)
STOP_WORDS: Final = frozenset(_COMMON.split())

T = TypeVar("T", bound=Hashable)


def terms(text: str) -> list[str]:
    """The words that say something, without the commonest English endings."""
    return [_stem(word) for word in gist(text).split() if word not in STOP_WORDS]


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def bm25(query: str, counts: Mapping[T, Counter[str]]) -> dict[T, float]:
    """The score of each text that shares a word with the query; higher is nearer. A text is the `Counter` of its terms."""
    wanted = set(terms(query))
    if not wanted or not counts:
        return {}
    usual = (sum(count.total() for count in counts.values()) / len(counts)) or 1.0
    rarity = {term: _rarity(sum(term in count for count in counts.values()), len(counts)) for term in wanted}
    scores = {
        key: sum(rarity[term] * _weight(count[term], count.total() / usual) for term in wanted if term in count)
        for key, count in counts.items()
    }
    return {key: score for key, score in scores.items() if score > 0}


def _rarity(holding: int, of: int) -> float:
    return math.log(1 + (of - holding + 0.5) / (holding + 0.5))


def _weight(times: int, length: float) -> float:
    return times * (K1 + 1) / (times + K1 * (1 - B + B * length))


def fuse(*rankings: Sequence[T]) -> dict[T, float]:
    """One ranking out of several, best first: what stands high in any, and highest what stands high in all."""
    scores: dict[T, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (RRF_K + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
