"""The server and the phone network, each a process of its own, joined by settings alone: as an operator runs them.

Real time, real audio, the real gate by the real clock. Whom the law lets us call at this moment is found out by asking: from
Guam to Puerto Rico somebody's day is nearly always open. The one hour in which nobody's is shows the refusals instead; the
outbound call by a clock that stands at a morning is made at every hour.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.compose import open_house
from api.housework import working
from api.resources import NewConsent
from api.serve import serving
from api.settings import Settings
from telephony.number import mask
from telephony.simulator.server import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from telephony.twilio.signature import sign

OURS = "+13025550100"
RUTH = "+16715550120"  # who rings us
RITA = "+16715550140"  # who rings us on a line that breaks in the middle of our opening
NOBODY = "+16715550130"  # who wants no calls
CLOCKS = ("671", "684", "808", "602", "214", "787")  # Guam, Samoa, Hawaii, Arizona, Dallas, Puerto Rico
AGENT = """
name = "brief"
seller = "Acme"
persona = "Ava"
goal = "Ask one thing."
voice = "female"
callback_number = "+18005550100"
numbers = ["+13025550100"]
opening = "Hi, this is Ava, an AI for Acme. Say stop and we will not call again. This is recorded. Do you own your home?"
inbound_opening = "Acme, this is Ava. Do you own your home?"
goodbye = "Thank you, our number is {callback_number}, goodbye."

[[questions]]
id = "home_owner"
kind = "yes_no"
ask = "Do you own your home?"
again = "Do you own your home, yes or no?"

[[questions.answers]]
value = "yes"
phrases = ["yes i do", "i own my home"]

[[questions.answers]]
value = "no"
phrases = ["no i rent", "i rent"]

[[objections]]
id = "busy"
phrases = ["i am busy", "not now"]
say = "Of course. Goodbye."
then = "end"
"""
LINES = """
voice = "caller_female"
ring = 0.3
lines = [ { after_silence = 0.4, say = "Yes, I own my home." } ]
hang_up_after = 3.0
"""
BREAKS = "drop_media_after = 1.5\n"
CONSENT = {
    "seller": "Acme",
    "wording": "I agree to calls by an artificial voice from Acme; this is no condition of buying.",
    "signature": "typed",
    "names_artificial_voice": True,
    "says_not_a_condition": True,
}


def people() -> str:
    callees = "".join(f'[[people]]\nnumber = "+1{area}5550121"\n{LINES}\n' for area in CLOCKS)
    ringing = f'[[people]]\nnumber = "{RUTH}"\n{LINES}\n[[people.calls]]\nto = "{OURS}"\n'
    lines = 'lines = [ { after_silence = 0.4, say = "Yes, I own my home." } ]\n'
    breaking = ringing.replace(RUTH, RITA).replace("[[people.calls]]", f"[people.faults]\n{BREAKS}[[people.calls]]")
    return callees + ringing + lines + breaking + lines


def spare_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


# --- the processes ------------------------------------------------------------------------------------------------------


class Running:
    """A process of its own, and what it and its children say: both outputs of all of them are one pipe, which ends with the
    last of them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""
        self._news = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        while heard := await self.process.stdout.read(65_536):
            await self._hear(heard.decode())
        await self._hear("")

    async def _hear(self, words: str) -> None:
        async with self._news:
            self.said += words
            self._news.notify_all()

    async def says(self, words: str, within: float = 30.0) -> None:
        """Wait until it has said so."""
        async with self._news, asyncio.timeout(within):
            await self._news.wait_for(lambda: words in self.said or self.process.stdout.at_eof())  # type: ignore[union-attr]
        assert words in self.said, self.said

    async def ended(self, within: float = 20.0) -> int:
        """Its status, once it is gone and nobody it started is left."""
        async with asyncio.timeout(within):
            await self._listening
            return await self.process.wait()

    async def stopped(self) -> int:
        """Ask it to end, if it has not, and see it end."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.ended()


@dataclass
class World:
    """Both processes, and clients to look at them with."""

    folder: Path
    environment: dict[str, str]
    api: httpx.AsyncClient
    network: httpx.AsyncClient
    server: Running
    events: list[dict[str, Any]] = field(default_factory=list)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def listen(self) -> None:
        async with connect(f"ws://{self.api.base_url.netloc.decode()}/v1/events") as socket:
            async for message in socket:
                async with self.heard:
                    self.events.append(json.loads(message))
                    self.heard.notify_all()

    async def event(self, kind: str, within: float = 30.0, **fields: str) -> dict[str, Any]:
        """The first live event of a kind with these fields, when it has come."""

        def found() -> dict[str, Any] | None:
            wanted = {"type": kind, **fields}
            return next((event for event in self.events if wanted.items() <= event.items()), None)

        async with self.heard, asyncio.timeout(within):
            await self.heard.wait_for(found)
        event = found()
        assert event is not None
        return event

    async def metric(self, sample: str) -> float:
        lines = (await self.api.get("/metrics")).text.splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.rsplit(" ", 1)[0] == sample), 0.0)

    async def learned(self, call: str) -> dict[str, Any]:
        """The record of a call, once what came of it is written."""
        await self.event("call_learned", call=call)
        record: dict[str, Any] = (await self.api.get(f"/v1/calls/{call}")).json()
        assert record["summary"]
        return record

    async def words(self, call: str) -> dict[str, list[str]]:
        lines = (await self.api.get(f"/v1/calls/{call}/transcript")).json()["lines"]
        return {who: [line["text"] for line in lines if line["who"] == who] for who in ("agent", "caller")}


async def started(folder: Path, environment: dict[str, str], *arguments: str) -> Running:
    return Running(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from api.cli import main; main()", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
        )
    )


def environment_of(folder: Path, network: int) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OFFHOOK_", "TWILIO_"))}
    return plain | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OFFHOOK_HOME": str(folder / "home"),
        "OFFHOOK_AGENTS": str(folder / "agents"),
        "TWILIO_API_URL": f"http://127.0.0.1:{network}",
        "TWILIO_ACCOUNT_SID": DEFAULT_ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": DEFAULT_AUTH_TOKEN,
        "TWILIO_FROM": OURS,
    }


@asynccontextmanager
async def phone_network(folder: Path, port: int, engine: int) -> AsyncIterator[httpx.AsyncClient]:
    (folder / "people.toml").write_text(people())
    url = f"http://127.0.0.1:{engine}/twilio"
    arguments = ("--port", str(port), "--own-number", OURS, "--voice-url", f"{url}/voice", "--status-url", f"{url}/status")
    process = await started(folder, environment_of(folder, port), "simulator", "people.toml", *arguments)
    try:
        await process.says("TWILIO_API_URL=")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20.0) as client:
            yield client
    finally:
        assert await process.stopped() == 0, process.said


@pytest.fixture
def folder(tmp_path: Path, furnish: Callable[[Path], Path]) -> Path:
    furnish(tmp_path / "home")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "brief.toml").write_text(AGENT)
    return tmp_path


@pytest.fixture
async def world(folder: Path) -> AsyncIterator[World]:
    network_port, port = spare_port(), spare_port()
    environment = environment_of(folder, network_port)
    server = await started(folder, environment, "serve", "--port", str(port))
    try:
        async with (
            phone_network(folder, network_port, port) as network,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20.0) as api,
        ):
            await server.says("offhook is ready")
            assert (await api.get("/readyz")).is_success
            found = World(folder, environment, api, network, server)
            listening = asyncio.create_task(found.listen())
            await found.event("snapshot")
            yield found
            listening.cancel()
            await asyncio.wait([listening])
            assert await server.stopped() == 0, server.said
    finally:
        await server.stopped()


# --- what an operator sees ----------------------------------------------------------------------------------------------


async def test_a_server_takes_makes_refuses_and_ends_calls(world: World) -> None:
    await rings_us(world)
    await is_rung(world)
    await is_broken_off(world)
    await wants_no_calls(world)
    await strangers_are_turned_away(world)
    assert await world.metric("offhook_live_calls") == 0
    await is_let_end(world)
    assert "Traceback" not in world.server.said


async def rings_us(world: World) -> None:
    """An inbound call: its words are seen as they are spoken, a supervisor puts in a word, and the transcript is there."""
    rung = await world.network.post("/simulator/calls", json={"from": RUTH, "to": OURS})
    assert rung.status_code == 201
    call = (await world.event("call_started", direction="inbound"))["call"]
    await world.event("agent", call=call)
    (live,) = (await world.api.get("/v1/calls/live")).json()
    assert (live["id"], live["state"], live["direction"]) == (call, "live", "inbound")
    said = await world.event("caller", call=call)
    assert "home" in said["text"]
    order = await world.api.post(f"/v1/calls/{call}/say", json={"text": "You may keep this line."})
    assert order.status_code == 202
    await world.event("agent", call=call, text="You may keep this line.")
    ended = await world.event("call_ended", call=call)
    assert ended["disposition"] == "answered"
    kinds = [event["type"] for event in world.events if event.get("call") == call]
    assert kinds.index("interim") < kinds.index("caller") < kinds.index("call_ended")
    record = await world.learned(call)
    assert (record["number"], record["agent"], record["answers"]) == (RUTH, "brief", {"home_owner": "yes"})
    assert record["figures"]["first_audio"] < 2.0
    words = await world.words(call)
    assert any("You may keep this line." in text for text in words["agent"])
    assert any("home" in text for text in words["caller"])
    assert await world.metric('offhook_calls_started_total{direction="inbound"}') == 1


async def is_broken_off(world: World) -> None:
    """The media stream breaks in the middle of the opening: the carrier asks what comes next, opens another stream, and what
    was cut off is said again in it, in the same conversation."""
    rung = await world.network.post("/simulator/calls", json={"from": RITA, "to": OURS})
    call = (await world.event("call_started", direction="inbound", number=mask(RITA)))["call"]
    await world.event("call_ended", call=call)
    record = await world.learned(call)
    assert (record["answers"], record["unheard"]) == ({"home_owner": "yes"}, "")
    assert record["oddities"]["broken media links"] == 1
    words = await world.words(call)
    assert words["agent"][0] == "Acme, this is Ava. Do you own your home?"
    notes = [event["text"] for event in world.events if event.get("call") == call and event["type"] == "decision"]
    assert "the media link broke (dropped): waiting for another" in notes
    assert "a media link again: going on" in notes
    truth = (await world.network.get(f"/simulator/calls/{rung.json()['call_sid']}")).json()
    assert len(truth["streams"]) == 2


async def is_rung(world: World) -> None:
    """An outbound call from the command line to whoever may be called now; each of the others is refused by name."""
    for area in CLOCKS:
        number = f"+1{area}5550121"
        assert (await world.api.post("/v1/consents", json={"number": number, **CONSENT})).status_code == 201
        refused = await may_not_be_called(world, number)
        if refused is None:
            await is_called(world, number)
            return
        assert all(rule.startswith(("WINDOW_", "CLOSED_")) for rule in refused)
        hours = refused.get("WINDOW_FEDERAL", datetime.now(UTC) + timedelta(hours=1))
        assert datetime.now(UTC) < hours < datetime.now(UTC) + timedelta(hours=12)  # the night has eleven
        asked = await world.api.post("/v1/calls", json={"to": number, "agent": "brief"})
        assert (asked.status_code, asked.json()["code"]) == (422, "refused_by_gate")


async def may_not_be_called(world: World, number: str) -> dict[str, datetime] | None:
    """Why not, by rule, with when each rule would open; None if it may. Asked of `offhook check`, which dials nobody."""
    asked = ("check", number, "--seller", "Acme", "--json")
    process = await started(world.folder, world.environment, *asked)
    await process.ended()
    said = json.loads(process.said)
    if said["decision"] == "allow":
        return None
    return {finding["rule"]: datetime.fromisoformat(finding["until"]) for finding in said["findings"]}


async def is_called(world: World, number: str) -> None:
    where = str(world.api.base_url)
    process = await started(world.folder, world.environment, "call", number, "--agent", "brief", "--server", where)
    assert await process.ended(40.0) == 0, process.said
    shown = process.said
    assert "agent:  Hi, this is Ava, an AI for Acme." in shown
    assert "caller: " in shown
    assert "ended: answered" in shown
    call = (await world.event("call_started", direction="outbound"))["call"]
    words = await world.words(call)
    assert words["agent"][0].startswith("Hi, this is Ava, an AI for Acme.")
    assert any("home" in text for text in words["caller"])
    assert await world.metric('offhook_calls_ended_total{disposition="answered"}') == 2


async def wants_no_calls(world: World) -> None:
    """A no over the API takes what waits out of the queue, and no call is placed after it."""
    made = (await world.api.post("/v1/campaigns", json={"name": "later", "agent": "brief"})).json()
    csv = {"content": f"number,name\n{NOBODY},Nia\n".encode(), "headers": {"content-type": "text/csv"}}
    imported = await world.api.post(f"/v1/campaigns/{made['id']}/contacts", **csv)  # type: ignore[arg-type]
    assert imported.json()["added"] == 1
    listed = await world.api.post("/v1/dnc", json={"number": NOBODY, "reason": "rang the office"})
    assert listed.json()["is_listed"] is True
    (contact,) = (await world.api.get("/v1/contacts", params={"campaign": made["id"]})).json()["items"]
    assert contact["outcome"] == "called_off"
    refused = await world.api.post("/v1/calls", json={"to": NOBODY, "agent": "brief"})
    assert refused.status_code == 422
    assert refused.json()["code"] == "refused_by_gate"
    assert {"DNC_INTERNAL", "CONSENT_REVOKED"} & {finding["rule"] for finding in refused.json()["findings"]}


async def strangers_are_turned_away(world: World) -> None:
    """Wrong signatures and garbage end at the door, and are counted."""
    forged = await world.api.post("/twilio/voice", data={"CallSid": "CA1"}, headers={"X-Twilio-Signature": "bm8="})
    assert (forged.status_code, forged.json()["code"]) == (403, "signature_wrong")
    assert await world.metric('offhook_bad_signatures_total{door="voice"}') == 1
    url = f"ws://{world.api.base_url.netloc.decode()}/twilio/media"
    with pytest.raises(InvalidStatus):
        await connect(url)
    signature = sign(url, (), DEFAULT_AUTH_TOKEN)
    async with connect(url, additional_headers={"X-Twilio-Signature": signature}) as socket:
        await socket.send("this is not a media stream")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 10.0)
    await world.server.says("media_broken_off")
    assert await world.metric('offhook_media_sockets_total{end="violation"}') == 1


async def is_let_end(world: World) -> None:
    """A conversation that goes on when the server is asked to end is talked to its end, and everybody watching sees it."""
    before = len(world.events)
    await world.network.post("/simulator/calls", json={"from": RUTH, "to": OURS})
    calls = {event["call"] for event in world.events[:before] if "call" in event}
    async with world.heard, asyncio.timeout(20.0):
        await world.heard.wait_for(lambda: any(e["type"] == "agent" and e["call"] not in calls for e in world.events))
    call = next(event["call"] for event in world.events if event["type"] == "agent" and event["call"] not in calls)
    world.server.process.send_signal(signal.SIGTERM)
    ended = await world.event("call_ended", call=call)
    assert ended["disposition"] == "answered"
    await world.event("caller", call=call)  # talked through, not cut off


# --- at any hour --------------------------------------------------------------------------------------------------------


class Morning:
    """Monotonic time as it is; the wall shows a Tuesday, ten in the morning in New York, and goes on from there."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def now(self) -> float:
        return time.monotonic()

    def at(self) -> datetime:
        return datetime(2026, 11, 17, 15, 0, tzinfo=UTC) + timedelta(seconds=time.monotonic() - self._began)


async def test_an_outbound_call_by_a_clock_that_stands_at_a_morning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network_port = spare_port()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    for name, value in environment_of(folder, network_port).items():
        if name.startswith(("OFFHOOK_", "TWILIO_")):
            monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None, public_url=f"http://127.0.0.1:{port}")  # type: ignore[call-arg]
    number = "+17875550121"
    async with (
        phone_network(folder, network_port, port),
        open_house(settings, clock=Morning()) as house,
        serving(house, listener),
        working(house),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20.0) as api,
    ):
        assert (await api.post("/v1/consents", json={"number": number, **CONSENT})).status_code == 201
        headers = {"Idempotency-Key": "once"}
        placed = await api.post("/v1/calls", json={"to": number, "agent": "brief"}, headers=headers)
        assert placed.status_code == 201, placed.text
        call = placed.json()["id"]
        again = await api.post("/v1/calls", json={"to": number, "agent": "brief"}, headers=headers)
        assert again.json()["id"] == call
        async with house.hot.subscribe() as news, asyncio.timeout(40.0):
            while house.switchboard.live:
                await anext(aiter(news))
        await house.switchboard.quiet()
        await house.switchboard.settle()
        lines = (await api.get(f"/v1/calls/{call}/transcript")).json()["lines"]
        assert {"agent", "caller"} <= {line["who"] for line in lines}
        assert NewConsent(number=number, **CONSENT).number == number  # type: ignore[arg-type]
