"""Where everything is put together: the only place that chooses real adapters. The type checker proves here that they fit.

`open_house` builds all parts of one process and closes them in order; `serve` puts the web server in front of it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
import uvicorn

from api.app import create_app
from api.engines import open_engines
from api.gatekeeping import DialGate, SpokenOptOuts
from api.metrics import Metrics
from api.parts import Parts
from api.settings import Settings
from api.switchboard import House, Switchboard
from compliance.store import ComplianceStore
from context.gather import CallAhead, Gathering
from context.knowledge.base import KnowledgeBase, open_embedder, open_knowledge
from context.learning.learn import learn_the_rest
from context.sources import usual_sources
from dialer.pacing import Limit
from dialer.run import Clock, Runner, SystemClock
from dialer.stores.sql import SqlStore
from storage.database import Database
from storage.hot import Hot
from storage.log import follow
from telephony.twilio.rest import TwilioCarrier
from voice.agent_file import AgentFolder
from voice.policy import Policy

HOUSE_LIMIT: Final = Limit(concurrency=100, calls_per_second=1.0)

LARGEST: Final = 1 << 20  # bytes of one WebSocket message; a carrier's has 300

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Open:
    """An open house: everything the server, the demo and the tests reach for."""

    settings: Settings
    database: Database
    attempts: SqlStore
    gate: DialGate
    compliance: ComplianceStore
    agents: AgentFolder
    knowledge: KnowledgeBase
    carrier: TwilioCarrier
    switchboard: Switchboard
    runner: Runner
    hot: Hot
    at: Callable[[], datetime]


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
        carrier = TwilioCarrier(
            settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_api_url
        )
        stack.push_async_callback(carrier.close)
        compliance = ComplianceStore.open(home)
        hot = Hot()
        stack.callback(hot.close)
        attempts, opt_outs = SqlStore(database), SpokenOptOuts(compliance)
        gate = DialGate(compliance, settings.twilio_from)
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
                policy or Policy(),
            )
        )
        await _warm_up(database, knowledge)
        runner = Runner(attempts, gate, switchboard, limit, clock=clock, zone_of=gate.zone_of)
        switchboard.dialler = runner
        opt_outs.canceller = runner
        stack.push_async_callback(switchboard.close)
        yield Open(
            settings,
            database,
            attempts,
            gate,
            compliance,
            agents,
            knowledge,
            carrier,
            switchboard,
            runner,
            hot,
            clock.at,
        )


async def _warm_up(database: Database, knowledge: KnowledgeBase) -> None:
    """Ask every source once about nobody: first connections, statements and vectors are made before the first call."""
    await Gathering.start(CallAhead("+10000000000", purpose="warm up"), usual_sources(database, knowledge)).briefing()


@asynccontextmanager
async def working(house: Open) -> AsyncIterator[None]:
    """The house at work: it dials, follows the log, and makes up for what an earlier process left unlearned."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(house.runner.run(), name="dialer")] if house.settings.has_carrier else []
        following = tasks.create_task(_follow(house), name="log")
        tasks.create_task(learn_the_rest_of(house), name="learn the rest")
        try:
            yield
        finally:
            house.runner.close()
            if running:
                await asyncio.wait(running)
            following.cancel()


async def _follow(house: Open) -> None:
    """Show everything that is written to whoever watches, and wake the dialer for orders given elsewhere."""
    async for recorded in follow(house.database):
        house.hot.publish(recorded)
        house.runner.heed(recorded)


async def learn_the_rest_of(house: Open) -> None:
    with suppress(asyncio.CancelledError):
        count = await learn_the_rest(house.database, house.knowledge, datetime.now(UTC))
        if count:
            log.info("learned_from_earlier_calls", calls=count)


@asynccontextmanager
async def serving(house: Open, listener: socket.socket) -> AsyncIterator[None]:
    """The web server in front of the house, on a socket that listens already."""
    app = create_app(parts_of(house))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="websockets-sansio", ws_max_size=LARGEST
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
    """What the routes stand on."""
    return Parts(settings=house.settings, metrics=Metrics(), carrier=house.switchboard, media=house.switchboard.media)
