"""The ears of one call, inside the worker: when there is speech, what it may be, and whether to believe it.

Silence never reaches the decoder: audio goes to it from shortly before the first speech until the utterance is finished,
without the pauses in between. What it then says is believed only if it looks like speech that was in the language model.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from telephony.audio import decode
from voice.events import SAMPLE_RATE, Word
from voice.providers.silero import WINDOW, SileroActivity

ONSET: Final = 0.3  # Silero probability at which an utterance begins; it hears soft beginnings late ...
PREROLL: Final = 22  # ... so the 22 windows (0.7 s) before that go to the decoder too
_PAUSE: Final = 19  # windows without speech (0.6 s) after which the decoder is left in peace until speech goes on
_INTERIM_EVERY: Final = 4  # windows (128 ms) between looks at what the decoder has so far
_LONGEST: Final = 30 * SAMPLE_RATE // WINDOW  # windows of one utterance: then it is finished unasked
_CONVINCED: Final = 0.5  # an utterance must have had a window at least this speech-like
_DECADES: Final = 5.0  # a best path of probability 1e-5 is worth nothing
_LEAST: Final = 1e-9
REJECT: Final = 0.3  # a path of probability 3e-4
_FRAMES_PER_SECOND: Final = 100  # of the decoder


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said: `words` in seconds since this call's ears were opened; `confidence` 0 to 1."""

    text: str
    is_final: bool
    confidence: float = 0.0
    words: tuple[Word, ...] = ()


class Decoder(Protocol):
    """The part of `pocketsphinx.Decoder` that is used here."""

    def start_utt(self) -> None: ...
    def process_raw(self, data: bytes, no_search: bool = False, full_utt: bool = False) -> int: ...
    def end_utt(self) -> None: ...
    def hyp(self) -> Any: ...
    def seg(self) -> Iterable[Any]: ...
    def n_frames(self) -> int: ...


class Recogniser:
    """One call's ears. `prepare` is run before each utterance: it may put another language model into the decoder."""

    def __init__(self, decoder: Decoder, prepare: Callable[[Decoder], None] | None = None) -> None:
        self._decoder = decoder
        self._prepare = prepare
        self._activity = SileroActivity()
        self._preroll: deque[bytes] = deque(maxlen=PREROLL)
        self._position = 0  # windows heard in this call
        self._fed: list[int] = []  # by windows fed in this utterance: where in the call each lies
        self._is_open = False
        self._quiet = 0  # windows since speech, within an utterance
        self._convinced = 0.0
        self._last = ""

    @property
    def is_open(self) -> bool:
        """Whether an utterance is under way: the decoder is not to be touched."""
        return self._is_open

    def hear(self, audio: bytes) -> list[Heard]:
        """Take caller audio (mu-law, any length); return what there is to say about it."""
        heard: list[Heard] = []
        for window in self._activity.cut(audio):
            outcome = self._activity.judge(window)
            heard += self._window(window, outcome.speech)
        return heard

    def finish(self) -> Heard:
        """The final of the utterance so far; empty when there was none, or none worth believing."""
        if not self._is_open:
            return Heard("", is_final=True)
        self._is_open = False
        self._preroll.clear()
        self._decoder.end_utt()
        said = self._believed()
        self._last = ""
        return said

    def _window(self, window: bytes, speech: float) -> list[Heard]:
        self._position += 1
        self._convinced = max(self._convinced, speech) if self._is_open else speech
        if not self._is_open:
            self._preroll.append(window)
            if speech < ONSET:
                return []
            self._begin()
            return []
        self._quiet = 0 if speech >= ONSET else self._quiet + 1
        if self._quiet > _PAUSE:
            if self._convinced < _CONVINCED:
                self._abandon()
            self._preroll.append(window)
            return []
        self._feed_preroll()
        self._feed(window, self._position)
        if len(self._fed) >= _LONGEST:
            return [self.finish()]
        return self._interim() if len(self._fed) % _INTERIM_EVERY == 0 else []

    def _abandon(self) -> None:
        """It was a noise, and nobody needs to hear of it."""
        self._is_open = False
        self._decoder.end_utt()

    def _begin(self) -> None:
        if self._prepare is not None:
            self._prepare(self._decoder)
        self._is_open, self._quiet, self._fed, self._last = True, 0, [], ""
        self._decoder.start_utt()
        self._feed_preroll()

    def _feed_preroll(self) -> None:
        """Give the decoder what was held back: before the utterance, or in a pause of it (the last 0.7 s of either)."""
        first = self._position - len(self._preroll) + (0 if not self._fed else -1)
        for offset, window in enumerate(self._preroll, 1):
            self._feed(window, first + offset)
        self._preroll.clear()

    def _feed(self, window: bytes, position: int) -> None:
        self._decoder.process_raw(decode(window).astype("<i2").tobytes())
        self._fed.append(position)

    def _interim(self) -> list[Heard]:
        found = self._decoder.hyp() if self._convinced >= _CONVINCED else None
        text = plain(found.hypstr) if found else ""
        if not text or text == self._last:
            return []
        self._last = text
        return [Heard(text, is_final=False)]

    def _believed(self) -> Heard:
        found = self._decoder.hyp()
        segments = list(self._decoder.seg()) if found else []
        belief = confidence(found.prob) if found else 0.0
        words = tuple(self._timed(segment) for segment in segments if is_word(segment.word))
        if not words or self._convinced < _CONVINCED or belief < REJECT:
            return Heard("", is_final=True, confidence=belief)
        return Heard(" ".join(word.text for word in words), is_final=True, confidence=belief, words=words)

    def _timed(self, segment: Any) -> Word:
        return Word(plain(segment.word), self._seconds(segment.start_frame), self._seconds(segment.end_frame + 1))

    def _seconds(self, frame: int) -> float:
        """A frame of the decoder as seconds of the call: pauses were not fed, so its clock is not the call's."""
        window, rest = divmod(frame * SAMPLE_RATE // _FRAMES_PER_SECOND, WINDOW)
        at = self._fed[min(window, len(self._fed) - 1)] - 1
        return round((at * WINDOW + rest) / SAMPLE_RATE, 3)


def confidence(probability: float) -> float:
    """How sure the decoder is, 0 to 1, from the posterior probability of its best path.

    Sentences of the model's vocabulary are nearly all above `REJECT`, most others below (`accuracy.py` measures both); what
    nonsense gets through, the mind does not understand.
    """
    return min(1.0, max(0.0, 1 + math.log10(max(probability, _LEAST)) / _DECADES))


def is_word(word: str) -> bool:
    return not word.startswith(("<", "["))


def plain(hypothesis: str) -> str:
    """The words of a hypothesis, without fillers and without the numbers of pronunciations ("a(2)")."""
    return " ".join(word.split("(")[0] for word in hypothesis.split() if is_word(word))
