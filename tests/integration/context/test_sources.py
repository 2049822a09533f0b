from sqlalchemy import insert

from context.briefing import CampaignRules, ContactCard, Missing
from context.gather import CallAhead, Gathering
from context.sources import usual_sources
from storage.tables.dialing import campaigns, contacts

PERSON = "+13125550142"


async def _campaign(database, at):
    async with database.transaction() as connection:
        row = {
            column.name: 0 if column.type.python_type in (int, float) else ""
            for column in campaigns.c
            if not column.nullable
        }
        row |= {
            "id": "k1",
            "name": "Autumn",
            "seller": "Acme",
            "agent": "ann",
            "purpose": "roofs",
            "instructions": "be kind",
        }
        await connection.execute(insert(campaigns).values(**row | {"retry": {}, "created_at": at(0)}))
        for number in (1, 2):
            row = {column.name: 0 if column.type.python_type is int else "" for column in contacts.c if not column.nullable}
            row |= {"id": f"c{number}", "campaign_id": "k1", "number": PERSON if number == 1 else "+13125550199"}
            row |= {"name": "Jo Doe", "first_name": "Jo", "address_state": "IL", "fields": {"roof": "old", "zip": 60601}}
            await connection.execute(
                insert(contacts).values(**row | {"rules": [], "created_at": at(0), "changed_at": at(0)})
            )


async def test_everything_we_hold_is_in_the_briefing(database, base, call, write_call, told, at):
    await _campaign(database, at)
    await write_call(call("call-1"), summary="They own the house.")
    await base.add([told(1, "Owns the house", key="owner", value="yes"), told(1, "roofs are inspected free", number="")])
    ahead = CallAhead(PERSON, "call-2", "c1", "k1", purpose="inspect roofs")
    briefing = await Gathering.start(ahead, usual_sources(database, base)).briefing()
    assert briefing.contact == ContactCard("c1", PERSON, "Jo Doe", "Jo", "IL", {"roof": "old", "zip": "60601"})
    assert briefing.rules == CampaignRules("k1", "Autumn", "Acme", "ann", "roofs", "be kind")
    assert [past.summary for past in briefing.history] == ["They own the house."]
    slot = briefing.slot("owner")
    assert slot is not None
    assert slot.value == "yes"
    assert {fact.text for fact in briefing.knowledge} == {"Owns the house", "roofs are inspected free"}
    assert briefing.absences == ()
    assert set(briefing.took) == {"contact", "rules", "history", "known", "knowledge", "total"}


async def test_a_caller_is_recognised_by_number(database, base, at):
    await _campaign(database, at)
    briefing = await Gathering.start(CallAhead(PERSON, "call-2"), usual_sources(database, base)).briefing()
    assert briefing.contact is not None
    assert briefing.contact.contact_id == "c1"
    assert briefing.rules is None


async def test_a_stranger_is_all_absences(database, base):
    ahead = CallAhead("+19995550100", "call-2", "nobody", "nothing", "roofs")
    briefing = await Gathering.start(ahead, usual_sources(database, base)).briefing()
    assert {absence.why for absence in briefing.absences} == {Missing.NOTHING_KNOWN}
    assert len(briefing.absences) == 5


async def test_a_database_that_is_gone_fails_honestly(database, base, tmp_path):
    await database.close()
    (tmp_path / "offhook.db").write_bytes(b"garbage" * 1000)
    for leftover in ("-wal", "-shm"):
        (tmp_path / f"offhook.db{leftover}").unlink(missing_ok=True)
    briefing = await Gathering.start(CallAhead(PERSON, "", "c1", "k1"), usual_sources(database, base)).briefing()
    failed = {absence.source for absence in briefing.absences if absence.why is Missing.FAILED}
    assert failed == {"contact", "rules", "history", "known"}
