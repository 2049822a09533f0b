"""What the caller will probably say next, because of what was just asked. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from voice.agent import AgentDefinition, AnswerKind
from voice.phrases import normalise

_AUXILIARIES: Final = frozenset(
    """am are can could did do does has have is may shall should was were will would
    aren't can't couldn't didn't don't doesn't isn't won't wouldn't""".split()  # noqa: SIM905  # thirty quotes read worse
)
_BLANK: Final = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Expectation:
    kind: AnswerKind
    phrases: tuple[str, ...]


def expectation_of(agent: AgentDefinition, said: str) -> Expectation | None:
    """The expectation set by the agent's words: the last playbook question in them, else a yes/no for any question."""
    plain = normalise(said)
    best: Expectation | None = None
    place = -1
    for question in agent.questions:
        asked = max(plain.rfind(normalise(wording)) if wording else -1 for wording in (question.ask, question.again))
        if asked > place:
            phrases = tuple(phrase for answer in question.answers for phrase in answer.phrases)
            best, place = Expectation(question.kind, phrases), asked
        confirmed = _found(question.known, plain)
        if confirmed > place:
            best, place = Expectation(AnswerKind.YES_NO, ()), confirmed
    if best is not None:
        return best
    return _by_form(said)


def _by_form(said: str) -> Expectation | None:
    """What a question outside of the playbook expects, by how it begins: an auxiliary verb asks for a yes or a no."""
    if not said.rstrip().endswith("?"):
        return None
    question = normalise(re.split(r"(?<=[.!?])\s", said.strip())[-1]).split()
    is_yes_no = bool(question) and question[0] in _AUXILIARIES
    return Expectation(AnswerKind.YES_NO if is_yes_no else AnswerKind.OPEN, ())


def _found(template: str, plain: str) -> int:
    """Where a sentence with blanks, filled by whatever, stands in what was said; -1 for nowhere."""
    if not template:
        return -1
    pieces = [re.escape(normalise(piece)) for piece in _BLANK.split(template)]
    matches = list(re.finditer(r"\s*.*?\s*".join(pieces), plain))
    return matches[-1].start() if matches else -1
