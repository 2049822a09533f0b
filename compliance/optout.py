"""Whether somebody who *wrote* to us wants no more calls: text messages, e-mails, web forms, English and Spanish. Pure.

What is said in a call is judged by the conversation's own guard. Here too a doubt counts for the person: a message that
could be read as a wish to be left alone is one (47 CFR 64.1200(a)(10): any reasonable method, no words prescribed).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# 64.1200(a)(10): these words, sent as a reply, revoke per se. The Spanish ones mean the same.
_PER_SE: Final = frozenset(
    {"stop", "quit", "end", "revoke", "cancel", "unsubscribe", "optout", "stopall", "remove"}
    | {"parar", "pare", "alto", "basta", "cancelar", "baja", "eliminar"}
)
_SAYS_STOP: Final = re.compile(
    r"""
      \b(stop|quit|cease)\b .{0,20} \b(call|calls|calling|contact|contacting|ringing|phoning|this|it|bothering|harassing)\b
    | \b(do\s?n[o']?t|never|please\s+no|no\s+more|not\s+to)\b .{0,15} \b(call|calls|calling|contact|phone|ring)\b
    | \b(take|get|remove|delete|strike|scratch)\b .{0,12} \b(me|my|this|us|our)\b .{0,25}
      \b(off|from|out|list|number|database)\b
    | \b(remove|delete)\s+(me|my\s+number|us)\b
    | \bopt(ing|ed)?\s*-?\s*out\b | \bunsubscribe\b | \bdo\s*-?\s*not\s*-?\s*call\b | \bdnc\b
    | \b(leave|let)\s+(me|us)\s+(alone|be)\b | \blose\s+(my|this)\s+number\b | \bwrong\s+number\b
    | \b(revoke|withdraw|cancel)\b .{0,15} \b(consent|permission|calls?)\b | \bi\s+no\s+longer\s+(want|consent|agree)\b
    | \bnot\s+interested\b .{0,20} \b(stop|again|more|calls?)\b
    | \bno\s+(me|nos)\s+(llame|llamen|llames|vuelva[n]?\s+a\s+llamar|contacte|contacten|moleste|molesten)\b
    | \b(deje|dejen|deja|paren?)\s+de\s+(llamar|llamarme|llamarnos|molestar|molestarme)\b
    | \bno\s+(quiero|deseo|queremos)\b .{0,20} \b(llamadas?|llamen|recibir)\b | \bya\s+no\s+(llame|llamen|quiero)\b
    | \b(quite|quiten|quita|quiteme|saque|saquen|saqueme|borre|borren|borreme|elimine|eliminen|elimineme)\b
      .{0,20} \b(lista|numero)\b
    | \b(darme|dar|deme|dame|denme)\s+de\s+baja\b | \bnumero\s+equivocado\b | \bdejeme\s+en\s+paz\b | \bdejenme\s+en\s+paz\b
    | \b(cancele|cancelen|retiro|revoco)\b .{0,15} \b(consentimiento|llamadas|permiso|suscripcion)\b
    """,
    re.VERBOSE,
)
# "Don't stop calling" and the like: what looks like a wish to stop, and is the opposite.
_SAYS_GO_ON: Final = re.compile(r"\b(do\s?n[o']?t|never|no)\s+(stop|quit|dejes?|dejen?|pare|paren)\b(?!\s*(,|\.|!))")


def asks_to_stop(text: str) -> bool:
    """Whether a written message asks us not to call again."""
    plain = _plain(text)
    words = re.findall(r"[a-z]+", plain)
    if len(words) <= 3 and any(word in _PER_SE for word in words) and not _SAYS_GO_ON.search(plain):
        return True
    return _SAYS_STOP.search(_SAYS_GO_ON.sub(" ", plain)) is not None


def _plain(text: str) -> str:
    """Small letters without accents, apostrophes straight, blanks single; long messages are read to their 2,000th letter."""
    flat = unicodedata.normalize("NFKD", text[:2000].replace("’", "'").lower())
    return re.sub(r"\s+", " ", "".join(letter for letter in flat if not unicodedata.combining(letter))).strip()
