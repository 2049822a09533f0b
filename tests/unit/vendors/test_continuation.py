from __future__ import annotations

import pytest

from voice.providers.resilience.continuation import rest_of

TEXT = "Hello, this is Ann, calling about your roof."


@pytest.mark.parametrize(
    ("spoken", "rest"),
    [
        (["Hello,", "this"], "is Ann, calling about your roof."),
        (["hello", "THIS", "is", "ann"], "calling about your roof."),
        (["Hello,", "that", "is"], "Ann, calling about your roof."),
        (["something", "else"], TEXT),
        (TEXT.split(), ""),
    ],
)
def test_it_goes_on_at_the_first_word_that_was_not_spoken(spoken: list[str], rest: str) -> None:
    assert rest_of(TEXT, spoken, 1.0) == rest


def test_a_word_said_twice_is_passed_once() -> None:
    assert rest_of("no no no more", ["no", "no"], 1.0) == "no more"


def test_without_words_the_time_decides_rounded_down_to_a_word() -> None:
    assert rest_of(TEXT, [], 0.0) == TEXT
    assert rest_of(TEXT, [], 0.065 * 12) == "is Ann, calling about your roof."
    assert rest_of(TEXT, [], 60.0) == ""


def test_nothing_remains_of_nothing() -> None:
    assert rest_of("  ", ["a"], 1.0) == ""
