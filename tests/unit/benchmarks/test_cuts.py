"""Replies that are cut, in virtual time."""

from __future__ import annotations

import pytest

from benchmarks.callers.speech import Recorded
from benchmarks.cuts import Way, errors
from telephony.audio import silence

TEXTS = ("Well, that depends on the roof.", "A small one takes twenty minutes.")


def spoken(text: str) -> tuple[str, Recorded]:
    """Words as long as they have letters, with a little silence between them."""
    audio, words = b"", []
    for word in text.split():
        begins = len(audio) / 8000
        audio += bytes((0, 128)) * (240 * len(word)) + silence(160)
        words.append((word, begins, len(audio) / 8000 - 0.02))
    return text, Recorded(audio, tuple(words))


REPLY = [spoken(text) for text in TEXTS]


@pytest.mark.parametrize("has_word_times", [True, False])
def test_a_memory_is_at_most_the_cut_word_off(has_word_times: bool) -> None:
    found = errors([REPLY], 60, 1, has_word_times=has_word_times)
    assert len(found) == 60
    assert sorted(found)[56] <= 1


def test_the_same_seed_gives_the_same_errors() -> None:
    assert errors([REPLY], 10, 7, has_word_times=True) == errors([REPLY], 10, 7, has_word_times=True)


def test_a_carrier_that_begins_late_is_told_by_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.cuts.WAYS", (Way(0.05, 0.2, 0.0),))
    found = errors([REPLY], 40, 3, has_word_times=True)
    assert sum(error > 1 for error in found) <= 4
