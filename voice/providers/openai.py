"""Any server that speaks chat completions as the mind: OpenAI's, or a local one (vLLM, llama.cpp, Ollama).

Only what all of them understand is sent. `OPENAI_BASE_URL` chooses the server; a local one usually takes any key.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import msgspec

from voice.errors import ProviderRejected, ProviderUnavailable
from voice.ports import ModelOutput, Prompt, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.prompting import ChatTurn, call_notes, chat_turns, standing_orders, tool_cards
from voice.providers.sdk_mind import CHARACTERS_PER_TOKEN, MindSettings, SdkClient, said_in_stream

DEFAULT_MODEL: Final = "gpt-5.4-mini"
_PROVIDER: Final = "openai"


@dataclass(frozen=True, slots=True)
class OpenAISettings(MindSettings):
    """`extra` goes into the request's body as it is: what one server understands and others do not."""

    model: str = DEFAULT_MODEL
    extra: Mapping[str, object] = field(default_factory=dict)


class OpenAIModel:
    """The mind of all calls. Make one while starting."""

    name = _PROVIDER

    def __init__(self, settings: OpenAISettings) -> None:
        """Raises `ProviderRejected` when the SDK is not installed."""
        self.settings = settings
        self.client = SdkClient(_PROVIDER, "AsyncOpenAI", settings)
        self._completions = self.client.api.chat.completions  # imports a dozen modules: here, not while a caller waits

    async def reply(self, prompt: Prompt) -> AsyncGenerator[ModelOutput, None]:
        """Stream one reply. Raises `ProviderError`."""
        required = {"model": self.settings.model, "messages": ()}
        outputs = self.client.outputs(self._completions, required, self._body(prompt), _Reading(self.settings.model))
        async with aclosing(outputs):
            async for output in outputs:
                yield output

    async def warm(self, prompt: Prompt) -> None:
        """While it rings: have two connections open. Never raises."""
        await self.client.connect_two()

    async def check(self) -> None:
        """Whether the server answers, key, model and credit are good. Raises `ProviderError`."""
        try:
            models = await self.client.api.models.list()
            names = {str(model.id) for model in models.data}
            if names and self.settings.model not in names:
                known = ", ".join(sorted(names)[:5])
                raise ProviderRejected(_PROVIDER, "not_found", f"no model {self.settings.model!r}; there are: {known}")
            ask = {"messages": [{"role": "user", "content": "hello"}], **self._limits(16)}
            await self._completions.create(model=self.settings.model, messages=(), extra_body=ask)
        except Exception as error:
            raise self.client.translate(error) from error

    async def close(self) -> None:
        await self.client.close()

    def _body(self, prompt: Prompt) -> dict[str, object]:
        system = f"{standing_orders(prompt.agent)}\n\n{call_notes(prompt.briefing, prompt.direction)}"
        return {
            "messages": [{"role": "system", "content": system}, *as_messages(chat_turns(prompt.messages))],
            "tools": _TOOLS,
            "stream_options": {"include_usage": True},
            **self._limits(self.settings.max_tokens),
            **self.settings.extra,
        }

    def _limits(self, tokens: int) -> dict[str, object]:
        """How much it may write, and that it is not to reason first: OpenAI's own server has words of its own for both."""
        if self.settings.base_url is not None:
            return {"max_tokens": tokens}
        effort = _effort(self.settings.model)
        return {"max_completion_tokens": tokens} | ({"reasoning_effort": effort} if effort else {})


def _effort(model: str) -> str:
    """OpenAI's own models reason before they speak unless told not to; the oldest of them know no "none"."""
    if not model.startswith("gpt-5"):
        return ""
    return "none" if model.startswith("gpt-5.") else "minimal"


# --- what a stream says; unknown fields are passed over: every server has some of its own ---


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolPart(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_ToolPart] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Cached(msgspec.Struct):
    cached_tokens: int | None = 0


class _Tokens(msgspec.Struct):
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _Cached | None = None


class _Error(msgspec.Struct):
    type: str | None = None
    message: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Tokens | None = None
    error: _Error | str | None = None  # local servers have been seen to send the words alone


_DECODER: Final = msgspec.json.Decoder(_Chunk)
_DONE: Final = b"[DONE]"


@dataclass(slots=True)
class _Reading:
    """Puts one streamed answer together; tools are complete when the answer ends."""

    model: str
    written: int = 0
    tools: dict[tuple[int, str], list[str]] = field(default_factory=dict)  # index and id -> id, name, arguments
    is_over: bool = False
    is_settled: bool = False

    def take(self, data: bytes) -> list[ModelOutput]:
        if data == _DONE:
            return []
        chunk = _DECODER.decode(data)
        if chunk.error is not None:
            error = _Error(message=chunk.error) if isinstance(chunk.error, str) else chunk.error
            raise said_in_stream(_PROVIDER, error.type or "", error.message or "")
        outputs: list[ModelOutput] = []
        for choice in chunk.choices or ():
            outputs += self._choice(choice)
        if chunk.usage is not None:
            outputs.append(self._usage(chunk.usage))
        return outputs

    def _choice(self, choice: _Choice) -> list[ModelOutput]:
        outputs: list[ModelOutput] = []
        delta = choice.delta or _Delta()
        if delta.content:
            self.written += len(delta.content)
            outputs.append(TextDelta(delta.content))
        for part in delta.tool_calls or ():
            self._tool(part)
        if choice.finish_reason:
            self.is_over = True
            outputs += self._requests()
        return outputs

    def _tool(self, part: _ToolPart) -> None:
        """A part belongs to the call of its index, unless it has an id of its own: some servers number every call 0."""
        begun = [key for key in self.tools if key[0] == part.index and part.id in (None, "", key[1])]
        key = begun[-1] if begun else (part.index, part.id or f"call_{part.index}")
        tool = self.tools.setdefault(key, [key[1], "", ""])
        if part.function is not None:
            tool[1] = tool[1] or part.function.name or ""
            tool[2] += part.function.arguments or ""
            self.written += len(part.function.arguments or "")

    def _requests(self) -> list[ModelOutput]:
        requests: list[ModelOutput] = [ToolRequest(call, name, text or "{}") for call, name, text in self.tools.values()]
        self.tools.clear()
        return requests

    def _usage(self, usage: _Tokens) -> Usage:
        details = usage.prompt_tokens_details
        cached = (details.cached_tokens or 0) if details is not None else 0
        tokens_in, tokens_out = usage.prompt_tokens or 0, usage.completion_tokens or 0
        self._bill(max(tokens_in - cached, 0), tokens_out, cached)
        return Usage(tokens_in, tokens_out, cached)

    def _bill(self, tokens_in: int, tokens_out: int, cached: int = 0, *, is_wasted: bool = False) -> None:
        self.is_settled = True
        used = Consumption(
            Stage.MIND,
            _PROVIDER,
            self.model,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            tokens_cached=cached,
            is_wasted=is_wasted,
        )
        bill(used)

    def end(self) -> list[ModelOutput]:
        if not self.is_over:
            raise ProviderUnavailable(_PROVIDER, "dropped", "the stream ended without a finish reason")
        return self._requests()

    def settle(self, read: int) -> None:
        """A server that gave no usage, or a reply that was cut off: what was written is estimated, as what was read."""
        if not self.is_settled and (self.written or read):
            self._bill(read, self.written // CHARACTERS_PER_TOKEN, is_wasted=not self.is_over)


def as_messages(turns: Sequence[ChatTurn]) -> list[dict[str, object]]:
    """The call's memory in the format of chat completions: every tool result is a message of its own."""
    messages: list[dict[str, object]] = []
    for turn in turns:
        messages += [{"role": "tool", "tool_call_id": result.call, "content": result.text} for result in turn.results]
        if turn.role == "user" and turn.text:
            messages.append({"role": "user", "content": turn.text})
        elif turn.role == "assistant":
            messages.append({"role": "assistant", "content": turn.text or None, **_calls(turn)})
    return messages


def _calls(turn: ChatTurn) -> dict[str, object]:
    if not turn.uses:
        return {}
    calls = [
        {"id": use.call, "type": "function", "function": {"name": use.name, "arguments": _valid(use.arguments)}}
        for use in turn.uses
    ]
    return {"tool_calls": calls}


def _valid(arguments: str) -> str:
    """Servers that render arguments into a template choke on text that is not JSON."""
    try:
        json.loads(arguments)
    except ValueError:
        return json.dumps({"unparsed": arguments})
    return arguments


_TOOLS: Final[list[dict[str, object]]] = [
    {"type": "function", "function": {"name": card.name, "description": card.description, "parameters": card.parameters}}
    for card in tool_cards()
]
