"""A person's rights: everything handed over, everything forgotten but the one thing that protects them."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from api.person_rights import keep_forgetting
from compliance.attachments import keep, noted, place_of, sweep
from compliance.audit import verify_chain
from compliance.consent import Evidence
from compliance.people import (
    HELD_FOR,
    erase_person,
    erased_among,
    export_person,
    named_attachments,
    sweep_erased,
)
from compliance.privacy import load_salt, number_hash
from compliance.record import Place
from compliance.store import DncRequest
from compliance.verdict import Rule

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)
ANN = "+16145550123"
BOB = "+16145550124"


async def a_past(database, store, proposed, given, at=NOON):
    async with database.transaction() as connection:
        await store.record_consent(connection, given, at)
        await store.judge(connection, proposed, at)
        await store.learn(connection, ANN, Place(stated_zone="America/Denver"), at)
        await store.opt_out(connection, DncRequest(ANN, at, "voice", "acme", "ann"), at)


async def test_export_holds_everything_about_a_person(database, store, proposed, given):
    await a_past(database, store, proposed, given)
    async with database.reading() as connection:
        held = await export_person(connection, ANN, "ann")
    assert held["numbers"] == [ANN]
    assert [row["what"] for row in held["consent_events"]] == ["given", "taken_back"]
    assert held["consent_events"][0]["body"]["consent"]["wording"].startswith("I agree")
    assert [row["kind"] for row in held["receipts"]] == ["verdict", "opt_out"]
    assert len(held["internal_dnc"]) == len(held["calls_counted"]) == len(held["number_facts"]) == 1


async def test_erasing_keeps_what_the_law_holds_and_never_calls_again(database, store, proposed, given, another):
    await a_past(database, store, proposed, given)
    async with database.transaction() as connection:
        done = await erase_person(store, connection, ANN, "Jo", "letter", NOON + timedelta(days=1))
    assert done.erased == 2  # the fact and the count
    assert done.held == 5  # two ledger events, one request, two receipts
    assert done.held_until == NOON + HELD_FOR
    async with database.transaction() as connection:
        verdict = await store.judge(connection, another("a9"), NOON + timedelta(days=2))
    assert Rule.PERSON_ERASED in verdict.rules


async def test_after_five_years_only_the_tombstone_is_left(database, store, proposed, given, another):
    await a_past(database, store, proposed, given)
    later = NOON + HELD_FOR + timedelta(days=30)
    async with database.transaction() as connection:
        assert await sweep_erased(store, connection, later) == 0  # nobody asked yet
        await erase_person(store, connection, ANN, "Jo", "letter", NOON + timedelta(days=1))
        assert await sweep_erased(store, connection, NOON + timedelta(days=2)) == 0  # still held
        assert await sweep_erased(store, connection, later) == 5
        assert await sweep_erased(store, connection, later) == 0
    async with database.reading() as connection:
        held = await export_person(connection, ANN, "ann")
        report = await verify_chain(connection)
    assert not any(held[table] for table in held if table != "numbers")
    assert report.holds  # the bodies are gone, and an erasure says so
    async with database.transaction() as connection:
        verdict = await store.judge(connection, another("a9"), later)
    assert Rule.PERSON_ERASED in verdict.rules


async def test_a_server_forgets_by_itself_what_was_held(database, store, proposed, given):
    await a_past(database, store, proposed, given)
    async with database.transaction() as connection:
        await erase_person(store, connection, ANN, "Jo", "letter", NOON + timedelta(days=1))
    seen = database.commits
    forgetting = asyncio.create_task(keep_forgetting(database, store, lambda: NOON + HELD_FOR + timedelta(days=30)))
    await database.committed(seen, within=30.0)
    forgetting.cancel()
    await asyncio.wait([forgetting])
    async with database.reading() as connection:
        held = await export_person(connection, ANN, "ann")
    assert not any(held[table] for table in held if table != "numbers")


async def test_erasing_what_is_old_enough_happens_at_once(database, store, proposed, given):
    await a_past(database, store, proposed, given)
    async with database.transaction() as connection:
        done = await erase_person(store, connection, ANN, "Jo", "letter", NOON + HELD_FOR + timedelta(days=1))
        again = await erase_person(store, connection, ANN, "Jo", "letter", NOON + HELD_FOR + timedelta(days=2))
    assert (done.erased, done.held, done.held_until) == (7, 0, None)
    assert len(done.receipts) == 2
    assert again.erased == 0
    async with database.reading() as connection:
        assert (await verify_chain(connection)).holds


async def test_an_import_can_ask_who_was_erased(database, store):
    async with database.transaction() as connection:
        await erase_person(store, connection, ANN, "Jo", "letter", NOON)
        crowd = [f"+1212555{place:04d}" for place in range(1200)]
        assert await erased_among(store, connection, [*crowd, ANN]) == {ANN}


def test_the_salt_is_made_once_whoever_comes_first(tmp_path):
    found = set()
    threads = [threading.Thread(target=lambda: found.add(load_salt(tmp_path / "home"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert load_salt(tmp_path / "home") in found
    assert [each.name for each in (tmp_path / "home").iterdir()] == ["tombstones.salt"]
    assert (tmp_path / "home" / "tombstones.salt").stat().st_mode & 0o077 == 0


def test_a_hash_without_the_salt_is_another():
    assert number_hash(b"a", ANN) != number_hash(b"b", ANN)


async def test_a_file_goes_when_no_consent_names_it_any_more(database, store, given, home):
    mine, shared, fresh = (keep(home, content) for content in (b"mine", b"shared", b"fresh"))
    for digest in (mine, shared):
        os.utime(place_of(home, digest), (NOON.timestamp(), NOON.timestamp()))
    with_files = replace(given, evidence=Evidence(attachments=noted([("a.pdf", mine), ("b.pdf", shared)])))
    bob = replace(given, id="bob", consent=replace(given.consent, number=BOB), person="bob", evidence=Evidence())
    bob = replace(bob, evidence=Evidence(attachments=noted([("b.pdf", shared)])))
    later = NOON + HELD_FOR + timedelta(days=1)
    async with database.transaction() as connection:
        for each in (with_files, bob):
            await store.record_consent(connection, each, NOON)
        assert await named_attachments(connection) == {mine, shared}
        await erase_person(store, connection, ANN, "Jo", "letter", later)
        named = await named_attachments(connection)
    assert sweep(home, named, NOON + timedelta(days=1)) == 1
    assert [place_of(home, each).exists() for each in (mine, shared, fresh)] == [False, True, True]
