"""When a recogniser's word for a language is a finding."""

from __future__ import annotations

from enum import StrEnum

import pytest

from voice.providers.finding import family_of, found_language


class Theirs(StrEnum):
    SPANISH = "es-MX"


@pytest.mark.parametrize(
    ("told", "words", "asked", "found"),
    [
        ("es", 3, "", "es"),
        ("es_419", 2, "en-US", "es-419"),
        (Theirs.SPANISH, 2, "multi", "es-MX"),
        ("es", 1, "", ""),  # "no"
        ("en-US", 9, "en-US", ""),  # what it was set to, whoever speaks
        ("en-GB", 9, "en", ""),
        ("multi", 9, "", ""),
        ("und", 9, "", ""),
        ("", 9, "", ""),
        (None, 9, "", ""),
        (7, 9, "", ""),
    ],
)
def test_a_language_is_found(told: object, words: int, asked: str, found: str) -> None:
    assert found_language(told, words, asked) == found


def test_a_language_is_known_without_its_region() -> None:
    assert [family_of(code) for code in ("es-US", "pt_BR", "EN", "")] == ["es", "pt", "en", ""]
