from __future__ import annotations

from datetime import UTC, datetime

import pytest

from compliance.record import ConsentKind
from dialer.consents import KINDS, given_by
from dialer.contact_file import CONSENT_KINDS, ConsentClaim, ContactRow

AT = datetime(2026, 3, 1, tzinfo=UTC)
ROW = ContactRow(2, "+16145550123", "Ann Lee")
WORDING = "I agree that Acme may call me with an artificial or prerecorded voice. Agreeing is not a condition of purchase."


def test_every_kind_a_file_may_name_is_one_of_the_ledgers() -> None:
    assert set(KINDS) | {""} == CONSENT_KINDS


def test_a_claim_becomes_an_entry_with_its_evidence() -> None:
    claim = ConsentClaim(
        AT, "Acme; Bolt |", WORDING, "", "web form", "Ann Lee", {"ip": "192.0.2.1", "url": "https://a.example"}
    )
    given = given_by(ROW, claim)
    consent = given.consent
    assert (consent.id, consent.number, consent.obtained_at) == (given.id, ROW.number, AT)
    assert consent.sellers == {"Acme", "Bolt"}
    assert consent.kind is ConsentKind.WRITTEN
    assert (consent.is_signed, consent.names_artificial_voice, consent.says_not_a_condition) == (True, True, True)
    assert (given.evidence.source, given.evidence.ip, given.evidence.url) == ("web form", "192.0.2.1", "https://a.example")


def test_a_consent_names_the_person_of_its_row() -> None:
    row = ContactRow(2, "+16145550123", person="crm.csv/7")
    assert given_by(row, ConsentClaim(AT, wording="You may call me.")).person == "crm.csv/7"


def test_nothing_is_read_into_a_claim() -> None:
    bare = given_by(ROW, ConsentClaim(AT, wording="You may call me.")).consent
    assert bare.kind is ConsentKind.EXPRESS
    assert (bare.sellers, bare.is_signed) == (frozenset(), False)
    assert (bare.names_artificial_voice, bare.says_not_a_condition) == (False, False)


@pytest.mark.parametrize(
    ("wording", "is_named"),
    [
        ("calls with an artificial voice", True),
        ("artificial/prerecorded voice messages", True),
        ("pre-recorded or AI generated calls", True),
        ("calls placed by AI voice", True),
        ("You may call me about artificial lawns.", False),
        ("We said a call", False),
    ],
)
def test_whether_a_wording_names_the_voice(wording: str, is_named: bool) -> None:
    assert given_by(ROW, ConsentClaim(AT, wording=wording)).consent.names_artificial_voice is is_named


def test_a_column_of_that_name_overrules_the_reading() -> None:
    told = ConsentClaim(AT, wording=WORDING, kind="PEC", more={"artificial_voice": "no", "not_a_condition": "Yes"})
    consent = given_by(ROW, told).consent
    assert consent.kind is ConsentKind.EXPRESS
    assert (consent.names_artificial_voice, consent.says_not_a_condition) == (False, True)


def test_the_same_consent_has_the_same_id_from_whichever_file() -> None:
    claim = ConsentClaim(AT, "Acme", WORDING)
    again = given_by(ContactRow(99, ROW.number, "Ann"), ConsentClaim(AT, "Acme", WORDING, source="another file"))
    assert given_by(ROW, claim).id == again.id
    assert given_by(ROW, ConsentClaim(AT, "Acme", WORDING + ".")).id != again.id
