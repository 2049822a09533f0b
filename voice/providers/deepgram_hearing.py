"""What Deepgram's messages say was heard, and which terms it is told to listen for. Pure: no socket, no clock.

The messages are read by their wire names, Nova's `Results` and Flux's `TurnInfo` alike; what is not needed is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from context.briefing import Briefing
from voice.agent import AgentDefinition
from voice.events import Transcribed, Word
from voice.providers.finding import found_language

_MOST_CHARACTERS: Final = 1400  # of all keyterms: the vendor's 500 tokens, with room to spare
_JUST_NOW: Final = 0.5  # seconds after a final of the vendor's own accord, in which there is nothing to ask for
_LATELY: Final = 2.0  # seconds after one that was asked for, in which there may be nothing more
_TERM_COST: Final = 3  # characters that a term costs beside its own
_NO_OPINION: Final = 0.5  # of a turn that ended because we said so
_SLACK: Final = 0.1  # seconds by which a word may seem to end after the audio it was in


def keyterms(agent: AgentDefinition, briefing: Briefing) -> tuple[str, ...]:
    """Names and terms to listen for: the agent's own, the seller's, and the names of the person who was called."""
    names = [briefing.contact.name, briefing.contact.first_name] if briefing.contact is not None else []
    found = dict.fromkeys(term.strip() for term in (*agent.keyterms, agent.seller, agent.persona, *names) if term.strip())
    return within_limit(tuple(found))


def within_limit(terms: Sequence[str]) -> tuple[str, ...]:
    """As many terms as the vendor takes ("500 tokens" in all), each once, the first ones first."""
    kept: dict[str, None] = {}
    characters = 0
    for term in terms:
        characters += 0 if term in kept else len(term) + _TERM_COST
        if characters > _MOST_CHARACTERS:
            break
        kept[term] = None
    return tuple(kept)


class HeardWord(msgspec.Struct):
    word: str
    start: float | None = None  # Flux may leave the times out
    end: float | None = None
    confidence: float = 0.0
    punctuated_word: str | None = None


class Alternative(msgspec.Struct):
    transcript: str = ""
    confidence: float = 0.0
    words: list[HeardWord] = []
    languages: list[str] | None = None  # the most spoken first; only where the model tells them apart


class Channel(msgspec.Struct):
    alternatives: list[Alternative] = []


class Message(msgspec.Struct):
    """One message of either kind of socket."""

    type: str = ""
    # Results
    channel: Channel | None = None
    is_final: bool = False
    from_finalize: bool = False
    # TurnInfo
    event: str = ""
    transcript: str = ""
    words: list[HeardWord] = []
    languages: list[str] | None = None
    end_of_turn_confidence: float = 0.0
    trigger: str | None = None  # what ended a turn: model, timeout, or our own order: manual
    # Error
    code: str = ""
    description: str = ""


class _Envelope(msgspec.Struct):
    """Of messages of other kinds, all that is looked at: their other fields mean other things."""

    type: str = ""


_MESSAGE: Final = msgspec.json.Decoder(Message)
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_KINDS: Final = frozenset({"Results", "TurnInfo", "Error"})


def parse(text: str | bytes) -> Message:
    """A message off the wire. Raises `msgspec.MsgspecError` for what is none."""
    kind = _ENVELOPE.decode(text).type
    return _MESSAGE.decode(text) if kind in _KINDS else Message(kind)


@dataclass(frozen=True, slots=True)
class Ours:
    """A final that we gave in the vendor's place: its words, and the caller's second up to which it had been asked for."""

    words: tuple[str, ...]
    until: float


@dataclass(slots=True)
class Hearing:
    """Turns the vendor's messages into `Transcribed`. Word times stay those of the caller's audio: silence that was
    put in is taken out again."""

    interim: Transcribed | None = None  # heard, but not final yet
    last_final: float = -1.0  # when the last final with words came that nobody had asked for
    last_answer: float = -_LATELY  # when the last one came that was asked for
    told_until: float = 0.0  # caller's second up to which the vendor's finals have been told
    ours: Ours | None = None  # not yet made up for by one of the vendor's
    fillers: list[tuple[float, float]] = field(default_factory=list)  # stream second, filler seconds put in up to there

    def take(self, message: Message, now: float) -> Transcribed | None:
        """What a message says was heard, or None if it is about something else, or about words told long ago."""
        if message.type == "Results" and message.channel is not None and message.channel.alternatives:
            return self._results(message, message.channel.alternatives[0], now)
        if message.type == "TurnInfo":
            return self._turn(message, now)
        return None

    def is_settled(self, now: float) -> bool:
        """Whether everything that was heard is final already, a moment ago: there is no more to be asked for."""
        return self.interim is None and now - self.last_final < _JUST_NOW

    def has_answered(self, now: float) -> bool:
        """Whether a final that was asked for has come lately: asked again, the vendor says nothing where nothing is new."""
        return self.interim is None and now - self.last_answer < _LATELY

    def close(self, asked: float) -> Transcribed:
        """The final that takes the place of one that does not come: the last interim, or no words. `asked` is the caller's
        second at which it was asked for."""
        interim, self.interim = self.interim, None
        if interim is None:
            return Transcribed("", is_final=True)
        self.ours = Ours(tuple(interim.text.split()), asked)
        return replace(interim, is_final=True, stability=None, end_of_turn=None)

    def _results(self, message: Message, best: Alternative, now: float) -> Transcribed | None:
        heard = self._heard(best)
        if not message.is_final:
            return self._interim(heard)
        # A final without words is only worth telling when it was asked for, or takes an interim back.
        if not best.transcript and not message.from_finalize and self.interim is None:
            return None
        return self._final(heard, now, is_answer=message.from_finalize)

    def _turn(self, message: Message, now: float) -> Transcribed | None:
        confidence = _mean([word.confidence for word in message.words])
        heard = self._heard(Alternative(message.transcript, confidence, message.words, message.languages))
        match message.event:
            case "EndOfTurn":
                is_answer = message.trigger == "manual"
                return self._final(replace(heard, end_of_turn=_NO_OPINION if is_answer else 1.0), now, is_answer=is_answer)
            case "TurnResumed":
                return self._interim(replace(heard, end_of_turn=0.0))
            case _:
                return self._interim(replace(heard, end_of_turn=message.end_of_turn_confidence))

    def _heard(self, best: Alternative) -> Transcribed:
        language = found_language(best.languages[0] if best.languages else "", len(best.words))
        return Transcribed(best.transcript, False, best.confidence, words=self._words(best.words), language=language)

    def _interim(self, heard: Transcribed) -> Transcribed | None:
        before, heard = self.interim, self._new_of(heard)
        if not heard.text:
            return None
        if before is not None and before.text == heard.text and before.end_of_turn == heard.end_of_turn:
            return None
        self.interim = replace(heard, stability=stable_share(before.text if before else "", heard.text))
        return self.interim

    def _final(self, heard: Transcribed, now: float, *, is_answer: bool) -> Transcribed | None:
        new = self._new_of(heard)
        if heard.text:
            self.ours = None
        if heard.text and not new.text:
            return None
        self.interim = None
        if is_answer:
            self.last_answer = now
        elif new.text:
            self.last_final = now
        if new.words:
            self.told_until = new.words[-1].end
        return replace(new, is_final=True, stability=1.0)

    def _new_of(self, heard: Transcribed) -> Transcribed:
        """What of it was not told yet: the answer to a Finalize may come when our timer has long answered it, alone or with
        what the caller said next. One that hears other words in the same audio revises ours, and is left whole."""
        if heard.words and heard.words[-1].end <= self.told_until:
            return Transcribed("", is_final=False)
        if self.ours is None or not heard.text:
            return heard
        said = heard.text.split()
        again = _alike(said, self.ours.words)
        if again == len(said):
            return Transcribed("", is_final=False)
        if heard.words and heard.words[-1].end <= self.ours.until + _SLACK:
            return heard
        return replace(heard, text=" ".join(said[again:]), words=heard.words[again:])

    def _words(self, words: Sequence[HeardWord]) -> tuple[Word, ...]:
        """The words with their times, or none where one has no time."""
        found = [
            Word(word.punctuated_word or word.word, self._when(word.start), self._when(word.end))
            for word in words
            if word.start is not None and word.end is not None
        ]
        return tuple(found) if len(found) == len(words) else ()

    def _when(self, stream: float) -> float:
        filler = max((length for at, length in self.fillers if at <= stream), default=0.0)
        return round(max(stream - filler, 0.0), 3)


def stable_share(before: str, after: str) -> float:
    """How much of a new interim the interim before it had already said, word by word from the start (0 to 1)."""
    old, new = before.split(), after.split()
    if not new:
        return 0.0
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return same / len(new)


def _alike(words: Sequence[str], others: Sequence[str]) -> int:
    """How many words they have in common from the start, whatever their case and punctuation."""
    pairs = enumerate(zip(words, others, strict=False))
    plain = (at for at, (one, other) in pairs if one.strip(".,?!").lower() != other.strip(".,?!").lower())
    return next(plain, min(len(words), len(others)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
