"""Starting and stopping a network: inside a running loop (`serve`: tests, the demo) or as a process (`main_async`)."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog

from telephony.embedding import Serving, serve_on, webhooks
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


class RunningNetwork:
    """A network that takes requests at `url`. An async context manager; `stop` may be called twice."""

    def __init__(self, network: PhoneNetwork, url: str, serving: Serving) -> None:
        self.network = network
        self.url = url
        self._serving = serving

    async def stop(self) -> None:
        if self._serving.has_ended:
            return
        await self.network.close()
        await self._serving.stop()

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
    try:
        await network.open()  # before anybody is answered: who rang in meanwhile would find people without a voice
    except BaseException:
        listener.close()
        raise
    serving = await serve_on(listener, webhooks(app_of(network)), "simulator")
    url = f"http://{host}:{serving.port}"
    log.info("simulator_started", url=url, people=len(people.people))
    return RunningNetwork(network, url, serving)


async def main_async(options: Options, mouth: Mouth, ready: Callable[[], None]) -> None:
    """Run a network until SIGINT or SIGTERM; `ready` is called once it can be reached.

    Raises `PeopleFileError` or OSError before it starts.
    """
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
        ready()
        await stopped.wait()
