"""A world for one conversation in which every delay is drawn anew, as vendors publish them. Deterministic from its seed.

The ears are those of the suites over sockets (`benchmarks/engines/script_ears.py` behind Deepgram's stand-in): a word is
known once it has been said, interims come five times a second and only while somebody speaks, each late by a draw of its own
but never before the one sent earlier, and a final has what was said until it was asked for, or until a short silence.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from benchmarks.callers.scenario import REPLIES
from benchmarks.simulate import WINDOW, Delays, World
from benchmarks.vendors.presets import Preset
from voice.actions import Speak, StartReply
from voice.conversation import Conversation
from voice.events import SAMPLE_RATE, Event, ReplyText, ReplyWritten, Samples, Transcribed, VoiceEvidence, Word
from voice.providers.deepgram import DeepgramSettings
from voice.providers.deepgram_hearing import stable_share

_LETTING_GO: Final = (0.02, 0.2)  # seconds a speech model takes to let go of a voice; on the corpus 0 to 0.2
_CUES_AFTER: Final = 0.19  # seconds of silence after which prosody has been measured
_APART: Final = 0.45  # log-odds by which ends and pauses lie on either side of nothing, and
_SPREAD: Final = 0.9  # how widely: together an area under the curve of 0.76
_TOKENS_A_WORD: Final = 1.5
_ENDPOINTING: Final = DeepgramSettings("").endpointing
_INTERIM_EVERY: Final = 0.2  # seconds of audio, while somebody speaks
_ONE: Final = WINDOW / SAMPLE_RATE


class Paced(World):
    """`last`: the ends of those utterances that are the last of their turn. `minds` are asked at once, the first counts."""

    def __init__(self, conversation: Conversation, preset: Preset, rng: random.Random, minds: int = 1) -> None:
        super().__init__(conversation, [], delays=Delays(mark=0.02, order=0.01))
        self.last = set[float]()
        self._preset, self._rng, self._minds = preset, rng, minds
        self._lags: dict[float, float] = {}
        self._shifts: dict[float, float] = {}
        self._due = 0.0  # when the ears' last message arrives
        self._closed = 0.0  # words that had been said by then belong to finals
        self._interim_at = 0.0
        self._before = ""  # the interim before

    def _drawn(self, name: str) -> float:
        return self._preset.delay(name).draw(self._rng)

    # --- the ears ---

    def _interims(self, event: VoiceEvidence) -> None:
        now = self.now
        ended = max((said.start + said.length for said in self.utterances if said.start < now), default=0.0)
        if self._closed < ended <= now - _ENDPOINTING:
            self._close()
        is_speaking = any(said.start < now < said.start + said.length + _ONE for said in self.utterances if said.text)
        if not is_speaking or now < self._interim_at + _INTERIM_EVERY:
            return
        self._interim_at = now
        words = tuple(self._said(now))
        text = " ".join(word.text for word in words)
        if text and text != self._before:
            stability, self._before = stable_share(self._before, text), text
            self._tell("deepgram.interim", Transcribed(text, is_final=False, stability=stability, words=words))

    def _final(self) -> None:
        """Asked for; where all is final already there is nothing to wait for, or for what is on its way."""
        if any(self._said(self.now)):
            self._close()
        elif self._due <= self.now:
            self.at(self.now, Transcribed("", is_final=True))

    def _close(self) -> None:
        words = tuple(self._said(self.now))
        self._closed, self._before = self.now, ""
        text = " ".join(word.text for word in words)
        self._tell("deepgram.final", Transcribed(text, True, confidence=0.9, stability=1.0, words=words))

    def _said(self, now: float) -> Iterator[Word]:
        """The words that were said since the last final."""
        for said in self.utterances:
            words = said.text.split()
            step = said.length / max(1, len(words))
            for number, word in enumerate(words):
                end = said.start + step * (number + 1)
                if self._closed < end <= now:
                    yield Word(word, end - step, end)

    def _tell(self, delay: str, event: Event) -> None:
        self._due = max(self._due, self.now + self._drawn(delay))
        self.at(self._due, event)

    # --- mind and mouth ---

    def _speak(self, order: Speak) -> None:
        self.delays = replace(self.delays, mouth=self._drawn("elevenlabs.ttfb"))
        super()._speak(order)

    def _write(self, order: StartReply) -> None:
        instant = self.now + min(self._drawn("openai.ttft") for _ in range(self._minds))
        for word in REPLIES[len(order.messages) % len(REPLIES)].split():
            self.at(instant, ReplyText(order.reply, f"{word} "))
            instant += _TOKENS_A_WORD / self._preset.tokens_per_second
        self.at(instant, ReplyWritten(order.reply))

    # --- the detectors ---

    def _next_window(self, index: int) -> None:
        """The level falls when the voice ends; the speech model follows, and then prosody."""
        end = (index + 1) * _ONE
        middle = end - _ONE / 2
        before = [said for said in self.utterances if said.start <= middle]
        level, speech = -62.0, 0.02
        features: tuple[tuple[str, float], ...] = (("room", -62.0), ("caller_level", -26.0))
        if before:
            ended = before[-1].start + before[-1].length
            lag = self._lags.setdefault(ended, self._rng.uniform(*_LETTING_GO))
            if middle < ended:
                level, speech = -26.0, 0.97
            elif middle < ended + lag:
                speech = 0.9 if middle < ended + lag / 2 else 0.6
            elif 0 <= middle - ended - lag - _CUES_AFTER < _ONE:
                features += (("complete", 1.0 + self._shift(ended) / 0.25),)
        self.at(end, VoiceEvidence(Samples((index + 1) * WINDOW), speech, level, 0.0, features))

    def _shift(self, ended: float) -> float:
        centre = _APART if ended in self.last else -_APART
        return self._shifts.setdefault(ended, self._rng.gauss(centre, _SPREAD))
