"""The gate's shell against a real database and real lists."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from compliance.audit import stored_receipts
from compliance.bulk import records_for, rulebook_in_force
from compliance.dnc_load import LoadOrder, load
from compliance.identity import person_by_number
from compliance.people import erase_person
from compliance.preflight import preflight
from compliance.quick import run
from compliance.receipt import verify
from compliance.record import Place, Purpose, Reassigned, ReassignedAnswer, Relationship, VoiceKind
from compliance.rules.schema import Proclamation, Waiver
from compliance.store import CallOutcome, DncRequest, Halt, Lift
from compliance.verdict import Clearance, Refused, Rule
from dialer.campaign import Campaign, Contact
from dialer.stores.sql import SqlWork
from storage.tables.compliance import calls_counted, receipts, standing_orders

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)
ANN = "+16145550123"
LISTED = "+16145550199"


async def judged(database, store, proposed, at=NOON):
    async with database.transaction() as connection:
        return await store.judge(connection, proposed, at)


async def consented(database, store, given):
    async with database.transaction() as connection:
        assert await store.record_consent(connection, given, NOON)


async def known(connection, *listed):
    """Contacts as a file named them: (number, person), each in a campaign of its own."""
    work = SqlWork(connection)
    for place, (number, person) in enumerate(listed):
        await work.save_campaign(Campaign(f"c{place}", f"c{place}", "acme", "ann", NOON))
        await work.add_contacts([Contact(f"k{place}", f"c{place}", number, NOON, person=person)])


async def rows(database, table):
    async with database.reading() as connection:
        return (
            await connection.execute(select(table).order_by(table.c[0] if table is calls_counted else table.c.seq))
        ).all()


async def test_no_consent_is_refused_and_stored(database, store, proposed):
    verdict = await judged(database, store, proposed)
    assert isinstance(verdict, Refused)
    assert verdict.rules == (Rule.CONSENT_MISSING,)
    [row] = await rows(database, receipts)
    body = json.loads(row.body)
    assert (row.id, row.decision, row.number, row.attempt) == (verdict.receipt, "deny", ANN, "a1")
    assert body["findings"][0]["source"].startswith("47 CFR 64.1200(a)(2)")
    assert body["rules_version"] == store.rules.version
    assert {each["name"]: each["generation"] for each in body["inputs"]["lists"]} == {
        "national": "national/gen-000001",
        "internal": "live",
    }


async def test_a_cleared_call_is_counted_in_the_same_transaction(database, store, proposed, given):
    await consented(database, store, given)
    verdict = await judged(database, store, proposed)
    assert isinstance(verdict, Clearance)
    assert verdict.permits(ANN, NOON)
    [counted] = await rows(database, calls_counted)
    assert (counted.attempt, counted.number, counted.person) == ("a1", ANN, "ann")


async def test_a_transaction_that_fails_leaves_neither_receipt_nor_count(database, store, proposed, given):
    await consented(database, store, given)

    async def judge_and_fail():
        async with database.transaction() as connection:
            await store.judge(connection, proposed, NOON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await judge_and_fail()
    assert await rows(database, calls_counted) == []
    assert await rows(database, receipts) == []


async def test_looking_writes_nothing_and_permits_nothing(database, store, proposed, given):
    await consented(database, store, given)
    async with database.reading() as connection:
        record, verdict = await store.look(connection, proposed, NOON)
    assert isinstance(verdict, Clearance)
    assert not verdict.permits(ANN, NOON)
    assert record.consents
    assert await rows(database, receipts) == []


async def test_an_opt_out_holds_at_once_for_every_number_of_the_person(database, store, proposed, given, another):
    await consented(database, store, given)
    await judged(database, store, another("a0", "+16145550124"), NOON - timedelta(hours=30))
    async with database.transaction() as connection:
        request = DncRequest(ANN, NOON, "voice", "acme", "ann", "take me off your list", "CA1")
        suppression = await store.opt_out(connection, request, NOON)
    assert (suppression.numbers, suppression.seller) == ((ANN,), "acme")  # the other was refused: never called, not known
    verdict = await judged(database, store, proposed)
    assert isinstance(verdict, Refused)
    assert set(verdict.rules) >= {Rule.DNC_INTERNAL, Rule.CONSENT_REVOKED}
    other = await judged(database, store, another("a2", "+16145550124"))
    assert Rule.DNC_INTERNAL in other.rules


async def test_a_no_reaches_every_number_that_any_file_named(database, store, proposed, given, another):
    """Nobody said who spoke: everybody who is known by this number is meant (RCW 80.36.390)."""
    await consented(database, store, given)
    mobile, office, partner = "+16145550124", "+16145550125", "+16145550126"
    async with database.transaction() as connection:
        listed = ((ANN, "crm/1"), (mobile, "crm/1"), (ANN, "crm/2"), (partner, "crm/2"), (office, "crm/3"))
        await known(connection, *listed)
        done = await store.opt_out(connection, DncRequest(ANN, NOON, "voice", "acme"), NOON)
    assert done.numbers == (ANN, mobile, partner)
    assert Rule.DNC_INTERNAL in (await judged(database, store, another("a1", mobile, person=""))).rules
    new_number = another("a2", "+16145550127", person="crm/1")
    assert Rule.DNC_INTERNAL in (await judged(database, store, new_number)).rules
    assert Rule.DNC_INTERNAL not in (await judged(database, store, another("a3", office, person="crm/3"))).rules


async def test_a_no_to_offers_alone_leaves_other_calls(database, store, proposed, given, errand):
    await consented(database, store, given)
    async with database.transaction() as connection:
        wish = DncRequest(ANN, NOON, "voice", "acme", purposes=frozenset({Purpose.TELEMARKETING}))
        await store.opt_out(connection, wish, NOON)
        reminder = replace(proposed, errand=replace(errand, purpose=Purpose.INFORMATIONAL))
        _, offered = await store.look(connection, proposed, NOON)
        _, reminded = await store.look(connection, reminder, NOON)
    assert {Rule.DNC_INTERNAL, Rule.CONSENT_REVOKED} <= set(offered.rules)
    assert isinstance(reminded, Clearance)
    assert not store.internal.has(ANN, "acme")  # a bit knows only all or nothing


async def test_a_revocation_is_a_receipt_and_ends_with_a_new_consent(database, store, proposed, given):
    await consented(database, store, given)
    async with database.transaction() as connection:
        done = await store.revoke(connection, DncRequest(ANN, NOON, "e-mail", "acme", words="no more"), NOON)
    assert (await rows(database, receipts))[-1].id == done.receipt
    assert set((await judged(database, store, proposed, NOON)).rules) == {Rule.CONSENT_REVOKED}
    later = NOON + timedelta(minutes=5)
    again = replace(given, id="g2", consent=replace(given.consent, id="g2", obtained_at=later))
    await consented(database, store, again)
    assert isinstance(await judged(database, store, proposed, later), Clearance)


async def test_an_opt_out_of_one_seller_leaves_another_alone(database, store, proposed, given):
    async with database.transaction() as connection:
        await store.opt_out(connection, DncRequest(ANN, NOON, "voice", "other"), NOON)
    verdict = await judged(database, store, proposed)
    assert verdict.rules == (Rule.CONSENT_MISSING,)


async def test_the_live_bit_refuses_even_when_the_log_was_lost(database, store, proposed, given):
    await consented(database, store, given)
    store.internal.add(ANN, "acme")
    verdict = await judged(database, store, proposed)
    assert verdict.rules == (Rule.DNC_INTERNAL,)


async def test_a_consent_event_counts_once(database, store, given):
    await consented(database, store, given)
    async with database.transaction() as connection:
        assert not await store.record_consent(connection, given, NOON)


async def test_caps_are_counted_over_the_persons_numbers(database, store, proposed, given, another):
    await consented(database, store, given)
    for hour, attempt in enumerate(("a1", "a2")):
        assert isinstance(await judged(database, store, another(attempt), NOON - timedelta(hours=3 - hour)), Clearance)
    verdict = await judged(database, store, another("a3"))
    assert verdict.rules == (Rule.FREQ_CAP_POLICY,)
    assert verdict.until == datetime(2026, 7, 15, 12, tzinfo=UTC)  # the next day, when the hours open


async def test_the_same_attempt_judged_again_counts_once(database, store, proposed, given):
    await consented(database, store, given)
    for _ in range(3):
        assert isinstance(await judged(database, store, proposed), Clearance)
    assert len(await rows(database, calls_counted)) == 1


async def test_a_call_that_never_left_is_not_counted(database, store, proposed, given):
    await consented(database, store, given)
    await judged(database, store, proposed)
    async with database.transaction() as connection:
        await store.never_left(connection, "a1", ANN, "refused by the carrier", NOON)
    assert await rows(database, calls_counted) == []


async def test_the_registry_is_asked(database, store, another, given, errand):
    live = replace(errand, voice=VoiceKind.LIVE)
    verdict = await judged(database, store, another("a1", LISTED, errand=live))
    assert verdict.rules == (Rule.DNC_NATIONAL,)
    verdict = await judged(database, store, another("a2", "+12125550123", errand=live))
    assert verdict.rules == (Rule.DNC_COVERAGE_MISSING,)


async def test_facts_learned_of_a_number_reach_the_gate(database, store, proposed, given):
    await consented(database, store, given)
    async with database.transaction() as connection:
        await store.learn(connection, ANN, ReassignedAnswer(Reassigned.YES, NOON.date()), NOON)
        await store.learn(connection, ANN, Place(stated_zone="Pacific/Honolulu", stated_on=NOON.date()), NOON)
        await store.learn(connection, ANN, Relationship(last_purchase=NOON.date()), NOON, "acme")
    verdict = await judged(database, store, proposed)
    assert set(verdict.rules) == {Rule.RND_REASSIGNED, Rule.WINDOW_FEDERAL}


async def test_standing_orders(database, store, proposed, given):
    await consented(database, store, given)
    day = NOON.date()
    async with database.transaction() as connection:
        await store.order(connection, Halt("h1", "seller:acme", "Jo", "complaints"), NOON)
        closed = Proclamation(state="LA", what="emergency", name="Storm", source="Governor", on=day)
        await store.order(connection, closed, NOON)
        waiver = Waiver(entry="us-hours", by="Jo", reason="advice", since=day, until=day + timedelta(days=1))
        await store.order(connection, waiver, NOON)
    verdict = await judged(database, store, proposed)
    assert verdict.rules == (Rule.KILL_SWITCH,)
    assert verdict.is_hold
    async with database.transaction() as connection:
        await store.order(connection, Lift("halt", "h1", "Jo", "settled"), NOON)
        await store.order(connection, Lift("waiver", "us-hours", "Jo", "done"), NOON)
        await store.order(connection, Lift("proclamation", "Storm", "Jo", "over"), NOON)
    assert isinstance(await judged(database, store, proposed), Clearance)


async def test_a_clock_that_jumped_back_closes_the_gate(database, store, proposed, given, another):
    await consented(database, store, given)
    await judged(database, store, proposed)
    verdict = await judged(database, store, another("a2"), NOON - timedelta(minutes=10))
    assert verdict.rules == (Rule.CLOCK_UNSURE,)


async def test_everything_that_happens_is_one_chain(database, store, proposed, given):
    await consented(database, store, given)
    await judged(database, store, proposed)
    async with database.transaction() as connection:
        outcome = CallOutcome("a1", ANN, "answered", NOON, 31.5, is_conversation=True, measured={"identified": 1.2})
        await store.record_outcome(connection, outcome, NOON)
        await store.opt_out(connection, DncRequest(ANN, NOON, "key", "acme"), NOON)
    await judged(database, store, proposed, NOON + timedelta(days=1))
    async with database.reading() as connection:
        found = [each async for each in stored_receipts(connection)]
    assert [each.kind for each in found] == ["verdict", "outcome", "opt_out", "verdict"]
    assert [each.place for each in found] == [0, 1, 2, 0]
    assert list(verify(found)) == []


async def test_looking_ahead_sees_what_judging_sees(database, store, proposed, given, another):
    """`records_for` must gather exactly what `look` gathers, for everybody at once."""
    await consented(database, store, given)
    await judged(database, store, proposed, NOON - timedelta(hours=2))
    crowd = [another(f"x{place}", f"+1614555{place:04d}", person="") for place in range(300)]
    async with database.transaction() as connection:
        await store.opt_out(connection, DncRequest("+16145550007", NOON, "voice", "acme"), NOON)
        await store.opt_out(connection, DncRequest("+16145550008", NOON, "voice", "other"), NOON)
        await store.learn(connection, "+16145550009", ReassignedAnswer(Reassigned.NO, NOON.date()), NOON)
        await store.learn(connection, "+16145550009", ReassignedAnswer(Reassigned.YES, NOON.date()), NOON)
        await store.learn(connection, "+16145550010", Relationship(last_purchase=NOON.date()), NOON, "other")
        await erase_person(store, connection, "+16145550011", "Jo", "letter", NOON)
        await store.order(connection, Halt("h1", "state:TX", "Jo", "storm"), NOON)
        waiver = Waiver(entry="us-hours", by="Jo", reason="x", since=NOON.date(), until=NOON.date())
        await store.order(connection, waiver, NOON)
    asked = [another("ann1"), another("ann2", "+16145550124"), *crowd, another("tx", "+12145550123", person="")]
    async with database.reading() as connection:
        book = await rulebook_in_force(store, connection)
        ahead = [record async for record in records_for(store, connection, asked, NOON)]
        one_by_one = [(await store.look(connection, each, NOON))[0] for each in asked]
    assert ahead == one_by_one
    assert len(book.waivers) == 1
    assert preflight(ahead, NOON, book).contacts == len(asked)


async def test_looking_ahead_in_chunks(database, store, another, monkeypatch):
    monkeypatch.setattr("compliance.bulk.CHUNK", 7)
    crowd = [another(f"x{place}", f"+1614555{place:04d}") for place in range(20)]
    async with database.reading() as connection:
        ahead = [record.number async for record in records_for(store, connection, crowd, NOON)]
    assert ahead == [each.number for each in crowd]


async def test_the_operators_rules_hold_from_the_next_verdict_on(database, store, proposed, given, another, home):
    await consented(database, store, given)
    assert isinstance(await judged(database, store, proposed), Clearance)
    (home / "rules").mkdir()
    rule = """
        jurisdiction = "house"
        name = "Ours"
        version = "2026-12-01"
        [[rule]]
        kind = "hours"
        id = "ours-hours"
        code = "WINDOW_POLICY"
        daily = "13:00-14:00"
        says = "We call at lunch."
        source = "ours"
        confidence = "high"
    """
    (home / "rules" / "ours.toml").write_text(rule)
    assert (await judged(database, store, another("a2"))).rules == (Rule.WINDOW_POLICY,)
    (home / "rules" / "ours.toml").write_text(rule.replace("daily", "dayly"))
    verdict = await judged(database, store, another("a3"))
    assert verdict.rules == (Rule.RULES_UNREADABLE,)
    assert "ours.toml" in verdict.findings[0].says
    (home / "rules" / "ours.toml").unlink()
    assert isinstance(await judged(database, store, another("a4")), Clearance)


async def test_a_list_swapped_by_another_process_is_seen_at_once(database, store, another, errand, home, tmp_path):
    live = replace(errand, voice=VoiceKind.LIVE)
    assert isinstance(await judged(database, store, another("a1", errand=live)), Clearance)
    path = tmp_path / "more.txt"
    path.write_text("6145550199\n6145550123\n")
    load(home, LoadOrder("national", path, NOON.date(), "another process", NOON, accept="grew"))
    verdict = await judged(database, store, another("a2", errand=live))
    assert verdict.rules == (Rule.DNC_NATIONAL,)


async def test_instants_written_either_way_read_the_same(database):
    """The gate's own statements must store what SQLAlchemy's types would."""
    values = {"what": "t", "at": NOON + timedelta(microseconds=5), "body": "{}"}
    raw = "INSERT INTO standing_orders (what, recorded_at, body) VALUES (:what, :at, :body)"
    async with database.transaction() as connection:
        await run(connection, raw, values)
        await connection.execute(insert(standing_orders).values(what="t", recorded_at=values["at"], body="{}"))
    async with database.reading() as connection:
        typed = (await connection.execute(select(standing_orders.c.recorded_at))).scalars().all()
        plain = await run(
            connection, "SELECT recorded_at FROM standing_orders WHERE recorded_at = :at", {"at": values["at"]}
        )
    assert typed == [values["at"]] * 2
    assert len(plain) == 2
    assert plain[0] == plain[1]


async def test_an_instant_without_a_zone_is_not_stored(database):
    async with database.reading() as connection:
        with pytest.raises((ValueError, StatementError)):
            await run(connection, "SELECT :at", {"at": NOON.replace(tzinfo=None)})


async def test_a_number_is_known_to_be_somebodys_only_if_it_is_one_persons(database, store):
    alone, shared, nobodys = "+16145550131", "+16145550132", "+16145550133"
    async with database.transaction() as connection:
        await known(connection, (alone, "crm/1"), (alone, "crm/1"), (shared, "crm/1"), (nobodys, ""))
        await store.opt_out(connection, DncRequest(shared, NOON, "voice", "acme", "crm/2"), NOON)
        assert await person_by_number(connection, [alone, shared, nobodys]) == {alone: "crm/1"}
