"""The playbook interpreter behind the port of a language model: deterministic, offline, and honest about being a machine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from voice.agent import AgentDefinition
from voice.ports import ModelOutput, Prompt, TextDelta, ToolRequest, Usage
from voice.providers.embedded.playbook import Playbook
from voice.providers.embedded.stand import Reply, encoded
from voice.providers.embedded.understanding import Understanding

_PIECE: Final = re.compile(r"\S+\s*(?:\S+\s*){0,2}")  # three words at a time, as a model would write
_AGENTS_KEPT: Final = 32


class EmbeddedMind:
    """`LanguageModel` for playbooks. Holds no state of a call: only the phrases of recent agents, made ready to look for."""

    name = "embedded"

    def __init__(self) -> None:
        self._ready: dict[str, tuple[AgentDefinition, Understanding]] = {}

    async def reply(self, prompt: Prompt) -> AsyncIterator[ModelOutput]:
        """Stream one reply: an opt-out before its words, every other tool after them."""
        reply = await asyncio.to_thread(self._reply, prompt)
        turn = len(prompt.messages)
        requests = [ToolRequest(f"t{turn}-{n}", tool.name, encoded(tool)) for n, tool in enumerate(reply.tools)]
        for request in requests:
            if request.name == "opt_out":
                yield request
        for piece in _PIECE.findall(reply.text):
            yield TextDelta(piece)
            await asyncio.sleep(0)
        for request in requests:
            if request.name != "opt_out":
                yield request
        yield Usage()

    async def close(self) -> None:
        """Nothing is held."""

    def _reply(self, prompt: Prompt) -> Reply:
        playbook = Playbook(prompt.agent, self._understanding(prompt.agent), prompt.briefing, prompt.direction)
        return playbook.reply(prompt.messages)

    def _understanding(self, agent: AgentDefinition) -> Understanding:
        kept = self._ready.get(agent.name)
        if kept is None or kept[0] != agent:
            if len(self._ready) >= _AGENTS_KEPT:
                self._ready.pop(next(iter(self._ready)), None)
            kept = (agent, Understanding(agent))
            self._ready[agent.name] = kept
        return kept[1]
