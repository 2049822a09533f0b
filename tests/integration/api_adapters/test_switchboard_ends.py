"""Calls that nobody else would end: of an attempt that was given up, of a fault of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from api.compose import Open, open_house
from api.errands import Errand, call_of
from api.settings import Settings
from context import store
from context.calls import Call, CallState
from storage.events import AttemptChanged, CallAnswered, Recorded
from telephony.errors import ProtocolViolation
from voice.events import CallId, Direction

AGENTS = Path(__file__).parents[3] / "agents"
ANN = "+16145550123"


@pytest.fixture
async def house(tmp_path: Path, furnish: Callable[[Path], Path]) -> AsyncIterator[Open]:
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None,
        home=furnish(tmp_path),
        agents=AGENTS,
        twilio_account_sid="AC1",
        twilio_auth_token=SecretStr("x"),
        twilio_from=("+13025550100",),
        twilio_api_url="http://127.0.0.1:9",
    )
    async with open_house(settings) as house:
        yield house


def ringing(house: Open, attempt: str) -> Any:
    """A call that is being dialled."""
    errand = Errand(call_of(attempt), Direction.OUTBOUND, house.agents.get("solar"), ANN, "+13025550100", attempt_id=attempt)
    return house.switchboard._prepare(errand)


async def kept(house: Open, call: str) -> Call:
    async with house.database.reading() as connection:
        found = await store.get_call(connection, call)
    assert found is not None
    return found


def changed(attempt: str, disposition: str) -> Recorded:
    event = AttemptChanged(campaign_id="c", contact_id="k", number="", phase="ended", disposition=disposition)
    return Recorded(1, house_time(), event, attempt_id=attempt)


def house_time() -> datetime:
    return datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


async def test_an_attempt_that_was_given_up_ends_its_call(house: Open) -> None:
    for attempt, disposition, expected in (("at_1", "unknown", "unknown"), ("at_2", "answered", "abandoned")):
        call = ringing(house, attempt)
        await house.switchboard._books.open(call)
        house.switchboard.heed(Recorded(1, house_time(), CallAnswered(), attempt_id=attempt))
        house.switchboard.heed(changed(attempt, ""))
        house.switchboard.heed(changed("at_other", "unknown"))
        assert [live.errand.attempt_id for live in house.switchboard.live] == [attempt]
        house.switchboard.heed(changed(attempt, disposition))
        house.switchboard.heed(changed(attempt, disposition))
        await house.switchboard.settle()
        assert house.switchboard.live == []
        record = await kept(house, call_of(attempt))
        assert (record.state, record.disposition) == (CallState.ENDED, expected)
    assert house.metrics.value("offhook_live_calls") == 0
    await house.switchboard.quiet()


class Garbage:
    """A socket that starts a stream properly, and of which the engine then makes nothing."""

    def __init__(self, call: CallId) -> None:
        self._messages = [
            '{"event":"connected","protocol":"Call","version":"1.0.0"}',
            '{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"accountSid":"AC1","streamSid":"MZ1",'
            '"callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,'
            f'"channels":1}},"customParameters":{{"call":"{call}"}}}}}}',
        ]

    async def receive(self) -> str | None:
        return self._messages.pop(0) if self._messages else None

    def send(self, *texts: str) -> None: ...

    async def drain(self) -> None: ...

    async def close(self, code: int) -> None: ...


async def test_a_fault_before_the_first_word_ends_the_call_all_the_same(
    house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ringing(house, "at_1")
    await house.switchboard._books.open(call)

    def broken(*_: Any) -> Any:
        raise OSError("no room for the journal")

    monkeypatch.setattr(house.switchboard, "_session", broken)
    with pytest.raises(OSError, match="no room"):
        await house.switchboard.media(Garbage(call.errand.call))
    assert (await kept(house, call.errand.call)).disposition == "abandoned"
    await house.switchboard.quiet()


async def test_media_for_a_call_nobody_knows_is_closed(house: Open) -> None:
    await house.switchboard.media(Garbage(CallId("ca_nobody")))
    with pytest.raises(ProtocolViolation):
        await house.switchboard.media(_Silent())
    assert house.switchboard.live == []


class _Silent(Garbage):
    def __init__(self) -> None:
        self._messages = []


async def test_a_house_that_goes_down_is_busy_to_whoever_rings(house: Open) -> None:
    form = {"CallSid": "CA9", "From": ANN, "To": "+13025550100", "Direction": "inbound", "CallStatus": "ringing"}
    form |= {"AccountSid": "AC1", "ApiVersion": "2010-04-01"}
    house.switchboard.is_draining = True
    assert "<Reject" in await house.switchboard.on_voice(form)
    assert house.switchboard.live == []


async def test_so_is_one_that_is_late_for_the_calls_it_has(house: Open) -> None:
    form = {"CallSid": "CA9", "From": ANN, "To": "+13025550100", "Direction": "inbound", "CallStatus": "ringing"}
    form |= {"AccountSid": "AC1", "ApiVersion": "2010-04-01"}
    board = house.switchboard
    board._house = replace(board._house, is_full=lambda: True)
    assert "<Reject" in await board.on_voice(form)
    assert board.live == []
