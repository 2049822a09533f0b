"""What is at the other end, when it is not the person we rang: a call screener, a queue, a fax, somebody else, another
language. Recognises each by its own evidence, and says what the agent's file wants done about it.

The wordings stand in `voice/tongues`. ITU-T T.30: a calling fax sends 1100 Hz for half a second every three seconds, an
answering one 2100 Hz for three seconds; ITU-T V.25 has the same 2100 Hz for modems.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from voice.agent import (
    AgentDefinition,
    AnotherPersonAction,
    HoldAction,
    LanguageAction,
    ScreenerAction,
)
from voice.events import SAMPLE_RATE, ToneHeard, VoiceEvidence
from voice.phrases import any_of, plain
from voice.tongues import TONGUES, tongue_of


class Sight(StrEnum):
    """What was recognised."""

    SCREENER = "screener"
    HOLD = "hold"
    ANOTHER_PERSON = "another_person"
    LANGUAGE = "language"
    FAX = "fax"


@dataclass(frozen=True, slots=True)
class Sighting:
    """`evidence` is for people: the words, the tone, the sound."""

    what: Sight
    evidence: str


_SCREENER: Final = any_of(pattern for tongue in TONGUES for pattern in tongue.screener)
_HOLD: Final = any_of(pattern for tongue in TONGUES for pattern in tongue.hold)
_FETCHING: Final = any_of(pattern for tongue in TONGUES for pattern in tongue.fetching)
_ASKS_FOR: Final = {tongue.code: any_of(tongue.asks_for) for tongue in TONGUES if tongue.asks_for}

_SCREENED_WITHIN: Final = 30.0  # seconds of the call: nobody screens later
_CNG, _CED, _NEAR = 1100.0, 2100.0, 32.0  # Hz
_MUSIC: Final = 8.0  # seconds of sound that is no speech, before it counts as music
_LOUD: Final = -45.0  # dBFS; quieter is the line's own noise
_WINDOW: Final = 256 / SAMPLE_RATE


def is_screener(text: str) -> bool:
    """Whether a call screener speaks: it asks for a name, as a voicemail does, but it listens."""
    return _SCREENER.search(plain(text)) is not None


@dataclass(frozen=True, slots=True)
class Await:
    """Say so much (perhaps nothing), then be silent until somebody comes. `is_new`: they have not heard who we are."""

    words: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Tell:
    """Say these words; and then leave, or go on."""

    words: str
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Connect:
    to: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Without another word. `is_fax`: it was never a person."""

    is_fax: bool = False


Plan: TypeAlias = Await | Tell | Connect | Leave


class Encounters:
    """Watches the other end of one call. Everything is said once: what has been recognised is known."""

    def __init__(self, agent: AgentDefinition) -> None:
        self._agent = agent
        self.seen: list[Sighting] = []
        self.away: Sight | None = None  # why nobody is at the other end just now
        self._own = agent.language.partition("-")[0].lower()
        self._cng_at: int | None = None
        self._levels: deque[float] = deque(maxlen=round(_MUSIC / _WINDOW))  # of what is no speech

    def words(self, text: str, since_began: float, language: str = "") -> Sighting | None:
        """What these words say about who speaks. `language` is the recogniser's own opinion, if it has one."""
        said = plain(text)
        if since_began < _SCREENED_WITHIN and _SCREENER.search(said):
            return self._first(Sight.SCREENER, text)
        if _HOLD.search(said):
            return self._again(Sight.HOLD, text)
        if _FETCHING.search(said):
            return self._again(Sight.ANOTHER_PERSON, text)
        other = self._other_language(said, language)
        return self._again(Sight.LANGUAGE, f"{other}: {text}") if other else None

    def tone(self, tone: ToneHeard) -> Sighting | None:
        """A fax that answers says so in one tone; one that calls in two, three seconds apart."""
        if abs(tone.frequency - _CED) <= _NEAR and tone.duration >= 1.5:
            return self._first(Sight.FAX, f"{tone.frequency:.0f} Hz for {tone.duration:.1f} s")
        if abs(tone.frequency - _CNG) > _NEAR or not 0.3 <= tone.duration <= 0.8:
            return None
        before, self._cng_at = self._cng_at, tone.position
        if before is None or not 2.5 <= (tone.position - before) / SAMPLE_RATE <= 4.5:
            return None
        return self._first(Sight.FAX, f"two tones of {tone.frequency:.0f} Hz, three seconds apart")

    def sound(self, evidence: VoiceEvidence) -> None:
        """Keep in mind what the last seconds sounded like."""
        self._levels.append(evidence.level if evidence.speech < 0.5 and evidence.echo < 0.5 else -90.0)

    @property
    def is_music(self) -> bool:
        """Whether the last seconds were full of sound that nobody spoke, and that changed as music does and no fan."""
        heard = sorted(level for level in self._levels if level > _LOUD)
        if len(self._levels) < (self._levels.maxlen or 0) or len(heard) < 0.7 * len(self._levels):
            return False
        return heard[int(0.9 * len(heard))] - heard[int(0.1 * len(heard))] >= 5.0

    def music(self) -> Sighting:
        """The music counts: nobody answers our question over it."""
        return self._again(Sight.HOLD, "music")

    def plan(self, what: Sight) -> Plan:
        """What the agent's file wants done about it."""
        policy = self._agent.encounters
        match what:
            case Sight.SCREENER if policy.screener is ScreenerAction.ANSWER:
                return Await(policy.screener_says, is_new=True)
            case Sight.HOLD if policy.hold is HoldAction.WAIT:
                return Await()
            case Sight.SCREENER | Sight.HOLD:
                return Leave()
            case Sight.ANOTHER_PERSON:
                return Await(self._agent.manners.holding, policy.another_person is AnotherPersonAction.INTRODUCE)
            case Sight.LANGUAGE if policy.language is LanguageAction.TRANSFER and self._agent.transfer_to:
                return Connect(self._agent.transfer_to)
            case Sight.LANGUAGE:
                is_first = sum(seen.what is Sight.LANGUAGE for seen in self.seen) == 1
                return Tell(policy.language_says, leaves=not (policy.language is LanguageAction.SAY and is_first))
            case Sight.FAX:
                return Leave(is_fax=True)
            case _:
                assert_never(what)

    def _other_language(self, said: str, language: str) -> str:
        """The recogniser's finding counts most, then what is said about languages, then the words themselves: two that are
        frequent in another language, half of all, and none that is in the agent's own."""
        spoken = language.partition("-")[0].lower()
        if spoken and spoken != self._own:
            return spoken
        asked = next((code for code, pattern in _ASKS_FOR.items() if code != self._own and pattern.search(said)), "")
        if asked:
            return asked
        words = said.split()
        own = tongue_of(self._own)
        if own is None or any(word in own.common for word in words):
            return ""
        counts = {tongue.code: sum(word in tongue.common for word in words) for tongue in TONGUES if tongue is not own}
        best = max(counts, key=lambda code: counts[code])
        return best if counts[best] >= 2 and counts[best] * 2 >= len(words) else ""

    def _first(self, what: Sight, evidence: str) -> Sighting | None:
        """Once a call."""
        return None if any(sighting.what is what for sighting in self.seen) else self._again(what, evidence)

    def _again(self, what: Sight, evidence: str) -> Sighting:
        sighting = Sighting(what, evidence)
        self.seen.append(sighting)
        return sighting
