"""The agent as it speaks to this person: every blank in its fixed sentences filled with what is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from context.briefing import Briefing
from voice.agent import AgentDefinition, Manners
from voice.events import Direction
from voice.language.wording import blanks, fill


def opening_of(agent: AgentDefinition, direction: Direction, briefing: Briefing) -> str:
    """The first words of a call."""
    is_inbound = direction is Direction.INBOUND and bool(agent.inbound_opening)
    return fill(agent.inbound_opening if is_inbound else agent.opening, blanks(agent, briefing))


def dressed(agent: AgentDefinition, briefing: Briefing) -> AgentDefinition:
    """The agent whose goodbye, voicemail, manners and questions can be spoken and recognised as they stand."""
    values = blanks(agent, briefing)
    manners = replace(agent.manners, **_filled(agent.manners, values))
    questions = tuple(
        replace(question, ask=fill(question.ask, values), again=fill(question.again, values)) for question in agent.questions
    )
    voicemail = replace(agent.voicemail, text=fill(agent.voicemail.text, values))
    encounters = replace(
        agent.encounters,
        screener_says=fill(agent.encounters.screener_says, values),
        language_says=fill(agent.encounters.language_says, values),
    )
    return replace(
        agent,
        goodbye=fill(agent.goodbye, values),
        encounters=encounters,
        manners=manners,
        questions=questions,
        voicemail=voicemail,
    )


def _filled(manners: Manners, values: Mapping[str, str]) -> dict[str, Any]:
    """Every sentence of the manners, but those whose `{value}` is only known when they are spoken."""
    said = {field.name: getattr(manners, field.name) for field in fields(manners)}
    return {name: fill(text, values) for name, text in said.items() if isinstance(text, str) and "{value}" not in text}
