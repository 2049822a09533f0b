from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.gatekeeping import proposed
from dialer.campaign import Campaign, Contact
from dialer.contact_file import ContactRow, FileRefused, read_contacts

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
CAMPAIGN = Campaign("c1", "Autumn", "Acme Solar", "solar", NOW)


@pytest.mark.parametrize(
    ("file", "person"),
    [
        (b"number,person_id\n+16145550123,ann-7\n", "ann-7"),
        (b"number,person_id\n+16145550123,\n", ""),
        (b"number\n+16145550123\n", ""),
    ],
)
def test_the_file_says_whose_number_it_is(file: bytes, person: str) -> None:
    rows = read_contacts([file], NOW)
    assert not isinstance(rows, FileRefused)
    [row] = rows
    assert isinstance(row, ContactRow)
    contact = Contact("k1", CAMPAIGN.id, row.number, NOW, fields=row.fields)

    assert proposed(CAMPAIGN, contact, ("+13125550100",)).person == person
