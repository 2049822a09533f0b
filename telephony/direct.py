"""A WebSocket whose messages go straight from the network to whoever reads them, and back: no queue, no task a message.

The web server keeps the handshake, routes and middleware (`DirectProtocol` is uvicorn's own protocol). Once the application
has accepted a socket it may take it over with `direct_of`: from then on frames are read and written here. uvicorn stops and
restarts reading from the network for every message, and hands each over through a queue and a dict.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from telephony.errors import ProtocolViolation
from telephony.websocket import (
    BINARY,
    CLOSE,
    NOT_TEXT,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    TOO_BIG,
    FrameReader,
    close_code,
    close_frame,
    frame,
)

EXTENSION: Final = "offhook.direct"  # where the ASGI scope offers a socket to be taken over
LONGEST: Final = 256 * 1024  # bytes of a message from the other side
CLOSE_WITHIN: Final = 2.0  # seconds for the other side to answer a close

Message = str | bytes
Take = Callable[[Message], None]
TakeUsual = Callable[[bytes], bool]


class DirectSocket:
    """An accepted socket, taken over (`telephony.twilio.stream.TextSocket`)."""

    def __init__(self, transport: asyncio.Transport, writable: asyncio.Event) -> None:
        self._transport = transport
        self._writable = writable
        self._reader = FrameReader(LONGEST)
        self._waiting: deque[Message] = deque()  # until somebody reads
        self._take: Take = self._keep
        self._take_usual: TakeUsual = _not_taken
        self._more = asyncio.Event()
        self._gone = asyncio.Event()
        self._fault: Exception | None = None
        self.close_code: int | None = None  # ours, or the other side's

    # --- the network's side ---

    def data_received(self, data: bytes) -> None:
        try:
            text = self._reader.whole(data)
            if text is None:
                for opcode, payload in self._reader.feed(data):
                    self._received(opcode, payload)
            elif self.close_code is None and not self._take_usual(text):
                self._take(text.decode())
        except ProtocolViolation as violation:
            self._fail(TOO_BIG if violation.code == "oversize" else PROTOCOL_ERROR)
        except UnicodeDecodeError:
            self._fail(NOT_TEXT)
        except Exception as fault:  # of whoever reads: it belongs into their task, and not into the event loop
            self._fault = fault
            self._gone.set()

    def connection_lost(self) -> None:
        self._gone.set()
        self._more.set()

    def _received(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._write(frame(PONG, payload))
        elif opcode == CLOSE:
            self._closed(payload)
        elif self.close_code is not None:
            return
        elif opcode == BINARY:
            self._take(payload)
        elif opcode == TEXT and not self._take_usual(payload):
            self._take(payload.decode())

    def _keep(self, message: Message) -> None:
        self._waiting.append(message)
        self._more.set()

    def _closed(self, payload: bytes) -> None:
        """The other side closes, or answers our close. RFC 6455, 7.1.1: it is the server that ends the connection."""
        if self.close_code is None:
            self.close_code = close_code(payload)
            self._write(frame(CLOSE, payload[:2]))
        self._transport.close()

    def _fail(self, code: int) -> None:
        if self.close_code is None:
            self.close_code = code
            self._write(close_frame(code))
        self._transport.close()

    def _write(self, data: bytes) -> None:
        """To a connection that is gone there is nothing to write. uvloop's transports raise where asyncio's keep silent."""
        if not self._transport.is_closing():
            self._transport.write(data)

    # --- the link's side ---

    async def receive(self) -> Message | None:
        """The next message; None once the socket is closed."""
        while not self._waiting:
            if self._gone.is_set() or self.close_code is not None:
                return None
            self._more.clear()
            await self._more.wait()
        return self._waiting.popleft()

    async def read(self, take: Take, take_usual: TakeUsual | None = None) -> None:
        """Hand every further message to `take` as it comes; return when the socket is closed. Raises what `take` raises.

        Texts are offered to `take_usual` first, as their bytes: it says whether it took them.
        """
        while self._waiting:
            take(self._waiting.popleft())
        self._take, self._take_usual = take, take_usual or _not_taken
        try:
            await self._gone.wait()
        finally:
            self._take, self._take_usual = _let_go, _not_taken  # the socket and who reads it hold each other
        if self._fault is not None:
            raise self._fault

    def send(self, *texts: str) -> None:
        if self.close_code is None:
            self._write(b"".join([frame(TEXT, text.encode()) for text in texts]))

    async def drain(self) -> None:
        """Return when most of what was sent has been taken, or the socket is closed."""
        await self._writable.wait()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, and wait a little for the other side to agree. The first code counts."""
        if self.close_code is None:
            self.close_code = code
            self._write(frame(CLOSE, code.to_bytes(2, "big") + reason.encode()))
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._gone.wait()
        except TimeoutError:
            self._transport.abort()


class DirectProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which can step aside."""

    _direct: DirectSocket | None = None

    def data_received(self, data: bytes) -> None:
        if self._direct is not None:
            self._direct.data_received(data)
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._direct is not None:
            self._direct.connection_lost()

    async def run_asgi(self) -> None:
        cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self._step_aside
        try:
            await super().run_asgi()
        finally:
            self.scope["extensions"] = {}  # the protocol and what it offers hold each other

    def _step_aside(self) -> DirectSocket | None:
        """None where the other side was not accepted, already spoke or has an extension: then nothing changes."""
        has_spoken = self.queue.qsize() > 0 or self.read_paused
        if not self.handshake_complete or self.disconnected or has_spoken or self.conn.extensions:
            return None
        self.stop_keepalive()
        self._direct = DirectSocket(self.transport, self.writable)
        self._direct.data_received(bytes(self.conn.reader.buffer))
        return self._direct


def _let_go(_: Message) -> None:
    """Nobody reads any more."""


def _not_taken(_: bytes) -> bool:
    """Nobody knows what is usual here."""
    return False


def direct_of(scope: Mapping[str, Any]) -> DirectSocket | None:
    """Take over an accepted socket, where the server offers it. Afterwards the framework's own must not be used any more."""
    offered = scope.get("extensions", {}).get(EXTENSION)
    return offered() if offered is not None else None
