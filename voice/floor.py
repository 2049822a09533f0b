"""Who holds the floor: decides when the caller began, paused, finished, and whether talking over us means stopping.

Pure and driven by media time: the carrier sends a frame every 20 ms, silence too, so every instant worth a decision is the
instant of some `VoiceEvidence`. Never touches audio, words to say or tools; `Conversation` acts on what is returned. Two
smaller machines do the weighing: `Endpointing` while the caller speaks, `BargeIn` while we do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, TypeAlias, TypeVar, assert_never

from voice.agent import AnswerKind
from voice.bargein import BargeIn, BargePolicy, Sound, Stage, Verdict
from voice.endpointing import Ending, Endpointing, EndpointPolicy
from voice.events import SAMPLE_RATE, Transcribed, VoiceEvidence
from voice.phrases import is_backchannel


@dataclass(frozen=True, slots=True)
class CallerStarted:
    """The caller began to speak while we were quiet."""


@dataclass(frozen=True, slots=True)
class CallerPaused:
    """The caller has been quiet long enough to ask the ears for their final words; the turn may still go on."""


@dataclass(frozen=True, slots=True)
class TurnOver:
    """The caller has finished: `why` names the contributions, for the journal."""

    why: str


@dataclass(frozen=True, slots=True)
class DoubtRaised:
    """First evidence of somebody talking over us: duck, do not stop."""


@dataclass(frozen=True, slots=True)
class DoubtGrown:
    """It sounds as if somebody were taking the floor: pause for a moment, until it is known."""


@dataclass(frozen=True, slots=True)
class DoubtSettled:
    """It was nothing that takes the floor (`why`: noise, backchannel, echo): back to full voice."""

    why: str


@dataclass(frozen=True, slots=True)
class FloorTaken:
    """A person is taking the floor: stop and listen. `after` is how long they have been heard by then, in seconds. Not
    `is_sure` of a voice as soft as murmurs are: it may be over in a moment, and then it was one."""

    why: str
    after: float = field(default=0.0, compare=False)
    is_sure: bool = field(default=True, compare=False)


FloorChange: TypeAlias = CallerStarted | CallerPaused | TurnOver | DoubtRaised | DoubtGrown | DoubtSettled | FloorTaken


class Caller(Enum):
    QUIET = auto()
    SPEAKING = auto()


class Agent(Enum):
    """What the caller hears of us."""

    SILENT = auto()
    AUDIBLE = auto()
    PROTECTED = auto()  # audible with words that are not to be interrupted away


_SPEAKING, _SILENT, _PROTECTED = (
    Caller.SPEAKING,
    Agent.SILENT,
    Agent.PROTECTED,
)  # asked for by every window; an enum looks its members up by a call each time
_UNKNOWN_ROOM: Final = -60.0  # dBFS, from detectors that do not know it
_QUIETEST: Final = -66.0  # dBFS: what rises below it is mu-law's own idle noise
_LOUDEST: Final = 0.0  # dBFS
_JUST_NOW: Final = 2.0  # seconds: a shorter silence, ours included, was a pause of theirs and not the end we took it for


@dataclass(frozen=True, slots=True)
class FloorPolicy:
    """Thresholds of probabilities (0 to 1), seconds of caller audio."""

    speech_on: float = 0.5
    speech_off: float = 0.35
    echo: float = 0.5
    start_after: float = 0.128  # seconds of voice that begin a turn
    opening: float = 0.8  # seconds of the line in which no sound takes the floor: nothing is known of the room yet
    resume_after: float = 0.16  # and that end a pause: a click is neither
    finish_after: float = 0.096  # seconds of silence that are a pause, and
    hush_for: float = 0.064  # of a level that says so sooner, where the words are whole: a speech model is 0 to 200 ms late
    hush_above: float = 9.0  # dB above the room, or
    hush_under: float = 20.0  # dB under the caller's voice, at most, while
    hush_speech: float = 0.7  # the speech model doubts already: a stop within a word is as quiet
    fallen_for: float = 0.064  # seconds of a level that says, sooner than a speech model does, that a voice is over:
    fallen_under: float = 16.0  # dB under the caller's, at most; the stop within "okay" is as quiet for three windows
    again_within: float = 0.8  # seconds after what had stopped us was over: whoever is heard then goes on
    stir: float = 9.0  # dB above the quietest of this pause: a turn does not end while something so loud is heard ...
    stir_for: float = 0.2  # ... for at most so many seconds
    endpoint: EndpointPolicy = field(default_factory=EndpointPolicy)
    barge: BargePolicy = field(default_factory=BargePolicy)


Otherwise = TypeVar("Otherwise", float, None)


def feature(event: VoiceEvidence, name: str, otherwise: Otherwise) -> float | Otherwise:
    """A detector's output by its name, where there is one."""
    for known, value in event.features:
        if known == name:
            return value
    return otherwise


class Floor:
    """The two parties' joint state. Feed it evidence and words, tell it what we are doing; it says what has changed."""

    def __init__(self, policy: FloorPolicy | None = None) -> None:
        self.policy = policy or FloorPolicy()
        self.caller = Caller.QUIET
        self.agent = Agent.SILENT
        self._ending = Endpointing(self.policy.endpoint)
        self._barge = BargeIn(self.policy.barge)
        self._position = 0
        self._run = 0  # samples of the present run of voice
        self._silence = 0  # samples since the last voiced window
        self._is_voiced = False
        self._rested = 0  # samples of silence before the present run of voice
        self._quietest = 0.0  # dBFS, of two windows running since the last voiced one
        self._last_level = 0.0  # dBFS
        self._has_paused = False
        self._hushed = 0  # samples of the present run of quiet
        self._loud = 0  # samples of the present run of voice that is not quiet
        self._loud_at = 0  # where the last of it ended
        self._fallen = 0  # samples of the present run of a level at which nobody speaks into the telephone
        self._given_back: int | None = None  # where what took the floor was over at once
        self._has_spoken = False  # at least one turn
        self._over_words = ""

    def set_agent(self, agent: Agent) -> list[FloorChange]:
        """Tell what the caller hears of us from now on. A doubt about an agent that fell silent is no longer one."""
        was, self.agent = self.agent, agent
        is_doubtful = self._barge.stage is not Stage.NOTHING
        if agent is Agent.PROTECTED and is_doubtful:
            self._barge.forget()
            return [DoubtSettled("what is said now is said to its end")]
        if agent is not Agent.SILENT:
            if was is Agent.SILENT:
                self._barge.forget()
            return []
        self._barge.forget()
        return self._caller_started() if is_doubtful and self._is_voiced else []

    @property
    def expected(self) -> AnswerKind | None:
        """What was just asked."""
        return self._ending.expected

    def set_expected(self, kind: AnswerKind | None, answers: Iterable[str] = ()) -> None:
        """Tell what was just asked: it decides how long the caller may think between words."""
        self._ending.expect(kind, answers)

    def transcribed(self, event: Transcribed) -> list[FloorChange]:
        """Take the ears' words as one more witness."""
        self._ending.transcribed(event)
        text = event.text.strip()
        if self._barge.stage is Stage.NOTHING or not text:
            return []
        self._over_words = text
        if is_backchannel(text):
            return []
        taken = self._take_floor(f'words: "{text}"')
        self._ending.transcribed(event)
        return taken

    def evidence(self, event: VoiceEvidence) -> list[FloorChange]:
        """Take one window of caller audio; return what it changed, in order. A window out of order changes nothing."""
        length = event.position - self._position
        if length <= 0:
            return []
        self._position = event.position
        self._fallen = self._fallen + length if self._is_low(event) else 0
        threshold = self.policy.speech_off if self._is_voiced else self.policy.speech_on
        self._is_voiced = event.speech >= threshold and event.echo < self.policy.echo
        self._run = self._run + length if self._is_voiced else 0
        if self._run < self.policy.resume_after * SAMPLE_RATE:
            self._silence += length
        elif self._silence:
            self._rested, self._silence = self._silence, 0
        if self.caller is _SPEAKING:
            return self._in_turn(event, length)
        return self._over_us(event, length) if self.agent is not _SILENT else self._before_turn()

    @property
    def silence(self) -> float:
        """Seconds of caller audio since the last voiced window."""
        return self._silence / SAMPLE_RATE

    @property
    def has_fallen(self) -> bool:
        """Whether what was heard just now is over, by its level."""
        return self._fallen >= self.policy.fallen_for * SAMPLE_RATE

    def give_back(self) -> None:
        """What took the floor was over before it was a turn: nobody speaks."""
        self.caller = Caller.QUIET
        self._run = 0
        self._given_back = self._position

    @property
    def is_pausing(self) -> bool:
        """Whether the caller has fallen silent within their turn, and not gone on."""
        return self.caller is Caller.SPEAKING and self._has_paused

    @property
    def quiet(self) -> float:
        """Seconds of caller audio since their voice was last heard, by its level."""
        return (self._position - self._loud_at) / SAMPLE_RATE

    @property
    def voice_until(self) -> float:
        """Seconds of caller audio at which their voice was last heard."""
        return self._loud_at / SAMPLE_RATE

    @property
    def is_promising(self) -> bool:
        """Whether the caller's words so far promise more."""
        return self._ending.is_promising

    @property
    def believed(self) -> Ending:
        """What is believed about the present pause of the caller's turn, and why."""
        return self._ending.ending()

    @property
    def ending(self) -> float:
        """The probability that the caller's turn is over, now: what speculation may go by. 0 while they speak."""
        if self.caller is Caller.QUIET or self._is_voiced:
            return 0.0
        return self.believed.probability(self.silence, self.policy.endpoint)

    def _in_turn(self, event: VoiceEvidence, length: int) -> list[FloorChange]:
        """The caller has the floor."""
        changes = self._pausing(event, length)
        if self._is_voiced:
            self._quietest = self._last_level = _LOUDEST
            if not self._silence:
                spoken = self._run if self._rested else length
                self._ending.voiced(spoken / SAMPLE_RATE, self._rested / SAMPLE_RATE)
                self._rested = 0
            return changes
        self._quietest = min(self._quietest, max(self._last_level, event.level))
        self._last_level = event.level
        self._ending.hear(event.features)
        silence, ending = self.silence, self.believed
        if silence >= ending.patience and (silence >= ending.patience + self.policy.stir_for or not self._stirs(event)):
            changes.append(self._turn_over(ending))
        return changes

    def _pausing(self, event: VoiceEvidence, length: int) -> list[FloorChange]:
        """Whether they have just fallen silent, or gone on."""
        policy, is_hushed = self.policy, self._is_hushed(event)
        self._hushed = self._hushed + length if is_hushed else 0
        self._loud = self._loud + length if self._is_voiced and not is_hushed else 0
        if self._loud:
            self._loud_at = event.position
        if self._loud >= policy.resume_after * SAMPLE_RATE:
            self._has_paused = False
        has_finished = self._hushed >= policy.hush_for * SAMPLE_RATE and self._ending.is_whole
        has_gone_silent = (
            not self._is_voiced and self.silence >= policy.finish_after
        )  # a voice that has just set in is no pause
        if self._has_paused or not (has_finished or has_gone_silent):
            return []
        self._has_paused = True
        return [CallerPaused()]

    def _is_hushed(self, event: VoiceEvidence) -> bool:
        """Whether this window is as quiet as no voice of theirs."""
        room = feature(event, "room", _UNKNOWN_ROOM)
        usual = feature(event, "caller_level", self.policy.barge.usual)
        quiet = max(room + self.policy.hush_above, usual - self.policy.hush_under)
        return event.level <= quiet and event.speech < self.policy.hush_speech

    def _is_low(self, event: VoiceEvidence) -> bool:
        room = feature(event, "room", _UNKNOWN_ROOM)
        usual = feature(event, "caller_level", self.policy.barge.usual)
        return event.level <= max(room + self.policy.hush_above, usual - self.policy.fallen_under)

    def _stirs(self, event: VoiceEvidence) -> bool:
        """Whether something rises out of this pause just now: the caller may be going on, not yet known for a voice."""
        quietest = min(self._quietest, feature(event, "room", _UNKNOWN_ROOM))
        return event.level >= max(quietest, _QUIETEST) + self.policy.stir

    def _before_turn(self) -> list[FloorChange]:
        """Nobody speaks."""
        return self._caller_started() if self._run >= self.policy.start_after * SAMPLE_RATE else []

    def _over_us(self, event: VoiceEvidence, length: int) -> list[FloorChange]:
        """We speak, the caller does not, or not yet."""
        if self.agent is _PROTECTED:
            return []
        known = dict(event.features)
        room, usual = known.get("room", _UNKNOWN_ROOM), known.get("caller_level", self.policy.barge.usual)
        seconds, colour = length / SAMPLE_RATE, known.get("colour")
        speech = min(1.0, event.speech / (1.0 - event.echo)) if self._is_voiced else event.speech
        sound = Sound(seconds, speech, self._is_voiced, event.level, room, usual, colour)
        verdict = self._barge.hear(sound)
        match verdict:
            case None:
                return []
            case Verdict.RAISED | Verdict.GROWN if self._goes_on():
                return self._take_floor("whoever had just stopped us goes on", is_sure=False)
            case Verdict.RAISED:
                self._over_words = ""
                return [DoubtRaised()]
            case Verdict.GROWN:
                return [DoubtGrown()]
            case Verdict.SETTLED:
                return [DoubtSettled("backchannel" if is_backchannel(self._over_words) else "noise")]
            case Verdict.TAKEN if event.position < self.policy.opening * SAMPLE_RATE:
                return []
            case Verdict.TAKEN:
                return self._take_floor(f"voice: {self._barge.why(usual)}", is_sure=self._barge.is_sure(usual))
            case _:
                assert_never(verdict)

    def _goes_on(self) -> bool:
        since = self._position - self._given_back if self._given_back is not None else None
        return since is not None and since < self.policy.again_within * SAMPLE_RATE

    def _turn_over(self, ending: Ending) -> TurnOver:
        self.caller = Caller.QUIET
        self._has_spoken = True
        self._run = 0
        return TurnOver(ending.why)

    def _caller_started(self) -> list[FloorChange]:
        is_same_turn = self._has_spoken and self._rested < _JUST_NOW * SAMPLE_RATE
        self._begin(self._rested / SAMPLE_RATE if is_same_turn else None)
        return [CallerStarted()]

    def _take_floor(self, why: str, *, is_sure: bool = True) -> list[FloorChange]:
        after = self._barge.span
        self._begin()
        return [FloorTaken(why, after, is_sure)]

    def _begin(self, rested: float | None = None) -> None:
        """The caller has the floor: anew, or again after a rest that we took for the end."""
        self._barge.forget()
        self.caller = Caller.SPEAKING
        self._has_paused = False
        self._rested = 0  # the silence before a turn is not one of this caller's pauses within turns
        if rested is None:
            self._ending.begin()
        else:
            self._ending.resume(rested)
