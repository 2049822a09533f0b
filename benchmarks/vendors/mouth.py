"""What the mouth's stand-in says: a hum in the rhythm of the text, or a real synthesiser behind our own port.

The hum's word times are exact by construction, which makes it a measure for what a client believes was heard.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Final, Protocol

import numpy as np

from telephony.audio import SILENCE, encode
from voice.events import SAMPLE_RATE, Word
from voice.ports import SpokenAudio

CHARACTER: Final = 0.06  # seconds of hum for one character: about 170 words a minute
_STEP: Final = round(CHARACTER * SAMPLE_RATE)
_TONE: Final = encode((6000 * np.sin(2 * np.pi * 200 * np.arange(_STEP) / SAMPLE_RATE)).astype(np.int16))
_PAUSE: Final = SILENCE * _STEP


class MouthPort(Protocol):
    """The part of a `Speaker` that is needed to really speak."""

    def speak(self, text: str) -> AsyncIterator[SpokenAudio]: ...


class Hum:
    """Hums each word and pauses at each space."""

    async def speak(self, text: str) -> AsyncGenerator[SpokenAudio, None]:
        """One piece of audio a word."""
        for word in text.split():
            audio = _TONE * len(word) + _PAUSE
            yield SpokenAudio(audio, (Word(word, 0.0, len(word) * CHARACTER),))


def alignment(audio: SpokenAudio) -> dict[str, list[object]]:
    """The characters of a piece of audio with their times in milliseconds from its start, as ElevenLabs gives them: one
    follows the other without a gap from the first to the end of the piece, silences belong to spaces, and a word that goes
    on in the next piece goes on there in its characters.

    Clients add the lengths of the pieces up; a piece whose last character ends before its audio made pipecat's clock run
    ahead of what was heard, by several words a reply.
    """
    length = round(1000 * len(audio.audio) / SAMPLE_RATE)
    timed = [(at, char) for word in audio.words for at, char in _timed(word) if 0 <= at < length] or [(0, " ")]
    starts = [at for at, _ in timed]
    return {
        "chars": [char for _, char in timed],
        "charStartTimesMs": list(starts),
        "charDurationsMs": [end - start for start, end in zip(starts, [*starts[1:], length], strict=True)],
    }


def _timed(word: Word) -> Iterator[tuple[int, str]]:
    """The characters of a word and the space after it, with when each begins in milliseconds."""
    step = (word.end - word.start) / max(len(word.text), 1)
    for index, char in enumerate(f"{word.text} "):
        yield round(1000 * (word.start + index * step)), char
