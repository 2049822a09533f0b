"""All detectors of one call: caller audio in, `VoiceEvidence` out, knowing what we played.

`CallDetectors` fits `ports.VoiceActivity` and adds `played`. Around the speech model it puts, in this order: the echo guard
(is it us?), the foreground filter (is it the caller or the room?), and, where the voice pauses, how the last seconds
sounded. It measures and decides nothing: `Floor` does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from telephony.audio import decode
from voice.detectors import prosody
from voice.detectors.echo import LONGEST, STRETCH, EchoGuard
from voice.detectors.foreground import Foreground
from voice.detectors.smart_turn import SECONDS, Answer, TurnJudge
from voice.events import SAMPLE_RATE, VoiceEvidence

Floats = NDArray[np.float32]

WINDOW: Final = 256  # samples of one piece of evidence
_VOICED, _UNVOICED = 0.5, 0.35  # where speech begins and ceases to be speech
_ASK_AT: Final = 4  # windows of silence after which the turn model is asked
_CUES_AT: Final = 5  # windows of silence after which the sound of the ending is measured
_BREATH_AT: Final = (9, 13, 17)  # and the pause itself listened to again
_LONGEST_REST: Final = int(2.5 * SAMPLE_RATE)  # samples of silence after which the next voice begins something new
_SEARCH_EVERY: Final = 4  # windows
_AUDIBLE: Final = -65.0  # dBFS: an echo under it disturbs nobody
_FULL_SCALE: Final = np.float32(32768)


class Activity(Protocol):
    """A speech model: evidence of every window the audio completes."""

    def feed(self, audio: bytes) -> list[VoiceEvidence]: ...


class History:
    """The last seconds of one direction of audio, addressed by samples since the line opened."""

    def __init__(self, seconds: float) -> None:
        self._keep = int(seconds * SAMPLE_RATE)
        self._samples = np.zeros(3 * self._keep, np.float32)
        self._fill = self._keep  # silence came before everything
        self.end = 0

    def write(self, samples: Floats) -> None:
        """Append; of a piece longer than the memory only its end is kept."""
        self.end += len(samples)
        samples = samples[-self._keep :]
        if self._fill + len(samples) > len(self._samples):
            kept = self._samples[self._fill - self._keep : self._fill].copy()
            self._samples[: self._keep], self._fill = kept, self._keep
        self._samples[self._fill : self._fill + len(samples)] = samples
        self._fill += len(samples)

    def until(self, position: int, length: int) -> Floats:
        """The `length` samples before `position`; silence where there is nothing (yet, or any more)."""
        stop = self._fill - (self.end - position)
        if stop <= self._fill and stop - length >= 0:
            return self._samples[stop - length : stop]
        wanted = np.arange(stop - length, stop)
        known = (wanted >= 0) & (wanted < self._fill)
        return np.where(known, self._samples[np.clip(wanted, 0, self._fill - 1)], np.float32(0))

    def forget_after(self, position: int) -> None:
        """What was to come after `position` will not come."""
        surplus = min(max(0, self.end - position), self._fill)
        self._fill -= surplus
        self.end -= surplus


class CallDetectors:
    """The detectors of one call. `activity` is its speech model, `judge` somebody to ask whether a turn sounds complete."""

    def __init__(self, activity: Activity, judge: TurnJudge | None = None) -> None:
        self._activity = activity
        self._judge = judge
        self._near = History(SECONDS + 1)
        self._far = History(4)
        self._far_sounds_until = -LONGEST
        self._foreground = Foreground()
        self._echo = EchoGuard()
        self._windows = 0
        self._is_voiced = False
        self._voiced_windows = 0  # in the present stretch of speech
        self._rest = 0  # windows since the last voiced one
        self._began = 0  # samples: where the present stretch of speech began
        self._ended = 0
        self._answer: Answer | None = None

    def feed(self, near: bytes) -> list[VoiceEvidence]:
        """Take caller audio (mu-law, any length, in order); return the evidence of every window it completes."""
        self._near.write(decode(near).astype(np.float32) / _FULL_SCALE)
        return [self._judged(evidence) for evidence in self._activity.feed(near)]

    def played(self, audio: bytes) -> None:
        """Take audio as it leaves for the caller's ear, ahead of its time or not. What is not told of is silence."""
        if not audio:
            return
        if self._far.end < self._near.end:
            self._far.write(np.zeros(self._near.end - self._far.end, np.float32))
        self._far.write(decode(audio).astype(np.float32) / _FULL_SCALE)
        self._far_sounds_until = self._far.end

    def cleared(self) -> None:
        """What was sent and not yet heard was thrown away."""
        self._far.forget_after(self._near.end)
        self._far_sounds_until = min(self._far_sounds_until, self._near.end)

    def _judged(self, evidence: VoiceEvidence) -> VoiceEvidence:
        self._windows += 1
        position = int(evidence.position)
        echo = self._echo_in(evidence, position)
        speech = self._foreground.step(evidence.speech * (1 - echo), evidence.level)
        features = {"room": self._foreground.room, "caller_level": self._foreground.caller}
        features |= self._ending(speech, position)
        return replace(
            evidence,
            speech=speech,
            echo=echo,
            features=tuple((name, round(value, 4)) for name, value in features.items()),
        )

    def _echo_in(self, evidence: VoiceEvidence, position: int) -> float:
        if position > self._far_sounds_until + LONGEST or evidence.level < _AUDIBLE:
            return 0.0
        may_search = self._windows % _SEARCH_EVERY == 0 and evidence.speech > 0.15
        if self._echo.delay is None and not may_search:
            return 0.0
        near = self._near.until(position, STRETCH)
        far = self._far.until(position, STRETCH + LONGEST)
        return self._echo.judge(near, far, WINDOW, may_search=may_search)

    def _ending(self, speech: float, position: int) -> dict[str, float]:
        """The cues of an ending, where there are new ones."""
        self._is_voiced = speech >= (_UNVOICED if self._is_voiced else _VOICED)
        if self._is_voiced:
            if not self._voiced_windows or self._rest * WINDOW > _LONGEST_REST:
                self._began, self._voiced_windows = position - WINDOW, 0
            self._voiced_windows += 1
            self._rest, self._ended, self._answer = 0, position, None
            return {}
        self._rest += 1
        if self._voiced_windows < 3:
            return {}
        return self._cues(position) | self._answered()

    def _cues(self, position: int) -> dict[str, float]:
        if self._rest == _ASK_AT and self._judge is not None:
            self._answer = self._judge.ask(self._near.until(position, min(position, SECONDS * SAMPLE_RATE)))
        if self._rest == _CUES_AT:
            return prosody.at_pause(*self._window_on(position), self._foreground.room)
        if self._rest in _BREATH_AT:
            samples, _, ended = self._window_on(position)
            return {"breath": prosody.breath(prosody.energies(samples), ended // prosody.HOP)}
        return {}

    def _window_on(self, position: int) -> tuple[Floats, int, int]:
        """The past that matters, and where in it speech began and ended."""
        length = min(position, prosody.MEMORY)
        first = position - length
        return self._near.until(position, length), max(0, self._began - first), self._ended - first

    def _answered(self) -> dict[str, float]:
        if self._answer is None or not self._answer.done():
            return {}
        answer, self._answer = self._answer, None
        return {"complete": answer.result()}
