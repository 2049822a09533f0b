"""A media stream from the network's side: connect to the engine as Twilio does, carry both directions until it ends.

One reading task a stream; frames are written by the wheel straight into the transport, without a task or an await.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from telephony.errors import ProtocolViolation
from telephony.simulator.faults import Faults
from telephony.simulator.instructions import ConnectStream
from telephony.simulator.ledger import CallLedger
from telephony.simulator.line import Line, Nothing, Stream
from telephony.twilio import signature
from telephony.twilio.codec import LONGEST_FROM_ENGINE, CarrierWriter, ClearBuffer, PlayMark, PlayMedia, read_engine

log = structlog.get_logger()

USER_AGENT: Final = "Twilio.TmeWs/1.0"
OPEN_TIMEOUT: Final = 10.0
CLOSE_TIMEOUT: Final = 1.0
_GARBAGE: Final = ("this is not JSON", '{"event":"media"}', '{"event":"media","streamSid":7,"media":"?"}')


class StreamFailed(Exception):
    """The stream could not be opened. `code` is Twilio's error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


async def run_stream(
    verb: ConnectStream, stream_sid: str, ledger: CallLedger, line: Line, token: str, faults: Faults
) -> None:
    """Open the stream and carry it until the engine closes it; when cancelled (redirect, hang-up) say `stop` and close.

    Raises `StreamFailed` if it cannot be opened.
    """
    socket = await _open(verb.url, token)
    writer = CarrierWriter(ledger.account_sid, ledger.sid, stream_sid)
    stream = Stream(writer, lambda text: broadcast((socket,), text), line.truth)
    stream.position = opened = line.position
    broadcast((socket,), writer.connected())
    broadcast((socket,), writer.start(dict(verb.parameters)))
    line.far = stream
    troubles = _start_troubles(socket, faults, before=len(line.truth.streams))
    try:
        await _read(socket, stream, stream_sid, ledger)
    except asyncio.CancelledError:
        broadcast((socket,), writer.stop())
        raise
    finally:
        line.far = Nothing()
        line.truth.streams.append((stream_sid, opened, line.position))
        for trouble in troubles:
            trouble.cancel()
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            await socket.close()


async def _open(url: str, token: str) -> ClientConnection:
    try:
        return await connect(
            url,
            additional_headers={signature.HEADER: signature.sign_as_twilio(url, (), token)},
            user_agent_header=USER_AGENT,
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_TIMEOUT,
            close_timeout=CLOSE_TIMEOUT,
            max_size=LONGEST_FROM_ENGINE,
            proxy=None,
        )
    except InvalidURI as error:
        raise StreamFailed(31923, "malformed URL") from error
    except (InvalidHandshake, OSError, TimeoutError) as error:
        raise StreamFailed(31920, f"handshake failed: {type(error).__name__}") from error


async def _read(socket: ClientConnection, stream: Stream, stream_sid: str, ledger: CallLedger) -> None:
    try:
        async for raw in socket:
            _obey(raw, stream, stream_sid, ledger)
    except ConnectionClosed as closed:
        ledger.note(f"31921: stream closed with {closed.rcvd.code if closed.rcvd else 'no close frame'}")


def _obey(raw: str | bytes, stream: Stream, stream_sid: str, ledger: CallLedger) -> None:
    """Do what a message of the engine says. A wrong one is ignored and noted once (31950 binary, 31951 everything else)."""
    try:
        message = read_engine(raw)
    except ProtocolViolation as violation:
        ledger.note("31950: binary message" if violation.code == "binary" else "31951: invalid message")
        return
    if message.stream_sid != stream_sid:
        ledger.note("31951: invalid message")
        return
    match message:
        case PlayMedia():
            if stream.append(message.media.payload):
                ledger.note("31931: more than ten minutes of audio buffered")
        case PlayMark():
            stream.mark(message.mark.name)
        case ClearBuffer():
            stream.clear()


def _start_troubles(socket: ClientConnection, faults: Faults, before: int) -> list[asyncio.TimerHandle]:
    loop = asyncio.get_running_loop()
    troubles = []
    if faults.drop_media_after and before < faults.drop_media_times:
        troubles.append(loop.call_later(faults.drop_media_after, socket.transport.abort))
    if faults.garbage_media_after:
        troubles.append(loop.call_later(faults.garbage_media_after, _send_garbage, socket))
    return troubles


def _send_garbage(socket: ClientConnection) -> None:
    for text in _GARBAGE:
        broadcast((socket,), text)
