"""An agent's fixed words as the gate judges them: blanks filled with the agent's own names, numbers as digits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compliance.record import Unmet
from compliance.rules import Rulebook
from compliance.script import Script, shortcomings
from voice.agent import AgentDefinition, VoicemailAction
from voice.agent_file import AgentFolder
from voice.errors import AgentFileError
from voice.language.wording import fill


def script_of(agent: AgentDefinition, seller: str = "") -> Script:
    """The script of a call for `seller`, the name that consents bear; empty: the agent's own."""
    own = {"seller": agent.seller, "persona": agent.persona, "callback_number": agent.callback_number}
    leaves = agent.voicemail.action is VoicemailAction.LEAVE_MESSAGE
    return Script(
        seller=seller or agent.seller,
        opening=fill(agent.opening, own),
        goodbye=fill(agent.goodbye, own),
        callback_number=agent.callback_number,
        voicemail=fill(agent.voicemail.text, own) if leaves else "",
    )


def agents_in(folder: Path) -> Mapping[str, AgentDefinition]:
    """The agents of a folder by name; none when there is no such folder."""
    try:
        return AgentFolder(folder).all()
    except AgentFileError:
        return {}


def unmet(agent: AgentDefinition | None, seller: str, rules: Rulebook) -> tuple[Unmet, ...]:
    """What these words lack. An agent that is not there is somebody else's to report: nothing is said with it."""
    return shortcomings(script_of(agent, seller), rules.areas) if agent is not None else ()
