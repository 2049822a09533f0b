"""Fills the blanks of a sentence that the agent will say. Never leaves a brace or a doubled space to be read aloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from context.briefing import Briefing
from voice.agent import AgentDefinition

BLANK: Final = re.compile(r"\{(\w*)\}")
AGENT_BLANKS: Final = frozenset({"first_name", "name", "seller", "persona", "callback_number"})


def blanks(agent: AgentDefinition, briefing: Briefing) -> dict[str, str]:
    """What is known for the blanks of this call: the agent's own names, the contact's, and every known slot."""
    values = {fact.key: fact.value for fact in sorted(briefing.knowledge, key=lambda fact: fact.at) if fact.key}
    if (contact := briefing.contact) is not None:
        values = {**values, **contact.fields, "first_name": contact.first_name, "name": contact.name}
    own = {"seller": agent.seller, "persona": agent.persona, "callback_number": spoken_number(agent.callback_number)}
    return values | own


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with its blanks filled; an unknown blank leaves no trace ("Hi {first_name}, this" -> "Hi, this")."""
    text = BLANK.sub(lambda found: values.get(found[1], ""), template)
    return re.sub(r"\s+([,.?!;:])", r"\1", " ".join(text.split()))


def spoken_number(number: str) -> str:
    """A telephone number in groups that are read digit by digit; other text as it is."""
    digits = number.removeprefix("+1")
    if not (digits.isdigit() and len(digits) == 10):
        return number
    return ", ".join(" ".join(group) for group in (digits[:3], digits[3:6], digits[6:]))
