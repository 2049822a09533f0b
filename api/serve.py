"""`offhook serve`: the house, a web server in front of it, and an end that cuts nobody off."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
import typer
import uvloop

from api.app import create_app
from api.compose import Open, open_house, parts_of
from api.housework import working
from api.process import Stopping, drain, introduction, listen, reachable_at, refuse_workers
from api.settings import Settings
from telephony.embedding import serve_on, webhooks_and_media

GRACE: Final = 10  # seconds the web server waits for answers that are on their way

log = structlog.get_logger()


@asynccontextmanager
async def serving(house: Open, listener: socket.socket) -> AsyncIterator[None]:
    """The web server in front of the house, on a socket that listens already."""
    async with await serve_on(listener, webhooks_and_media(create_app(parts_of(house)), GRACE)):
        yield


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
