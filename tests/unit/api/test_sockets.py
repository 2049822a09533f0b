"""The socket between the web framework and a media link, without a network: what the framework sends and is sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.websockets import WebSocket

from api.sockets import StarletteTextSocket


class Line:
    """The other side of an ASGI WebSocket. `stuck` takes nothing more; `gone` breaks on the next message."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.is_gone = False

    async def receive(self) -> dict[str, Any]:
        return await self.coming.get()

    async def send(self, message: Any) -> None:
        await self.free.wait()
        if self.is_gone:
            raise OSError("broken pipe")
        self.sent.append(dict(message))

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message["type"] == "websocket.send"]

    @property
    def codes(self) -> list[int]:
        return [message["code"] for message in self.sent if message["type"] == "websocket.close"]


@pytest.fixture
async def line() -> Line:
    return Line()


@pytest.fixture
async def socket(line: Line) -> StarletteTextSocket:
    framework = WebSocket({"type": "websocket", "headers": []}, line.receive, line.send)
    line.coming.put_nowait({"type": "websocket.connect"})
    await framework.accept()
    line.sent.clear()
    return StarletteTextSocket(framework)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_messages_leave_in_order_without_waiting(line: Line, socket: StarletteTextSocket) -> None:
    for number in range(20):
        socket.send(str(number))
    assert line.texts == []
    await socket.drain()
    await settled()
    assert line.texts == [str(number) for number in range(20)]


async def test_text_and_bytes_come_as_they_are(line: Line, socket: StarletteTextSocket) -> None:
    for message in ({"text": "a"}, {"bytes": b"b"}, {"text": None, "bytes": b"c"}, {}):
        line.coming.put_nowait({"type": "websocket.receive", **message})
    assert [await socket.receive() for _ in range(4)] == ["a", b"b", b"c", b""]


@pytest.mark.parametrize(("said", "kept"), [({"code": 1001}, 1001), ({"code": None}, 1005), ({}, 1005)])
async def test_when_the_other_side_leaves_nothing_more_comes_or_goes(
    line: Line, socket: StarletteTextSocket, said: dict[str, Any], kept: int
) -> None:
    line.free.clear()
    socket.send("on its way")
    socket.send("never sent")
    await settled()
    line.coming.put_nowait({"type": "websocket.disconnect", **said})
    assert await socket.receive() is None
    assert await socket.receive() is None
    assert socket.close_code == kept
    line.free.set()
    socket.send("ignored")
    await socket.drain()
    await socket.close(1000)
    await settled()
    assert "never sent" not in line.texts
    assert "ignored" not in line.texts
    assert line.codes == []


async def test_closing_lets_the_last_words_out_and_only_the_first_code_counts(
    line: Line, socket: StarletteTextSocket
) -> None:
    socket.send("goodbye")
    await socket.close(1002, "reason")
    await socket.close(1000)
    assert line.texts == ["goodbye"]
    assert line.codes == [1002]
    assert socket.close_code == 1002
    assert await socket.receive() is None


async def test_a_line_that_takes_nothing_does_not_keep_a_close_waiting(
    line: Line, socket: StarletteTextSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.sockets._LAST_WORDS_WITHIN", 0.0)
    line.free.clear()
    for number in range(10):
        socket.send(str(number))
    closing = asyncio.create_task(socket.close(1000))
    await settled()
    line.free.set()
    await closing
    assert line.codes == [1000]
    assert len(line.texts) < 10


async def test_drain_waits_until_the_line_keeps_up(line: Line, socket: StarletteTextSocket) -> None:
    line.free.clear()
    for number in range(10):
        socket.send(str(number))
    draining = asyncio.create_task(socket.drain())
    await settled()
    assert not draining.done()
    line.free.set()
    await draining


async def test_a_line_that_breaks_is_no_error(line: Line, socket: StarletteTextSocket) -> None:
    line.is_gone = True
    for number in range(10):
        socket.send(str(number))
    await socket.drain()
    await settled()
    await socket.close(1000)
    assert line.texts == []


async def test_a_close_the_other_side_did_not_wait_for_is_no_error(line: Line, socket: StarletteTextSocket) -> None:
    line.is_gone = True
    await socket.close(1000)
    assert line.codes == []


async def test_a_receive_after_the_framework_gave_up_is_the_end(line: Line, socket: StarletteTextSocket) -> None:
    line.coming.put_nowait({"type": "nonsense"})
    assert await socket.receive() is None
