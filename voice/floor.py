"""Who holds the floor: decides when the caller began, paused, finished, and whether talking over us means stopping.

Pure and driven by media time: the carrier sends a frame every 20 ms, silence too, so every instant worth a decision is the
instant of some `VoiceEvidence`. Never touches audio, words to say or tools; `Conversation` acts on what is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from voice.agent import AnswerKind
from voice.events import SAMPLE_RATE, Transcribed, VoiceEvidence
from voice.phrases import is_backchannel, trails_off


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
class DoubtSettled:
    """It was nothing that takes the floor (`why`: noise, backchannel, echo): back to full voice."""

    why: str


@dataclass(frozen=True, slots=True)
class FloorTaken:
    """A person is taking the floor: stop and listen."""

    why: str


FloorChange: TypeAlias = CallerStarted | CallerPaused | TurnOver | DoubtRaised | DoubtSettled | FloorTaken


class Caller(Enum):
    QUIET = auto()
    SPEAKING = auto()


class Agent(Enum):
    """What the caller hears of us."""

    SILENT = auto()
    AUDIBLE = auto()
    PROTECTED = auto()  # audible with words that are not to be interrupted away


@dataclass(frozen=True, slots=True)
class FloorPolicy:
    """Patience, in seconds of caller audio, and thresholds of the speech probability (0 to 1)."""

    speech_on: float = 0.5
    speech_off: float = 0.35
    start_after: float = 0.064
    duck_after: float = 0.096
    take_floor_after: float = 0.28
    finish_after: float = 0.192
    endpoint_after: float = 0.45
    endpoint_yes_no: float = 0.38
    endpoint_number: float = 0.70
    endpoint_open: float = 0.60
    endpoint_trailing: float = 1.20
    settle_after: float = 0.25


ENDPOINTS: Final = {
    AnswerKind.YES_NO: "endpoint_yes_no",
    AnswerKind.NUMBER: "endpoint_number",
    AnswerKind.OPEN: "endpoint_open",
}


class Floor:
    """The two parties' joint state. Feed it evidence and words, tell it what we are doing; it says what has changed."""

    def __init__(self, policy: FloorPolicy | None = None) -> None:
        self.policy = policy or FloorPolicy()
        self.caller = Caller.QUIET
        self.agent = Agent.SILENT
        self.expected: AnswerKind | None = None
        self._position = 0
        self._run = 0  # samples of the present run of voice
        self._silence = 0  # samples since the last voiced window
        self._is_voiced = False
        self._is_doubtful = False
        self._has_paused = False
        self._words = ""

    def set_agent(self, agent: Agent) -> list[FloorChange]:
        """Tell what the caller hears of us from now on. A doubt about an agent that fell silent is no longer one."""
        self.agent = agent
        if agent is Agent.SILENT and self._is_doubtful:
            self._is_doubtful = False
            return self._caller_started() if self._is_voiced else []
        return []

    def set_expected(self, kind: AnswerKind | None) -> None:
        """Tell what was just asked: it decides how long the caller may think between words."""
        self.expected = kind

    def transcribed(self, event: Transcribed) -> list[FloorChange]:
        """Take the ears' words as one more witness."""
        self._words = event.text if not event.is_final else f"{self._words} {event.text}".strip()
        if self._is_doubtful and event.text and not is_backchannel(event.text) and self.agent is not Agent.PROTECTED:
            return self._take_floor("words")
        return []

    def evidence(self, event: VoiceEvidence) -> list[FloorChange]:
        """Take one window of caller audio; return what it changed, in order."""
        length = event.position - self._position
        self._position = event.position
        threshold = self.policy.speech_off if self._is_voiced else self.policy.speech_on
        self._is_voiced = event.speech >= threshold
        if self._is_voiced:
            self._run += length
            self._silence = 0
            return self._voiced()
        self._silence += length
        return self._unvoiced()

    @property
    def silence(self) -> float:
        """Seconds of caller audio since the last voiced window."""
        return self._silence / SAMPLE_RATE

    def _voiced(self) -> list[FloorChange]:
        run = self._run / SAMPLE_RATE
        self._has_paused = False
        if self.agent is Agent.SILENT:
            return self._caller_started() if run >= self.policy.start_after else []
        if self.caller is Caller.SPEAKING:
            return []
        if self.agent is Agent.AUDIBLE and run >= self.policy.take_floor_after:
            return self._take_floor("voice")
        if not self._is_doubtful and run >= self.policy.duck_after and self.agent is Agent.AUDIBLE:
            self._is_doubtful = True
            return [DoubtRaised()]
        return []

    def _unvoiced(self) -> list[FloorChange]:
        silence = self.silence
        if silence >= self.policy.settle_after:
            self._run = 0
        if self._is_doubtful and silence >= self.policy.settle_after:
            self._is_doubtful = False
            return [DoubtSettled("backchannel" if is_backchannel(self._words) else "noise")]
        if self.caller is Caller.QUIET:
            return []
        changes: list[FloorChange] = []
        if not self._has_paused and silence >= self.policy.finish_after:
            self._has_paused = True
            changes.append(CallerPaused())
        patience, why = self._patience()
        if silence >= patience:
            self.caller = Caller.QUIET
            self._words = ""
            changes.append(TurnOver(why))
        return changes

    def _patience(self) -> tuple[float, str]:
        if trails_off(self._words):
            return self.policy.endpoint_trailing, "trailing words"
        if self.expected in ENDPOINTS:
            name = ENDPOINTS[self.expected]
            patience: float = getattr(self.policy, name)
            return patience, f"silence after a {self.expected} question"
        return self.policy.endpoint_after, "silence"

    def _caller_started(self) -> list[FloorChange]:
        self._is_doubtful = False
        if self.caller is Caller.SPEAKING:
            return []
        self.caller = Caller.SPEAKING
        self._words = ""
        return [CallerStarted()]

    def _take_floor(self, why: str) -> list[FloorChange]:
        self._is_doubtful = False
        self.caller = Caller.SPEAKING
        return [FloorTaken(why)]
