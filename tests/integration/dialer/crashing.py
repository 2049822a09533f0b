"""A dialer that is killed at every step of its work, again and again: run by test_crashes.py as a program of its own.

    crashing.py FOLDER SEED CONTACTS

Each life is a forked process that dials from one database and dies by SIGKILL at its n-th step, n drawn anew: before or
after a commit, before or after the request. The carrier is a file that calls are appended to: it outlives everybody. A new
life hears late, and twice, how the calls of the life before it ended. Prints what the carrier saw and what we know, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from compliance.verdict import _SEAL, Clearance, Verdict
from dialer.attempt import Attempt, AttemptId, CarrierEvent, CarrierStatus
from dialer.campaign import Campaign, CampaignState, Contact
from dialer.pacing import Limit
from dialer.ports import Placed, Placing, Work
from dialer.run import Runner
from dialer.stores.sql import SqlStore
from storage.database import Database

MOST_LIVES = 200
LONGEST_LIFE = 25  # steps


class Fate:
    """Kills this process at its n-th step."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class DoomedStore:
    def __init__(self, store: SqlStore, fate: Fate) -> None:
        self._store, self._fate = store, fate
        self.reading = store.reading

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Work]:
        async with self._store.transaction() as work:
            yield work
            self._fate.step()
        self._fate.step()


class Gate:
    async def judge(self, work: Work, campaign: Campaign, contact: Contact, attempt: AttemptId, at: datetime) -> Verdict:
        until = at + timedelta(seconds=60)
        return Clearance(contact.number, attempt, contact.id, f"r-{attempt}", at, until, "test", seal=_SEAL)


class Carrier:
    def __init__(self, calls: Path, fate: Fate) -> None:
        self._calls, self._fate = calls, fate
        self.placed = asyncio.Queue[str]()

    async def place(self, clearance: Clearance, attempt: Attempt) -> Placing:
        self._fate.step()
        with self._calls.open("a") as file:
            file.write(f"{clearance.number} {attempt.id}\n")
        self._fate.step()
        self.placed.put_nowait(attempt.id)
        return Placed(f"CA-{attempt.id}")

    async def cancel(self, call_sid: str) -> None: ...


async def live(folder: Path, fate: Fate) -> None:
    database = Database(f"sqlite:///{folder}/offhook.db")
    calls = folder / "calls"
    store, carrier = DoomedStore(SqlStore(database), fate), Carrier(calls, fate)
    runner = Runner(store, Gate(), carrier, Limit(8, 10_000.0))
    running = asyncio.create_task(runner.run())
    async with store.reading() as work:
        open_ones = {each.id for each in await work.active_attempts()}
    for attempt_id in [line.split()[1] for line in calls.read_text().splitlines()]:
        for _ in range(2 if attempt_id in open_ones else 0):
            await runner.on_carrier_event(completed(attempt_id))
    while await is_running(store):
        try:
            async with asyncio.timeout(0.2):
                await runner.on_carrier_event(completed(await carrier.placed.get()))
        except TimeoutError:
            continue
    runner.close()
    await running
    await database.close()


def completed(attempt_id: str) -> CarrierEvent:
    return CarrierEvent(f"CA-{attempt_id}", CarrierStatus.COMPLETED, datetime.now(UTC), attempt_id, 3)


async def is_running(store: DoomedStore) -> bool:
    """Whether anybody is left to be dialled. An unknown attempt is not: it is only waited for."""
    async with store.reading() as work:
        due = await work.due("c1", datetime.now(UTC), 1)
        under_way = [each for each in await work.active_attempts() if each.phase != "unknown"]
    return bool(due or under_way)


async def set_up(folder: Path, contacts: int) -> None:
    at = datetime.now(UTC)
    database = Database(f"sqlite:///{folder}/offhook.db")
    await database.create_all()
    new = [Contact(f"k{n}", "c1", f"+161455501{n:02}", at, due_at=at) for n in range(contacts)]
    async with SqlStore(database).transaction() as work:
        limit = Limit(8, 10_000.0)
        await work.save_campaign(Campaign("c1", "Crashing", "Acme", "solar", at, state=CampaignState.RUNNING, limit=limit))
        await work.add_contacts(new)
    await database.close()
    (folder / "calls").touch()


async def look(folder: Path) -> dict[str, list[str]]:
    database = Database(f"sqlite:///{folder}/offhook.db")
    async with SqlStore(database).reading() as work:
        contacts = await work.contacts("c1", limit=1000)
        ends = {each.number: [a.phase.value for a in await work.attempts_of(each.id)] for each in contacts}
    await database.close()
    return ends


def main(folder: Path, seed: int, contacts: int) -> None:
    asyncio.run(set_up(folder, contacts))
    draw, lives = random.Random(seed), 0
    while lives < MOST_LIVES:
        lives += 1
        fate = Fate(draw.randint(1, LONGEST_LIFE))
        child = os.fork()
        if child == 0:
            asyncio.run(live(folder, fate))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            break
    dialled = [line.split()[0] for line in (folder / "calls").read_text().splitlines()]
    print(
        json.dumps(
            {
                "lives": lives,
                "exit": os.waitstatus_to_exitcode(status),
                "dialled": dialled,
                "ends": asyncio.run(look(folder)),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
