"""Hours of dialling in virtual time, with a carrier that loses, doubles, delays and shuffles: the laws that always hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from compliance.verdict import Clearance, Finding, Refused, Rule, Verdict
from dialer import orders
from dialer.attempt import Attempt, CarrierEvent, CarrierStatus, Disposition
from dialer.campaign import CampaignState, Contact, ContactState, Order
from dialer.pacing import Limit
from dialer.ports import Placed, PlaceRefused, PlaceUnknown, Placing
from dialer.retry import RetryPolicy
from dialer.stores.memory import MemoryStore

World = Any
NUMBERS = [f"+161455501{n:02}" for n in range(20)]
LINES, RATE = 4, 0.5
ENDS = (CarrierStatus.BUSY, CarrierStatus.NO_ANSWER, CarrierStatus.FAILED)


@dataclass
class Storm:
    """A carrier with a mind of its own. What it will tell lies in `letters`, each with the second it arrives."""

    world: World
    chance: random.Random
    letters: list[tuple[float, CarrierEvent]] = field(default_factory=list)
    dialled: list[tuple[float, str]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)  # numbers whose request got no answer, and no callback ever
    opted_out: dict[str, float] = field(default_factory=dict)

    async def place(self, clearance: Clearance, attempt: Attempt) -> Placing:
        now, number = self.world.clock.seconds, clearance.number
        assert number not in self.opted_out, "dialled after the opt-out was committed"
        assert number not in self.lost, "dialled again though the outcome is unknown"
        self.dialled.append((now, number))
        fate = self.chance.random()
        if fate < 0.1:
            return PlaceRefused(Disposition.FAILED, "20429")
        if fate < 0.2:
            self.lost.add(number)
            return PlaceUnknown("timeout")
        self.write(attempt, now)
        return PlaceUnknown("timeout") if fate < 0.3 else Placed(f"CA-{attempt.id}")

    async def cancel(self, call_sid: str) -> None: ...

    def write(self, attempt: Attempt, now: float) -> None:
        """The letters of one call: shuffled, doubled, some lost, the last one never."""
        rang, ended = now + self.chance.uniform(0.1, 3), now + self.chance.uniform(4, 40)
        story = [(rang, CarrierStatus.RINGING)]
        if self.chance.random() < 0.5:
            story += [(rang + 1, CarrierStatus.IN_PROGRESS), (ended, CarrierStatus.COMPLETED)]
        else:
            story += [(ended, self.chance.choice(ENDS))]
        for sequence, (second, status) in enumerate(story):
            is_last = sequence == len(story) - 1
            copies = self.chance.choice((1, 1, 2, 3)) if is_last else self.chance.choice((0, 1, 2))
            at = self.world.clock.at() + timedelta(seconds=second - now)
            letter = CarrierEvent(f"CA-{attempt.id}", status, at, attempt.id, sequence)
            self.letters += [(second + self.chance.choice((0.0, 0.0, 5.0, 20.0)), letter) for _ in range(copies)]

    async def deliver(self) -> None:
        due = [letter for letter in self.letters if letter[0] <= self.world.clock.seconds]
        self.letters = [letter for letter in self.letters if letter[0] > self.world.clock.seconds]
        self.chance.shuffle(due)
        for _, event in due:
            await self.world.runner.on_carrier_event(event)


@dataclass
class Moody:
    """A gate that now and then says no, for a while or for good."""

    chance: random.Random
    clear: Callable[..., Clearance]

    async def judge(self, work: Any, campaign: Any, contact: Contact, attempt: Any, at: datetime) -> Verdict:
        mood = self.chance.random()
        if mood < 0.05:
            raise RuntimeError("the gate is stuck")
        if mood < 0.15:
            until = at + timedelta(seconds=self.chance.uniform(1, 900))
            return self.refused(contact, at, Rule.WINDOW_FEDERAL, until)
        if mood < 0.18:
            return self.refused(contact, at, Rule.DNC_INTERNAL, None)
        return self.clear(contact.number, attempt, contact.id, at)

    @staticmethod
    def refused(contact: Contact, at: datetime, rule: Rule, until: datetime | None) -> Refused:
        finding = Finding(rule, "No.", "a book", until)
        return Refused(contact.number, "", contact.id, "r", at, (finding,), until, "test")


@pytest.mark.parametrize("seed", range(6))
async def test_the_laws_hold_whatever_the_carrier_does(
    seed: int, make_world: Callable[..., World], clearance: Callable[..., Clearance]
) -> None:
    chance = random.Random(seed)
    world = make_world(MemoryStore())
    storm = Storm(world, chance)
    world.carrier, world.gate, world.house = storm, Moody(chance, clearance), Limit(LINES, RATE)
    world.runner = world.new_runner()
    retry = RetryPolicy(scale=0.02, is_by_day_part=False, most_tries=3)
    await world.campaign(*NUMBERS, limit=Limit(LINES, 10.0), retry=retry, ring_timeout=30.0, longest_call=60.0)
    for _ in range(3000):
        await storm.deliver()
        if chance.random() < 0.01:
            await meddle(world, storm, chance)
        turn = await world.runner.turn()
        if turn.to_dial is not None:
            await world.runner.dispatch(turn.to_dial)
        await check_laws(world)
        if await world.state() is CampaignState.FINISHED and not storm.letters:
            break
        world.clock.seconds += min(max(turn.wake_in, 0.05), 2.0)
    await check_end(world, storm)


async def meddle(world: World, storm: Storm, chance: random.Random) -> None:
    """What people and machines do meanwhile: opt out, pause and resume, restart the process."""
    match chance.choice(("opt out", "pause", "restart")):
        case "opt out":
            number = chance.choice(NUMBERS)
            await world.runner.cancel_number(number)
            async with world.store.reading() as work:
                answered = [each for each in await work.active_attempts_to(number) if each.phase.value == "answered"]
            if not answered:
                storm.opted_out[number] = world.clock.seconds
        case "pause":
            async with world.store.transaction() as work:
                campaign = await work.campaign("c1")
                await orders.give(work, campaign, Order.PAUSE, world.clock.at())
            assert (await world.runner.turn()).to_dial is None
            async with world.store.transaction() as work:
                campaign = await work.campaign("c1")
                await orders.give(work, campaign, Order.RESUME, world.clock.at())
        case _:
            world.runner = world.new_runner()
            await world.runner.recover()
            world.clock.seconds += 1 / RATE  # a restart takes longer than the distance between two calls


async def check_laws(world: World) -> None:
    async with world.store.reading() as work:
        active = await work.active_attempts()
        lines = await work.lines(world.clock.at())
    assert max(Counter(each.number for each in active).values(), default=0) <= 1
    assert sum(lines.values()) <= LINES


async def check_end(world: World, storm: Storm) -> None:
    assert await world.state() is CampaignState.FINISHED
    instants = [second for second, _ in storm.dialled]
    assert all(later - earlier >= 1 / RATE - 1e-6 for earlier, later in pairwise(instants))
    assert max(Counter(number for _, number in storm.dialled).values()) <= 3
    async with world.store.reading() as work:
        contacts = await work.contacts("c1")
        assert await work.active_attempts() == []
        for contact in contacts:
            tries = await work.attempts_of(contact.id)
            assert [each.ordinal for each in tries] == list(range(1, len(tries) + 1))
            unknown = [each for each in tries if each.disposition is Disposition.UNKNOWN]
            assert unknown in ([], tries[-1:])
    assert {contact.state for contact in contacts} <= {ContactState.CLOSED, ContactState.CALLED_OFF}
    assert all(replace(contact, due_at=None) == contact for contact in contacts)
