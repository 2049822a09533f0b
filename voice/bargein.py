"""Somebody is heard while we speak: a person taking the floor, a "mhm", a noise, ourselves, or the room?

Pure, and in stages. About 100 ms of voice raise a doubt: we duck, which costs nothing. The doubt grows as soon as it sounds
like somebody who means it: we pause, which costs a quarter of a second at most. Meanwhile the case is built: a voice that
is raised takes the floor within 300 ms, one that merely goes on takes it by going on longer than a backchannel does, and one
that dies away was none. What is our own echo, or no louder than the room, never raises the doubt at all.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from statistics import pstdev
from typing import Final

import msgspec


class Stage(Enum):
    """How far the case has come."""

    NOTHING = auto()
    DOUBT = auto()
    GRAVE = auto()  # a doubt that has grown


class Verdict(Enum):
    """What a window changed about the case."""

    RAISED = auto()
    GROWN = auto()
    SETTLED = auto()
    TAKEN = auto()


_NOTHING: Final = Stage.NOTHING  # asked for by every window; an enum looks its members up by a call each time


class Sound(msgspec.Struct, frozen=True, gc=False):
    """One window, as far as this case is concerned."""

    seconds: float
    speech: float  # probability
    is_voice: bool
    level: float  # dBFS
    room: float  # dBFS
    usual: float  # dBFS, of this caller's speech
    colour: float | None = None  # dB, how bright it is


@dataclass(frozen=True, slots=True)
class BargePolicy:
    """Seconds of sound, decibels of level."""

    duck_after: float = 0.096
    pause_soft: float = -3.0  # dB above the caller's usual level from which on we pause for a voice
    pause_soft_after: float = 0.28  # once it has lasted so long: most murmurs are nearly over then
    pause_loud: float = 5.0  # dB from which on it is hardly a murmur
    pause_loud_after: float = 0.13
    pause_sure: float = 0.6  # mean speech probability of that voice
    fading: float = 10.0  # dB under its loudest, to which a voice has fallen that is dying away
    settle_after: float = 0.22  # of quiet: it was nothing
    onset: float = 10.0  # dB above the room: such sound right before the voice belongs to it
    earliest: float = 0.21  # before it no sound alone takes the floor
    latest: float = 0.44  # by it a voice that goes on has taken it: longer than backchannels are
    loud_early: float = 6.25  # dB above the caller's usual level that take the floor at `earliest`
    loud_late: float = 4.5  # and shortly before `latest`: between them it falls in a line
    per_dip: float = 0.5  # dB of loudness that a dB of dip between two loud moments is worth: more than one syllable
    dense: float = 0.55  # share of the time that must be voice
    no_murmur: float = 5.0  # dB above the caller's usual level: what takes the floor with so much was no murmur
    sure_early: float = 0.8  # mean speech probability of that voice
    sure_late: float = 0.74
    still_early: float = 0.72  # how much of its height above the room a voice must still have: below it is dying away
    still_late: float = 0.43
    varied: float = 0.3  # dB the colour of that voice must vary (standard deviation): "uh-huh" is one sound said twice
    coloured: float = 15.0  # dB under the loudest, down to which a window's colour counts
    quietest: float = -36.0  # dBFS: what never gets louder is in the room, not at the telephone
    over_room: float = 10.0  # dB its loudest must stand above the room
    over_crest: float = 6.0  # dB its loudest must stand above what has been heard while we spoke
    crest: float = 0.85  # the quantile of recent levels that stands for it
    usual: float = -28.0  # dBFS, while nothing is known of the caller


_RECENT: Final = 125  # windows (4 s) whose levels are remembered
_ENOUGH: Final = 15  # windows after which they mean something


@dataclass(slots=True)
class BargeIn:
    """The case about the present sound."""

    policy: BargePolicy = field(default_factory=BargePolicy)
    stage: Stage = Stage.NOTHING
    voice: float = 0.0  # seconds of voice since it began
    span: float = 0.0  # seconds since it began
    silence: float = 0.0
    _sure: float = 0.0  # seconds of voice times its probability
    _peak: float = -90.0
    _room: float = -90.0
    _crest: float = -90.0
    _low: float = 0.0  # dBFS, the quietest since the peak before it
    _before: float = -90.0  # dBFS, the loudest before that
    _dip: float = 0.0  # dB between two loud moments
    _onset: float = 0.0  # seconds of sound right before this window that stood above the room
    _colours: list[tuple[float, float]] = field(default_factory=list)  # of its voice: level, colour
    _last: deque[float] = field(default_factory=lambda: deque(maxlen=2))
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _case: list[float] = field(default_factory=list)  # levels since it began, not yet part of what is usual here

    def hear(self, sound: Sound) -> Verdict | None:
        """Take one window of what comes in while we speak."""
        if sound.is_voice:
            self._hear_voice(sound)
        elif not self.voice:
            self._onset = self._onset + sound.seconds if sound.level >= sound.room + self.policy.onset else 0.0
            self._recent.append(sound.level)
            return None
        else:
            self.silence += sound.seconds
        self.span += sound.seconds
        self._last.append(sound.level)
        self._case.append(sound.level)
        if self.silence >= self.policy.settle_after:
            return self._settle()
        if self.stage is _NOTHING:
            return self._doubt(sound.usual)
        if self._takes_floor(sound.usual):
            return Verdict.TAKEN
        return self._grow() if self.stage is Stage.DOUBT and self._sounds_meant(sound.usual) else None

    def forget(self) -> None:
        """The case is closed; how loud it was remains known."""
        self.stage, self.voice, self.span, self.silence, self._sure = Stage.NOTHING, 0.0, 0.0, 0.0, 0.0
        self._peak, self._onset = -90.0, 0.0
        self._before, self._low, self._dip = -90.0, 0.0, 0.0
        self._recent.extend(self._case)
        self._case.clear()
        self._colours.clear()
        self._last.clear()

    def is_sure(self, usual: float) -> bool:
        """Whether what has taken the floor was too loud for a murmur."""
        return self._peak - usual >= self.policy.no_murmur

    def why(self, usual: float) -> str:
        """The case in words, for the journal."""
        return f"{self.span * 1000:.0f} ms, {self.voice * 1000:.0f} of voice, {self._peak - usual:+.0f} dB against usual"

    def _hear_voice(self, sound: Sound) -> None:
        if not self.voice:
            self.span = min(self._onset, 0.096)
            self._crest, self._room = self._usual_here(), sound.room
        self.voice += sound.seconds
        self._sure += sound.seconds * sound.speech
        self.silence = 0.0
        self._peak = max(self._peak, sound.level)
        if sound.colour is not None:
            self._colours.append((sound.level, sound.colour))
        self._dip = max(self._dip, min(self._before, sound.level) - self._low)
        if sound.level >= self._before:
            self._before = self._low = sound.level
        self._low = min(self._low, sound.level)

    def _usual_here(self) -> float:
        if len(self._recent) < _ENOUGH:
            return -90.0
        return sorted(self._recent)[int(self.policy.crest * len(self._recent))]

    def _settle(self) -> Verdict | None:
        was = self.stage
        self.forget()
        return None if was is Stage.NOTHING else Verdict.SETTLED

    def _doubt(self, usual: float) -> Verdict | None:
        policy = self.policy
        quietest = max(policy.quietest, self._room + policy.over_room, self._crest + policy.over_crest)
        if self.voice < policy.duck_after or self._peak < quietest:
            return None
        if self._sounds_meant(usual):
            return self._grow()
        self.stage = Stage.DOUBT
        return Verdict.RAISED

    def _grow(self) -> Verdict:
        self.stage = Stage.GRAVE
        return Verdict.GROWN

    def _sounds_meant(self, usual: float) -> bool:
        """Whether it may well be somebody who takes the floor. Often wrong, which is why it only makes us pause."""
        policy = self.policy
        loud = self._peak - usual
        after = policy.pause_loud_after if loud >= policy.pause_loud else policy.pause_soft_after
        if self.silence or self.span < after or max(self._last) < self._peak - policy.fading:
            return False
        return loud >= policy.pause_soft and self._sure / self.voice >= policy.pause_sure

    def _takes_floor(self, usual: float) -> bool:
        policy = self.policy
        if self.silence or self.span < policy.earliest or self.voice < policy.dense * self.span or not self._is_varied():
            return False
        still, sure = (max(self._last) - self._room) / (self._peak - self._room), self._sure / self.voice
        if self.span >= policy.latest:
            return still >= policy.still_late and sure >= policy.sure_late
        gone = (self.span - policy.earliest) / (policy.latest - policy.earliest)
        loud = policy.loud_early + gone * (policy.loud_late - policy.loud_early)
        return (
            self._peak - usual + policy.per_dip * min(self._dip, 20.0) >= loud
            and still >= policy.still_early
            and sure >= policy.sure_early
        )

    def _is_varied(self) -> bool:
        """Whether the voice moved from sound to sound. True of one whose colour nobody measured."""
        colours = [colour for level, colour in self._colours if level >= self._peak - self.policy.coloured]
        return len(colours) < 2 or pstdev(colours) >= self.policy.varied
