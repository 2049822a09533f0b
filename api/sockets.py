"""A WebSocket of the web framework in the shape a media link wants (`telephony.twilio.stream.TextSocket`)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from telephony.twilio.stream import TextSocket

POLICY: Final = 1008
INTERNAL: Final = 1011
_LAST_WORDS_WITHIN: Final = 2.0  # seconds for what is queued to leave before a close
_KEEPS_UP: Final = 4  # messages that may wait while `drain` still calls it drained
_GONE: Final = (RuntimeError, WebSocketDisconnect, OSError)  # how the framework says that the other side is no more


class StarletteTextSocket:
    """Sends in the background and in order; the socket must have been accepted."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._queue: deque[str] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._kept_up = asyncio.Event()
        self.close_code: int | None = None  # ours, or the other side's

    async def receive(self) -> str | bytes | None:
        """The next message; None once the socket is closed, by whomever."""
        if not self._is_open:
            return None
        try:
            message = await self._socket.receive()
        except _GONE:
            return None
        if message["type"] == "websocket.disconnect":
            self.close_code = self.close_code or int(message.get("code") or 1005)
            self._queue.clear()
            self._kept_up.set()
            return None
        text = message.get("text")
        return text if isinstance(text, str) else bytes(message.get("bytes") or b"")

    async def read(self, take: Callable[[str | bytes], None], take_usual: Callable[[bytes], bool] | None = None) -> None:
        """Hand every further message to `take` as it comes; return once the socket is closed. Nothing is offered to
        `take_usual`: the framework has the text, and not its bytes."""
        while (message := await self.receive()) is not None:
            take(message)

    def send(self, *texts: str) -> None:
        """Queue messages. Never blocks; on a closed socket it does nothing."""
        if not self._is_open:
            return
        self._queue.extend(texts)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def drain(self) -> None:
        """Return when nearly all that was queued has been taken, or the socket is closed."""
        while len(self._queue) > _KEEPS_UP and self._is_open:
            self._kept_up.clear()
            await self._kept_up.wait()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, after what is queued has been sent if the other side takes it soon. The first code counts."""
        if not self._is_open:
            return
        self.close_code = code
        await self._finish_writing()
        try:
            await self._socket.close(code, reason)
        except _GONE:
            pass  # the other side was first

    @property
    def _is_open(self) -> bool:
        both = (self._socket.client_state, self._socket.application_state)
        return self.close_code is None and WebSocketState.DISCONNECTED not in both

    async def _write(self) -> None:
        try:
            while self._queue:
                await self._socket.send_text(self._queue.popleft())
                if len(self._queue) <= _KEEPS_UP:
                    self._kept_up.set()
        except _GONE:
            self._queue.clear()
            self._kept_up.set()

    async def _finish_writing(self) -> None:
        self._kept_up.set()
        if self._writing is None or self._writing.done():
            return
        _, unfinished = await asyncio.wait((self._writing,), timeout=_LAST_WORDS_WITHIN)
        if unfinished:
            self._queue.clear()
            self._writing.cancel()


def _fits(socket: StarletteTextSocket) -> TextSocket:
    """The type checker's proof that this is a media link's socket."""
    return socket
