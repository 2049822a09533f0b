"""A web server in a process that has other things to do: it leaves signals to its host, and tells when it listens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from telephony.direct import DirectProtocol

LARGEST: Final = 1 << 20  # bytes of one WebSocket message; a carrier's has 300


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


class Serving:
    """A server at work on `port`. An async context manager; `stop` may be called twice."""

    def __init__(self, server: EmbeddedServer, port: int, task: asyncio.Task[None]) -> None:
        self.port = port
        self._server = server
        self._task = task

    @property
    def has_ended(self) -> bool:
        return self._task.done()

    async def stop(self) -> None:
        """Take nobody new, give the answers on their way their grace, and end."""
        self._server.should_exit = True
        await self._task

    async def __aenter__(self) -> Serving:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def serve_on(listener: socket.socket, config: uvicorn.Config, name: str = "web server") -> Serving:
    """Serve on a socket that listens already; returns when requests are taken."""
    server = EmbeddedServer(config)
    task = asyncio.create_task(server.serve([listener]), name=name)
    await server.ready.wait()
    return Serving(server, listener.getsockname()[1], task)


def webhooks(app: ASGIApp, grace: int = 1) -> uvicorn.Config:
    """Requests and no sockets. `grace`: seconds for answers that are on their way when the server ends."""
    return uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=grace)


def webhooks_and_media(app: ASGIApp, grace: int = 1, largest: int = LARGEST) -> uvicorn.Config:
    """Requests, and media streams whose sockets the application may take over. `largest`: bytes of one message."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws=DirectProtocol,
        ws_per_message_deflate=False,  # of no use to mu-law, and costly: a call's socket is taken over without it
        ws_max_size=largest,
        timeout_graceful_shutdown=grace,
    )
