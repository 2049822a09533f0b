"""Small closed lists of words that mean something to the conversation itself, whoever the mind is.

Compared after `normalise`: lower case, no punctuation. A recogniser's spelling varies; the lists carry the variants.
"""

from __future__ import annotations

import re
from typing import Final

BACKCHANNELS: Final = frozenset(
    "mhm mm mmm hm hmm uh-huh uhhuh uh huh mm-hm mmhmm mhmm aha ah oh okay ok yeah yep right sure yes i see".split()
)
_TRAILING: Final = frozenset(
    "and or but because so if when that the a an to of for with my our his her is are was at in on um uh er well like".split()
)
_OPT_OUT: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(stop|quit) (calling|phoning|ringing)\b",
        r"\b(do not|don't|dont|never) (ever )?(call|phone|ring) (me|us|here|this number|again|back again|my)\b",
        r"\b(take|remove|get|put) (me|us|my number|this number|my name|our number) (off|from|on)\b.*\b(list|calls?|do not call)\b",
        r"\b(unsubscribe|opt out|opt me out|do not call list)\b",
        r"^(please )?stop( please)?$",
        r"\b(no me|no nos) (llame|llamen|vuelva a llamar|vuelvan a llamar)\b",
        r"\b(quiteme|quítenme|quítame|borreme) de (la|su) lista\b",
    )
)


def normalise(text: str) -> str:
    """Lower case, without punctuation, single spaces: what two recognisers would both write."""
    return " ".join(re.sub(r"[^\w\s'-]", " ", text.lower()).replace("’", "'").split())


def is_backchannel(text: str) -> bool:
    """Whether these words, if they are all, only say "go on": they do not take the floor."""
    words = normalise(text).split()
    return 0 < len(words) <= 3 and all(word in BACKCHANNELS for word in words)


def trails_off(text: str) -> bool:
    """Whether the last word promises another one ("...and", "my")."""
    words = normalise(text).split()
    return bool(words) and words[-1] in _TRAILING


def is_opt_out(text: str) -> bool:
    """Whether the person asks not to be called again, in English or Spanish.

    47 CFR 64.1200(a)(10): revocation by any reasonable means; the guard errs on the side of believing it.
    """
    plain = normalise(text)
    return any(pattern.search(plain) for pattern in _OPT_OUT)
