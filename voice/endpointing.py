"""Is the caller's turn over? One probability that grows with the silence, out of everything that speaks for or against it.

Pure. Evidence is added in log-odds: how the voice ended, what a model of such endings thinks, how long this caller's own
pauses are, which words there are and what was asked. Silence does the rest: a pause that was meant to go on would have ended
by now. `probability` says how likely the end is by now, for whoever prepares an answer; `patience` how long to wait for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp, log
from typing import Final

from voice.agent import AnswerKind
from voice.answers import is_answer
from voice.events import Transcribed
from voice.phrases import closes, is_complete, is_number_in_progress, is_question, normalise, trails_off


@dataclass(frozen=True, slots=True)
class Cue:
    """What a measurement says: `weight` log-odds per unit above `neutral`; a `clear` one only as far as the line is."""

    weight: float
    neutral: float
    is_clear: bool = False


# The names and units are those of `voice/detectors/prosody.py` and, for `complete`, of `smart_turn.py`. The weights are a
# logistic regression over the pauses of 18 speakers in eight line conditions, checked by leaving speakers out, and rounded:
# `python -m benchmarks.turns_fit` (docs/turn-taking.md). `clarity` is set by hand: where the line is noisy, rather wait.
CUES: Final[Mapping[str, Cue]] = {
    "complete": Cue(0.31, 1.0),
    "last_peak": Cue(-0.18, 0.0),
    "decay": Cue(0.057, 10.0),
    "hiss": Cue(-0.057, -8.0),
    "breath": Cue(-0.17, 0.0, is_clear=True),
    "syllable": Cue(1.0, 2.3),
    "voicing": Cue(-3.9, 0.0),
    "clarity": Cue(0.1, 0.85),
}

ASKED: Final[Mapping[AnswerKind, float]] = {
    AnswerKind.YES_NO: 0.8,
    AnswerKind.CHOICE: 0.4,
    AnswerKind.TIME: 0.0,
    AnswerKind.OPEN: -0.4,
    AnswerKind.NUMBER: -0.6,
}


@dataclass(frozen=True, slots=True)
class EndpointPolicy:
    """Patience in seconds of silence; evidence in log-odds.

    Nearly a switch: half of the ends are answered at once, the others as late as is bearable. What lies between would cut
    more pauses for the same median wait, because most pauses within a turn are over after a second.
    """

    patience: float = 0.63  # where nothing speaks for or against
    per_odds: float = 3.0  # less patience per unit of log-odds for an end
    least: float = 0.25
    most: float = 0.97
    longest: float = 1.60  # where the words themselves promise more, or the voice sounds ...
    unfinished: float = -3.5  # ... as unfinished as that, in log-odds: two or three ends of a hundred do
    most_when_said: float = 0.55  # where final words are a whole sentence: whoever goes on then is let go on
    lag: float = 0.1  # seconds by which the speech model is late to notice that a voice ended, on a clear line
    bias: float = -0.08
    credit: float = 0.75  # how far the evidence is believed of speakers it was not fitted to, in `probability`
    unjudged: float = (
        -0.3
    )  # log-odds where the turn model was not asked or is late: what it says on average, or a little more
    at_once: float = -0.33  # log-odds, of an end among the silences that have just begun ...
    per_second: float = 1.8  # ... and a second later, when most of the others are over
    spoken: float = 1.17  # log-odds per e-fold of speech in this turn
    spoken_neutral: float = 2.0  # seconds
    own_rest: float = -0.15  # log-odds per second that the caller's own pauses are longer than most people's
    own_rest_neutral: float = 0.6  # seconds
    trailing: float = -5.0
    number: float = -2.5
    complete: float = 0.8
    question: float = 2.0  # who has asked something gives the floor away, however the voice ended
    parting: float = 2.0  # who has said goodbye says little more, and nothing that an answer must wait for
    answered: float = 1.8  # the words are already a whole answer to what was asked
    vendor: float = 3.0  # times (2p - 1)
    cues: Mapping[str, Cue] = field(default_factory=lambda: CUES)  # `clarity` among them


@dataclass(frozen=True, slots=True)
class Ending:
    """What is believed about this pause: how long to wait for it to be the end, and why."""

    patience: float  # seconds
    odds: float  # log-odds of an end, silence apart
    parts: tuple[tuple[str, float], ...]

    def probability(self, silence: float, policy: EndpointPolicy) -> float:
        """That the turn is over, after this much silence: so many of a hundred such pauses are ends."""
        return 1 / (1 + exp(-(policy.credit * self.odds + policy.at_once + policy.per_second * silence)))

    @property
    def why(self) -> str:
        """The contributions, strongest first, for the journal."""
        told = sorted(self.parts, key=lambda part: -abs(part[1]))[:5]
        return f"{self.patience:.2f} s of silence" + "".join(f", {name} {value:+.1f}" for name, value in told)


@dataclass(slots=True)
class Endpointing:
    """The evidence about the present turn of one caller, and what is known of how this caller pauses."""

    policy: EndpointPolicy = field(default_factory=EndpointPolicy)
    expected: AnswerKind | None = None
    _answers: frozenset[str] = frozenset()
    _cues: dict[str, float] = field(default_factory=dict)
    _rests: deque[float] = field(default_factory=lambda: deque(maxlen=8))
    _tail: float | None = None  # seconds since the voice ended that are not counted as silence
    _spoken: float = 0.0
    _text: str = ""
    _interim: str = ""
    _is_stable: bool = True
    _vendor: float | None = None
    _ending: Ending | None = None

    def begin(self, spoken: float = 0.0) -> None:
        """A new turn begins, with so many seconds of it already spoken."""
        self._spoken = spoken
        self._text = self._interim = ""
        self._vendor = None
        self._forget_pause()

    def expect(self, kind: AnswerKind | None, answers: Iterable[str] = ()) -> None:
        """What was just asked, and the answers that are likely."""
        self.expected = kind
        self._answers = frozenset(map(normalise, answers))
        self._ending = None

    def voiced(self, seconds: float, rested: float) -> None:
        """The caller spoke for so long, after so much silence within the turn."""
        if rested >= 0.2:
            self._rests.append(min(rested, 2.0))
        if rested > 0:
            self._forget_pause()
        self._spoken += seconds
        self._ending = None

    def resume(self, rested: float) -> None:
        """The caller goes on after a turn we took for finished: the pause was one of theirs, and it is the same turn."""
        self._rests.append(min(rested, 2.0))
        self.begin(self._spoken)

    def hear(self, features: tuple[tuple[str, float], ...]) -> None:
        """Take what the detectors measured of this pause."""
        for name, value in features:
            if name in self.policy.cues:
                self._cues[name] = value
                self._ending = None
            elif name == "tail":
                self._tail = value
                self._ending = None

    def transcribed(self, event: Transcribed) -> None:
        """Take words: an interim replaces the interim before it, a final stays."""
        if event.is_final:
            self._text, self._interim, self._is_stable = f"{self._text} {event.text}".strip(), "", True
        else:
            self._interim = event.text
            self._is_stable = event.stability is None or event.stability >= 0.5
        if event.end_of_turn is not None:
            self._vendor = event.end_of_turn
        self._ending = None

    @property
    def words(self) -> str:
        """All words of this turn so far."""
        return f"{self._text} {self._interim}".strip()

    @property
    def is_whole(self) -> bool:
        """Whether the words so far are an answer, or a sentence."""
        return self._by_words() > 0

    @property
    def is_promising(self) -> bool:
        """Whether the words so far promise more."""
        return self._by_words() < 0

    def ending(self) -> Ending:
        """What all of it amounts to."""
        if self._ending is None:
            self._ending = self._weigh()
        return self._ending

    def _forget_pause(self) -> None:
        self._cues.clear()
        self._tail = None
        self._ending = None

    def _weigh(self) -> Ending:
        policy = self.policy
        parts = {name: value for name, value in self._parts().items() if abs(value) >= 0.05}
        odds = policy.bias + sum(parts.values())
        most = self._most(parts.get("words", 0.0), odds)
        patience = min(most, max(policy.least, policy.patience - policy.per_odds * odds))
        return Ending(patience - self._before(), odds, tuple(parts.items()))

    def _most(self, words: float, odds: float) -> float:
        """How long to wait at most, by what the words promise, and the voice."""
        policy = self.policy
        if words < 0 or (not words and odds < policy.unfinished):
            return policy.longest
        return policy.most if self._interim or not words else policy.most_when_said

    def _before(self) -> float:
        """Seconds by which the voice ended before the silence began to be counted, against what is usual."""
        if self._tail is None:
            return 0.0
        return (self._tail - self.policy.lag) * self._cues.get("clarity", 0.0)

    def _parts(self) -> dict[str, float]:
        policy, clarity = self.policy, self._cues.get("clarity", 0.0)
        parts = {"spoken": policy.spoken * log(max(0.3, min(12.0, self._spoken)) / policy.spoken_neutral)}
        for name, value in self._cues.items():
            cue = policy.cues[name]
            parts[name] = cue.weight * (value - cue.neutral) * (clarity if cue.is_clear else 1.0)
        if "clarity" in self._cues and "complete" not in self._cues:
            parts["unjudged"] = policy.unjudged
        if self._rests:
            parts["own pauses"] = policy.own_rest * max(0.0, max(self._rests) - policy.own_rest_neutral)
        if self.expected is not None:
            parts["asked"] = ASKED[self.expected]
        parts["words"] = self._by_words()
        if self._vendor is not None:
            parts["recogniser"] = policy.vendor * (2 * self._vendor - 1)
        return parts

    def _by_words(self) -> float:
        words = self.words
        if not words:
            return 0.0
        if self.expected is not None and is_answer(words, self.expected, self._answers):
            return self.policy.answered
        if trails_off(words):
            return self.policy.trailing
        if is_number_in_progress(words, is_expected=self.expected is AnswerKind.NUMBER):
            return self.policy.number
        if closes(words):
            return self.policy.parting
        if is_question(self._text) and not self._interim:
            return self.policy.question
        return self.policy.complete if is_complete(words) and self._is_stable else 0.0
