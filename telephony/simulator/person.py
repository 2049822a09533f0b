"""One person on the phone: hears 20 ms, says 20 ms. Pure; the clock is media time, counted in samples since the answer.

They hear the agent by the energy of what is *played* to them, as a person would: what a `clear` threw away they never heard.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final, assert_never

import numpy as np

from telephony.audio import FRAME, SAMPLE_RATE, SILENT_FRAME, encode, level, mix, silence
from telephony.simulator.people import AfterPause, AfterSilence, At, Beep, Echo, HangUp, Line, Over, Press, Say, Sound, When

VOICED_ABOVE: Final = -45.0  # dBFS; quiet telephone speech is around -35
ONSET_FRAMES: Final = 2  # voiced frames in a row that make a beginning: a click is not speech
SPURT_GAP: Final = int(0.3 * SAMPLE_RATE)  # a pause this short is still the same talking
_BREATH: Final = int(0.1 * SAMPLE_RATE)  # between words
# "okay", "let me see": whoever has said so little goes on in a moment. This is what a listener takes for one, of any engine;
# how long ours takes to say is another matter (`voice/acknowledging.py` estimates it, to choose one that fits a wait).
_WORD_IN_BETWEEN: Final = int(0.7 * SAMPLE_RATE)
_GOES_ON_WITHIN: Final = int(2.0 * SAMPLE_RATE)  # ... and people let them, so long
_REACTION: Final = int(0.2 * SAMPLE_RATE)  # what the agent says just before my line ends still counts as after it


@dataclass(frozen=True, slots=True)
class Cue:
    """A line made ready: its audio (empty for keys and hanging up) and what it is."""

    when: When
    audio: bytes = field(repr=False, default=b"")
    text: str = ""
    digits: str = ""
    hangs_up: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """All one person will do in one call."""

    cues: tuple[Cue, ...] = ()
    hang_up_after: float = 0.0
    patience: float = 20.0
    limit: float = 0.0  # seconds after the last line at which they hang up whatever happens; 0: never
    noise: float | None = None
    echo: Echo | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Uttered:
    """What was really said and when: `[start, end)` in samples since the answer."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tick:
    """20 ms of a person: what they say into the phone, the keys they press, whether they hang up."""

    audio: bytes
    digits: str = ""
    hung_up: bool = False


_SILENT: Final = Tick(SILENT_FRAME)


class Ear:
    """When the other side talked, from the energy of what was played."""

    def __init__(self) -> None:
        self.talking_since: int | None = None
        self.last_voiced = -1  # the end of the last voiced frame; -1: never
        self.first_voiced = -1
        self.voiced = 0  # samples of talk so far, its pauses left out
        self._run = 0

    def hear(self, frame: bytes, position: int) -> None:
        """Take the frame that begins at `position`."""
        if frame is SILENT_FRAME or frame == SILENT_FRAME or level(frame) < VOICED_ABOVE:
            self._run = 0
            if self.talking_since is not None and position - self.last_voiced >= SPURT_GAP:
                self.talking_since = None
            return
        self._run += 1
        if self._run >= ONSET_FRAMES or self.talking_since is not None:
            self.last_voiced = position + len(frame)
            self.voiced += len(frame)
            if self.talking_since is None:
                self.talking_since = position - (self._run - 1) * FRAME
                self.first_voiced = self.talking_since if self.first_voiced < 0 else self.first_voiced

    def is_hearing(self, position: int) -> bool:
        """Is the other side talking right now? (`talking_since` also spans its short pauses.)"""
        return self.talking_since is not None and position - self.last_voiced < _BREATH

    def has_spoken_since(self, position: int) -> bool:
        return self.last_voiced > position


class PersonOnPhone:
    """A person in one call, from the answer to the hang-up."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._cues = deque(script.cues)
        self._ear = Ear()
        self._speaking: Cue | None = None
        self._offset = 0
        self._begun_at = 0
        self._ready_since = 0  # when the last line ended
        self._heard_by_then = 0  # samples of talk
        self._room = _Room(script)
        self.position = 0
        self.uttered: list[Uttered] = []

    @property
    def ear(self) -> Ear:
        return self._ear

    def tick(self, heard: bytes, *, is_voice: bool = True) -> Tick:
        """Hear one frame and say one. `is_voice` is False for the network's own sounds (ringing), which nobody answers."""
        if is_voice:
            self._ear.hear(heard, self.position)
        digits, hung_up = "", False
        if self._speaking is None:
            digits, hung_up = self._act()
        said = self._room.color(self._next_frame(), heard)
        self.position += FRAME
        if said is SILENT_FRAME and not digits and not hung_up:
            return _SILENT
        return Tick(said, digits, hung_up)

    def _act(self) -> tuple[str, bool]:
        """Begin the next line if its moment has come; returns keys pressed and whether to hang up."""
        if not self._cues:
            return "", self._is_done()
        cue = self._cues[0]
        if not self._is_time(cue.when):
            return "", self._is_out_of_patience()
        self._cues.popleft()
        if cue.audio:
            self._speaking, self._offset = cue, 0
            return "", False
        self._ready_since, self._heard_by_then = self.position, self._ear.voiced
        if cue.digits:
            self.uttered.append(Uttered(f"[{cue.digits}]", self.position, self.position + FRAME))
        return cue.digits, cue.hangs_up

    def _is_time(self, when: When) -> bool:
        ear, wait = self._ear, round(when.seconds * SAMPLE_RATE)
        match when:
            case At():
                return self.position >= wait
            case AfterPause():
                return self.position - self._ready_since >= wait
            case AfterSilence():
                return self._has_been_answered() and self._has_stopped(wait)
            case Over():
                return (
                    ear.is_hearing(self.position) and self.position - max(ear.talking_since or 0, self._ready_since) >= wait
                )
            case _:
                assert_never(when)

    def _has_been_answered(self) -> bool:
        since = self._ready_since - _REACTION if self.uttered else -1
        return self._ear.has_spoken_since(since) and self._ear.last_voiced >= 0

    def _has_stopped(self, wait: int) -> bool:
        """Has the other side been silent for `wait` samples, or for longer where they have hardly begun?"""
        is_short = self._ear.voiced - self._heard_by_then < _WORD_IN_BETWEEN
        return self.position - self._ear.last_voiced >= (max(wait, _GOES_ON_WITHIN) if is_short else wait)

    def _is_done(self) -> bool:
        """After the last line: hang up once the agent has said its goodbye, if that is this person's way."""
        wait = round(self._script.hang_up_after * SAMPLE_RATE)
        if wait and self._has_been_answered() and self._has_stopped(wait):
            return True
        limit = self._script.limit * SAMPLE_RATE
        return self._is_out_of_patience() or (limit > 0 and self.position - self._ready_since >= limit)

    def _is_out_of_patience(self) -> bool:
        quiet_since = max(self._ready_since, self._ear.last_voiced, 0)
        return self.position - quiet_since >= self._script.patience * SAMPLE_RATE

    def _next_frame(self) -> bytes:
        cue = self._speaking
        if cue is None:
            return SILENT_FRAME
        if self._offset == 0:
            self._begun_at = self.position
        frame = cue.audio[self._offset : self._offset + FRAME]
        self._offset += len(frame)
        if self._offset >= len(cue.audio):
            self._speaking = None
            self._ready_since, self._heard_by_then = self.position + len(frame), self._ear.voiced
            self.uttered.append(Uttered(cue.text, self._begun_at, self._ready_since))
        return frame if len(frame) == FRAME else frame + silence(FRAME - len(frame))


class _Room:
    """What the microphone picks up besides the person: noise, and an echo of the receiver."""

    def __init__(self, script: Script) -> None:
        self._noise = _noise(script.noise, script.seed) if script.noise is not None else b""
        self._at = 0
        self._echo = script.echo
        delay = max(1, round((script.echo.delay if script.echo else 0) * SAMPLE_RATE / FRAME))
        self._heard: deque[bytes] = deque([SILENT_FRAME] * delay, maxlen=delay)

    def color(self, said: bytes, heard: bytes) -> bytes:
        parts = [(said, 0.0)]
        if self._echo is not None:
            past = self._heard[0]
            self._heard.append(heard)
            if past != SILENT_FRAME:
                parts.append((past, self._echo.gain))
        if self._noise:
            parts.append((self._noise[self._at : self._at + FRAME], 0.0))
            self._at = (self._at + FRAME) % len(self._noise)
        return mix(*parts) if len(parts) > 1 else said


# --- making lines ready ------------------------------------------------------------------------------------------------


def cue(line: Line, speech: dict[str, bytes], seed: int = 0) -> Cue:
    """A line with its audio; `speech` holds every text already synthesised."""
    match line.deed:
        case Say(text):
            return Cue(line.when, speech[text], text)
        case Press(digits):
            return Cue(line.when, digits=digits)
        case Sound(name):
            return Cue(line.when, sound(name, seed), f"[{name}]")
        case HangUp():
            return Cue(line.when, hangs_up=True)
        case _:
            assert_never(line.deed)


def voicemail(greeting: bytes, text: str, beep: Beep, limit: float) -> Script:
    """A machine: greeting, beep, then it records until the caller has been silent for 5 s or `limit` seconds are full."""
    cues = (Cue(At(0.6), greeting, text), Cue(AfterPause(0.4), tone(beep.frequency, beep.seconds), "[beep]"))
    return Script(cues, hang_up_after=5.0, patience=8.0, limit=limit)


def tone(frequency: float, seconds: float, dbfs: float = -12.0) -> bytes:
    """A steady sine; `dbfs` is its RMS level."""
    instants = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.sin(2 * math.pi * frequency * instants) * math.sqrt(2) * 10 ** (dbfs / 20)
    return encode((np.clip(wave, -1, 1) * 32767).astype(np.int16))


def sound(name: str, seed: int = 0) -> bytes:
    """A noise that is not speech: `cough` (0.35 s, loud, decaying) or `click` (10 ms)."""
    random = np.random.default_rng(seed)
    samples = round((0.35 if name == "cough" else 0.01) * SAMPLE_RATE)
    envelope = np.exp(-np.arange(samples) / (0.35 * samples))
    return encode((random.standard_normal(samples) * envelope * 0.15 * 32767).clip(-32768, 32767).astype(np.int16))


def _noise(dbfs: float, seed: int) -> bytes:
    """Two seconds of noise with more bass than treble, as rooms have it."""
    white = np.random.default_rng(seed).standard_normal(2 * SAMPLE_RATE)
    brown = np.convolve(white, np.ones(4) / 4, mode="same")
    brown *= 10 ** (dbfs / 20) / brown.std()
    return encode((brown * 32767).clip(-32768, 32767).astype(np.int16))
