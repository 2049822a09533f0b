"""`offhook demo`: the main job on one machine without an account, real at every step.

The phone network runs as a process of its own and speaks the carrier's protocol over sockets; the engine reaches it through
the code that reaches the carrier, by settings alone. What the demo adds is a script of people, a clock that stands at a
weekday's morning (the gate would rightly refuse a demo at night), and a report that checks every outcome against the script.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from api.compose import Open, open_house
from api.demo_report import Outcome, report
from api.housework import working
from api.logging import configure
from api.serve import serving
from api.settings import Settings, load_settings
from compliance.consent import TakenBack
from compliance.dnc_load import LoadOrder, load
from compliance.record import Revocation
from compliance.store import DncRequest
from dialer import orders
from dialer.attempt import Phase
from dialer.campaign import Campaign, ContactState, Order
from dialer.contact_file import FileRefused
from dialer.intake import ImportReport, import_contacts
from dialer.pacing import Limit
from dialer.retry import RetryPolicy
from storage.events import (
    AttemptChanged,
    CallEnded,
    CallLearned,
    CallNoted,
    ContactClosed,
    ContactDeferred,
    OptedOut,
    Recorded,
)
from telephony.simulator.server import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN

DATA: Final = files("api") / "demo_data"
MORNING: Final = datetime(2026, 11, 17, 15, 5, tzinfo=UTC)  # a Tuesday, 10:05 in New York, 5:05 in Honolulu
SELLER: Final = "Acme Solar"
OURS: Final = "+13025550100"
CAROL: Final = "+16145550101"
ED: Final = "+16145550105"
LINE: Final = 120  # characters, where the output goes into a file: rich would assume 80 and fold the tables to ribbons
LONGEST: Final = 115.0  # seconds of calls; after that the report says what is missing
REGISTRY: Final = ("614,5550115", "614,5550190", "302,5550191", "215,5550192", "808,5550193")  # area code, number
MARKER: Final = "made-by-the-demo"


class DemoClock:
    """Monotonic time as it is; the wall shows a fixed weekday morning and goes on from there."""

    def __init__(self, morning: datetime) -> None:
        self._morning = morning
        self._began = time.monotonic()

    def now(self) -> float:
        return time.monotonic()

    def at(self) -> datetime:
        return self._morning + timedelta(seconds=time.monotonic() - self._began)


def run(seed: int = 1, as_json: bool = False) -> int:
    """Run the demo and print its report; 0 only if every contact ended as its script says."""
    configure(level=logging.ERROR)
    console = Console(stderr=as_json, highlight=False)
    if not console.is_terminal:
        console.width = LINE
    return asyncio.run(_Demo(seed, as_json, console).run())


class _Demo:
    def __init__(self, seed: int, as_json: bool, console: Console) -> None:
        self._seed = seed
        self._as_json = as_json
        self._console = console
        self._clock = DemoClock(MORNING)
        self._began = time.monotonic()
        self._names: dict[str, str] = {}
        self._carol_learned = asyncio.Event()
        self._ed_is_rung = asyncio.Event()
        self._inbound_call = ""

    async def run(self) -> int:
        home = fresh_home(load_settings().home)
        port, listener = _listen()
        async with phone_network(home, f"http://127.0.0.1:{port}", self._seed, self._say) as network:
            settings = demo_settings(home, f"http://127.0.0.1:{port}", network)
            async with (
                open_house(settings, clock=self._clock, limit=Limit(concurrency=6, calls_per_second=1.0)) as house,
                serving(house, listener),
                working(house),
            ):
                self._say("ears (pocketsphinx), mind (playbook) and mouth are embedded: no large model, no account")
                main, follow_up, imported = await self._set_up(house)
                calls = await self._play(house, network, main, follow_up)
            outcome = Outcome(settings, main, follow_up, imported, calls, self._inbound_call, time.monotonic() - self._began)
        return await report(outcome, self._console, as_json=self._as_json)

    # --- the campaign -------------------------------------------------------------------------------------------------

    async def _set_up(self, house: Open) -> tuple[Campaign, Campaign, ImportReport]:
        retry = RetryPolicy(busy_after=(8.0, 10.0), is_by_day_part=False)
        campaign = Campaign("cp_demo", "Solar, autumn", SELLER, "solar", house.at(), retry=retry)
        follow_up = Campaign("cp_demo_2", "Solar, follow-up", SELLER, "solar", house.at(), retry=retry)
        rows = (DATA / "contacts.csv").read_bytes()
        imported = await self._import(house, campaign, rows)
        await self._import(house, follow_up, _only(rows, b"555-0105"))
        await _lists(house)
        async with house.attempts.transaction() as work:
            started = await orders.give(work, campaign, Order.START, house.at())
        assert isinstance(started, Campaign), started
        house.runner.wake()
        return started, follow_up, imported

    async def _import(self, house: Open, campaign: Campaign, rows: bytes) -> ImportReport:
        async with house.attempts.transaction() as work:
            created = await orders.create(work, campaign, house.at())
        assert isinstance(created, Campaign), created
        imported = await import_contacts(house.attempts, created, [rows], house.at(), source="contacts.csv", book=house.gate)
        assert not isinstance(imported, FileRefused), imported
        self._say(f"campaign {campaign.name!r}: {imported.batch.kept} contacts imported, {imported.batch.bad} rows left out")
        for problem in imported.problems:
            self._say(f"  line {problem.line}, {problem.column}: {problem.why}")
        async with house.attempts.reading() as work:
            for contact in await work.contacts(campaign.id):
                self._names[contact.id] = contact.name
        return imported

    # --- while it runs ------------------------------------------------------------------------------------------------

    async def _play(self, house: Open, network: str, main: Campaign, follow_up: Campaign) -> list[dict[str, Any]]:
        watching = asyncio.create_task(self._watch(house))
        ringing_back = asyncio.create_task(self._ring_back(house, network))
        chasing = asyncio.create_task(self._follow_up(house, follow_up))
        try:
            async with asyncio.timeout(LONGEST):
                await asyncio.gather(self._until_settled(house, main), ringing_back, chasing)
                await self._until_settled(house, follow_up)
        except TimeoutError:
            self._say("[red]the calls took too long: what is missing is named below[/red]")
        with suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await house.switchboard.quiet()
        await house.switchboard.settle()
        async with httpx.AsyncClient() as client:
            calls: list[dict[str, Any]] = (await client.get(f"{network}/simulator/calls")).json()["calls"]
        for task in (watching, ringing_back, chasing):
            task.cancel()
        await asyncio.gather(watching, ringing_back, chasing, return_exceptions=True)
        return calls

    async def _until_settled(self, house: Open, campaign: Campaign) -> None:
        """Nobody is being called, nobody is due soon, and every call has been written down."""
        async with house.hot.subscribe() as events:
            while not await self._is_settled(house, campaign):
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await anext(aiter(events))

    async def _is_settled(self, house: Open, campaign: Campaign) -> bool:
        soon = house.at() + timedelta(minutes=5)
        async with house.attempts.reading() as work:
            contacts = await work.contacts(campaign.id, limit=100)
            active = await work.active_attempts()
        waiting = [each for each in contacts if each.state is ContactState.WAITING and each.due_at and each.due_at < soon]
        return not waiting and not active and not house.switchboard.live

    async def _ring_back(self, house: Open, network: str) -> None:
        """Carol said to call later; she rings herself, and is known."""
        await self._carol_learned.wait()
        async with httpx.AsyncClient() as client:
            await client.post(f"{network}/simulator/calls", json={"from": CAROL, "to": OURS})
        async with house.hot.subscribe() as events:
            async for recorded in events:
                if not isinstance(recorded, Recorded) or recorded.call_id != self._inbound_call:
                    continue
                if isinstance(recorded.event, CallLearned):
                    return

    async def _follow_up(self, house: Open, follow_up: Campaign) -> None:
        """A second campaign wants Ed as well; it is started while his phone rings for the first."""
        await self._ed_is_rung.wait()
        async with house.attempts.transaction() as work:
            campaign = await work.campaign(follow_up.id)
            assert campaign is not None
            await orders.give(work, campaign, Order.START, house.at())
        house.runner.wake()

    async def _watch(self, house: Open) -> None:
        who: dict[str, str] = {}
        async with house.hot.subscribe() as events:
            async for recorded in events:
                if isinstance(recorded, Recorded):
                    self._told(house, recorded, who)

    def _told(self, house: Open, recorded: Recorded, who: dict[str, str]) -> None:
        event, call = recorded.event, recorded.call_id
        live = next((each for each in house.switchboard.calls.values() if each.errand.call == call), None)
        if live is not None and call not in who:
            inbound = "Carol Reyes (ringing us)"
            who[call] = self._names.get(live.errand.contact_id, "") or inbound
            if not live.errand.contact_id:
                self._inbound_call = call
        name = who.get(call, "")
        match event:
            case AttemptChanged(contact_id=contact, phase=phase, disposition=disposition):
                self._say(f"{self._names.get(contact, contact):<26} [dim]{disposition or phase}[/dim]")
                if contact.startswith("in_") and self._names.get(contact) == "Ed Novak" and phase == Phase.DISPATCHED.value:
                    self._ed_is_rung.set()
            case ContactDeferred(contact_id=contact, reason=reason, until=until):
                when = f"{until:%a %H:%M} UTC"
                self._say(f"{self._names.get(contact, contact):<26} [yellow]not before {when}[/yellow]: {reason}")
            case ContactClosed(contact_id=contact, disposition="refused", reason=reason):
                self._say(f"{self._names.get(contact, contact):<26} [red]refused[/red]: {reason}")
            case CallNoted(note="caller", text=text) if text:
                self._say(f"{name:<26} [cyan]“{text}”[/cyan]")
            case CallNoted(note="agent", text=text):
                self._say(f"{name:<26} [green]Ava: {text}[/green]")
            case CallNoted(note="decision", text=text) if "takes the floor" in text:
                self._say(f"{name:<26} [magenta]{text}: Ava stops[/magenta]")
            case OptedOut():
                self._say(f"{name:<26} [red]written to the do-not-call list[/red]")
            case CallEnded(disposition=disposition, seconds=seconds):
                self._say(f"{name:<26} [bold]{disposition}[/bold] [dim]after {seconds:.0f} s[/dim]")
            case CallLearned(facts=facts, seconds=seconds):
                self._say(f"{name:<26} [dim]{facts} facts learned in {seconds * 1000:.0f} ms[/dim]")
                if name == "Carol Reyes":
                    self._carol_learned.set()
            case _:
                pass

    def _say(self, text: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._began:6.1f}[/dim]  {text}")


# --- the surroundings ---------------------------------------------------------------------------------------------------


def fresh_home(home: Path) -> Path:
    """An empty folder for the demo: the configured home if it is unused or an earlier demo's, else `demo` inside it."""
    if home.exists() and any(home.iterdir()) and not (home / MARKER).exists():
        home = home / "demo"
    if (home / MARKER).exists():
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / MARKER).write_text("Everything in this folder was made by `offhook demo`, which makes it anew each time.\n")
    return home


def demo_settings(home: Path, public_url: str, network: str) -> Settings:
    """The settings a user would write, and nothing else: only TWILIO_API_URL says that the carrier is ours."""
    os.environ.update(
        OFFHOOK_HOME=str(home),
        OFFHOOK_PUBLIC_URL=public_url,
        OFFHOOK_DATABASE_URL="",
        TWILIO_API_URL=network,
        TWILIO_ACCOUNT_SID=DEFAULT_ACCOUNT_SID,
        TWILIO_AUTH_TOKEN=DEFAULT_AUTH_TOKEN,
        TWILIO_FROM=OURS,
    )
    return load_settings()


@asynccontextmanager
async def phone_network(home: Path, public_url: str, seed: int, say: Callable[[str], None]) -> AsyncIterator[str]:
    """The phone network in a process of its own; its URL."""
    people = home / "people.toml"
    people.write_text(shuffled((DATA / "people.toml").read_text(), seed))
    port, listener = _listen()
    listener.close()
    arguments = [
        *("--port", str(port), "--own-number", OURS, "--recordings", str(home / "recordings")),
        *("--voice-url", f"{public_url}/twilio/voice", "--status-url", f"{public_url}/twilio/status"),
    ]
    errors = (home / "phone-network.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from api.cli import main; main()", "simulator", str(people), *arguments),
        stdout=errors,
        stderr=errors,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await _until_reachable(url, process)
        say(f"phone network at {url} (process {process.pid}); the clock stands at {MORNING:%A %H:%M} UTC, 10:05 in New York")
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        errors.close()


def shuffled(people: str, seed: int) -> str:
    """The same people, ringing a little shorter or longer for every seed."""
    rng = random.Random(seed)
    lines = people.splitlines()
    return "\n".join(f"ring = {rng.uniform(0.8, 2.2):.2f}" if line.startswith("ring = ") else line for line in lines)


async def _until_reachable(url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(300):
            if process.returncode is not None:
                raise RuntimeError("the phone network did not start; see phone-network.log")
            with suppress(httpx.HTTPError):
                await client.get(f"{url}/simulator/people")
                return
            await asyncio.sleep(0.1)
    raise RuntimeError("the phone network did not answer within 30 seconds; see phone-network.log")


def _listen() -> tuple[int, socket.socket]:
    listener = socket.create_server(("127.0.0.1", 0))
    return int(listener.getsockname()[1]), listener


def _only(rows: bytes, containing: bytes) -> bytes:
    head, *rest = rows.splitlines(keepends=True)
    return head + b"".join(row for row in rest if containing in row)


async def _lists(house: Open) -> None:
    """What the gate looks into: the registry for the demo's area codes, our own list, and one consent taken back."""
    registry = house.settings.home / "registry.txt"
    registry.write_text("".join(f"{number}\n" for number in REGISTRY))
    today = house.at().date()
    order = LoadOrder("national", registry, today - timedelta(days=3), "the demo", house.at(), check_size=False)
    await asyncio.to_thread(load, house.settings.home, order)
    earlier = house.at() - timedelta(days=20)
    async with house.database.transaction() as connection:
        no = DncRequest("+13025550112", earlier, "voice", SELLER, words="please don't call me again")
        await house.compliance.opt_out(connection, no, earlier)
        back = TakenBack("tb_demo", Revocation(earlier, "web", SELLER), "+12155550114", words="unsubscribed on the web site")
        await house.compliance.take_back(connection, back, earlier)
