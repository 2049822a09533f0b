"""A WebSocket of the bare ASGI interface in the shape a media link wants (`telephony.twilio.stream.TextSocket`)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class AsgiSocket:
    """Sends in the background and in order."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._queue: deque[str] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._is_open = True

    async def receive(self) -> str | bytes | None:
        if not self._is_open:
            return None
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._is_open = False
            return None
        text = message.get("text")
        return text if isinstance(text, str) else bytes(message.get("bytes") or b"")

    def send(self, text: str) -> None:
        if not self._is_open:
            return
        self._queue.append(text)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def drain(self) -> None:
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def close(self, code: int) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=2.0)
        with suppress(OSError, RuntimeError):  # the other side was first
            await self._send({"type": "websocket.close", "code": code})

    async def _write(self) -> None:
        with suppress(OSError, RuntimeError):
            while self._queue:
                await self._send({"type": "websocket.send", "text": self._queue.popleft()})
