"""HTTP/1.1 with keep-alive, server-sent events and WebSockets on one port, and the faults that strike them.

The stand-ins need what a framework hides: how many TCP connections a client opened, when exactly it went away in the middle
of an answer, and the power to cut, stall or garble an answer after a number of bytes. Not a server for anything else.
"""

from __future__ import annotations

import asyncio
import json
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from benchmarks.vendors.faults import Fault, Kind

_MAX_BODY: Final = 16 * 1024 * 1024
GARBAGE: Final = '{"type": "half a mess'  # what a malformed message looks like: JSON that never ends


class ClientGone(Exception):
    """The client closed or cancelled; whatever was still to be sent is wasted."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    head: bytes  # as received, for the WebSocket handshake

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def json(self) -> dict[str, object]:
        """The body as a JSON object. Raises `ValueError`."""
        value = json.loads(self.body or b"{}")
        if not isinstance(value, dict):
            raise ValueError("the body is not an object")
        return value

    @property
    def wants_socket(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"


class Connection(asyncio.Protocol):
    """One TCP connection of a client."""

    def __init__(self, number: int, opened: asyncio.Queue[Connection]) -> None:
        self.number = number
        self.fault: Fault | None = None
        self.gone = asyncio.Event()
        self._opened = opened
        self._reader = asyncio.StreamReader(limit=_MAX_BODY)
        self._transport: asyncio.Transport | None = None
        self._sent = 0
        self.strike_live: Callable[[], Fault | None] = lambda: None

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._opened.put_nowait(self)

    def data_received(self, data: bytes) -> None:
        self._reader.feed_data(data)

    def eof_received(self) -> bool:
        self._reader.feed_eof()
        self.gone.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.is_set():
            self._reader.feed_eof()
        self.gone.set()

    # --- reading ---

    async def read_request(self) -> Request | None:
        """The next request on this connection, or None when the client has closed it."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return None
        method, target, headers = _parse_head(head)
        parts = urllib.parse.urlsplit(target)
        body = b""
        if length := int(headers.get("content-length", "0")):
            body = await self._reader.readexactly(min(length, _MAX_BODY))
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = await self._read_chunks()
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
        return Request(method, parts.path, query, headers, body, head)

    async def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := int((await self._reader.readline()).split(b";")[0], 16):
            body += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return bytes(body)

    async def read_some(self) -> bytes:
        return await self._reader.read(65536)

    # --- writing ---

    def begin_answer(self, fault: Fault | None) -> None:
        """From here on bytes are counted against this fault."""
        self.fault = fault
        self._sent = 0

    def raw(self, data: bytes) -> None:
        """Send bytes that no fault touches (heads, handshakes, control)."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def send(self, data: bytes, *, whole: bytes | None = None) -> None:
        """Send bytes of an answer's body, unless a fault strikes first.

        `whole` frames `data` for the wire (a chunk, a WebSocket frame); a cut falls between frames.
        """
        if self.gone.is_set():
            raise ClientGone
        if self.fault is None and (fault := self.strike_live()) is not None:
            self.begin_answer(fault)
        if self.fault is not None and self._sent + len(data) > self.fault.after:
            await self._strike(self.fault.kind)
        self._sent += len(data)
        self.raw(data if whole is None else whole)

    def garble(self, text: str) -> str:
        """The text as it is, or garbage once, when a `MALFORMED` fault is due."""
        fault = self.fault
        if fault is None or fault.kind is not Kind.MALFORMED or self._sent + len(text) <= fault.after:
            return text
        self.fault = None
        return GARBAGE

    def is_error_due(self) -> bool:
        """Whether the vendor's own error event must come now."""
        return self.fault is not None and self.fault.kind is Kind.ERROR_EVENT and self._sent >= self.fault.after

    async def _strike(self, kind: Kind) -> None:
        if kind is Kind.DROP:
            self.abort()
            raise ClientGone
        if kind is Kind.STALL:
            await self.gone.wait()
            raise ClientGone

    async def pause(self, seconds: float) -> None:
        """Let time pass. Raises `ClientGone` at once when the client leaves meanwhile."""
        if seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self.gone.wait()
            except TimeoutError:
                return
        if self.gone.is_set():
            raise ClientGone

    def abort(self) -> None:
        """Cut the connection without a farewell (RST)."""
        self.gone.set()
        self._reader.feed_eof()
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # --- HTTP answers ---

    async def respond(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        """A whole JSON answer."""
        data = json.dumps(body).encode()
        fields = {"content-type": "application/json", **(headers or {}), "content-length": str(len(data))}
        self.raw(_head(status, fields))
        await self.send(data)

    def open_stream(self, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        """Begin a chunked answer; `chunk` and `end_stream` follow."""
        self.raw(_head(200, {"content-type": content_type, **(headers or {}), "transfer-encoding": "chunked"}))

    async def chunk(self, data: bytes) -> None:
        await self.send(data, whole=b"%x\r\n%b\r\n" % (len(data), data))

    def end_stream(self) -> None:
        self.raw(b"0\r\n\r\n")


class Socket:
    """The server's side of one WebSocket."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._protocol = ServerProtocol()
        self._frames: list[Frame] = []
        self._parts: list[bytes] = []
        self._is_text = False

    def accept(self, request: Request, headers: Mapping[str, str] | None = None) -> None:
        """Answer the handshake: 101."""
        self._protocol.receive_data(request.head)
        (handshake,) = self._protocol.events_received()
        assert isinstance(handshake, Handshake)
        response = self._protocol.accept(handshake)
        for name, value in (headers or {}).items():
            response.headers[name] = value
        self._protocol.send_response(response)
        self._flush()

    async def recv(self) -> str | bytes | None:
        """The next message, or None when the client has closed or is gone."""
        while True:
            while self._frames:
                message = self._assemble(self._frames.pop(0))
                if message is not None:
                    return message
            if self._protocol.close_code is not None and self._protocol.close_rcvd is not None:
                return None
            data = await self.connection.read_some()
            if not data:
                return None
            self._protocol.receive_data(data)
            self._flush()
            self._frames += [event for event in self._protocol.events_received() if isinstance(event, Frame)]

    async def send(self, message: str | bytes) -> None:
        """Send a message. Raises `ClientGone`."""
        if self.connection.gone.is_set() or self._protocol.close_sent is not None:
            raise ClientGone
        if isinstance(message, str):
            message = self.connection.garble(message)
            self._protocol.send_text(message.encode())
            size = len(message)
        else:
            self._protocol.send_binary(message)
            size = len(message)
        await self.connection.send(b"\0" * size, whole=b"".join(self._protocol.data_to_send()))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close politely and wait for the client to do the same."""
        if self._protocol.close_sent is None and not self.connection.gone.is_set():
            self._protocol.send_close(code, reason)
            self._flush()
        try:
            async with asyncio.timeout(2.0):
                while await self.recv() is not None:
                    pass
        except TimeoutError:
            pass
        self.connection.close()

    def _assemble(self, frame: Frame) -> str | bytes | None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        data = b"".join(self._parts)
        self._parts.clear()
        return data.decode() if self._is_text else data

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self.connection.raw(data)
            else:
                self.connection.close()


def event(name: str, body: object) -> bytes:
    """One server-sent event with a name, as Anthropic sends them."""
    return f"event: {name}\ndata: {body if isinstance(body, str) else json.dumps(body)}\n\n".encode()


def nameless(body: object) -> bytes:
    """One server-sent event without a name, as OpenAI-compatible servers send them."""
    return f"data: {body if isinstance(body, str) else json.dumps(body)}\n\n".encode()


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    fields = (line.split(":", 1) for line in lines if ":" in line)
    return method, target, {name.strip().lower(): value.strip() for name, value in fields}


def _head(status: int, fields: Mapping[str, str]) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status} Stand-in", *_lines(fields.items()), "", "")).encode()


def _lines(fields: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}: {value}" for name, value in fields]
