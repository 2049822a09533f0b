"""livekit-agents' audio ports on a media stream's socket, in the place of a room."""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import audioop
import base64
import json
import time

from fastapi import WebSocket, WebSocketDisconnect
from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice import io

from benchmarks.engines.scripted import RATE

AHEAD = 0.2  # seconds: the queue of livekit's own room output
CHUNK = 320  # samples sent at a time: 40 ms


class SocketInput(io.AudioInput):
    def __init__(self) -> None:
        super().__init__(label="socket")
        self.frames = utils.aio.Chan[rtc.AudioFrame]()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self.frames.__anext__()


class SocketOutput(io.AudioOutput):
    """Sends a little ahead of real time, as livekit's room output does; playback is followed by the clock."""

    def __init__(self, websocket: WebSocket, stream_sid: str) -> None:
        super().__init__(label="socket", sample_rate=RATE, capabilities=io.AudioOutputCapabilities(pause=True))
        self._websocket, self._sid = websocket, stream_sid
        self._buffer = bytearray()
        self._pushed = self._sent = 0.0  # seconds of the present segment
        self._dry_at = 0.0
        self._more = asyncio.Event()
        self._enabled = asyncio.Event()
        self._enabled.set()
        self._ending = self._clearing = None
        self._is_started = False
        self.task = asyncio.create_task(self._forward())

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self._buffer += audioop.lin2ulaw(bytes(frame.data), 2)
        self._pushed += frame.duration
        self._more.set()

    def flush(self) -> None:
        super().flush()
        if self._pushed:
            self._ending = asyncio.create_task(self._finish())

    def clear_buffer(self) -> None:
        if not self._pushed:
            return
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        loop = asyncio.get_running_loop()
        played = max(0.0, self._sent - max(0.0, self._dry_at - loop.time()))
        self._buffer.clear()
        self._dry_at = 0.0
        self._clearing = asyncio.create_task(self._send({"event": "clear", "streamSid": self._sid}))
        self._end(played, interrupted=True)

    def pause(self) -> None:
        super().pause()
        self._enabled.clear()

    def resume(self) -> None:
        super().resume()
        self._enabled.set()

    async def _finish(self) -> None:
        loop = asyncio.get_running_loop()
        while self._buffer or self._dry_at > loop.time():  # noqa: ASYNC110
            await asyncio.sleep(max(0.02, self._dry_at - loop.time()))
        self._end(self._pushed, interrupted=False)

    def _end(self, position: float, *, interrupted: bool) -> None:
        self._pushed = self._sent = 0.0
        self._is_started = False
        self._ending = None
        self.on_playback_finished(playback_position=position, interrupted=interrupted)

    async def _forward(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._buffer:
                self._more.clear()
                await self._more.wait()
            await self._enabled.wait()
            ahead = self._dry_at - loop.time()
            if ahead >= AHEAD:
                await asyncio.sleep(ahead - AHEAD + CHUNK / RATE / 2)
                continue
            chunk = bytes(self._buffer[:CHUNK])
            if not chunk:
                continue
            del self._buffer[: len(chunk)]
            if not self._is_started:
                self._is_started = True
                self.on_playback_started(created_at=time.time())
            self._sent += len(chunk) / RATE
            self._dry_at = max(self._dry_at, loop.time()) + len(chunk) / RATE
            payload = base64.b64encode(chunk).decode()
            await self._send({"event": "media", "streamSid": self._sid, "media": {"payload": payload}})

    async def _send(self, message) -> None:
        try:
            await self._websocket.send_text(json.dumps(message))
        except (RuntimeError, WebSocketDisconnect):
            pass


async def carry(websocket: WebSocket, source: SocketInput) -> None:
    """The caller's audio into the session, until the carrier says stop."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        event = json.loads(message["text"])
        if event["event"] == "stop":
            return
        if event["event"] == "media":
            pcm = audioop.ulaw2lin(base64.b64decode(event["media"]["payload"]), 2)
            source.frames.send_nowait(rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2))
