"""Whether somebody who *wrote* to us wants no more calls: text messages, e-mails, web forms. Pure.

The words are those of `telephony.wishes`, which the conversation's own guard knows too. A written message may be shorter and
mean as much: the words below revoke by themselves as a reply, but in the middle of a talk ("cancel", "the end") they do not.
"""

from __future__ import annotations

import re
from typing import Final

from telephony.wishes import asks_to_be_left_alone, folded

# 47 CFR 64.1200(a)(10): sent as a reply, these revoke per se. The Spanish ones mean the same.
_PER_SE: Final = frozenset(
    {"stop", "quit", "end", "revoke", "cancel", "unsubscribe", "optout", "stopall", "remove"}
    | {"parar", "pare", "alto", "basta", "cancelar", "baja", "eliminar"}
)
_OF_ANOTHER: Final = re.compile(r"\bwrong (?:number|person)\b|\bnumero equivocado\b|\bse equivoco de numero\b")
_GOES_ON: Final = re.compile(r"\b(?:do not|don't|dont|never|no) (?:stop|quit|cancel|end|dejen?|paren?)\b(?! ?[,.!])")
_A_REPLY: Final = 3  # words at most, for one of them to revoke by itself


def asks_to_stop(text: str) -> bool:
    """Whether a written message asks us not to call again, or says that this is not the person's number at all."""
    plain = folded(text)
    words = re.findall(r"[a-z]+", plain)
    is_reply = len(words) <= _A_REPLY and not _PER_SE.isdisjoint(words) and _GOES_ON.search(plain) is None
    return is_reply or asks_to_be_left_alone(text) or _OF_ANOTHER.search(plain) is not None
