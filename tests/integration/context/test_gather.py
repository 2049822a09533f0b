import asyncio
import time
from datetime import UTC, datetime

import pytest

from context.assemble import TOTAL, ContactFound, KnowledgeFound
from context.briefing import ContactCard, KnownFact, Missing
from context.gather import CallAhead, Gathering
from context.sources import Lookup

AHEAD = CallAhead("+13125550142")
NOON = datetime(2026, 1, 1, tzinfo=UTC)
FAR = 30.0  # seconds: a deadline that does not pass in a test
CARD = ContactCard("c1", "+13125550142", "Jo")


def _finds(found, name="contact"):
    async def look(ahead):
        return found

    return Lookup(name, look, FAR)


def _raises(error, name="failing"):
    async def look(ahead):
        raise error

    return Lookup(name, look, FAR)


def _hangs(name="hanging", within=FAR, stubborn=None):
    """A source that never answers; with an event, one that does not even heed its cancellation until that is set."""

    async def look(ahead):
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if stubborn is None or stubborn.is_set():
                    raise

    return Lookup(name, look, within)


async def test_what_every_source_found_is_there_with_its_time():
    gathering = Gathering.start(AHEAD, [_finds(ContactFound(CARD)), _finds(None, "history")])
    briefing = await gathering.briefing()
    assert briefing.contact == CARD
    assert set(briefing.took) == {"contact", "history", TOTAL}
    assert [(absence.source, absence.why) for absence in briefing.absences] == [("history", Missing.NOTHING_KNOWN)]


async def test_no_sources_is_no_wait():
    assert (await Gathering.start(AHEAD, []).briefing()).took.keys() == {TOTAL}


async def test_one_that_fails_is_an_absence_that_says_with_what():
    gathering = Gathering.start(
        AHEAD, [_raises(OSError("secret")), _raises(TimeoutError(), "slow"), _finds(ContactFound(CARD))]
    )
    briefing = await gathering.briefing()
    assert briefing.contact == CARD
    assert [(absence.why, absence.detail) for absence in briefing.absences] == [
        (Missing.FAILED, "OSError"),
        (Missing.FAILED, "TimeoutError"),
    ]


async def test_one_that_hangs_is_too_late_and_delays_nobody():
    gathering = Gathering.start(AHEAD, [_hangs(within=0.0), _finds(ContactFound(CARD))])
    briefing = await gathering.briefing()
    assert briefing.contact == CARD
    assert [absence.why for absence in briefing.absences] == [Missing.TOO_LATE]


async def test_one_that_does_not_heed_its_cancellation_delays_nobody():
    release = asyncio.Event()
    gathering = Gathering.start(AHEAD, [_hangs(within=0.0, stubborn=release), _finds(ContactFound(CARD))])
    assert (await gathering.briefing()).contact == CARD
    release.set()
    gathering.close()


async def test_a_deadline_that_passes_after_the_answer_changes_nothing():
    async def look(ahead):
        return ContactFound(CARD)

    gathering = Gathering.start(AHEAD, [Lookup("contact", look, 0.0), _hangs(within=0.0)])
    assert (await gathering.briefing()).contact == CARD
    assert [absence.source for absence in (await gathering.briefing()).absences] == ["hanging"]


async def test_one_that_cancels_itself_is_too_late():
    gathering = Gathering.start(AHEAD, [Lookup("odd", _raises(asyncio.CancelledError()).look, 0.01)])
    assert [absence.why for absence in (await gathering.briefing()).absences] == [Missing.TOO_LATE]


async def test_an_answer_after_the_deadline_does_not_count():
    late, asked = asyncio.Event(), asyncio.Event()

    async def look(ahead):
        asked.set()
        try:
            await late.wait()
        except asyncio.CancelledError:
            pass  # a driver that finishes its work all the same
        return ContactFound(CARD)

    gathering = Gathering.start(AHEAD, [Lookup("contact", look, 0.0)])
    first = await gathering.briefing()
    await asked.wait()
    late.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert first.contact is None
    assert (await gathering.briefing()).contact is None


async def test_asked_for_at_once_it_gives_what_is_there_and_later_more():
    go = asyncio.Event()

    async def look(ahead):
        await go.wait()
        return KnowledgeFound((KnownFact("Likes tea", "operator", NOON),))

    gathering = Gathering.start(AHEAD, [_finds(ContactFound(CARD)), Lookup("knowledge", look, FAR)])
    await asyncio.sleep(0)
    early = await gathering.briefing(by=time.monotonic() - 1)
    assert early.contact == CARD
    assert [(absence.source, absence.why) for absence in early.absences] == [("knowledge", Missing.TOO_LATE)]
    go.set()
    assert len((await gathering.briefing()).knowledge) == 1


async def test_sources_are_asked_at_the_same_time():
    meeting = asyncio.Barrier(3)

    async def look(ahead):
        await meeting.wait()  # passes only when all three are in it at once

    await Gathering.start(AHEAD, [Lookup(name, look, FAR) for name in "abc"]).briefing()


async def test_closing_stops_the_asking_and_keeps_what_was_found():
    gathering = Gathering.start(AHEAD, [_finds(ContactFound(CARD)), _hangs()])
    await asyncio.sleep(0)
    gathering.close()
    gathering.close()
    assert gathering.so_far().contact == CARD


async def test_two_sources_of_one_name_are_a_mistake_of_ours():
    with pytest.raises(ValueError, match="name"):
        Gathering.start(AHEAD, [_finds(None), _finds(None)])
