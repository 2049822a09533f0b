"""Where everything is put together: the only place that chooses real adapters. The type checker proves here that they fit.

`open_house` builds all parts of one process and closes them in order; `serve` puts the web server in front of it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog
import typer
import uvicorn
import uvloop
from sqlalchemy.exc import SQLAlchemyError

from api.app import create_app
from api.crowding import Crowding
from api.engines import open_engines
from api.gatekeeping import DialGate, SpokenOptOuts
from api.house import Engines, House
from api.ledgers import AgentShelf, StoredConsents, StoredDnc, StoredKnowledge
from api.left_over import LeftOver
from api.live_desk import LiveDesk
from api.measuring import count_refusals
from api.metrics import Metrics
from api.outcome_receipts import OutcomeReceipts
from api.parts import Parts, Readiness
from api.person_rights import keep_forgetting
from api.probes import CarrierProbe, door_probe, ears_probe, knowledge_probe, mouth_probe
from api.purse import Purse
from api.readiness import HouseReadiness, standing
from api.records import StoredCalls, StoredCampaigns, StoredContacts
from api.serve import Stopping, drain, introduction, listen, reachable_at, refuse_workers
from api.settings import EMBEDDED, Settings
from api.single_calls import SingleCalls
from api.suppression import Suppressor
from api.switchboard import Switchboard
from compliance.store import ComplianceStore
from context.gather import CallAhead, Gathering
from context.knowledge.base import KnowledgeBase, open_embedder, open_knowledge
from context.learning.learn import learn_the_rest
from context.sources import usual_sources
from dialer.campaign import Campaign, Hold
from dialer.pacing import Limit
from dialer.run import Clock, Runner, SystemClock
from dialer.stores.sql import SqlStore
from storage.database import Database
from storage.events import Recorded
from storage.hot import Hot
from storage.log import follow, read
from telephony.direct import DirectProtocol
from telephony.twilio.rest import TwilioCarrier
from voice.agent_file import AgentFolder
from voice.collector import settle
from voice.policy import Policy

HOUSE_LIMIT: Final = Limit(concurrency=100, calls_per_second=1.0)

LARGEST: Final = 1 << 20  # bytes of one WebSocket message; a carrier's has 300
GRACE: Final = 10  # seconds uvicorn waits for answers that are on their way
BREATHER: Final = 1.0  # seconds after the database has failed
NO_ACCOUNT: Final = "no-account"  # where no carrier is configured, nothing is dialled and no door is open to one

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Open:
    """An open house: everything the server, the demo and the tests reach for."""

    settings: Settings
    database: Database
    attempts: SqlStore
    gate: DialGate
    compliance: ComplianceStore
    suppressor: Suppressor
    agents: AgentFolder
    knowledge: KnowledgeBase
    carrier: TwilioCarrier
    switchboard: Switchboard
    runner: Runner
    hot: Hot
    at: Callable[[], datetime]
    singles: SingleCalls
    metrics: Metrics
    engines: Engines
    left_over: LeftOver
    purse: Purse


@asynccontextmanager
async def open_house(
    settings: Settings, *, clock: Clock | None = None, limit: Limit = HOUSE_LIMIT, policy: Policy | None = None
) -> AsyncIterator[Open]:
    """Open every part, in the order in which they need each other. Nothing is dialled until the runner runs."""
    clock = clock or SystemClock()
    home = settings.prepare_home()
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        await database.migrate()
        embedder = await open_embedder()
        if embedder is not None:
            stack.push_async_callback(embedder.close)
        knowledge = await open_knowledge(database, home, embedder=embedder)
        stack.push_async_callback(knowledge.close)
        agents = AgentFolder(settings.agents)
        engines = await stack.enter_async_context(open_engines(settings, list(agents.all().values())))
        carrier = _carrier(settings)
        stack.push_async_callback(carrier.close)
        compliance = ComplianceStore.open(home)
        hot = Hot()
        stack.callback(hot.close)
        suppressor = Suppressor(compliance, settings.revocation_scope)
        attempts, opt_outs = SqlStore(database), SpokenOptOuts(suppressor)
        gate = DialGate(compliance, settings.twilio_from, agents)
        metrics = Metrics()
        purse = Purse(settings, engines.prices, agents.all, engines.down, clock.at)
        stack.enter_context(purse.meter.watch())
        crowding = Crowding(settings.most_lag)
        stack.callback(crowding.close)

        def hold_of(campaign: Campaign) -> Hold | None:
            return crowding.hold() or purse.hold_of(campaign)

        async with attempts.reading() as work:
            campaigns = await work.campaigns()
        await purse.remember(database, campaigns)
        switchboard = Switchboard(
            House(
                settings,
                database,
                attempts,
                carrier,
                agents,
                engines,
                usual_sources(database, knowledge),
                knowledge,
                opt_outs,
                hot,
                clock.at,
                purse.meter,
                policy or Policy(),
                metrics,
                lambda: crowding.is_full,
            )
        )
        await _warm_up(database, knowledge)
        settle()
        runner = Runner(attempts, gate, switchboard, limit, clock=clock, zone_of=gate.zone_of, hold_of=hold_of)
        switchboard.dialler = runner
        stack.push_async_callback(switchboard.close)
        yield Open(
            settings,
            database,
            attempts,
            gate,
            compliance,
            suppressor,
            agents,
            knowledge,
            carrier,
            switchboard,
            runner,
            hot,
            clock.at,
            SingleCalls(
                attempts,
                compliance,
                agents,
                hot,
                StoredCalls(database),
                settings.twilio_from,
                clock.at,
                runner.wake,
                hold_of,
            ),
            metrics,
            engines,
            LeftOver(database, attempts, opt_outs, runner, home, clock.at),
            purse,
        )


def _carrier(settings: Settings) -> TwilioCarrier:
    token = settings.twilio_auth_token.get_secret_value()
    return TwilioCarrier(settings.twilio_account_sid or NO_ACCOUNT, token or NO_ACCOUNT, settings.twilio_api_url)


async def _warm_up(database: Database, knowledge: KnowledgeBase) -> None:
    """Ask every source once about nobody: first connections, statements and vectors are made before the first call."""
    await Gathering.start(CallAhead("+10000000000", purpose="warm up"), usual_sources(database, knowledge)).briefing()


@asynccontextmanager
async def working(house: Open) -> AsyncIterator[None]:
    """The house at work: it dials, follows the log, and makes up for what an earlier process left undone."""
    await house.left_over.close()
    await house.runner.recover()
    await house.singles.put_away()
    following = _Following(house)
    outcomes = OutcomeReceipts(house.database, house.compliance, house.settings.twilio_from, house.at)
    forgetting = partial(keep_forgetting, house.database, house.compliance, house.at)
    async with asyncio.TaskGroup() as tasks:
        dialling = [tasks.create_task(house.runner.run(), name="dialer")] if house.settings.has_carrier else []
        beside = [
            tasks.create_task(_lasting("log", following.run), name="log"),
            tasks.create_task(_lasting("outcomes", outcomes.run), name="outcomes"),
            tasks.create_task(_lasting("knowledge", house.knowledge.keep_up), name="knowledge"),
            tasks.create_task(_lasting("forgetting", forgetting), name="forgetting"),
            tasks.create_task(_lasting("learning", lambda: learn_the_rest_of(house)), name="learn the rest"),
        ]
        try:
            yield
        finally:
            house.runner.close()
            if dialling:
                await asyncio.wait(dialling)
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await outcomes.catch_up()
            await following.catch_up()


class _Following:
    """Shows everything that is written to whoever watches, and to those whom it concerns."""

    def __init__(self, house: Open) -> None:
        self._house = house
        self._after: int | None = None

    async def run(self) -> None:
        async for recorded in follow(self._house.database, self._after):
            self._show(recorded)

    async def catch_up(self) -> None:
        """The last words of a house that closes: whoever watches still learns how the calls ended."""
        if self._after is None:
            return
        with suppress(SQLAlchemyError, OSError):
            async with self._house.database.reading() as connection:
                for recorded in await read(connection, self._after):
                    self._show(recorded)

    def _show(self, recorded: Recorded) -> None:
        house = self._house
        self._after = recorded.id
        house.hot.publish(recorded)
        house.runner.heed(recorded)
        house.switchboard.heed(recorded)
        count_refusals(house.metrics, recorded)


async def _lasting(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` to its end, and again from where it was when the database fails it: no outage of that ends the house."""
    while True:
        try:
            await work()
            return
        except (SQLAlchemyError, OSError) as error:
            log.error("background_work_failed", work=name, error=type(error).__name__, why=str(error)[:200])
            await asyncio.sleep(BREATHER)


async def learn_the_rest_of(house: Open) -> None:
    """What calls of an earlier process were to teach us."""
    count = await learn_the_rest(house.database, house.knowledge, datetime.now(UTC))
    if count:
        log.info("learned_from_earlier_calls", calls=count)


@asynccontextmanager
async def serving(house: Open, listener: socket.socket) -> AsyncIterator[None]:
    """The web server in front of the house, on a socket that listens already."""
    app = create_app(parts_of(house))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws=DirectProtocol,
        ws_per_message_deflate=False,  # of no use to mu-law, and costly: a call's socket is taken over without it
        ws_max_size=LARGEST,
        timeout_graceful_shutdown=GRACE,
    )
    server = EmbeddedServer(config)
    task = asyncio.create_task(server.serve([listener]), name="web server")
    await server.ready.wait()
    try:
        yield
    finally:
        server.should_exit = True
        await task


class EmbeddedServer(uvicorn.Server):
    """uvicorn takes the process's signals; here they belong to whoever embeds it. `ready` is set once it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def parts_of(house: Open) -> Parts:
    """What the routes stand on. Without a carrier nobody can be called, and nobody's signature could be checked."""
    settings, database, attempts, at = house.settings, house.database, house.attempts, house.at
    return Parts(
        settings=settings,
        metrics=house.metrics,
        readiness=_readiness(house),
        standing=lambda: standing(house.compliance, at().date()),
        live=LiveDesk(house.switchboard.calls, can_whisper=settings.llm_order != (EMBEDDED,)),
        feed=house.hot,
        carrier=house.switchboard if settings.has_carrier else None,
        media=house.switchboard.media if settings.has_carrier else None,
        placer=house.singles if settings.has_carrier else None,
        calls=StoredCalls(database),
        campaigns=StoredCampaigns(database, attempts, house.agents, house.gate, at),
        contacts=StoredContacts(attempts),
        consents=StoredConsents(database, house.compliance, house.suppressor, at),
        dnc=StoredDnc(database, house.compliance, house.suppressor, at),
        knowledge=StoredKnowledge(house.knowledge, at),
        agents=AgentShelf(house.agents),
    )


def _readiness(house: Open) -> Readiness:
    probes = (
        CarrierProbe(house.carrier if house.settings.has_carrier else None),
        ears_probe(house.engines),
        mouth_probe(house.engines),
        knowledge_probe(house.knowledge),
        door_probe(house.switchboard),
    )
    return HouseReadiness(house.database, house.agents, house.settings.home, probes)


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until told to stop by a signal. Raises `CannotServe` for what is the operator's to mend."""
    refuse_workers(workers)
    listener = listen(host, port)
    uvloop.run(_serve(reachable_at(settings, host, listener.getsockname()[1]), listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    """Open the house, work until asked to stop, let the calls end. A wish to stop while still opening is heeded at once."""
    stopping = Stopping()
    with stopping.heeding_signals():
        serving_all = asyncio.create_task(_open_and_serve(settings, listener, stopping))
        asked = asyncio.create_task(stopping.asked.wait())
        await asyncio.wait((serving_all, asked), return_when=asyncio.FIRST_COMPLETED)
        if not stopping.is_open:
            serving_all.cancel()
        asked.cancel()
        try:
            await serving_all
        except asyncio.CancelledError:
            log.info("stopped_before_it_was_open")


async def _open_and_serve(settings: Settings, listener: socket.socket, stopping: Stopping) -> None:
    async with open_house(settings) as house, serving(house, listener), working(house):
        host, port = listener.getsockname()[:2]
        log.info("serving", host=host, port=port, carrier=settings.has_carrier, agents=len(house.agents.all()))
        typer.echo(introduction(settings, host, port))
        stopping.is_open = True
        await stopping.asked.wait()
        house.singles.is_closed = True
        house.runner.close()
        await drain(house.switchboard, stopping)
