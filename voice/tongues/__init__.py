"""The languages that are known here: one file each, one line in this list.

Every language's words count in every call: callers change languages in mid-sentence, a voicemail speaks its owner's, and
recognisers spell what they hear as they like. A word that means something else in another language on this list is left out
of its table (`tests/unit/voice/test_tongues.py` looks for the worst of them). What the agent itself says is its own
language's alone.
"""

from __future__ import annotations

from typing import Final

from voice.tongues.english import ENGLISH
from voice.tongues.others import FRENCH, GERMAN, PORTUGUESE
from voice.tongues.spanish import SPANISH
from voice.tongues.table import Tongue

TONGUES: Final = (ENGLISH, SPANISH, FRENCH, GERMAN, PORTUGUESE)


def tongue_of(language: str) -> Tongue | None:
    """The table of a language (BCP 47, whatever the region); None where there is none."""
    family = language.replace("_", "-").partition("-")[0].lower()
    return next((tongue for tongue in TONGUES if tongue.code == family), None)


__all__ = ["TONGUES", "Tongue", "tongue_of"]
