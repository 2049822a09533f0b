"""One person's telephone line, tick by tick: what they hear comes from its far end, what they say goes there. Pure.

A tick is 20 ms of both directions at once, so the recording's two channels, and every position in it, share one clock:
samples since the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from telephony.audio import FRAME, SAMPLE_RATE, SILENT_FRAME
from telephony.simulator.person import PersonOnPhone, Tick, tone
from telephony.simulator.playout import Playout
from telephony.twilio.codec import CarrierWriter

FRAME_MS: Final = 20
FIRST_TIMESTAMP: Final = 53  # a real stream's first frame said 73 = 20 + 53: timestamps do not start at 0
LONGEST_UNDERRUN: Final = 2 * SAMPLE_RATE  # a longer stretch without audio is the agent being silent, not late


@dataclass(slots=True)
class Truth:
    """What really happened on a line, in samples since the answer; written beside the recording."""

    first_heard: int | None = None
    marks: list[tuple[str, int, int, str]] = field(default_factory=list)  # name, came, went back, why
    clears: list[tuple[int, int]] = field(default_factory=list)  # at, samples thrown away
    underruns: list[tuple[int, int]] = field(default_factory=list)  # ran dry at, samples until audio came again
    bridges: list[tuple[int, int, str]] = field(default_factory=list)  # from, to, call
    streams: list[tuple[str, int, int]] = field(default_factory=list)  # stream, opened, closed
    keys: list[tuple[int, str]] = field(default_factory=list)
    frames_late: int = 0
    latest_ms: float = 0.0


class FarEnd(Protocol):
    """What a line is connected to at the moment."""

    is_voice: bool

    def listen(self, position: int) -> bytes:
        """The next 20 ms for the person to hear."""

    def take(self, tick: Tick, position: int) -> None:
        """20 ms of what the person did."""


class Nothing:
    """Silence, and nobody listens."""

    is_voice = True

    def listen(self, position: int) -> bytes:
        return SILENT_FRAME

    def take(self, tick: Tick, position: int) -> None:
        pass


class Ringback:
    """The ringing that a caller hears while somebody else is rung: one tone, whole cycles in a frame."""

    is_voice = False
    _tone: Final = tone(450, 0.02, -25)
    _period: Final = 6 * SAMPLE_RATE  # 2 s on, 4 s off, as North America rings
    _on: Final = 2 * SAMPLE_RATE

    def __init__(self) -> None:
        self._heard = 0

    def listen(self, position: int) -> bytes:
        rings = self._heard % self._period < self._on
        self._heard += FRAME
        return self._tone if rings else SILENT_FRAME

    def take(self, tick: Tick, position: int) -> None:
        pass


class Bridge:
    """Another person's line: each hears what the other said in the tick before."""

    is_voice = True

    def __init__(self, other: Line) -> None:
        self._other = other

    def listen(self, position: int) -> bytes:
        return self._other.last_said

    def take(self, tick: Tick, position: int) -> None:
        pass


class Stream:
    """A media stream: audio and marks in from the engine, frames and keys out to it."""

    is_voice = True

    def __init__(self, writer: CarrierWriter, send: Callable[[str], None], truth: Truth) -> None:
        self._writer = writer
        self._send = send
        self._truth = truth
        self._playout = Playout()
        self._timestamp = FIRST_TIMESTAMP
        self._placed: dict[str, int] = {}
        self._dry_since: int | None = None
        self.position = 0  # what the person has heard up to: the end of the last frame played

    @property
    def buffered(self) -> int:
        """Samples of the engine's audio that the person has not heard yet."""
        return self._playout.buffered

    def take(self, tick: Tick, position: int) -> None:
        self._timestamp += FRAME_MS
        self._send(self._writer.media(tick.audio, self._timestamp))
        for digit in tick.digits:
            self._truth.keys.append((position, digit))
            self._send(self._writer.dtmf(digit))

    def listen(self, position: int) -> bytes:
        self.position = position
        available = self._playout.buffered
        frame, marks = self._playout.play(FRAME)
        self._return(marks, "played")
        if available:
            self._note_audio(position)
        if 0 < available <= FRAME:
            self._dry_since = position + available
        self.position = position + FRAME
        return frame

    def append(self, audio: bytes) -> int:
        """Audio from the engine; returns how much of it did not fit."""
        return self._playout.append(audio)

    def mark(self, name: str) -> None:
        self._placed[name] = self.position
        self._return(self._playout.mark(name), "idle")

    def clear(self) -> None:
        cleared = self._playout.clear()
        self._truth.clears.append((self.position, cleared.samples))
        self._dry_since = None
        self._return(cleared.marks, "cleared")

    def _return(self, marks: tuple[str, ...], why: str) -> None:
        for name in marks:
            self._truth.marks.append((name, self._placed.pop(name, self.position), self.position, why))
            self._send(self._writer.mark(name))

    def _note_audio(self, position: int) -> None:
        if self._truth.first_heard is None:
            self._truth.first_heard = position
        if self._dry_since is not None and 0 < position - self._dry_since <= LONGEST_UNDERRUN:
            self._truth.underruns.append((self._dry_since, position - self._dry_since))
        self._dry_since = None


class Line:
    """A person's line for as long as they hold the receiver."""

    def __init__(self, person: PersonOnPhone, on_hang_up: Callable[[], None], *, is_recorded: bool = True) -> None:
        self.person = person
        self.truth = Truth()
        self.far: FarEnd = Nothing()
        self.last_said = SILENT_FRAME
        self.said = bytearray()  # left channel: what the person says into the phone
        self.heard = bytearray()  # right channel: what the person heard
        self._on_hang_up = on_hang_up
        self._is_recorded = is_recorded

    @property
    def position(self) -> int:
        return self.person.position

    def tick(self, late_ms: float = 0.0) -> None:
        """Both directions go on by 20 ms; `late_ms` is how much later than due this happens."""
        position = self.person.position
        far = self.far
        heard = far.listen(position)
        tick = self.person.tick(heard, is_voice=far.is_voice)
        self.last_said = tick.audio
        if self._is_recorded:
            self.said += tick.audio
            self.heard += heard
        if late_ms > FRAME_MS / 2:
            self.truth.frames_late += 1
        if late_ms > self.truth.latest_ms:
            self.truth.latest_ms = late_ms
        far.take(tick, position)
        if tick.hung_up:
            self._on_hang_up()
