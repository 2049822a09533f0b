"""What the minds' stand-ins answer: the next reply of a script, or what a playbook says, and how it is cut into tokens."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from voice.actions import AgentSaid, CallerSaid, Happened, Message, ToolUsed
from voice.agent import AgentDefinition
from voice.events import Direction
from voice.ports import Prompt, TextDelta, ToolRequest
from voice.providers.prompting import THEY_CALLED, ChatTurn, briefed, happened, standing_orders

_PIECES: Final = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool the model calls; `arguments` is JSON text, valid or not."""

    name: str
    arguments: str = "{}"


Part: TypeAlias = "str | Call"
Reply: TypeAlias = "Sequence[Part]"


@dataclass(frozen=True, slots=True)
class Chat:
    """A request in neutral words: the vendors' formats differ, what was asked does not."""

    model: str
    system: str
    turns: tuple[ChatTurn, ...]
    tools: tuple[str, ...] = ()


class Mind(Protocol):
    def answer(self, chat: Chat) -> AsyncIterator[Part]: ...


@dataclass(slots=True)
class ScriptedMind:
    """Gives the replies of a script in turn, then the last one again."""

    replies: deque[Reply] = field(default_factory=deque)

    async def answer(self, chat: Chat) -> AsyncIterator[Part]:
        reply = self.replies.popleft() if len(self.replies) > 1 else (self.replies or [["All right."]])[0]
        for part in reply:
            yield part


def scripted(*replies: str | Reply) -> ScriptedMind:
    return ScriptedMind(deque([reply] if isinstance(reply, str) else reply for reply in replies))


class ModelPort(Protocol):
    """The part of a `LanguageModel` that is needed to really answer."""

    def reply(self, prompt: Prompt) -> AsyncIterator[object]: ...


@dataclass(frozen=True, slots=True)
class PlaybookMind:
    """Answers as a model behind our own port would: the request is read back into a prompt.

    Which agent is meant, and what is known of the person, is read from the request's own words, so that it knows what the
    real model would know and nothing else. A request of no agent it knows is answered as the first one.
    """

    model: ModelPort
    agents: tuple[AgentDefinition, ...]

    async def answer(self, chat: Chat) -> AsyncIterator[Part]:
        agent = next((agent for agent in self.agents if _who(agent) in chat.system), self.agents[0])
        direction = Direction.INBOUND if THEY_CALLED in chat.system else Direction.OUTBOUND
        prompt = Prompt(agent, briefed(chat.system), direction, tuple(messages(chat.turns)))
        async for output in self.model.reply(prompt):
            if isinstance(output, TextDelta):
                yield output.text
            elif isinstance(output, ToolRequest):
                yield Call(output.name, output.arguments)


def _who(agent: AgentDefinition) -> str:
    """Who speaks and what for: the lines of its standing orders that are the same whomever it speaks to."""
    return "\n".join(standing_orders(agent).splitlines()[:2])


def messages(turns: Iterable[ChatTurn]) -> list[Message]:
    """The memory of the call, read back from a request's turns."""
    read: list[Message] = []
    used: dict[str, int] = {}
    for turn in turns:
        for use in turn.uses:
            used[use.call] = len(read) + bool(turn.role == "assistant" and turn.text)
        if turn.role == "assistant":
            if turn.text:
                read.append(AgentSaid(turn.text.removesuffix("—"), is_cut=turn.text.endswith("—")))
            read += [ToolUsed(use.call, use.name, use.arguments, None) for use in turn.uses]
            continue
        for result in turn.results:
            _answered(read, result.call, result.text, ok=result.ok)
        read += [_said(line) for line in turn.text.split("\n") if line]
    return read


def _answered(read: list[Message], call: str, text: str, *, ok: bool) -> None:
    for index, message in enumerate(read):
        if isinstance(message, ToolUsed) and message.call == call:
            read[index] = ToolUsed(call, message.name, message.arguments, text, ok)


def _said(line: str) -> Message:
    what = happened(line)
    return Happened(what) if what else CallerSaid("" if line.startswith("[") else line)


def pieces(text: str) -> list[str]:
    """The text cut into pieces of about a token each, nothing lost."""
    found = _PIECES.findall(text)
    rest = text[sum(map(len, found)) :]
    return [*found, *([rest] if rest else [])]


def tokens(text: str) -> int:
    """How many tokens a text has, roughly: four characters each."""
    return (len(text) + 3) // 4
