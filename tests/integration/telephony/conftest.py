"""A tiny engine that answers the network's webhooks and talks on its media streams, and people with voices made of tones."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from telephony.audio import SAMPLE_RATE, encode
from telephony.embedding import serve_on, webhooks_and_media
from telephony.leg import LegEvent, LegStopped
from telephony.simulator.people import parse
from telephony.simulator.server import RunningNetwork, serve
from telephony.twilio import callbacks, signature, twiml
from telephony.twilio.rest import TwilioCarrier
from telephony.twilio.stream import TwilioMediaLink, accept

ACCOUNT = "AC" + "1" * 32
TOKEN = "the-token"
OURS = "+16145550100"


class ToneMouth:
    """Speech by numbers: each text a warbling tone, 50 ms a character."""

    async def say(self, text: str, voice: str) -> bytes:
        instants = np.arange(round(0.05 * len(text) * SAMPLE_RATE)) / SAMPLE_RATE
        pitch = 180 if voice == "female" else 110
        wave = 0.3 * np.sin(2 * np.pi * pitch * instants) * (1 + np.sin(2 * np.pi * 4 * instants)) / 2 + 0.1 * np.sin(
            2 * np.pi * 900 * instants
        )
        return encode((wave * 32767).astype(np.int16))


class StarletteSocket:
    """A Starlette WebSocket with the verbs of a `TextSocket`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._writer = asyncio.create_task(self._write())

    async def read(self, take: Callable[[str | bytes], None], take_usual: Callable[[bytes], bool] | None = None) -> None:
        while (message := await self.receive()) is not None:
            take(message)

    async def receive(self) -> str | bytes | None:
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            return None
        text = message.get("text")
        return text if text is not None else message.get("bytes")

    def send(self, *texts: str) -> None:
        for text in texts:
            self._idle.clear()
            self._queue.put_nowait(text)

    async def drain(self) -> None:
        await self._idle.wait()

    async def close(self, code: int) -> None:
        await self._idle.wait()
        self._writer.cancel()
        try:
            await self._socket.close(code)
        except (RuntimeError, WebSocketDisconnect):
            pass

    async def _write(self) -> None:
        while True:
            text = await self._queue.get()
            try:
                if text is not None:
                    await self._socket.send_text(text)
            except (RuntimeError, WebSocketDisconnect):
                pass
            if self._queue.empty():
                self._idle.set()


async def events_of(link: TwilioMediaLink) -> AsyncGenerator[LegEvent]:
    """What a link tells, to be iterated; leaving it closes the link."""
    events: asyncio.Queue[LegEvent] = asyncio.Queue()
    listening = asyncio.create_task(link.listen(events.put_nowait))
    try:
        while not isinstance(event := await events.get(), LegStopped):
            yield event
        yield event
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


Behaviour = Callable[[TwilioMediaLink, AsyncIterator[LegEvent]], Awaitable[None]]


async def just_listen(link: TwilioMediaLink, events: AsyncIterator[LegEvent]) -> None:
    async for _ in events:
        pass


@dataclass
class TinyEngine:
    """What an engine is to the network: documents, callbacks, a media socket. Everything it gets is kept."""

    port: int = 0
    documents: dict[str, Callable[[dict[str, str]], str]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    handshakes: list[dict[str, str]] = field(default_factory=list)
    links: list[TwilioMediaLink] = field(default_factory=list)
    behave: Behaviour = just_listen
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def media_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/media"

    def stream_document(self, form: dict[str, str]) -> str:
        return twiml.connect_stream(self.media_url, {"attempt": "7"}, status_callback=f"{self.url}/stream")

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form for at, form in self.requests if at == path]

    def statuses(self) -> list[str]:
        return [callbacks.status_changed(form).call_status for form in self.forms("/status")]

    async def until(self, is_so: Callable[[], bool], timeout: float = 20) -> None:
        async with asyncio.timeout(timeout), self.changed:
            await self.changed.wait_for(is_so)

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def webhook(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        url = f"{self.url}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        if not signature.is_signed(url, form, request.headers.get(signature.HEADER), TOKEN):
            self.unsigned.append(url)
        self.requests.append((request.url.path, form))
        await self.tell()
        document = self.documents.get(request.url.path)
        if document is None:
            return Response(status_code=204)
        return Response(document(form), media_type="text/xml")

    async def media(self, socket: WebSocket) -> None:
        self.handshakes.append(dict(socket.headers))
        if not signature.is_handshake_signed(self.media_url, socket.headers.get(signature.HEADER), TOKEN):
            self.unsigned.append("media")
        await socket.accept()
        link = await accept(StarletteSocket(socket))
        self.links.append(link)
        await self.tell()
        events = events_of(link)
        try:
            await self.behave(link, events)
        finally:
            await events.aclose()
            await self.tell()


@pytest.fixture
async def engine() -> AsyncIterator[TinyEngine]:
    listener = socket.create_server(("127.0.0.1", 0))
    engine = TinyEngine(port=listener.getsockname()[1])
    engine.documents["/voice"] = engine.stream_document
    paths = ("/voice", "/status", "/amd", "/dial", "/stream", "/again")
    routes = [Route(path, engine.webhook, methods=["POST"]) for path in paths]
    app = Starlette(routes=[*routes, WebSocketRoute("/media", engine.media)])
    async with await serve_on(listener, webhooks_and_media(app)):
        yield engine


StartNetwork = Callable[..., Awaitable[RunningNetwork]]


@pytest.fixture
async def start_network(engine: TinyEngine, tmp_path: Path) -> AsyncIterator[StartNetwork]:
    """Start a network with these people (TOML); it is stopped after the test."""
    running: list[RunningNetwork] = []

    async def start(people: str, **options: object) -> RunningNetwork:
        settings = {"calls_per_second": 0.0, "recordings": tmp_path / "recordings", "amd_delay": 0.1} | options
        network = await serve(
            parse(people),
            account_sid=ACCOUNT,
            auth_token=TOKEN,
            mouth=ToneMouth(),
            voice_url=f"{engine.url}/voice",
            status_url=f"{engine.url}/status",
            **settings,  # type: ignore[arg-type]
        )
        running.append(network)
        return network

    yield start
    for network in running:
        await network.stop()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[RunningNetwork], TwilioCarrier]]:
    """A carrier for a running network; closed after the test."""
    made: list[TwilioCarrier] = []

    def make(network: RunningNetwork, token: str = TOKEN, answer_timeout: float = 5.0) -> TwilioCarrier:
        made.append(TwilioCarrier(ACCOUNT, token, network.url, answer_timeout=answer_timeout))
        return made[-1]

    yield make
    for carrier in made:
        await carrier.close()


@pytest.fixture
def unused_port() -> int:
    """A port that was free a moment ago, for what cannot be asked which one it got."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
