"""What the caller will probably say next, because of what was just asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from voice.agent import AgentDefinition, AnswerKind
from voice.phrases import normalise


@dataclass(frozen=True, slots=True)
class Expectation:
    kind: AnswerKind
    phrases: tuple[str, ...]


def expectation_of(agent: AgentDefinition, said: str) -> Expectation | None:
    """The expectation set by the agent's words: the last playbook question in them, else a yes/no for any question."""
    plain = normalise(said)
    best, place = None, -1
    for question in agent.questions:
        for wording in (question.ask, question.again):
            found = plain.rfind(normalise(wording)) if wording else -1
            if found > place:
                best, place = question, found
    if best is not None:
        return Expectation(best.kind, tuple(phrase for answer in best.answers for phrase in answer.phrases))
    return Expectation(AnswerKind.OPEN, ()) if said.rstrip().endswith("?") else None
