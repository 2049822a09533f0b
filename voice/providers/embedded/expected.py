"""The sentences a caller of this agent is likely to say: what the language model of the ears is made from.

Drawn with a fixed seed from the playbook's own phrases and the stock of the telephone, so that the same agent file always
gives the same model. Weights are per intent, not per phrase: an objection with twelve wordings is no likelier than one with
three.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from voice.agent import AgentDefinition, AnswerKind, Question
from voice.language import stock
from voice.language.numbers import WORDS_BELOW_TWENTY, WORDS_OF_TENS
from voice.language.words import normalise

Source: TypeAlias = Callable[[random.Random], str]

SENTENCES: Final = 16_000
HINTED_SENTENCES: Final = 8_000  # a question has fewer answers than a call has turns
_HINTED: Final = 0.6  # share of the sentences drawn from what was just asked, when the ears were told
_SEED: Final = 8000
_BEFORE: Final = ("", "", "", "", "", "well", "um", "uh", "oh", "okay", "yeah", "yes", "no", "i think", "so", "hello")
_AFTER: Final = ("", "", "", "", "", "", "", "thanks", "thank you", "please", "i think", "right now")
_BETWEEN: Final = ("", "and", "and", "but", "so")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PARTS: Final = ("morning", "afternoon", "evening")
_HOURS: Final = WORDS_BELOW_TWENTY[1:13]
_HOUR_WEIGHTS: Final = (4, 4, 4, 3, 3, 2, 1, 2, 4, 5, 4, 2)
_ORDINALS: Final = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
    *("fifteenth", "twentieth"),
)


def vocabulary_sentences(agent: AgentDefinition, hint: Sequence[str] = ()) -> list[list[str]]:
    """The training sentences, as lists of words. `hint` are phrases likely to come next."""
    chance = random.Random(_SEED)
    base = _sources(agent)
    narrow = _narrow(agent, hint)
    sentences: list[list[str]] = []
    for _ in range(HINTED_SENTENCES if narrow else SENTENCES):
        pool = narrow if narrow and chance.random() < _HINTED else base
        sentence = _dressed(chance, chance.choice(pool))
        if chance.random() < 0.12:  # people answer two things in one breath
            sentence = f"{sentence} {chance.choice(_BETWEEN)} {_dressed(chance, chance.choice(base))}"
        sentences.append(normalise(sentence).split())
    return [sentence for sentence in sentences if sentence]


def hints(agent: AgentDefinition) -> list[tuple[str, ...]]:
    """The hints that this agent's questions will give: worth preparing before the first call."""
    return [hint for question in agent.questions if (hint := hint_for(question))]


def hint_for(question: Question) -> tuple[str, ...]:
    return tuple(phrase for answer in question.answers for phrase in answer.phrases)


def _dressed(chance: random.Random, source: Source) -> str:
    return f"{chance.choice(_BEFORE)} {source(chance)} {chance.choice(_AFTER)}"


def _one_of(phrases: Sequence[str]) -> Source:
    return lambda chance: chance.choice(phrases)


def _sources(agent: AgentDefinition) -> list[Source]:
    people = (*stock.FIRST_NAMES, agent.persona.lower())
    intents: list[Sequence[str]] = [
        *(
            stock.YES,
            stock.YES,
            stock.YES,
            stock.NO,
            stock.NO,
            stock.UNSURE,
            stock.GREETING,
            stock.GREETING,
            stock.STOP,
            stock.STOP,
        ),
        *(stock.IDENTITY, stock.ROBOT, stock.AGAIN, stock.HOLD, stock.PERSON, stock.WRONG_NUMBER, stock.GOODBYE),
        *(stock.THANKS, stock.VOICEMAIL, stock.VOICEMAIL),
        *(objection.phrases for objection in agent.objections),
        *(answer.phrases for question in agent.questions for answer in question.answers if answer.phrases),
    ]
    sources = [_one_of(phrases) for phrases in intents]
    kinds = {question.kind for question in agent.questions}
    if AnswerKind.NUMBER in kinds:
        sources += [_amount] * 4
    if AnswerKind.TIME in kinds:
        sources += [_time] * 5
    if agent.keyterms:
        sources.append(_one_of([term.lower() for term in agent.keyterms]))
    greetings = ("this is", "hello this is", "hi this is", "yes this is", "hi", "my name is")
    return [*sources, *[lambda chance: f"{chance.choice(greetings)} {chance.choice(people)}"] * 2]


def _narrow(agent: AgentDefinition, hint: Sequence[str]) -> list[Source]:
    """The sources for what was just asked. The question is found by its phrases, so its kind can add numbers and times."""
    if not hint:
        return []
    given = set(hint)
    asked = [question for question in agent.questions if hint_for(question) == tuple(hint)]
    asked = asked or [question for question in agent.questions if given & set(hint_for(question))]
    kinds = {question.kind for question in asked}
    sources = [_one_of(answer.phrases) for q in asked for answer in q.answers if answer.phrases] or [_one_of(list(hint))]
    if AnswerKind.NUMBER in kinds:
        sources += [_amount] * 6
    if AnswerKind.TIME in kinds:
        sources += [_time] * 8
    if AnswerKind.YES_NO in kinds or not asked:
        sources += [_one_of(stock.YES), _one_of(stock.NO)]
    return sources


def _amount(chance: random.Random) -> str:
    about = chance.choice(
        (
            "",
            "",
            "about",
            "around",
            "maybe",
            "roughly",
            "it's about",
            "it's",
            "i pay about",
            "probably",
            "i think about",
            "we pay",
            "somewhere around",
        )
    )
    unit = chance.choice(
        ("", "", "dollars", "dollars", "bucks", "dollars a month", "a month", "per month", "dollars each month")
    )
    return f"{about} {_number(chance)} {unit}"


def _number(chance: random.Random) -> str:
    hundreds, rest = (
        chance.choice((0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9)),
        chance.choice((0, 0, 0, chance.randrange(1, 10), *range(10, 100, 5), 50, 20, 80)),
    )
    tail = _below_hundred(rest) if rest else ""
    if not hundreds:
        return tail or "fifty"
    if rest >= 10 and chance.random() < 0.3:
        return f"{WORDS_BELOW_TWENTY[hundreds]} {tail}"  # one fifty
    head = chance.choice(("one", "a")) if hundreds == 1 else WORDS_BELOW_TWENTY[hundreds]
    return f"{head} hundred {chance.choice(('and', ''))} {tail}" if tail else f"{head} hundred"


def _below_hundred(number: int) -> str:
    if number < 20:
        return WORDS_BELOW_TWENTY[number]
    tens, ones = divmod(number, 10)
    return f"{WORDS_OF_TENS[tens]} {WORDS_BELOW_TWENTY[ones] if ones else ''}"


def _time(chance: random.Random) -> str:
    before = chance.choice(
        ("", "", "", "how about", "let's say", "maybe", "can we do", "i can do", "what about", "come", "yes")
    )
    after = chance.choice(
        (
            "",
            "",
            "",
            "",
            "works",
            "is good",
            "would be fine",
            "would be great",
            "works for me",
            "is fine",
            "would work",
            "is best",
        )
    )
    day, clock, part = _day(chance), _clock(chance), chance.choice(_PARTS)
    form = chance.choice(
        (
            *(f"{day} at {clock}",) * 4,
            f"at {clock} on {day}",
            f"{day} {part}",
            f"{day} {part} at {clock}",
            day,
            f"at {clock}",
            clock,
            f"{day} in the {part}",
        )
    )
    return f"{before} {form} {after}"


def _day(chance: random.Random) -> str:
    name = chance.choice(_DAYS)
    ordinal = chance.choice(_ORDINALS)
    return chance.choice(
        (
            name,
            name,
            name,
            name,
            f"on {name}",
            f"next {name}",
            f"this {name}",
            "tomorrow",
            "tomorrow",
            "today",
            f"{name} the {ordinal}",
            "any day",
            f"the {ordinal}",
        )
    )


def _clock(chance: random.Random) -> str:
    (hour,) = chance.choices(_HOURS, _HOUR_WEIGHTS)
    minutes = chance.choice(("", "", "", "thirty", "thirty", "fifteen", "forty five", "o'clock", "o'clock"))
    half = chance.choice(("", "", "", "", "", "in the morning", "in the afternoon", "in the evening", "p m", "a m"))
    return chance.choice(
        (*(f"{hour} {minutes} {half}",) * 8, f"half past {hour}", f"quarter past {hour}", "noon", "any time")
    )
