"""The carrier's playout buffer: what the engine has sent and the person has not heard yet. Pure; a tick is an argument.

twilio.com/docs/voice/media-streams/websocket-messages: media is "buffered and played in the order received"; a mark comes
back when the audio before it has finished, or at once if nothing is buffered; `clear` empties the buffer and sends every
pending mark back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from telephony.audio import SAMPLE_RATE, SILENT_FRAME, silence

CAPACITY: Final = 10 * 60 * SAMPLE_RATE  # Twilio holds ten minutes; more is discarded with warning 31931
_COMPACT_AT: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a `clear` threw away: samples never heard, and the marks that come back all the same."""

    samples: int
    marks: tuple[str, ...]


class Playout:
    """Audio and marks of one stream, in order."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._audio = bytearray()
        self._head = 0  # samples of `_audio` already played
        self._received = 0  # samples ever appended: where the next mark belongs
        self._gone = 0  # samples ever played or cleared
        self._marks: deque[tuple[int, str]] = deque()

    @property
    def buffered(self) -> int:
        """Samples waiting to be heard."""
        return len(self._audio) - self._head

    def append(self, audio: bytes) -> int:
        """Take audio; returns how many samples of it did not fit and were discarded."""
        room = self._capacity - self.buffered
        kept = audio[:room] if len(audio) > room else audio
        self._audio += kept
        self._received += len(kept)
        return len(audio) - len(kept)

    def mark(self, name: str) -> tuple[str, ...]:
        """Place a mark after everything appended so far; returns it if there is nothing before it to wait for."""
        if not self._marks and self._received == self._gone:
            return (name,)
        self._marks.append((self._received, name))
        return ()

    def clear(self) -> Cleared:
        dropped = self.buffered
        self._audio.clear()
        self._head = 0
        self._gone = self._received
        return Cleared(dropped, self._due())

    def play(self, samples: int) -> tuple[bytes, tuple[str, ...]]:
        """The next stretch the person hears, silence where there is nothing, and the marks due *before* it.

        A mark is due when its audio has been heard to the end, which is when the stretch after it begins.
        """
        marks = self._due() if self._marks else ()
        available = self.buffered
        if available == 0:
            return (SILENT_FRAME if samples == len(SILENT_FRAME) else silence(samples)), marks
        taken = min(samples, available)
        audio = bytes(self._audio[self._head : self._head + taken])
        self._head += taken
        self._gone += taken
        self._compact()
        return (audio if taken == samples else audio + silence(samples - taken)), marks

    def _due(self) -> tuple[str, ...]:
        due = []
        while self._marks and self._marks[0][0] <= self._gone:
            due.append(self._marks.popleft()[1])
        return tuple(due)

    def _compact(self) -> None:
        if self._head == len(self._audio):
            self._audio.clear()
            self._head = 0
        elif self._head >= _COMPACT_AT:
            del self._audio[: self._head]
            self._head = 0
