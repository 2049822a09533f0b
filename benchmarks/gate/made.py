"""What the suite calls about: one errand, its consents, numbers all over the country. Synthetic, and always the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from compliance.consent import Given
from compliance.record import CallerId, Consent, ConsentKind, Errand, Purpose, VoiceKind
from compliance.rules import load_rulebook

NOON: Final = datetime(2026, 7, 14, 16, tzinfo=UTC)
SELLER: Final = "acme"
SHOWN: Final = CallerId("+16145550100", is_shown=True, is_authorised=True)
ERRAND: Final = Errand(SELLER, Purpose.TELEMARKETING, VoiceKind.ARTIFICIAL, "solar", "bench", SHOWN)


def given(place: int, number: str, person: str = "") -> Given:
    """A written consent as good as they come."""
    consent = Consent(
        id=f"g{place}",
        kind=ConsentKind.WRITTEN,
        number=number,
        sellers=frozenset({SELLER}),
        obtained_at=NOON - timedelta(days=40),
        wording="I agree that Acme may call me with an AI-generated voice. " * 4,
        is_signed=True,
        names_artificial_voice=True,
        says_not_a_condition=True,
    )
    return Given(consent.id, consent, person)


def number(place: int, area: int = 614) -> str:
    return f"+1{area}{2_000_000 + place:07d}"


def numbers(count: int) -> Iterator[str]:
    """Different numbers of every area code there is, in no order of theirs."""
    areas = load_rulebook().areas
    assert areas is not None
    codes = sorted(code for those in areas.states.values() for code in those)
    return (number(place * 7919 % 8_000_000, codes[place % len(codes)]) for place in range(count))
