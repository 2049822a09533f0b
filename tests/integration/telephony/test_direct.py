"""A socket taken over from the web server, against an ordinary client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import create_server
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from telephony import direct
from telephony.direct import DirectProtocol, DirectSocket, direct_of
from telephony.embedding import serve_on

Serve = Callable[[DirectSocket], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, **options: Any) -> AsyncIterator[str]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert direct_of(scope) is None  # not accepted yet
        await send({"type": "websocket.accept"})
        socket = direct_of(scope)
        if socket is None:
            await send({"type": "websocket.send", "text": "as ever"})
            await send({"type": "websocket.close"})
        else:
            await serve(socket)

    settings = {"log_config": None, "lifespan": "off", "ws": DirectProtocol, "ws_per_message_deflate": False} | options
    listener = create_server(("127.0.0.1", 0))
    async with await serve_on(listener, uvicorn.Config(app, **settings)) as running:
        yield f"ws://127.0.0.1:{running.port}/"


async def echo(socket: DirectSocket) -> None:
    """The first message by asking for it, the others as they come."""
    first = await socket.receive()
    assert isinstance(first, str)
    socket.send(first)
    await socket.drain()
    await socket.read(lambda message: socket.send(str(message)))


async def closed(client: ClientConnection) -> int:
    try:
        while True:
            await client.recv()
    except ConnectionClosed:
        return client.close_code or 0


async def test_messages_of_all_sizes_pings_and_a_close_by_the_client() -> None:
    async with serving(echo, ws_ping_interval=0.05, ws_ping_timeout=0.05) as url, connect(url) as client:
        for text in ("hi", "x" * 300, "y" * 70_000, "ü" * 40_000):
            await client.send(text)
            assert await client.recv() == text
            await (await client.ping())
        await client.send([*"pieces"])
        assert await client.recv() == "pieces"
        await client.close(1001)
        assert client.close_code == 1001


async def test_a_close_by_the_server_waits_for_the_client() -> None:
    ended = asyncio.Event()

    async def leave(socket: DirectSocket) -> None:
        socket.send("bye")
        await socket.close(1008, "enough")
        await socket.close(1000)
        socket.send("too late")
        assert (socket.close_code, await socket.receive()) == (1008, None)
        ended.set()

    async with serving(leave) as url, connect(url) as client:
        assert await client.recv() == "bye"
        assert (await closed(client), client.close_reason) == (1008, "enough")
        await asyncio.wait_for(ended.wait(), 10)


async def test_a_client_that_does_not_answer_a_close_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "CLOSE_WITHIN", 0.01)
    ended = asyncio.Event()

    async def leave(socket: DirectSocket) -> None:
        await socket.close()
        ended.set()

    async with serving(leave) as url:
        client = await connect(url)
        client.transport.pause_reading()
        await asyncio.wait_for(ended.wait(), 10)
        client.transport.abort()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01x", 1002),  # not masked
        (b"\x81\xff\x00\x00\x00\x00\x10\x00\x00\x00" + bytes(4), 1009),
        (b"\x81\x81" + bytes(4) + b"\xff", 1007),
    ],
)
async def test_what_is_forbidden_ends_the_connection_with_a_code(data: bytes, code: int) -> None:
    async with serving(echo) as url, connect(url) as client:
        client.transport.write(data)
        assert await closed(client) == code


async def test_a_fault_of_the_reader_is_the_readers() -> None:
    caught: list[BaseException] = []

    def refuse(message: str | bytes) -> None:
        raise LookupError(str(message))

    async def read(socket: DirectSocket) -> None:
        try:
            await socket.read(refuse)
        except LookupError as error:
            caught.append(error)
        await socket.close(1011)

    async with serving(read) as url, connect(url) as client:
        await client.send("boom")
        assert await closed(client) == 1011
    assert [str(error) for error in caught] == ["boom"]


async def test_a_line_that_breaks_ends_the_reading() -> None:
    ended = asyncio.Event()

    async def read(socket: DirectSocket) -> None:
        await socket.read(print)
        ended.set()

    async with serving(read) as url:
        client = await connect(url)
        client.transport.abort()
        await asyncio.wait_for(ended.wait(), 10)


async def test_a_socket_with_an_extension_stays_with_the_web_server() -> None:
    async with serving(echo, ws_per_message_deflate=True) as url, connect(url, compression="deflate") as client:
        assert await client.recv() == "as ever"


async def test_nothing_is_offered_by_other_servers() -> None:
    assert direct_of({"type": "websocket"}) is None


class _Gone(asyncio.Transport):
    """As uvloop's once its connection is lost: it takes nothing any more, and says so loudly."""

    def is_closing(self) -> bool:
        return True

    def close(self) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        raise RuntimeError("the handler is closed")


async def test_nothing_is_written_to_a_connection_that_is_gone() -> None:
    socket = DirectSocket(_Gone(), asyncio.Event())
    socket.send("one more word")
    socket.data_received(b"\x89\x80" + bytes(4) + b"\x88\x80" + bytes(4))  # a ping and a close that were still on their way
    socket.connection_lost()
    await socket.close()
    assert await socket.receive() is None


async def test_texts_are_offered_as_bytes_first_and_only_what_is_not_taken_comes_as_text() -> None:
    usual: list[bytes] = []
    others: list[str | bytes] = []

    def take_usual(text: bytes) -> bool:
        if text.startswith(b"usual"):
            usual.append(text)
        return text.startswith(b"usual")

    async def serve(socket: DirectSocket) -> None:
        await socket.read(others.append, take_usual)

    async with serving(serve) as url, connect(url) as client:
        for message in ("usual", "usual" * 40, "x" * 200, "y", b"usual"):
            await client.send(message)
        await client.send(["usual", "ly"])
        await (await client.ping())
    assert usual == [b"usual", b"usual" * 40, b"usually"]
    assert others == ["x" * 200, "y", b"usual"]
