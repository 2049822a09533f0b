"""A WebSocket server of its own, to measure what a framework costs: frames straight into a media link, no task a message.

Speaks just enough of RFC 6455 for a carrier on a local socket (text frames, close, ping); not a server for strangers.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, cast

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3

Serve = Callable[["BareSocket"], Awaitable[None]]


class BareSocket(asyncio.Protocol):
    """One accepted socket, in the shape a media link wants (`telephony.twilio.stream.TextSocket`)."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._is_open = False
        self._messages: deque[str | bytes | None] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._task: asyncio.Future[None] | None = None

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_open = False
        self._put(None)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        if not self._is_open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._accept(head)
        self._rest = self._frames(data)

    def _accept(self, head: bytes) -> None:
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        key = {name.lower(): value for name, value in fields.items()}.get(b"sec-websocket-key", b"")
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
        assert self._transport is not None
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self._is_open = True
        self._task = asyncio.ensure_future(self._serve(self))

    def _frames(self, data: bytes) -> bytes:
        """Take every whole frame; what is left waits for more."""
        at, end = 0, len(data)
        while end - at >= 2:
            size, head = data[at + 1] & 0x7F, 2
            if size >= 126:
                head = 4 if size == 126 else 10
                if end - at < head:
                    break
                size = int.from_bytes(data[at + 2 : at + head], "big")
            begins = at + head + 4
            if end < begins + size:
                break
            self._take(data[at] & 0x0F, _unmasked(data[begins : begins + size], data[begins - 4 : begins]))
            at = begins + size
        return data[at:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 1:
            self._put(payload.decode())
        elif opcode == 8:
            self._put(None)
        elif opcode == 9:
            self._write(0x8A, payload)

    def _put(self, message: str | bytes | None) -> None:
        self._messages.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _write(self, first: int, payload: bytes) -> None:
        assert self._transport is not None
        size = len(payload)
        if size < 126:
            head = bytes((first, size))
        elif size < 65536:
            head = bytes((first, 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((first, 127)) + size.to_bytes(8, "big")
        self._transport.write(head + payload)

    # --- the link's side ---

    async def receive(self) -> str | bytes | None:
        while not self._messages:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self._messages.popleft()

    def send(self, text: str) -> None:
        if self._is_open:
            self._write(0x81, text.encode())

    async def drain(self) -> None:
        """A local carrier keeps up."""

    async def close(self, code: int) -> None:
        if self._is_open:
            self._is_open = False
            self._write(0x88, code.to_bytes(2, "big"))
        if self._transport is not None:
            self._transport.close()


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if mask == b"\0\0\0\0":
        return payload
    size = len(payload)
    whole = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(whole, "little")).to_bytes(size, "little")


async def serve(port: int, each: Serve) -> None:
    """Listen until cancelled."""
    server = await asyncio.get_running_loop().create_server(lambda: BareSocket(each), "127.0.0.1", port)
    async with server:
        await server.serve_forever()
