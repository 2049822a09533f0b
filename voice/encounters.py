"""What is at the other end, when it is not the person we rang: a call screener, a queue, a fax, somebody else, another
language. Recognises each by its own evidence, and says what the agent's file wants done about it.

Sources of the wordings: Google Call Screen and Apple's call screening ask callers for name and reason before a phone rings
("Go ahead and say your name, and why you're calling"; "If you record your name and reason for calling, I'll see if this
person is available"). ITU-T T.30: a calling fax sends 1100 Hz for half a second every three seconds, an answering one
2100 Hz for three seconds; ITU-T V.25 has the same 2100 Hz for modems.
"""

from __future__ import annotations

import re
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
from voice.phrases import normalise


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


_SCREENER: Final = re.compile(
    r"\b((say|state|record|give|tell me) (your|me your) name\b.*\b(calling|call|reason|why|available)|"
    r"(who is|who's) calling and why|call (screening|assist|assistant)|screening (service|calls?)|"
    r"(see|check) if (this|the) person is available|reason for (your )?call(ing)?)\b"
)
_HOLD: Final = re.compile(
    r"\b(please (hold|stay on the line|continue to hold)|(your|this) call is (very )?important|"
    r"thank you for (holding|waiting)|next available|caller number|in the order (it was|they were) received|"
    r"(all|our) (of our )?(agents|representatives|operators|lines|associates)( \w+)? (are|busy))\b"
)
_SOMEBODY: Final = (
    r"(her|him|them|the (owner|manager|boss|patient)|"
    r"my (wife|husband|mom|mum|mother|dad|father|son|daughter|boss|manager|partner|brother|sister|roommate))"
)
_FETCHING: Final = re.compile(
    r"\b((i'll|i will|let me|lemme|gonna|going to) (go |just )?(get|grab|fetch|find|put|ask|wake) " + _SOMEBODY + r"\b|"
    r"(hand|pass|giv|turn)(e|ing)? (you|it|the phone) (over )?to " + _SOMEBODY + r"\b|"
    r"(she's|he's|she is|he is) (right here|coming|just coming))"
)
# Short words that are frequent in a language and none in English; two of them, and no English, are evidence.
_FOREIGN: Final = {
    "es": frozenset(
        [
            "hola",
            "sí",
            "qué",
            "que",
            "quién",
            "quien",
            "habla",
            "está",
            "esta",
            "usted",
            "señor",
            "señora",
            "gracias",
            "por",
            "favor",
            "no-entiendo",
            "español",
            "bueno",
            "dígame",
            "digame",
            "aquí",
            "aqui",
            "cómo",
            "como",
            "muy",
            "tengo",
            "quiero",
            "puede",
            "para",
            "mi",
            "casa",
            "el",
            "la",
            "los",
            "las",
            "es",
            "una",
            "con",
            "pero",
        ]
    ),
    "fr": frozenset(
        "bonjour allô allo oui qui est c'est je ne pas vous parlez français merci madame monsieur appelle pour quoi".split()  # noqa: SIM905
    ),
    "de": frozenset("hallo ja nein wer ist da ich bin nicht sprechen sie deutsch danke bitte was wollen kein".split()),  # noqa: SIM905
    "pt": frozenset("alô olá quem fala você não sim obrigado obrigada por favor português senhor aqui isso".split()),  # noqa: SIM905
}
_SAYS_SO: Final = re.compile(r"\b(no (hablo|habla|entiendo) ingl[eé]s|(habla|en) espa[nñ]ol|no english|parlez[- ]vous fran)")
_ENGLISH: Final = frozenset(
    "the you i is are this what who yes yeah hello and of to it my do don't not can on that we he she calling".split()  # noqa: SIM905
)

_SCREENED_WITHIN: Final = 30.0  # seconds of the call: nobody screens later
_CNG, _CED, _NEAR = 1100.0, 2100.0, 32.0  # Hz
_MUSIC: Final = 8.0  # seconds of sound that is no speech, before it counts as music
_LOUD: Final = -45.0  # dBFS; quieter is the line's own noise
_WINDOW: Final = 256 / SAMPLE_RATE


def is_screener(text: str) -> bool:
    """Whether a call screener speaks: it asks for a name, as a voicemail does, but it listens."""
    return _SCREENER.search(normalise(text)) is not None


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
        plain = normalise(text)
        if since_began < _SCREENED_WITHIN and _SCREENER.search(plain):
            return self._first(Sight.SCREENER, text)
        if _HOLD.search(plain):
            return self._again(Sight.HOLD, text)
        if _FETCHING.search(plain):
            return self._again(Sight.ANOTHER_PERSON, text)
        other = self._other_language(plain, language)
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

    def _other_language(self, plain: str, language: str) -> str:
        spoken = language.partition("-")[0].lower()
        if spoken and spoken != self._own:
            return spoken
        words = plain.split()
        if found := _SAYS_SO.search(plain):
            return "fr" if "fran" in found[0] else "es"
        if self._own != "en" or any(word in _ENGLISH for word in words):
            return ""
        counts = {name: sum(word in own for word in words) for name, own in _FOREIGN.items()}
        best = max(counts, key=lambda name: counts[name])
        return best if counts[best] >= 2 and counts[best] * 2 >= len(words) else ""

    def _first(self, what: Sight, evidence: str) -> Sighting | None:
        """Once a call."""
        return None if any(sighting.what is what for sighting in self.seen) else self._again(what, evidence)

    def _again(self, what: Sight, evidence: str) -> Sighting:
        sighting = Sighting(what, evidence)
        self.seen.append(sighting)
        return sighting
