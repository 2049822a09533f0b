"""When a recogniser's word for a language is a finding, and not only an echo of how it was set."""

from __future__ import annotations

from typing import Final

_ENOUGH_WORDS: Final = 2  # to tell a language by: "no", "okay" and a name are words of several
_NO_LANGUAGE: Final = frozenset({"und", "mul", "mis", "zxx"})  # ISO 639-2: undetermined, several, uncoded, none


def family_of(code: str) -> str:
    """The language of a BCP 47 tag without region or script, in small letters."""
    return code.replace("_", "-").partition("-")[0].strip().lower()


def found_language(told: object, words: int, asked: str = "") -> str:
    """The language (BCP 47) that so many words were found to be in; empty where that says nothing.

    `told` is whatever a vendor's event carries. Most put there what they were `asked` for, whoever speaks; and a word or
    two may be of any language.
    """
    code = str(getattr(told, "value", told) or "").replace("_", "-")
    family = family_of(code)
    is_language = family.isascii() and family.isalpha() and 2 <= len(family) <= 3 and family not in _NO_LANGUAGE
    return code if is_language and words >= _ENOUGH_WORDS and family != family_of(asked) else ""
