"""What one stream's messages mean for its leg: caller audio in order and without holes, marks, keys, the end.

Decides what is late, doubled, missing or somebody else's, and counts it. Touches no socket. Messages come over TCP, so in
the ordinary case every frame is the next one and passes straight through; nothing is delayed to be able to reorder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from telephony.audio import SAMPLE_RATE, silence
from telephony.errors import ProtocolViolation
from telephony.leg import AudioReceived, KeyReceived, LegEvent, LegStopped, MarkReceived
from telephony.twilio.codec import (
    LONGEST_NAME,
    Connected,
    Dtmf,
    FromCarrier,
    Mark,
    Media,
    MediaAhead,
    Started,
    Stopped,
    Unrecognised,
    number,
)

REORDER_WINDOW: Final = 3  # frames (60 ms) that may wait for an earlier one before it is given up
LONGEST_FILL: Final = 10 * SAMPLE_RATE  # a larger jump of the timestamps is the carrier's clock, not missing audio
_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000
_TOLERANCE: Final = 20 * _SAMPLES_PER_MS  # timestamps wander by less than a frame without audio being lost
_DIGITS: Final = frozenset("0123456789*#ABCD")


@dataclass(slots=True)
class LinkCounters:
    """What came and went on one link, for /metrics. `filled` is in samples, the rest are counts."""

    media_frames: int = 0
    filled: int = 0
    duplicates: int = 0
    late: int = 0
    reordered: int = 0
    jumps: int = 0
    foreign: int = 0
    unrecognised: int = 0
    ignored: int = 0
    marks: int = 0
    keys: int = 0
    violations: int = 0
    sent_media: int = 0
    sent_bytes: int = 0
    sent_marks: int = 0
    clears: int = 0


class StreamInbox:
    """Takes one stream's messages in the order they came; hands out leg events in the order they happened."""

    def __init__(self, stream_sid: str, counters: LinkCounters) -> None:
        self._stream_sid = stream_sid
        self._counters = counters
        self._ahead = MediaAhead(stream_sid)
        self._next_chunk = 1
        self._waiting: dict[int, Media] = {}
        self._skipped: set[int] = set()
        self._position = 0  # samples handed out
        self._origin: int | None = None  # samples: what the carrier's clock said at position 0
        self.ended = False

    def take_usual(self, text: bytes) -> AudioReceived | None:
        """The next frame, if this message is it and written as usual; None for any other, which is still to be taken."""
        audio = self._ahead.read(text)
        if audio is None:
            return None
        self._counters.media_frames += 1
        self._next_chunk += 1
        position = self._position
        self._position = position + len(audio)
        return AudioReceived(position, audio)

    def take(self, message: FromCarrier) -> list[LegEvent]:
        """Raises `ProtocolViolation` for what ends the link: a second start, numbers that are none."""
        if isinstance(message, Media):
            return self._take_media(message)
        if isinstance(message, Started):
            raise ProtocolViolation("started_twice", "the stream has started before")
        if isinstance(message, Mark | Dtmf | Stopped):
            return self._take_signal(message)
        self._counters.unrecognised += isinstance(message, Unrecognised)
        self._counters.ignored += isinstance(message, Connected)
        return []

    def _take_signal(self, message: Mark | Dtmf | Stopped) -> list[LegEvent]:
        if message.stream_sid != self._stream_sid:
            self._counters.foreign += 1
            return []
        self._ahead.came(message.sequence_number)
        if isinstance(message, Mark):
            self._counters.marks += 1
            return [MarkReceived(message.mark.name[:LONGEST_NAME])]
        if isinstance(message, Dtmf):
            return self._take_key(message.dtmf.digit)
        self.ended = True
        return [*self._give_up_waiting(), LegStopped("hangup")]

    def _take_key(self, digit: str) -> list[LegEvent]:
        if digit not in _DIGITS:
            self._counters.ignored += 1
            return []
        self._counters.keys += 1
        return [KeyReceived(digit)]

    def _take_media(self, message: Media) -> list[LegEvent]:
        if message.stream_sid != self._stream_sid:
            self._counters.foreign += 1
            return []
        if message.media.track != "inbound" or not message.media.payload:
            self._counters.ignored += 1
            return []
        chunk = number(message.media.chunk)
        self._counters.media_frames += 1
        self._ahead.came(message.sequence_number)
        if chunk == self._next_chunk and not self._waiting:
            self._next_chunk = chunk + 1
            events = self._hand_out(message)
            self._ahead.expect(chunk, number(message.media.timestamp), len(message.media.payload))
            return events
        self._ahead.forget()
        return self._take_out_of_order(chunk, message)

    def _take_out_of_order(self, chunk: int, message: Media) -> list[LegEvent]:
        if chunk in self._skipped:
            self._skipped.discard(chunk)
            self._counters.late += 1
            return []
        if chunk < self._next_chunk or chunk in self._waiting:
            self._counters.duplicates += 1
            return []
        self._counters.reordered += chunk == self._next_chunk  # it closes the hole others were waiting behind
        self._waiting[chunk] = message
        events = self._drain_contiguous()
        if len(self._waiting) > REORDER_WINDOW:
            self._skip_to(min(self._waiting))
            events += self._drain_contiguous()
        return events

    def _drain_contiguous(self) -> list[LegEvent]:
        events: list[LegEvent] = []
        while self._next_chunk in self._waiting:
            events += self._hand_out(self._waiting.pop(self._next_chunk))
            self._next_chunk += 1
        return events

    def _skip_to(self, chunk: int) -> None:
        # Only so many are remembered: a hostile chunk number must not cost memory.
        self._skipped.update(range(max(self._next_chunk, chunk - 64), chunk))
        if len(self._skipped) > 256:
            self._skipped = {old for old in self._skipped if old > chunk - 128}
        self._next_chunk = chunk

    def _give_up_waiting(self) -> list[LegEvent]:
        events: list[LegEvent] = []
        while self._waiting:
            self._skip_to(min(self._waiting))
            events += self._drain_contiguous()
        return events

    def _hand_out(self, message: Media) -> list[LegEvent]:
        audio, stamp = message.media.payload, number(message.media.timestamp) * _SAMPLES_PER_MS
        if self._origin is None:
            self._origin = stamp
        missing = stamp - self._origin - self._position
        events: list[LegEvent] = self._fill(missing) if abs(missing) >= _TOLERANCE else []
        events.append(AudioReceived(self._position, audio))
        self._position += len(audio)
        return events

    def _fill(self, missing: int) -> list[LegEvent]:
        """Silence for what the timestamps say is missing. A clock that ran back, or leapt, only moves the origin."""
        filled = missing if 0 < missing <= LONGEST_FILL else 0
        if not filled:
            self._counters.jumps += 1
        assert self._origin is not None
        self._origin += missing - filled
        if not filled:
            return []
        self._counters.filled += filled
        gap = AudioReceived(self._position, silence(filled))
        self._position += filled
        return [gap]
