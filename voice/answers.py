"""Whether what was said so far is already a whole answer to what was asked. Pure.

A whole answer may still go on ("yes ... but"), so this only shortens the wait; it never ends a turn by itself.
"""

from __future__ import annotations

from typing import Final, assert_never

from voice.agent import AnswerKind
from voice.language.numbers import spoken_number
from voice.language.times import spoken_time
from voice.phrases import normalise

_YES_OR_NO: Final = frozenset(
    {"yes", "yeah", "yep", "yup", "no", "nope", "nah", "sure", "okay", "ok", "right", "correct", "exactly", "absolutely"}
)
_AROUND: Final = frozenset(
    {"i", "do", "don't", "am", "can", "can't", "that's", "it", "is", "please", "of", "course", "not", "really", "thanks"}
    | {"thank", "you", "we", "are", "aren't", "isn't", "still", "fine", "oh", "well", "think", "so"}
)
_LONGEST: Final = 6  # words of a plain yes or no
_UNITS: Final = frozenset({"dollars", "dollar", "bucks", "cents", "percent", "years", "months", "people"})


def is_answer(text: str, kind: AnswerKind, phrases: frozenset[str]) -> bool:
    """Whether these words answer a question of this kind. `phrases`, normalised, are what is expected for it."""
    plain = normalise(text)
    if not plain:
        return False
    if plain in phrases:
        return True
    words = plain.split()
    match kind:
        case AnswerKind.YES_NO:
            is_said = any(word in _YES_OR_NO for word in words)
            return is_said and len(words) <= _LONGEST and all(word in _YES_OR_NO | _AROUND for word in words)
        case AnswerKind.NUMBER:
            return words[-1] in _UNITS and spoken_number(plain) is not None
        case AnswerKind.TIME:
            told = spoken_time(plain)
            return bool(told.day and told.clock)
        case AnswerKind.CHOICE:
            return any(f" {phrase} " in f" {plain} " for phrase in phrases)
        case AnswerKind.OPEN:
            return False
        case _:
            assert_never(kind)
