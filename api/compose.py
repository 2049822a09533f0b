"""Where everything is put together: the only place that chooses real adapters. The type checker proves here that they fit.

`open_house` builds all parts of one process and closes them in order; `parts_of` is what the routes get of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from api.crowding import Crowding
from api.engines import open_engines
from api.gatekeeping import DialGate, SpokenOptOuts
from api.house import Engines, House
from api.ledgers import AgentShelf, StoredConsents, StoredDnc, StoredKnowledge
from api.left_over import LeftOver
from api.live_desk import LiveDesk
from api.metrics import Metrics
from api.parts import Parts, Readiness
from api.probes import CarrierProbe, door_probe, ears_probe, knowledge_probe, mouth_probe
from api.purse import Purse
from api.readiness import HouseReadiness, standing
from api.records import StoredCalls, StoredCampaigns, StoredContacts
from api.settings import EMBEDDED, Settings
from api.single_calls import SingleCalls
from api.suppression import Suppressor
from api.switchboard import Switchboard
from compliance.store import ComplianceStore
from context.gather import CallAhead, Gathering
from context.knowledge.base import KnowledgeBase, open_embedder, open_knowledge
from context.sources import usual_sources
from dialer.campaign import Campaign, Hold
from dialer.pacing import Limit
from dialer.run import Clock, Runner, SystemClock
from dialer.stores.sql import SqlStore
from storage.database import Database
from storage.hot import Hot
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
        knowledge = await _knowledge(stack, database, home)
        agents = AgentFolder(settings.agents)
        engines = await stack.enter_async_context(open_engines(settings, list(agents.all().values())))
        carrier = _carrier(settings)
        stack.push_async_callback(carrier.close)
        hot = Hot()
        stack.callback(hot.close)
        compliance = ComplianceStore.open(home)
        suppressor = Suppressor(compliance, settings.revocation_scope)
        attempts, opt_outs = SqlStore(database), SpokenOptOuts(suppressor)
        gate = DialGate(compliance, settings.twilio_from, agents)
        metrics = Metrics()
        crowding = Crowding(settings.most_lag, engines.lag)
        stack.callback(crowding.close)
        purse = await _purse(stack, settings, engines, agents, clock, attempts, database)

        def hold_of(campaign: Campaign) -> Hold | None:
            return crowding.hold() or purse.hold_of(campaign)

        switchboard = Switchboard(
            House(
                settings=settings,
                database=database,
                attempts=attempts,
                carrier=carrier,
                agents=agents,
                engines=engines,
                sources=usual_sources(database, knowledge),
                knowledge=knowledge,
                opt_outs=opt_outs,
                feed=hot,
                at=clock.at,
                meter=purse.meter,
                policy=policy or Policy(acknowledge_after=settings.acknowledge_after),
                metrics=metrics,
                is_full=lambda: crowding.is_full,
            )
        )
        await _warm_up(database, knowledge)
        settle()
        runner = Runner(attempts, gate, switchboard, limit, clock=clock, zone_of=gate.zone_of, hold_of=hold_of)
        switchboard.dialler = runner
        stack.push_async_callback(switchboard.close)
        yield Open(
            settings=settings,
            database=database,
            attempts=attempts,
            gate=gate,
            compliance=compliance,
            suppressor=suppressor,
            agents=agents,
            knowledge=knowledge,
            carrier=carrier,
            switchboard=switchboard,
            runner=runner,
            hot=hot,
            at=clock.at,
            singles=SingleCalls(
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
            metrics=metrics,
            engines=engines,
            left_over=LeftOver(database, attempts, opt_outs, runner, home, clock.at),
            purse=purse,
        )


async def _knowledge(stack: AsyncExitStack, database: Database, home: Path) -> KnowledgeBase:
    embedder = await open_embedder()
    if embedder is not None:
        stack.push_async_callback(embedder.close)
    knowledge = await open_knowledge(database, home, embedder=embedder)
    stack.push_async_callback(knowledge.close)
    return knowledge


async def _purse(
    stack: AsyncExitStack,
    settings: Settings,
    engines: Engines,
    agents: AgentFolder,
    clock: Clock,
    attempts: SqlStore,
    database: Database,
) -> Purse:
    """What was spent so far counts against today's budgets, whichever process spent it."""
    purse = Purse(settings, engines.prices, agents.all, engines.down, clock.at)
    stack.enter_context(purse.meter.watch())
    async with attempts.reading() as work:
        campaigns = await work.campaigns()
    await purse.remember(database, campaigns)
    return purse


def _carrier(settings: Settings) -> TwilioCarrier:
    token = settings.twilio_auth_token.get_secret_value()
    return TwilioCarrier(settings.twilio_account_sid or NO_ACCOUNT, token or NO_ACCOUNT, settings.twilio_api_url)


async def _warm_up(database: Database, knowledge: KnowledgeBase) -> None:
    """Ask every source once about nobody: first connections, statements and vectors are made before the first call."""
    await Gathering.start(CallAhead("+10000000000", purpose="warm up"), usual_sources(database, knowledge)).briefing()


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
