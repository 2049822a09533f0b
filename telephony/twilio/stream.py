"""One Twilio media stream as a media link: reads a text socket, hands out leg events, writes audio, marks and clears.

The socket is anything with five verbs (`TextSocket`), so that every web server and test can supply one. A message goes from
there to whoever listens in one call, without a queue or a task. Nothing here decides about the conversation. A peer that
breaks the protocol ends its own link and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from telephony.audio import FRAME
from telephony.errors import ProtocolViolation
from telephony.leg import AudioReceived, LegEvent, LegStopped, LinkStart
from telephony.twilio.codec import Connected, EngineWriter, Started, Unrecognised, read_carrier
from telephony.twilio.inbox import LinkCounters, StreamInbox

log = structlog.get_logger()

STRANGE_MESSAGES_BEFORE_START: Final = 8
DRAIN_AFTER: Final = 256 * 1024  # characters written before we ask the socket whether it keeps up
LARGEST_OUTBOX: Final = 8 * 1024 * 1024  # characters waiting for a socket that takes nothing: ten minutes of audio
LARGEST_MESSAGE: Final = 50 * FRAME  # audio bytes a message: a second, so that a clear can overtake the rest
LARGEST_HEAD_START: Final = 3000  # messages: a minute of audio that the carrier held back and sends at once
MOST_PER_SECOND: Final = 100  # messages: fifty are audio; more than that for long is no call
LONGEST_CLOSE: Final = 5.0  # seconds for the closing handshake
STALLED_AFTER: Final = 30.0  # seconds without any message: Twilio sends a frame every 20 ms for as long as the call lasts

# RFC 6455, 7.4.1
_NORMAL: Final = 1000
_PROTOCOL_ERROR: Final = 1002
_UNSUPPORTED_DATA: Final = 1003
_TOO_BIG: Final = 1009
_CLOSE_CODES: Final = {"binary": _UNSUPPORTED_DATA, "oversize": _TOO_BIG}


class TextSocket(Protocol):
    """An accepted WebSocket."""

    async def receive(self) -> str | bytes | None:
        """The next message: text as str, binary as bytes; None when the socket is closed or broken. Does not raise."""

    async def read(self, take: Callable[[str | bytes], None], take_usual: Callable[[bytes], bool] | None = None) -> None:
        """Hand every further message to `take` as it comes; return when the socket is closed or broken. Does not raise.

        A socket that has the bytes of a text may offer them to `take_usual` first, which says whether it took them.
        """

    def send(self, *texts: str) -> None:
        """Queue text messages. Never blocks; on a closed socket it does nothing."""

    async def drain(self) -> None:
        """Return when what was queued has (mostly) been taken by the network, or the socket is closed."""

    async def close(self, code: int) -> None: ...


async def accept(socket: TextSocket, timeout: float = 10.0, stalled_after: float = STALLED_AFTER) -> TwilioMediaLink:
    """Wait for Twilio's `connected` and `start`, at most `timeout` seconds, and open the link.

    Raises `ProtocolViolation` after closing the socket: `never_started`, `closed_early`, `unexpected`, `unsupported_media`,
    or what the codec found. Nothing is known of the call then, so nothing of it is lost.
    """
    try:
        async with asyncio.timeout(timeout):
            started = await _await_start(socket)
        return TwilioMediaLink(socket, started, stalled_after)
    except TimeoutError:
        await socket.close(_PROTOCOL_ERROR)
        raise ProtocolViolation("never_started", f"no start within {timeout:g} s") from None
    except ProtocolViolation as violation:
        await socket.close(_CLOSE_CODES.get(violation.code, _PROTOCOL_ERROR))
        raise


async def _await_start(socket: TextSocket) -> Started:
    for _ in range(STRANGE_MESSAGES_BEFORE_START):
        raw = await socket.receive()
        if raw is None:
            raise ProtocolViolation("closed_early", "the socket closed before the stream started")
        match read_carrier(raw):
            case Connected() | Unrecognised():
                continue
            case Started() as started:
                _check_start(started)
                return started
            case other:
                raise ProtocolViolation("unexpected", f"{type(other).__name__.lower()} before start")
    raise ProtocolViolation("never_started", "too many messages, none of them a start")


def _check_start(started: Started) -> None:
    if not started.stream_sid or not started.start.call_sid:
        raise ProtocolViolation("malformed", "start without stream or call sid")
    media = started.start.media_format
    if (media.encoding, str(media.sample_rate), str(media.channels)) != ("audio/x-mulaw", "8000", "1"):
        raise ProtocolViolation(
            "unsupported_media", f"{media.encoding}, {media.sample_rate} Hz, {media.channels} channel(s)"
        )


class TwilioMediaLink:
    """An open media stream. `counters` are live; `violation` says what broke the link, if the peer did."""

    def __init__(self, socket: TextSocket, started: Started, stalled_after: float = STALLED_AFTER) -> None:
        self.start = LinkStart(started.stream_sid, started.start.call_sid, dict(started.start.custom_parameters))
        self.account_sid = started.start.account_sid
        self.counters = LinkCounters()
        self.violation: ProtocolViolation | None = None
        self._socket = socket
        self._writer = EngineWriter(started.stream_sid)
        self._inbox = StreamInbox(started.stream_sid, self.counters)
        self._tell: Callable[[LegEvent], None] | None = None
        self._reading: asyncio.Timeout | None = None
        self._stopped: LegStopped | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._close_code = _NORMAL
        self._stalled_after = stalled_after
        self._began = 0.0
        self._taken = 0  # messages
        self._seen = 0  # messages, when it was last looked whether there are any
        self._may_take = 0  # messages, as far as is known without looking at the clock
        self._outbox = _Outbox(socket)

    # --- in -----------------------------------------------------------------------------------------------------------

    async def listen(self, tell: Callable[[LegEvent], None]) -> None:
        """Hand everything the leg tells us to `tell`, as it comes, ending with exactly one `LegStopped`; then close.

        To be called once.
        """
        loop = asyncio.get_running_loop()
        self._tell, self._began = tell, loop.time()
        if self._stopped is not None:
            tell(self._stopped)
            await self.close()
            return
        self._watchdog = loop.call_later(self._stalled_after, self._watch)
        try:
            async with asyncio.timeout(None) as self._reading:
                await self._socket.read(self._take, self._take_usual)
                self._reading = None
            self._stop("dropped")
        except TimeoutError:  # stopped by ourselves
            pass
        finally:
            self._reading = None
            self._watchdog.cancel()
            await self.close()
            self._tell = None  # a call that is over is freed at once where nothing holds it, and by the collector late

    def _take_usual(self, text: bytes) -> bool:
        """The next frame of audio, written as usual: what nearly every message is."""
        if self._stopped is not None or self._tell is None or self._taken >= self._may_take:
            return False
        heard = self._inbox.take_usual(text)
        if heard is None:
            return False
        self._taken += 1
        self._tell(heard)
        return True

    def _take(self, message: str | bytes) -> None:
        if self._stopped is not None:
            return
        self._taken += 1
        try:
            if self._taken > self._may_take:
                self._check_pace()
            for event in self._inbox.take(read_carrier(message)):
                if self._tell is not None and isinstance(event, AudioReceived):
                    self._tell(event)
                else:
                    self._post(event)
        except ProtocolViolation as violation:
            self._break_off(violation)

    def _check_pace(self) -> None:
        seconds = asyncio.get_running_loop().time() - self._began
        self._may_take = LARGEST_HEAD_START + int(MOST_PER_SECOND * seconds)
        if self._taken > self._may_take:
            raise ProtocolViolation("flood", "messages come faster than a call can produce them")

    def _watch(self) -> None:
        """A peer that vanished without closing is noticed here: one timer per call and period, none per frame."""
        if self._taken == self._seen:
            self._stop("dropped")
            return
        self._seen = self._taken
        self._watchdog = asyncio.get_running_loop().call_later(self._stalled_after, self._watch)

    def _break_off(self, violation: ProtocolViolation) -> None:
        self.violation = violation
        self.counters.violations += 1
        self._close_code = _CLOSE_CODES.get(violation.code, _PROTOCOL_ERROR)
        log.warning("media_stream_violation", code=violation.code, call_sid=self.start.call_sid)
        self._stop("violation")

    def _stop(self, reason: str) -> None:
        self._post(LegStopped(reason))

    def _post(self, event: LegEvent) -> None:
        if self._stopped is not None:
            return
        if isinstance(event, LegStopped):
            self._stopped = event
            if self._reading is not None:
                self._reading.reschedule(asyncio.get_running_loop().time())
        if self._tell is not None:
            self._tell(event)

    # --- out ----------------------------------------------------------------------------------------------------------

    def send(self, items: Sequence[bytes | str]) -> None:
        """Audio (mu-law) is appended to Twilio's playout buffer, which holds ten minutes; the name of a mark comes back when
        what was sent before it has been played or cleared. What is sent together is written together."""
        messages: list[tuple[bool, str]] = []
        for item in items:
            if isinstance(item, str):
                self.counters.sent_marks += 1
                messages.append((False, self._writer.mark(item)))
            elif len(item) <= LARGEST_MESSAGE:
                messages.append((True, self._media(item)))
            else:
                starts = range(0, len(item), LARGEST_MESSAGE)
                messages += [(True, self._media(item[start : start + LARGEST_MESSAGE])) for start in starts]
        self._send(messages)

    def clear(self) -> None:
        """Drop what has not left us yet, then ask Twilio to drop the rest. All marks come back, also of dropped audio."""
        self.counters.clears += 1
        self._outbox.drop_media()
        self._send([(False, self._writer.clear())])

    def _media(self, audio: bytes) -> str:
        self.counters.sent_media += 1
        self.counters.sent_bytes += len(audio)
        return self._writer.media(audio)

    def _send(self, messages: Sequence[tuple[bool, str]]) -> None:
        """Each with whether it is media."""
        if self._is_closed or self._stopped is not None:
            return
        self._outbox.put(messages)
        if self._outbox.is_overfull:
            log.warning("media_stream_stuck", call_sid=self.start.call_sid)
            self._stop("dropped")

    async def close(self) -> None:
        """Close the socket, which ends Twilio's `<Connect>`. Closing twice is allowed."""
        if self._is_closed:
            return
        self._is_closed = True
        self._stop("closed")
        await self._outbox.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_CLOSE):
                await self._socket.close(self._close_code)


class _Outbox:
    """What the socket cannot take at once. Writes straight through while it keeps up, so the usual case has no queue."""

    def __init__(self, socket: TextSocket) -> None:
        self._socket = socket
        self._waiting: deque[tuple[bool, str]] = deque()  # (is media, text)
        self._size = 0
        self._written = 0
        self._draining: asyncio.Task[None] | None = None

    @property
    def is_overfull(self) -> bool:
        return self._size > LARGEST_OUTBOX

    def put(self, messages: Sequence[tuple[bool, str]]) -> None:
        texts = [text for _, text in messages]
        size = sum(map(len, texts))
        if self._draining is not None:
            self._waiting.extend(messages)
            self._size += size
            return
        self._socket.send(*texts)
        self._written += size
        if self._written > DRAIN_AFTER:
            self._draining = asyncio.create_task(self._drain(), name="media drain")

    def drop_media(self) -> None:
        self._waiting = deque(item for item in self._waiting if not item[0])
        self._size = sum(len(text) for _, text in self._waiting)

    async def _drain(self) -> None:
        await self._socket.drain()
        self._written = 0
        self._draining = None
        waiting, self._waiting, self._size = self._waiting, deque(), 0
        for message in waiting:
            self.put((message,))

    async def close(self) -> None:
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)
