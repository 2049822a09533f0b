"""The caller's lane: what the detectors made of the sound, and the words as they came. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from voice.drawing.story import Understood, Windows
from voice.events import SAMPLE_RATE, Transcribed, VoiceEvidence
from voice.floor import FloorPolicy

_ASTRAY: Final = 0.15  # seconds a window may come off its place in the grid before a new run is begun
_SAME_SOUND: Final = 0.22  # seconds of quiet within one sound; longer, and it is another


@dataclass(slots=True)
class _Run:
    began: float
    step: float
    speech: list[float] = field(default_factory=list)
    level: list[float] = field(default_factory=list)
    echo: list[float] = field(default_factory=list)

    @property
    def ended(self) -> float:
        return self.began + len(self.speech) * self.step


class Sound:
    """Collects detector windows, and remembers when the present sound of the caller's began and last was a voice."""

    def __init__(self, policy: FloorPolicy) -> None:
        self.began = 0.0  # of the present, or last, sound
        self.ended = 0.0
        self._policy = policy
        self._is_voiced = False
        self._runs: list[_Run] = []
        self._position = 0

    def take(self, at: float, event: VoiceEvidence) -> None:
        """One window; it is voice by the thresholds of the call's own policy."""
        step = (event.position - self._position) / SAMPLE_RATE
        if step <= 0:
            return
        self._position = event.position
        run = self._runs[-1] if self._runs else None
        if run is None or abs(step - run.step) > 1e-6 or abs(at - run.ended - step) > _ASTRAY:
            run = _Run(at - step, step)
            self._runs.append(run)
        run.speech.append(event.speech)
        run.level.append(event.level)
        run.echo.append(event.echo)
        run.began = min(run.began, at - len(run.speech) * step)  # windows come late, never early: the least late one tells
        threshold = self._policy.speech_off if self._is_voiced else self._policy.speech_on
        self._is_voiced = event.speech >= threshold and event.echo < self._policy.echo
        if self._is_voiced:
            if run.ended - step - self.ended > _SAME_SOUND:
                self.began = run.ended - step
            self.ended = run.ended

    def windows(self) -> tuple[Windows, ...]:
        return tuple(
            Windows(run.began, run.step, tuple(run.speech), tuple(run.level), tuple(run.echo)) for run in self._runs
        )


class Words:
    """Collects what the recogniser had, and tells what is new in each of its guesses."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._found: list[Understood] = []

    def take(self, at: float, event: Transcribed) -> None:
        words = event.text.split()
        kept = 0
        for before, now in zip(self._shown, words, strict=False):
            if before.casefold() != now.casefold():
                break
            kept += 1
        fresh = words if event.is_final else words[kept:]
        is_revised = kept < len(self._shown)
        self._shown = [] if event.is_final else words
        if fresh or is_revised:
            whole, text = " ".join(words), " ".join(fresh)
            self._found.append(Understood(at, text, whole, event.is_final, is_revised, event.confidence))

    def understood(self) -> tuple[Understood, ...]:
        return tuple(self._found)
