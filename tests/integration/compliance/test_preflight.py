"""`offhook campaign preflight` over a campaign in the database."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime

import pytest

from api.settings import get_settings
from dialer.campaign import Campaign, Contact
from dialer.stores.sql import SqlStore
from storage.database import Database


@pytest.fixture
def campaign(offhook):
    """Three contacts: one consented, one not, one on our own list."""

    async def make():
        database = Database(get_settings().database_url)
        await database.migrate()
        now = datetime(2026, 7, 1, tzinfo=UTC)
        async with SqlStore(database).transaction() as work:
            await work.save_campaign(Campaign("c1", "autumn", "acme", "ann", now))
            numbers = ("+16145550123", "+16145550124", "+16145550125")
            await work.add_contacts(
                [
                    Contact(id=f"k{place}", campaign_id="c1", number=number, created_at=now)
                    for place, number in enumerate(numbers)
                ]
            )
        await database.close()

    consent = ("--seller", "acme", "--wording", "I agree", "--signed", "--ai-voice", "--no-condition")
    for number in ("+16145550123", "+16145550125"):
        assert offhook("consent", "record", number, *consent, "--obtained-at", "2026-06-01T15:00:00Z")[0] == 0
    assert offhook("dnc", "add", "+16145550125", "--seller", "acme")[0] == 0
    asyncio.run(make())


def test_in_words(offhook, campaign):
    status, said = offhook("campaign", "preflight", "autumn", "--at", "2027-07-13T16:00:00Z", "--pace", "2")
    assert status == 0
    assert said.startswith("3 contacts: 1 can be called now, 0 later, 2 not at all.")
    assert "CONSENT_MISSING stops 1, 0 of them by itself." in said
    assert "At 2 calls a second" in said


def test_at_night_and_for_machines(offhook, campaign):
    status, said = offhook("campaign", "preflight", "autumn", "--at", "2027-07-14T03:00:00Z", "--json")
    told = json.loads(said)
    assert (status, told["contacts"], told["now"], told["later"], told["never"]) == (0, 3, 0, 1, 2)
    assert told["opens"] == {"2027-07-14T12:00:00+00:00": 1}
    assert told["finished_by"].startswith("2027-07-14T12:00:0")


def test_shares_judged_side_by_side_say_the_same(offhook, campaign, monkeypatch):
    asked = ("campaign", "preflight", "autumn", "--at", "2027-07-14T03:00:00Z", "--json")
    whole = json.loads(offhook(*asked)[1])
    monkeypatch.setattr(sys.modules["api.commands.campaign.preflight"], "SHARE", 1)  # the name is the command's
    assert json.loads(offhook(*asked)[1]) == whole


@pytest.mark.parametrize("arguments", [("nowhere",), ("autumn", "--at", "noon"), ("autumn", "--at", "2027-07-14T03:00:00")])
def test_what_cannot_be_done_is_said_in_a_line(offhook, campaign, arguments):
    status, said = offhook("campaign", "preflight", *arguments)
    assert status in (1, 2)
    assert "Traceback" not in said


def test_help_has_an_example(offhook):
    assert "Example: offhook campaign preflight" in offhook("campaign", "preflight", "--help")[1]
