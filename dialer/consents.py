"""What a file of contacts says of a consent, in the ledger's terms. The one place where the two meet.

Judges nothing: a consent without a signature or a seller is written down as just that, and the gate says what it is worth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from compliance.consent import Evidence, Given
from compliance.record import Consent, ConsentKind
from dialer.contact_file import ConsentClaim, ContactRow

KINDS: Final[Mapping[str, ConsentKind]] = {
    "pewc": ConsentKind.WRITTEN,
    "written": ConsentKind.WRITTEN,
    "pec": ConsentKind.EXPRESS,
    "express": ConsentKind.EXPRESS,
    "oral": ConsentKind.EXPRESS,
}
_YES: Final = frozenset({"yes", "y", "true", "t", "1", "x"})
# Whether a wording names the voice, or says that agreeing is no condition of buying, is a fact about the wording; a column
# of that name overrules the reading.
_VOICE: Final = re.compile(
    r"\b(artificial|pre-?\s?recorded|AI)[\s,/-]+(\w+[\s,/-]+){0,4}?(voices?|messages?|calls?)\b", re.I
)
_NO_CONDITION: Final = re.compile(
    r"\bnot (a |any )?(condition|required|requirement)\b|\bno condition\b|\bnot conditioned\b", re.I
)


def given_by(row: ContactRow, claim: ConsentClaim) -> Given:
    """The ledger's entry for a row's consent. The same consent has the same id, from whichever file it comes."""
    consent_id = _id(row.number, claim)
    consent = Consent(
        id=consent_id,
        kind=_kind(claim),
        number=row.number,
        sellers=frozenset(seller.strip() for seller in re.split(r"[;|]", claim.seller) if seller.strip()),
        obtained_at=claim.at,
        wording=claim.wording,
        is_signed=bool(claim.signature),
        names_artificial_voice=_told(claim, "artificial_voice", _VOICE),
        says_not_a_condition=_told(claim, "not_a_condition", _NO_CONDITION),
    )
    more = claim.more
    evidence = Evidence(
        name=row.name or row.first_name,
        source=claim.source or "import file",
        url=more.get("url", ""),
        ip=more.get("ip", ""),
        user_agent=more.get("user_agent", ""),
        signature=claim.signature,
        vendor=more.get("vendor", ""),
        certificate=more.get("certificate", ""),
    )
    return Given(consent_id, consent, row.person, evidence)


def _id(number: str, claim: ConsentClaim) -> str:
    told = (number, claim.at.isoformat(), claim.seller, claim.wording, claim.kind, claim.signature)
    return "co_" + sha256("\x1f".join(told).encode()).hexdigest()[:32]


def _kind(claim: ConsentClaim) -> ConsentKind:
    if claim.kind:
        return KINDS[claim.kind.casefold()]
    return ConsentKind.WRITTEN if claim.signature else ConsentKind.EXPRESS


def _told(claim: ConsentClaim, column: str, wording: re.Pattern[str]) -> bool:
    said = claim.more.get(column)
    return said.casefold() in _YES if said is not None else wording.search(claim.wording) is not None
