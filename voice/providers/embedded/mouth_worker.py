"""The process of one synthesis engine: `python -m voice.providers.embedded.mouth_worker flite|espeak`.

Takes texts one after the other, in the order they came; a text that is closed is stopped at its next piece of audio.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from telephony.audio import encode
from voice.events import SAMPLE_RATE, Word
from voice.providers.embedded.synthesis import CATALOGUE, Samples16, SynthesisEngine, Timbre, sentences
from voice.providers.embedded.wire import ITSELF, Audio, Close, Failed, Message, Pipes, Ready, Say

_PIECE: Final = 1600  # samples of 8 kHz sent at once (200 ms), after a first piece of any length
_QUIET: Final = 200  # 16-bit level below which audio at a text's edges is silence (-44 dBFS)
_LEAD: Final = 80  # samples of silence kept before the first sound: 10 ms
_TAIL: Final = 1200  # and after the last: 150 ms, the pause between sentences


class Voice:
    """One text on its way out: engine samples in, mu-law pieces out, without the silence at its edges."""

    def __init__(self, rate: int, timbre: Timbre, send: Callable[[bytes, tuple[Word, ...]], None]) -> None:
        # A longer throat is audio played slower: more samples come out for those that go in.
        self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE * timbre.tract, 1, dtype="int16", quality="HQ")
        self._scale, self._gain, self._send = timbre.tract, timbre.gain, send
        self._held = np.zeros(0, np.int16)  # not yet sent: too little, or silence that may be the end
        self._words: list[Word] = []  # not yet sent; in seconds of this text's output
        self._cut = 0  # samples of leading silence left out
        self._sent = 0
        self._has_begun = False
        self._tail = 0  # samples of silence at the end of what was sent

    def take(self, samples: Samples16, words: Sequence[Word], offset: float) -> None:
        """Engine samples, and words timed from `offset` seconds of engine time on."""
        for word in words:
            self._words.append(Word(word.text, (word.start + offset) * self._scale, (word.end + offset) * self._scale))
        if samples.size:
            self._hold(self._resampler.resample_chunk(samples))

    def end(self) -> None:
        """All samples have been taken: send what is left."""
        self._hold(self._resampler.resample_chunk(np.zeros(0, np.int16), last=True))
        sound = _loud(self._held)
        last = int(sound[-1]) + 1 if sound.size else -self._tail
        self._emit(max(0, min(self._held.size, last + _TAIL)), everything=True)

    def _hold(self, fresh: Samples16) -> None:
        louder = np.clip(fresh.astype(np.float32) * self._gain, -32768, 32767).astype(np.int16)
        self._held = np.concatenate([self._held, louder])
        sound = _loud(self._held)
        if not sound.size:
            if not self._has_begun and self._held.size > _LEAD:
                self._drop(self._held.size - _LEAD)
            return
        if not self._has_begun:
            self._drop(max(0, int(sound[0]) - _LEAD))
            self._has_begun = True
        if self._held.size >= (_PIECE if self._sent else _LEAD):
            self._emit(min(self._held.size, int(_loud(self._held)[-1]) + _TAIL))

    def _drop(self, count: int) -> None:
        self._held = self._held[count:]
        self._cut += count

    def _emit(self, count: int, everything: bool = False) -> None:
        start = (self._sent + self._cut) / SAMPLE_RATE
        due = [word for word in self._words if everything or word.start < start + count / SAMPLE_RATE]
        self._words = [word for word in self._words if word not in due]
        words = tuple(Word(word.text, max(0.0, word.start - start), max(0.0, word.end - start)) for word in due)
        if count or words:
            self._send(encode(self._held[:count]), words)
        sound = _loud(self._held[:count])
        self._tail = count - 1 - int(sound[-1]) if sound.size else self._tail + count
        self._held = self._held[count:]
        self._sent += count


def _loud(samples: Samples16) -> NDArray[np.intp]:
    """Where there is sound."""
    return np.flatnonzero(np.abs(samples.astype(np.int32)) > _QUIET)


class MouthWorker:
    """Speaks one text after the other. New messages are looked at before every piece of audio."""

    def __init__(self, engine: SynthesisEngine, voices: dict[str, Timbre], pipes: Pipes) -> None:
        self._engine, self._voices, self._pipes = engine, voices, pipes
        self._inbox: SimpleQueue[Message | None] = pipes.inbox()
        self._waiting: list[Say] = []
        self._is_stopped = False  # the text being spoken is not wanted any more

    def run(self) -> None:
        self._warm()
        self._pipes.send(Ready(ITSELF))
        while True:
            while not self._waiting or not self._inbox.empty():
                self._take(self._inbox.get(), speaking=None)
            self._say(self._waiting.pop(0))

    def _warm(self) -> None:
        """Load the agent's voice before anybody waits for it."""
        self._engine.synthesise("Hi.", self._voices["female"], lambda samples, words: False)

    def _take(self, message: Message | None, speaking: int | None) -> None:
        match message:
            case None:
                os._exit(0)  # the engine has gone; an exception could not pass the synthesis that may be calling us
            case Say() as say:
                self._waiting.append(say)
            case Close(channel) if channel == speaking:
                self._is_stopped = True
            case Close(channel):
                self._waiting = [say for say in self._waiting if say.channel != channel]
            case _:
                pass

    def _say(self, say: Say) -> None:
        timbre = self._voices.get(say.voice)
        if timbre is None:
            known = ", ".join(self._voices)
            self._pipes.send(Failed(say.channel, "no_voice", f"{say.voice!r}; there are: {known}"))
            return
        voice = Voice(self._engine.rate, timbre, lambda audio, words: self._pipes.send(Audio(say.channel, audio, words)))
        self._is_stopped = False
        offset = spoken = 0

        def sink(samples: Samples16, words: Sequence[Word]) -> bool:
            nonlocal spoken
            voice.take(samples, words, offset / self._engine.rate)
            spoken += samples.size
            while not self._inbox.empty():
                self._take(self._inbox.get(), speaking=say.channel)
            return self._is_stopped

        for sentence in sentences(say.text):
            offset = spoken
            self._engine.synthesise(sentence, timbre, sink)
            if self._is_stopped:
                return
        voice.end()
        self._pipes.send(Ready(say.channel))


def engine(name: str) -> SynthesisEngine:
    """The engine of that name. Raises `OSError` when this machine does not have it."""
    if name == "flite":
        from voice.providers.embedded.flite import Flite

        return Flite()
    from voice.providers.embedded.espeak import Espeak

    return Espeak()


def main() -> None:
    pipes = Pipes()
    name = sys.argv[1]
    try:
        loaded = engine(name)
    except OSError as error:
        pipes.send(Failed(ITSELF, "no_engine", f"{name}: {error}"))
        return
    MouthWorker(loaded, CATALOGUE[name], pipes).run()


if __name__ == "__main__":
    main()
