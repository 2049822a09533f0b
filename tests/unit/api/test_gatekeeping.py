from __future__ import annotations

from datetime import UTC, datetime

from api.gatekeeping import proposed
from dialer.campaign import Campaign, Contact

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
CAMPAIGN = Campaign("c1", "Autumn", "Acme Solar", "solar", NOW)


def test_the_gate_is_asked_about_the_person_and_the_place() -> None:
    contact = Contact("k1", CAMPAIGN.id, "+16145550123", NOW, person="crm.csv/7", address_state="OH", zip="43004")
    call = proposed(CAMPAIGN, contact, ("+13125550100",), "a1")
    assert (call.person, call.place.state, call.place.zip, call.attempt) == ("crm.csv/7", "OH", "43004", "a1")
    assert call.errand.caller_id.is_authorised
