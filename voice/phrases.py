"""Small closed lists of words that mean something to the conversation itself, whoever the mind is.

The words stand in `voice/tongues`, a file for each language; here is what is asked about them. Compared after `plain`: small
letters, no punctuation, no accents. A recogniser's spelling varies; the lists carry the variants.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from telephony.wishes import asks_to_be_left_alone
from voice.tongues import TONGUES


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """Whether one of these is found, at word boundaries."""
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b")


_BACKCHANNELS: Final = frozenset().union(*(tongue.backchannels for tongue in TONGUES))
_BACKCHANNEL_PHRASES: Final = frozenset().union(*(tongue.backchannel_phrases for tongue in TONGUES))
_TRAILING: Final = frozenset().union(*(tongue.trailing for tongue in TONGUES))
_DIGITS: Final = frozenset().union(*(tongue.digits for tongue in TONGUES))
# What people dictate: a telephone number has seven digits or ten, a card sixteen. Fewer, and more may come.
_WHOLE_NUMBER: Final = 7

_GRAVE: Final = any_of(pattern for tongue in TONGUES for pattern in tongue.grave)
_UPSET: Final = any_of(pattern for tongue in TONGUES for pattern in tongue.upset)
_PARTING: Final = any_of(pattern for tongue in TONGUES for pattern in tongue.parting)
_CHEERFUL: Final = any_of(pattern for tongue in TONGUES for pattern in tongue.cheerful)
_ASKS: Final = re.compile(
    rf"^(?:(?:{'|'.join(sorted(word for tongue in TONGUES for word in tongue.before_asking))}) )*"
    rf"(?:{'|'.join(pattern for tongue in TONGUES for pattern in tongue.asking)})\b"
)
_LEAD: Final = re.compile(
    rf"^(?:\s*(?:{'|'.join(pattern for tongue in TONGUES for pattern in tongue.leads)})\s*(?:[,.!;:–—-]+\s*|$))+",
    re.IGNORECASE,
)


def normalise(text: str) -> str:
    """Lower case, without punctuation, single spaces: what two recognisers would both write."""
    return " ".join(re.sub(r"[^\w\s'-]", " ", text.lower().replace("’", "'")).split())


def plain(text: str) -> str:
    """Normalised, and without accents: some recognisers write none."""
    normal = normalise(text)
    if normal.isascii():
        return normal
    return "".join(letter for letter in unicodedata.normalize("NFKD", normal) if not unicodedata.combining(letter))


def is_backchannel(text: str) -> bool:
    """Whether these words, if they are all, only say "go on": they do not take the floor."""
    said = plain(text)
    if said in _BACKCHANNEL_PHRASES:
        return True
    words = said.split()
    return 0 < len(words) <= 3 and all(word in _BACKCHANNELS for word in words)


def trails_off(text: str) -> bool:
    """Whether the last word promises another one ("...and", "my")."""
    words = plain(text).split()
    return bool(words) and words[-1] in _TRAILING


def promises_more(text: str) -> bool:
    """Whether another word is as good as certain: the last one promises it, or a recogniser that punctuates saw a comma."""
    return trails_off(text) or text.rstrip().endswith(",")


def is_complete(text: str) -> bool:
    """Whether a recogniser that punctuates took these words for a sentence."""
    return text.rstrip().endswith((".", "?", "!"))


def is_question(text: str) -> bool:
    """Whether a recogniser that punctuates took the last of these words for a question."""
    return text.rstrip().endswith("?")


def is_number_in_progress(text: str, *, is_expected: bool) -> bool:
    """Whether digits are being dictated and more may come: when a number was asked for, or three and more were said."""
    count = 0
    for word in reversed(plain(text).split()):
        figures = word.replace("-", "")
        if figures.isdigit():
            count += len(figures)
        elif word in _DIGITS:
            count += 1
        else:
            break
    return 0 < count < _WHOLE_NUMBER and (is_expected or count >= 3)


def is_opt_out(text: str) -> bool:
    """Whether the person asks not to be called again, in English or Spanish; the guard errs on the side of believing it."""
    return asks_to_be_left_alone(text)


def is_grave(text: str) -> bool:
    """Whether the person tells of a misfortune: a light word before our answer would wound."""
    return _GRAVE.search(plain(text)) is not None


def is_cheerful(text: str) -> bool:
    """Whether words praise or rejoice: said before it is known what comes next, they may stand before bad news."""
    return _CHEERFUL.search(plain(text)) is not None


def is_upset(text: str) -> bool:
    """Whether somebody complains or contradicts: they want to be answered, not soothed with a word."""
    return _UPSET.search(plain(text)) is not None


def is_parting(text: str) -> bool:
    """Whether somebody says goodbye."""
    return _PARTING.search(plain(text)) is not None


def closes(text: str) -> bool:
    """Whether the last of these words say goodbye."""
    return is_parting(" ".join(text.split()[-4:]))


def is_request(text: str) -> bool:
    """Whether something is asked of us, by its form: a question mark, or how the last sentence begins."""
    last = re.split(r"(?<=[.!?])\s+", text.strip())[-1]
    return is_question(text) or _ASKS.match(plain(last)) is not None


def is_led(text: str) -> bool:
    """Whether what we say begins with an acknowledgement."""
    return _LEAD.match(text) is not None


def without_lead(text: str) -> str:
    """The same without it: nobody says "Okay. Okay, ..."."""
    rest = _LEAD.sub("", text)
    return rest[:1].upper() + rest[1:]
