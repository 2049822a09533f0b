"""A recogniser that makes no mistakes: it knows what the caller will say, and follows in the audio when they say it. Pure.

Every sound of a caller is known speech of a known length, so a sound belongs to one part of the script from its onset until
that part must be over, whatever pauses lie within it. Words are known once they have been said, never before, and audio
that never arrives is never heard: that is how words lost at the start come to be counted. Times in samples of the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.engines.scripted import Script
from benchmarks.vendors.ears import Heard, Tell
from telephony.audio import FRAME, SAMPLE_RATE, level
from voice.events import Word

ONSET: Final = 3 * FRAME  # of unbroken voice: a click is shorter
OVERTIME: Final = int(0.15 * SAMPLE_RATE)  # by which a sound may outlast its part; if it goes on, it was the next part
BETWEEN: Final = int(0.2 * SAMPLE_RATE)  # of silence that lie between two parts at least
QUIET: Final = int(0.1 * SAMPLE_RATE)  # without voice, after which nobody is speaking


@dataclass(slots=True)
class Sound:
    """One part of the script as it arrived. `lasted` until its last voice, both in samples."""

    index: int
    began: int
    lasted: int = 0


class ScriptEars:
    """The listener of one socket (`benchmarks.vendors.ears.Listener`). `note` is told at the end, with what arrived."""

    is_settled = True

    def __init__(self, tell: Tell, script: Script, note: Callable[[ScriptEars], None] = lambda ears: None) -> None:
        self.sounds: list[Sound] = []
        self.position = 0
        self._tell, self._note = tell, note
        self._parts, self._voiced = script.parts, script.voiced
        self._rest = b""
        self._run = 0  # samples of unbroken voice up to now
        self._stretch = 0  # where the present stretch of voice began, short silences within it not counted
        self._voice_at = -BETWEEN  # position of the last voice
        self._closed = 0  # words of the present part that belong to utterances already closed
        self._words: list[Word] = []  # of the present utterance, from parts that are over

    def hear(self, audio: bytes) -> None:
        data = self._rest + audio
        whole = len(data) // FRAME * FRAME
        for start in range(0, whole, FRAME):
            self._frame(is_voiced=level(data[start : start + FRAME]) > self._voiced)
        self._rest = data[whole:]

    def settle(self) -> None:
        """There is never anything more to come for audio that has been heard."""

    def finish(self) -> None:
        """The utterance is closed: words from here on belong to another."""
        self._words.clear()
        self._closed = len(self._said()) if self.sounds else 0

    def expect(self, phrases: Sequence[str]) -> None:
        """A script needs no hints."""

    async def close(self) -> None:
        self._note(self)

    # --- one frame ---

    def _frame(self, *, is_voiced: bool) -> None:
        self.position += FRAME
        if is_voiced and self.position - FRAME - self._voice_at >= BETWEEN:
            self._stretch = self.position - FRAME
        self._run = self._run + FRAME if is_voiced else 0
        if is_voiced:
            self._voice_at = self.position
        if self._run >= ONSET and self._is_over(OVERTIME):
            self._next_sound()
        elif is_voiced and self.sounds and not self._is_over(OVERTIME):
            self.sounds[-1].lasted = self.position - self.sounds[-1].began
        self._tell(self._heard())

    def _is_over(self, grace: int) -> bool:
        return not self.sounds or self.position > self._end() + grace

    def _end(self) -> int:
        last = self.sounds[-1]
        return last.began + self._length(last.index)

    def _length(self, index: int) -> int:
        return round(self._parts[index].seconds * SAMPLE_RATE)

    def _next_sound(self) -> None:
        """A new part begins; or the present sound goes on beyond its part, and was the next one from the beginning: the part
        it was taken for never arrived."""
        index, began = (self.sounds[-1].index + 1 if self.sounds else 0), self._stretch
        if index >= len(self._parts):
            return
        if self.sounds and self._stretch < self._end():
            began = self.sounds.pop().began
        elif self.sounds:
            self._words += self._said()[self._closed :]
        self._closed = 0
        self.sounds.append(Sound(index, began, self.position - began))

    # --- what is known of it ---

    def _said(self) -> list[Word]:
        """The words of the present part that have been said."""
        last = self.sounds[-1]
        words, length = self._parts[last.index].text.split(), self._length(last.index)
        step = length / max(1, len(words)) / SAMPLE_RATE
        count = int(len(words) * min(1.0, (self.position - last.began + FRAME) / length))
        start = last.began / SAMPLE_RATE
        return [Word(word, start + step * number, start + step * (number + 1)) for number, word in enumerate(words[:count])]

    def _heard(self) -> Heard:
        now = self.position / SAMPLE_RATE
        words = (*self._words, *(self._said()[self._closed :] if self.sounds else ()))
        text = " ".join(word.text for word in words)
        quiet = self.position - self._voice_at
        is_speaking = bool(self.sounds) and bool(self._parts[self.sounds[-1].index].text) and quiet < QUIET
        start, end = (words[0].start, words[-1].end) if words else (now, now)
        return Heard(text, words, start, min(end, now), is_speaking and not self._is_over(0), quiet / SAMPLE_RATE)
