"""The caller's audio that is not final yet: what new ears must hear when the old ones fail. Pure; bytes are samples."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from voice.events import SAMPLE_RATE, Transcribed, Word

_MOST: Final = 30 * SAMPLE_RATE  # nobody speaks longer without a final; and whoever does is not heard twice


@dataclass(slots=True)
class Replay:
    """Keeps audio from the end of the last final on, and knows where in the call it begins."""

    _audio: bytearray = field(default_factory=bytearray)
    _start: int = 0  # position in the call, in samples, of the first byte kept
    _asked: int = 0  # position up to which a final was asked for

    @property
    def position(self) -> int:
        """Samples of caller audio so far."""
        return self._start + len(self._audio)

    @property
    def start(self) -> float:
        """Seconds of the call before the first byte kept."""
        return self._start / SAMPLE_RATE

    @property
    def audio(self) -> bytes:
        return bytes(self._audio)

    def hear(self, audio: bytes) -> None:
        self._audio += audio
        self._forget(self.position - _MOST)

    def asked(self) -> None:
        """A final was asked for, of everything up to here."""
        self._asked = self.position

    def final(self, words: tuple[Word, ...]) -> None:
        """A final has come, its words timed from the start of the call: its audio need not be heard again."""
        self._forget(round(words[-1].end * SAMPLE_RATE) if words else self._asked)

    def _forget(self, until: int) -> None:
        count = min(max(until - self._start, 0), len(self._audio))
        del self._audio[:count]
        self._start += count


def shifted(heard: Transcribed, seconds: float) -> Transcribed:
    """The same words, timed from the start of the call when the ears began to listen that many seconds into it."""
    if not seconds or not heard.words:
        return heard
    words = tuple(Word(word.text, round(word.start + seconds, 3), round(word.end + seconds, 3)) for word in heard.words)
    return replace(heard, words=words)
