"""The proof in the database: verified, exported, tampered with, and cut off by a kill."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import delete, text, update

from compliance.audit import abandonment, export, verify_chain
from compliance.measures import AbandonLedger
from compliance.store import CallOutcome, DncRequest
from compliance.verdict import Clearance, Refused
from storage.database import Database
from storage.tables.compliance import receipts

NOON = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)
ANN = "+16145550123"
ROOT = Path(__file__).parents[3]


async def judge_many(database, store, another, count=6):
    for place in range(count):
        async with database.transaction() as connection:
            await store.judge(connection, another(f"a{place}", f"+1614555{place:04d}"), NOON + timedelta(hours=7 * place))


async def verified(database, since=None, until=None):
    async with database.reading() as connection:
        return await verify_chain(connection, since, until)


async def test_a_chain_over_several_days_holds(database, store, another):
    await judge_many(database, store, another)
    report = await verified(database)
    assert report.holds
    assert (report.receipts, report.days) == (6, 3)
    part = await verified(database, since=date(2026, 7, 15), until=date(2026, 7, 15))
    assert part.holds
    assert part.days == 1


async def test_nothing_at_all_holds(database):
    report = await verified(database)
    assert (report.holds, report.receipts, report.head) == (True, 0, "")


async def test_a_receipt_taken_out_or_changed_shows(database, store, another):
    await judge_many(database, store, another)
    async with database.transaction() as connection:
        await connection.execute(update(receipts).where(receipts.c.seq == 2).values(body='{"decision":"allow"}'))
    assert [each.says for each in (await verified(database)).breaks] == ["its body is not the one that was sealed"]
    async with database.transaction() as connection:
        await connection.execute(delete(receipts).where(receipts.c.seq == 4))
    assert len((await verified(database)).breaks) == 3


async def test_pages_of_a_long_chain_fit_together(database, store, another, monkeypatch):
    monkeypatch.setattr("compliance.audit.PAGE", 2)
    await judge_many(database, store, another)
    assert (await verified(database)).receipts == 6


async def test_the_file_a_lawyer_would_want(database, store, proposed, given):
    async with database.transaction() as connection:
        await store.record_consent(connection, given, NOON)
    async with database.transaction() as connection:
        assert isinstance(await store.judge(connection, proposed, NOON), Clearance)
        outcome = CallOutcome(
            "a1", ANN, "answered", NOON, 31.5, is_conversation=True, call_sid="CA1", transferred_to="sip:desk@acme.example",
            measured={"identified": 2.0}, references={"transcript": "t1"}, campaign="c1",
        )  # fmt: skip
        await store.record_outcome(connection, outcome, NOON + timedelta(minutes=1))
        await store.opt_out(connection, DncRequest(ANN, NOON, "voice", "acme"), NOON + timedelta(minutes=1))
    async with database.transaction() as connection:
        assert isinstance(await store.judge(connection, proposed, NOON + timedelta(days=1)), Refused)
    async with database.reading() as connection:
        file = await export(connection, NOON, number=ANN)
        by_campaign = await export(connection, NOON, campaign="c1")
    first, second = file.calls
    assert (first.decision, first.disposition, first.duration, first.transferred_to) == (
        "allow", "answered", 31.5, "sip:desk@acme.example",
    )  # fmt: skip
    assert first.happened_at == NOON
    assert first.consents == ("g1",)
    assert first.lists == {"national": "national/gen-000001", "internal": "live"}
    assert first.may_show_number
    assert set(second.reasons) == {"DNC_INTERNAL", "CONSENT_REVOKED"}
    assert [each["kind"] for each in file.receipts] == ["verdict", "outcome", "opt_out", "verdict"]
    assert file.head == file.receipts[-1]["hash"]
    assert len(by_campaign.calls) == 2
    assert msgspec.json.encode(file)


KILLED = """
import asyncio, sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from compliance.record import CallerId, Errand, Purpose, VoiceKind
from compliance.store import ComplianceStore, ProposedCall
from storage.database import Database

async def main():
    database = Database(sys.argv[1])
    store = ComplianceStore.open(Path(sys.argv[2]))
    errand = Errand("acme", Purpose.TELEMARKETING, VoiceKind.ARTIFICIAL, "s", "c", CallerId("+16145550100", True, True))
    for place in range(100_000):
        async with database.transaction() as connection:
            at = datetime(2026, 7, 14, 16, tzinfo=UTC) + timedelta(seconds=place)
            await store.judge(connection, ProposedCall(f"+1614555{place % 10_000:04d}", errand, f"x{place}"), at)
        print(place, flush=True)

asyncio.run(main())
"""


async def test_killed_in_the_middle_of_a_receipt(database, store, home, url, another):
    for committed in (3, 11):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, url, str(home), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        for _ in range(committed):
            await child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        await child.communicate()
    report = await verified(database)
    assert report.holds
    assert report.receipts >= 14
    async with database.transaction() as connection:
        await store.judge(connection, another("after"), NOON + timedelta(days=1))
    assert (await verified(database)).holds


async def test_two_processes_write_one_chain(database, store, another, url):
    other = Database(url)

    async def write(through, start):
        for place in range(start, start + 10):
            async with through.transaction() as connection:
                await store.judge(connection, another(f"a{place}", f"+1614555{place:04d}"), NOON)

    try:
        await asyncio.gather(write(database, 0), write(other, 100), write(database, 200))
        report = await verified(database)
        assert report.holds
        assert report.receipts == 30
    finally:
        await other.close()


async def test_caps_are_exact_under_concurrency(database, store, another, given):
    async with database.transaction() as connection:
        await store.record_consent(connection, given, NOON)

    async def attempt(place):
        async with database.transaction() as connection:
            return await store.judge(connection, another(f"a{place}"), NOON)

    verdicts = await asyncio.gather(*(attempt(place) for place in range(12)))
    assert sum(isinstance(each, Clearance) for each in verdicts) == 2  # two a day to one number, and not one more
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM calls_counted"))).scalar() == 2


async def test_abandonment_counts_what_people_answered_in_the_last_thirty_days(database, store):
    good = {"greeting_ended": 1.0, "first_audio": 1.4, "identified": 3.0}
    calls = [
        ("a", "person", good, 0),
        ("b", "person", {**good, "first_audio": 3.2}, 0),
        ("c", "person", {"greeting_ended": 1.0}, 1),
        ("d", "machine", {}, 1),
        ("e", "person", {}, 31),
        ("f", "person", {"first_audio": 0.4, "identified": 2.0}, 29),
    ]
    async with database.transaction() as connection:
        for attempt, who, measured, days in calls:
            at = NOON - timedelta(days=days)
            outcome = CallOutcome(attempt, ANN, "answered", at, answered_by=who, measured=measured, campaign="c1")
            await store.record_outcome(connection, outcome, at)
        await store.never_left(connection, "g", ANN, "refused", NOON)
    async with database.reading() as connection:
        ledger = await abandonment(connection, "c1", NOON)
        assert (ledger.answered_live, ledger.abandoned, ledger.is_within_limit) == (4, 2, False)
        assert await abandonment(connection, "other", NOON) == AbandonLedger(0, 0)
