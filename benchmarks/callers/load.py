"""Hundreds of callers on one core: what density needs, with as little work a frame as can be.

    echo '{"calls": 20, "hold": 8}' | python -m benchmarks.callers.load --target ws://127.0.0.1:9000/ --speech speech/

Their figures come from the wire: a carrier's buffer is modelled by the instant at which it runs dry, and nothing is
recorded. Everything that matters to an engine is real: a frame every 20 ms, marks when their audio has been played, answers
waited for. Orders come on standard input, a JSON line each, so that engines can take turns; a line answers each (`Step`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import math
import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, cast
from urllib.parse import urlsplit

import msgspec
import structlog
import uvloop

from benchmarks.callers.fleet import ACCOUNT, scenarios
from benchmarks.callers.speech import AGENT_VOICE, IN_BETWEEN, Speech, texts_of
from benchmarks.callers.step import FRAME_SECONDS, Sound, Step, Turn
from benchmarks.engines.probe import pin
from telephony.audio import FRAME, SAMPLE_RATE, SILENT_FRAME, silence
from telephony.simulator.wheel import Wheel
from telephony.twilio.codec import CarrierWriter

LATE: Final = 0.02  # seconds after the buffer ran dry from which on a frame is late
SAME_REPLY: Final = 2.0  # seconds without audio that still lie within one reply
PATIENCE: Final = 0.7  # seconds of silence after which the most impatient caller takes their turn ...
DAWDLE: Final = 0.6  # ... and by how many more the most patient waits: callers who began together are not to stay in step
_GOLDEN: Final = 0.6180339887  # spreads any number of callers evenly
LONGEST_WAIT: Final = 6.0  # seconds without an answer after which a caller goes on all the same
_FIRST: Final = 53  # milliseconds: a carrier's clock does not begin with the first frame
_TELLING: Final = FRAME  # bytes: fewer may be the silence before any word
RAMP: Final = 0.02  # seconds between two new calls
SETTLE: Final = 3.0


@dataclass(slots=True)
class Tally:
    """What a step measured."""

    turns: list[Turn] = field(default_factory=list)
    unanswered: int = 0
    frames: int = 0
    late: int = 0
    dropped: int = 0  # calls that the engine ended or refused


class Frames:
    """WebSocket messages out of a stream of bytes; server frames are never masked. Pure."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(opcode, payload) of every whole frame."""
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        while end - at >= 2:
            length, head = data[at + 1] & 0x7F, 2
            if length >= 126:
                head = 4 if length == 126 else 10
                if end - at < head:
                    break
                length = int.from_bytes(data[at + 2 : at + head], "big")
            if end - at < head + length:
                break
            yield data[at] & 0x0F, data[at + head : at + head + length]
            at += head + length
        self._rest = data[at:]


def masked(text: str) -> bytes:
    """A text frame of a client's. Masked with zeros (RFC 6455, 5.3 wants a mask; it does not say which)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, 0x80 | size)) + b"\0\0\0\0" + payload
    if size < 65536:
        return b"\x81\xfe" + size.to_bytes(2, "big") + b"\0\0\0\0" + payload
    return b"\x81\xff" + size.to_bytes(8, "big") + b"\0\0\0\0" + payload


class _Named(msgspec.Struct):
    name: str


class _MarkMessage(msgspec.Struct):
    mark: _Named


_MARK: Final = msgspec.json.Decoder(_MarkMessage)


class LoadCall(asyncio.Protocol):
    """One call: speaks its lines, waits for answers, keeps the playout buffer's books. `bridges`: the audio of the words in
    between, as the agent's voice says them."""

    def __init__(
        self, number: int, script: str, lines: Sequence[bytes], tally: Tally, bridges: Sequence[bytes] = ()
    ) -> None:
        self.tally = tally
        self.is_over = False
        self._number, self._script, self._lines, self._bridges = number, script, lines, bridges
        self._sid = f"CA{number:032x}"
        self._writer = CarrierWriter(ACCOUNT, self._sid, "MZ" + self._sid[2:])
        self._transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._handshake: bytes | None = b""
        self._timestamp = _FIRST
        self._next_line = 0
        self._patience = PATIENCE + DAWDLE * (number * _GOLDEN % 1.0)
        self._saying: deque[bytes] = deque()
        self._ended_at = 0.0  # when our last line ended; 0: it was answered
        self._dry_at = 0.0
        self._has_answered = False
        self._marks: deque[tuple[float, str]] = deque()
        self._clock = time.monotonic  # the engine's clock too: what is sent here is late there by the difference
        self._began = 0.0
        self._sent: list[float] = []  # when each frame left, from the last of our line on, until it was answered
        self._spoken = 0  # samples of ours by the end of that line

    # --- the socket ---------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = writable = cast(asyncio.Transport, transport)  # uvloop's is one by shape alone
        key = base64.b64encode(os.urandom(16)).decode()
        writable.write(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_over:
            self.tally.dropped += 1
            self.is_over = True

    def data_received(self, data: bytes) -> None:
        if self._handshake is not None:
            self._handshake += data
            head, found, data = self._handshake.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self._close()
                return
            self._handshake = None
            self._open()
        for opcode, payload in self._frames.feed(data):
            if opcode == 1:
                self._obey(payload)
            elif opcode == 8:
                self._close()

    def _open(self) -> None:
        self._began = self._clock()
        self._send(self._writer.connected())
        self._send(self._writer.start({"script": self._script}))

    def _send(self, text: str) -> None:
        assert self._transport is not None
        self._transport.write(masked(text))

    def hang_up(self) -> None:
        """End the call as a carrier does."""
        if self.is_over:
            return
        self.is_over = True
        if self._handshake is None:
            self._send(self._writer.stop())
        self._close()

    def _close(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.tally.dropped += 1
        if self._transport is not None:
            self._transport.close()

    # --- what the engine says -----------------------------------------------------------------------------------------

    def _obey(self, message: bytes) -> None:
        at = message.find(b'"payload"')
        if at >= 0:
            begins = message.index(b'"', at + 9) + 1
            ends = message.index(b'"', begins)
            if self._ended_at:
                self._answered(base64.b64decode(message[begins:ends]))
            self._play((ends - begins) * 3 // 4 / SAMPLE_RATE)
        elif b'"clear"' in message[:64]:
            self._dry_at = min(self._dry_at, self._clock())
            while self._marks:
                self._send(self._writer.mark(self._marks.popleft()[1]))
        elif b'"mark"' in message:
            self._marks.append((self._dry_at, _MARK.decode(message).mark.name))

    def _answered(self, audio: bytes) -> None:
        """Our line has an answer, and this is its first sound."""
        line, gap = (self._next_line - 1) % len(self._lines), round(self._clock() - self._ended_at, 4)
        is_bridge = len(audio) >= _TELLING and any(each.startswith(audio) for each in self._bridges)
        sound = Sound.BRIDGE if is_bridge else Sound.CONTENT
        self.tally.turns.append(Turn(self._script, line, gap, sound, self._sid, self._spoken, tuple(self._sent)))
        self._ended_at = 0.0

    def _play(self, seconds: float) -> None:
        now, tally = self._clock(), self.tally
        if self._has_answered and LATE < now - self._dry_at < SAME_REPLY:
            tally.late += math.ceil((now - self._dry_at) / LATE)
        tally.frames += max(1, round(seconds / LATE))
        self._has_answered = True
        self._dry_at = max(self._dry_at, now) + seconds

    # --- what the caller says -----------------------------------------------------------------------------------------

    def tick(self, late_ms: float) -> None:
        if self._handshake is not None or self.is_over:
            return
        now = self._clock()
        while self._marks and self._marks[0][0] <= now:
            self._send(self._writer.mark(self._marks.popleft()[1]))
        if not self._saying:
            self._take_turn(now)
        frame = self._saying.popleft() if self._saying else SILENT_FRAME
        self._timestamp += 20
        self._send(self._writer.media(frame, self._timestamp))
        if frame is not SILENT_FRAME and not self._saying:
            self._ended_at, self._has_answered = now + FRAME_SECONDS, False
            self._spoken, self._sent = (self._timestamp - _FIRST) // 20 * FRAME, []
        if self._ended_at:
            self._sent.append(round(now, 4))

    def _take_turn(self, now: float) -> None:
        is_answered = self._has_answered and now - self._dry_at > self._patience
        is_given_up = bool(self._ended_at) and now - self._ended_at > LONGEST_WAIT
        if not (is_answered or is_given_up):
            return
        self.tally.unanswered += is_given_up
        line = self._lines[self._next_line % len(self._lines)]
        self._next_line += 1
        self._ended_at = 0.0
        self._saying.extend(line[start : start + FRAME] for start in range(0, len(line), FRAME))


def lines_of(speech: Speech, number: int, seed: int) -> tuple[str, list[bytes]]:
    """A caller's script name and its lines in whole frames."""
    scenario = scenarios("density", number, 1, seed)[0]
    texts = [act.text for act in scenario.acts if act.text][1:]
    audio = [b"".join(speech.get(part, scenario.voice).audio for part in text) for text in texts]
    return scenario.name, [each + silence(-len(each) % FRAME) for each in audio]


# --- step by step -----------------------------------------------------------------------------------------------------


class Order(msgspec.Struct, frozen=True):
    """So many calls at once, measured for `hold` seconds."""

    calls: int
    hold: float


class Load:
    """Places so many calls at once and says what they measured. Each step begins and ends with nobody on the line."""

    def __init__(self, target: str, scripts: Sequence[tuple[str, list[bytes]]], bridges: Sequence[bytes] = ()) -> None:
        where = urlsplit(target)
        self._host, self._port = where.hostname or "127.0.0.1", where.port or 80
        self._scripts, self._bridges = scripts, bridges
        self._wheel = Wheel()
        self._calls: list[LoadCall] = []
        self._tally = Tally()

    async def step(self, calls: int, hold: float) -> Step:
        """Bring the number of calls up to `calls`, let them settle, measure for `hold` seconds, and have all hang up."""
        self._tally = Tally()
        while len(self._calls) < calls:
            await self._add()
            await asyncio.sleep(RAMP)
        await asyncio.sleep(SETTLE)
        try:
            return await self._measured(hold)
        finally:
            await self._end()

    async def _measured(self, hold: float) -> Step:
        self._tally = tally = Tally()
        for call in self._calls:
            call.tally = tally
        counters = self._wheel.counters
        began, turns, late = time.time(), counters.turns, counters.late_turns
        await asyncio.sleep(hold)
        return Step(
            calls=len(self._calls),
            live=sum(not call.is_over for call in self._calls),
            began=began,
            ended=time.time(),
            turns=tuple(tally.turns),
            unanswered=tally.unanswered,
            frames=tally.frames,
            late=tally.late,
            dropped=tally.dropped,
            our_late_share=round((counters.late_turns - late) / max(1, counters.turns - turns), 4),
        )

    async def _add(self) -> None:
        number = len(self._calls)
        script, lines = self._scripts[number % len(self._scripts)]
        loop = asyncio.get_running_loop()
        call = LoadCall(number, script, lines, self._tally, self._bridges)
        try:
            await loop.create_connection(lambda: call, self._host, self._port)
        except OSError:
            call.is_over = True
            self._tally.dropped += 1
        self._calls.append(call)
        self._wheel.join(call)

    async def _end(self) -> None:
        for call in self._calls:
            self._wheel.leave(call)
            call.hang_up()
        self._calls.clear()
        await asyncio.sleep(0.5)


async def obey(load: Load, orders: IO[bytes], told: IO[bytes]) -> None:
    """A step for each line of `orders`, a line of `told` for each step, until the orders end."""
    while line := await asyncio.to_thread(orders.readline):
        order = msgspec.json.decode(line, type=Order)
        told.write(msgspec.json.encode(await load.step(order.calls, order.hold)) + b"\n")
        told.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="Many callers on one core.")
    parser.add_argument("--target", required=True)
    parser.add_argument("--scripts", type=int, default=16, help="different callers; more calls share them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--core", type=int, default=-1)
    chosen = parser.parse_args()
    pin(chosen.core)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))

    async def run() -> None:
        speech = Speech(chosen.speech)
        await speech.learn(texts_of(scenarios("density", 0, chosen.scripts, chosen.seed)))
        scripts = [lines_of(speech, number, chosen.seed) for number in range(chosen.scripts)]
        bridges = [speech.get(text, AGENT_VOICE).audio for text in IN_BETWEEN]
        await obey(Load(chosen.target, scripts, bridges), sys.stdin.buffer, sys.stdout.buffer)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


if __name__ == "__main__":
    main()
