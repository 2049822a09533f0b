"""What a caller's turn means to a playbook: which questions it answers, what it brings up. Pure, and without memory.

Finds every phrase of the agent and of the telephone's stock in the turn, lets the better and longer win where they overlap,
and reads what is left for numbers and times when those were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from voice.agent import AgentDefinition, Answer, AnswerKind, Objection, Question
from voice.language import stock
from voice.language.numbers import spoken_number
from voice.language.spotting import Spot, Spotter, apart, is_telling
from voice.language.times import SpokenTime, spoken_time
from voice.language.words import normalise, words
from voice.phrases import is_opt_out

_ANY: Final = "{value}"  # the value of an answer that stands for whatever was said
_ANSWER, _OBJECTION, _STOCK = "answer", "objection", "stock"
_ASKED_BONUS: Final = 1.25  # an answer to the question that is open is likelier than anything else
_STOCK_BONUS: Final = 0.7  # the agent's own words for a thing go before the stock's
_PLAIN: Final = frozenset({"yes", "no", "sure", "okay", "absolutely", "definitely", "correct", "right", "perfect", "fine"})
_MOST: Final = 0.6  # "i can't" is a no if hardly anything follows; "i can't hear" is something else
_REFUSALS: Final = ("none", "no", "nothing")  # values that a bare "no" may stand for when anything could be answered
_ENOUGH: Final = 1.3  # weight of a phrase that may answer a question nobody asked yet


class Stock(StrEnum):
    """What people say whatever the call is about."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    GREETING = "greeting"
    IDENTITY = "identity"
    ROBOT = "robot"
    AGAIN = "again"
    HOLD = "hold"
    STOP = "stop"
    PERSON = "person"
    WRONG_NUMBER = "wrong_number"
    GOODBYE = "goodbye"
    THANKS = "thanks"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and its answer. `answer` is None when what was said fits the kind but no answer of the file."""

    question: Question
    value: str
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class HalfTime:
    """A time was asked for; a day without a time, or a time without a day, was given."""

    question: Question
    time: SpokenTime


@dataclass(frozen=True, slots=True)
class BroughtUp:
    objection: Objection


Act: TypeAlias = Answered | HalfTime | BroughtUp | Stock

_STOCK_PHRASES: Final = {
    Stock.YES: stock.YES,
    Stock.NO: stock.NO,
    Stock.UNSURE: stock.UNSURE,
    Stock.GREETING: stock.GREETING,
    Stock.IDENTITY: stock.IDENTITY,
    Stock.ROBOT: stock.ROBOT,
    Stock.AGAIN: stock.AGAIN,
    Stock.HOLD: stock.HOLD,
    Stock.STOP: stock.STOP,
    Stock.PERSON: stock.PERSON,
    Stock.WRONG_NUMBER: stock.WRONG_NUMBER,
    Stock.GOODBYE: stock.GOODBYE,
    Stock.THANKS: stock.THANKS,
    Stock.VOICEMAIL: stock.VOICEMAIL,
}


class Understanding:
    """The phrases of one agent, ready to be looked for. Build once per agent; `acts` may be called from any thread."""

    def __init__(self, agent: AgentDefinition) -> None:
        self.agent = agent
        self._questions = {question.id: question for question in agent.questions}
        self._objections = {objection.id: objection for objection in agent.objections}
        phrases: dict[str, Sequence[str]] = {f"{_STOCK}/{kind}": said for kind, said in _STOCK_PHRASES.items()}
        for objection in agent.objections:
            phrases[f"{_OBJECTION}/{objection.id}"] = objection.phrases
        for question in agent.questions:
            for number, answer in enumerate(question.answers):
                phrases[f"{_ANSWER}/{question.id}/{number}"] = _also_bare(answer.phrases)
        self._spotter = Spotter(phrases)

    def acts(self, text: str, asked: Question | None, half: SpokenTime | None = None) -> list[Act]:
        """What this turn does, in the order it was said. `asked` is the open question; `half` a time begun earlier."""
        said = words(text)
        spots = apart(self._ranked(said, asked))
        acts = [act for spot in spots if (act := self._act(spot, asked, text)) is not None]
        if is_opt_out(text) and Stock.STOP not in acts:
            acts.append(Stock.STOP)
        rest = _rest(text, said, [spot for spot in spots if not self._is_answer_to(spot, asked)])
        acts += self._values(rest, text, asked, half, acts)
        return _settled(acts, asked)

    def _ranked(self, said: Sequence[str], asked: Question | None) -> list[Spot]:
        everything = self._spotter.all(said)
        # "I don't know" may be an answer of many questions: it is one only of the question that is open.
        common = {(spot.start, spot.end) for spot in everything if spot.label.startswith(_STOCK)}
        found = [
            spot
            for spot in everything
            if self._may_count(spot, said, asked)
            and (
                not spot.label.startswith(_ANSWER) or self._is_answer_to(spot, asked) or (spot.start, spot.end) not in common
            )
        ]
        weighed = [replace(spot, score=spot.score * self._bonus(spot, asked)) for spot in found]
        return sorted(weighed, key=lambda spot: (-spot.score * spot.weight, spot.start, spot.label))

    def _bonus(self, spot: Spot, asked: Question | None) -> float:
        if self._is_answer_to(spot, asked):
            return _ASKED_BONUS
        return _STOCK_BONUS if spot.label.startswith(_STOCK) else 1.0

    def _may_count(self, spot: Spot, said: Sequence[str], asked: Question | None) -> bool:
        kind, name = spot.label.split("/")[:2]
        if kind == _ANSWER and not (asked and asked.id == name):
            return (spot.is_telling and spot.weight >= _ENOUGH) or self._questions[name].kind is AnswerKind.CHOICE
        if kind == _STOCK and name in (Stock.YES, Stock.NO):
            is_plain = spot.start == 0 and said[0] in _PLAIN
            return is_plain or (spot.end - spot.start) >= _MOST * len(said)
        if kind == _STOCK and name == Stock.GREETING:
            return True
        is_short = spot.weight <= 1.0 and kind != _ANSWER  # "stop", "what", "wait": only when little else is said
        return not is_short or len(said) <= 2

    @staticmethod
    def _is_answer_to(spot: Spot, asked: Question | None) -> bool:
        return asked is not None and spot.label.startswith(f"{_ANSWER}/{asked.id}/")

    def _act(self, spot: Spot, asked: Question | None, text: str) -> Act | None:
        kind, name = spot.label.split("/")[:2]
        match kind:
            case "stock":
                return Stock(name)
            case "objection":
                return BroughtUp(self._objections[name])
            case _:
                question = self._questions[name]
                answer = question.answers[int(spot.label.split("/")[2])]
                return Answered(question, text if answer.value == _ANY else answer.value, answer)

    def _values(
        self, rest: str, text: str, asked: Question | None, half: SpokenTime | None, acts: Sequence[Act]
    ) -> list[Act]:
        """Numbers, times and free text: for the open question, and for others when they are unmistakable."""
        done = {act.question.id for act in acts if isinstance(act, Answered)}
        open_questions = [question for question in self.agent.questions if question.id not in done]
        found = [act for each in open_questions if (act := _value(each, rest, each == asked, half)) is not None]
        is_open = asked is not None and asked.kind is AnswerKind.OPEN and asked.id not in done
        if is_open and asked is not None and not found and not _leads(acts) and words(rest):
            found.append(Answered(asked, " ".join(text.split()), _any_answer(asked)))
        return found


def _also_bare(phrases: Sequence[str]) -> list[str]:
    """The phrases, and those that begin with yes or no without it: "no i rent" is often just "i rent"."""
    bare = [phrase.split(None, 1)[1] for phrase in phrases if phrase.lower().startswith(("yes ", "no "))]
    return [*phrases, *(phrase for phrase in bare if is_telling(words(phrase)))]


def _rest(text: str, said: Sequence[str], spots: Sequence[Spot]) -> str:
    """The text without the phrases already understood: a time inside "call me back tomorrow" is no appointment.

    Contractions change the count of words, so the plain words are taken; fillers are of no use for values.
    """
    covered = {index for spot in spots for index in range(spot.start, spot.end)}
    if not covered:
        return normalise_for_values(text)
    return " ".join(word for index, word in enumerate(said) if index not in covered)


def normalise_for_values(text: str) -> str:
    """Digits and their punctuation stay, for vendors' ears that write "$150" and "3:30"."""
    return text if any(letter.isdigit() for letter in text) else normalise(text)


def _value(question: Question, rest: str, is_asked: bool, half: SpokenTime | None) -> Act | None:
    match question.kind:
        case AnswerKind.TIME:
            return _time(question, rest, is_asked, half)
        case AnswerKind.NUMBER:
            return _number(question, rest, is_asked)
        case _:
            return None


def _time(question: Question, rest: str, is_asked: bool, half: SpokenTime | None) -> Act | None:
    time = spoken_time(rest)
    if not time or not (is_asked or time.is_whole):
        return None
    if is_asked and half is not None:
        time = time.filled(half)
    if not time.is_whole:
        return HalfTime(question, time)
    return Answered(question, str(time), _any_answer(question))


def _number(question: Question, rest: str, is_asked: bool) -> Act | None:
    if not is_asked and not {"dollars", "dollar"} & set(words(rest)) and "$" not in rest:
        return None
    number = spoken_number(rest)
    return None if number is None else Answered(question, str(number), _any_answer(question))


def _any_answer(question: Question) -> Answer | None:
    return next((answer for answer in question.answers if answer.value == _ANY), None)


def _leads(acts: Sequence[Act]) -> bool:
    """Whether something in the turn matters more than free text."""
    minor = (Stock.YES, Stock.NO, Stock.GREETING, Stock.THANKS)
    return any(act not in minor for act in acts)


def _settled(acts: list[Act], asked: Question | None) -> list[Act]:
    """Without doubles; and yes or no read as the answer to a yes/no question, unless a fuller answer to it is there."""
    acts = list(dict.fromkeys(acts))
    if asked is None:
        return acts
    own = [act for act in acts if isinstance(act, Answered) and act.question.id == asked.id]
    if own:
        return [act for act in acts if act not in own[:-1] and act not in (Stock.YES, Stock.NO)]
    if asked.kind is not AnswerKind.YES_NO:
        refusal = next((answer for answer in asked.answers if answer.value in _REFUSALS), None)
        return [Answered(asked, refusal.value, refusal)] if acts == [Stock.NO] and refusal else acts
    said = next((act for act in acts if act in (Stock.YES, Stock.NO)), None)
    others: list[Act] = [act for act in acts if act not in (Stock.YES, Stock.NO)]
    if said is None:
        return others
    answer = next((each for each in asked.answers if each.value == said), None)
    return [Answered(asked, str(said), answer), *others]
