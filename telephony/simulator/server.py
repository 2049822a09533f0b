"""Starting and stopping a network: inside a running loop (`serve`: tests, the demo) or as a process (`main_async`)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog
import uvicorn

from telephony.simulator.network import Mouth, PhoneNetwork, Setup
from telephony.simulator.people import People, load
from telephony.simulator.rest import app_of

log = structlog.get_logger()

DEFAULT_PORT: Final = 8090
# Shaped as Twilio's are, and obviously not Twilio's.
DEFAULT_ACCOUNT_SID: Final = "AC" + "5" * 32
DEFAULT_AUTH_TOKEN: Final = "simulator-auth-token"


@dataclass(frozen=True, slots=True)
class Options:
    """Everything the command line can say about a network."""

    people: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    account_sid: str = DEFAULT_ACCOUNT_SID
    auth_token: str = DEFAULT_AUTH_TOKEN
    voice_url: str = ""
    status_url: str = ""
    recordings: Path | None = None
    calls_per_second: float = 1.0
    amd_delay: float = 3.8
    own_numbers: tuple[str, ...] = ()


class _QuietServer(uvicorn.Server):
    """uvicorn takes the process's signals; here they belong to whoever embeds us. `ready` is set once it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class RunningNetwork:
    """A network that takes requests at `url`. An async context manager; `stop` may be called twice."""

    def __init__(self, network: PhoneNetwork, url: str, server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
        self.network = network
        self.url = url
        self._server = server
        self._serving = serving

    async def stop(self) -> None:
        if self._serving.done():
            return
        await self.network.close()
        self._server.should_exit = True
        await self._serving

    async def __aenter__(self) -> RunningNetwork:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def serve(
    people: People,
    host: str = "127.0.0.1",
    port: int = 0,
    account_sid: str = DEFAULT_ACCOUNT_SID,
    auth_token: str = DEFAULT_AUTH_TOKEN,
    *,
    mouth: Mouth,
    voice_url: str = "",
    status_url: str = "",
    recordings: Path | None = None,
    calls_per_second: float = 1.0,
    amd_delay: float = 3.8,
    own_numbers: tuple[str, ...] = (),
) -> RunningNetwork:
    """Start a network and return when it takes requests. Port 0: any free one. Raises OSError if the port is taken."""
    listener = socket.create_server((host, port))
    setup = Setup(account_sid, auth_token, voice_url, status_url, recordings, calls_per_second, amd_delay, own_numbers)
    network = PhoneNetwork(people, setup, mouth)
    config = uvicorn.Config(
        app_of(network), log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    server = _QuietServer(config)
    try:
        await network.open()  # before anybody is answered: who rang in meanwhile would find people without a voice
    except BaseException:
        listener.close()
        raise
    serving = asyncio.create_task(server.serve([listener]), name="simulator")
    await server.ready.wait()
    url = f"http://{host}:{listener.getsockname()[1]}"
    log.info("simulator_started", url=url, people=len(people.people))
    return RunningNetwork(network, url, server, serving)


async def main_async(options: Options, mouth: Mouth) -> None:
    """Run a network until SIGINT or SIGTERM. Raises `PeopleFileError` or OSError before it starts."""
    people = load(options.people)
    running = await serve(
        people,
        options.host,
        options.port,
        options.account_sid,
        options.auth_token,
        mouth=mouth,
        voice_url=options.voice_url,
        status_url=options.status_url,
        recordings=options.recordings,
        calls_per_second=options.calls_per_second,
        amd_delay=options.amd_delay,
        own_numbers=options.own_numbers,
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stopped.set)
    async with running:
        await stopped.wait()
