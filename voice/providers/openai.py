"""Any server that speaks chat completions as the mind: OpenAI's, or a local one (vLLM, llama.cpp, Ollama).

Only what all of them understand is sent. `OPENAI_BASE_URL` chooses the server; a local one usually takes any key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from voice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from voice.ports import ModelOutput, Prompt, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.extras import load
from voice.providers.prompting import ChatTurn, call_notes, chat_turns, standing_orders, tool_cards
from voice.providers.trouble import from_status, from_transport

DEFAULT_MODEL: Final = "gpt-5.4-mini"
_PROVIDER: Final = "openai"
_KEEP_ALIVE: Final = 120.0  # seconds; see voice/providers/anthropic.py
_CHARACTERS_PER_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """`extra` goes into the request's body as it is: what one server understands and others do not."""

    api_key: str = "local"
    base_url: str | None = None
    model: str = DEFAULT_MODEL
    max_tokens: int = 300
    connect_timeout: float = 2.0
    read_timeout: float = 10.0
    extra: Mapping[str, object] = field(default_factory=dict)


class OpenAIModel:
    """The mind of all calls. Make one while starting."""

    name = _PROVIDER

    def __init__(self, settings: OpenAISettings) -> None:
        """Raises `ProviderRejected` when the SDK is not installed."""
        sdk = load("openai", "openai")
        http = load("httpx2", "openai")
        self.settings = settings
        self._api_status_error: type[BaseException] = sdk.APIStatusError
        self._api_error: type[BaseException] = sdk.APIError
        self._connection_error: type[BaseException] = sdk.APIConnectionError
        self._client: Any = sdk.AsyncOpenAI(
            api_key=settings.api_key or "local",
            base_url=settings.base_url,
            max_retries=0,
            http_client=http.AsyncClient(
                limits=http.Limits(max_connections=None, keepalive_expiry=_KEEP_ALIVE),
                timeout=http.Timeout(settings.read_timeout, connect=settings.connect_timeout),
            ),
        )
        self._warming: set[asyncio.Task[None]] = set()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[ModelOutput, None]:
        """Stream one reply. Raises `ProviderError`."""
        reading = _Reading(self.settings.model)
        try:
            stream = await self._client.chat.completions.create(**self._request(prompt))
            try:
                async for chunk in stream:
                    for output in reading.take(chunk):
                        yield output
                for output in reading.end():
                    yield output
            finally:
                with suppress(Exception):
                    await stream.close()
        except (GeneratorExit, asyncio.CancelledError):
            self._was_cancelled()
            raise
        except Exception as error:
            raise self._translate(error) from error
        finally:
            reading.settle()

    async def warm(self, prompt: Prompt) -> None:
        """While it rings: have two connections open. Never raises."""
        await self._connect_two()

    async def check(self) -> None:
        """Whether the server answers, the key is good and it has the model. Raises `ProviderError`."""
        try:
            models = await self._client.models.list()
        except Exception as error:
            raise self._translate(error) from error
        names = {str(model.id) for model in models.data}
        if names and self.settings.model not in names:
            known = ", ".join(sorted(names)[:5])
            raise ProviderRejected(_PROVIDER, "not_found", f"no model {self.settings.model!r}; there are: {known}")

    async def close(self) -> None:
        for task in self._warming:
            task.cancel()
        await asyncio.gather(*self._warming, return_exceptions=True)
        await self._client.close()

    def _request(self, prompt: Prompt) -> dict[str, object]:
        system = f"{standing_orders(prompt.agent)}\n\n{call_notes(prompt.briefing, prompt.direction)}"
        own = self.settings.base_url is None
        limit = "max_completion_tokens" if own else "max_tokens"  # OpenAI's own renamed it, others did not
        effort = {"reasoning_effort": _effort(self.settings.model)} if own and _effort(self.settings.model) else {}
        return {
            **effort,
            "model": self.settings.model,
            "messages": [{"role": "system", "content": system}, *as_messages(chat_turns(prompt.messages))],
            "tools": _TOOLS,
            "stream": True,
            "stream_options": {"include_usage": True},
            limit: self.settings.max_tokens,
            "extra_body": dict(self.settings.extra) or None,
        }

    def _was_cancelled(self) -> None:
        task = asyncio.create_task(self._connect_two())
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    async def _connect_two(self) -> None:
        await asyncio.gather(self._connect(), self._connect())

    async def _connect(self) -> None:
        with suppress(Exception):  # only a head start: the next reply says what is wrong
            await self._client.models.list()

    def _translate(self, error: Exception) -> ProviderError:
        if isinstance(error, ProviderError):
            return error
        if isinstance(error, self._api_status_error):
            return from_status(_PROVIDER, int(getattr(error, "status_code", 500)), f"{getattr(error, 'code', '')} {error}")
        if isinstance(error, self._connection_error):
            return from_transport(_PROVIDER, error.__cause__ or error)
        if isinstance(error, self._api_error):  # an error object in mid-stream
            return ProviderUnavailable(_PROVIDER, "server_error", str(error)[:200])
        return from_transport(_PROVIDER, error)


def _effort(model: str) -> str:
    """OpenAI's own models reason before they speak unless told not to; the oldest of them know no "none"."""
    if not model.startswith("gpt-5"):
        return ""
    return "none" if model.startswith("gpt-5.") else "minimal"


@dataclass(slots=True)
class _Reading:
    """Puts one streamed answer together; tools are complete when the answer ends."""

    model: str
    written: int = 0
    tools: dict[int, list[str]] = field(default_factory=dict)  # index -> id, name, arguments
    is_over: bool = False
    is_settled: bool = False

    def take(self, chunk: Any) -> list[ModelOutput]:
        outputs: list[ModelOutput] = []
        for choice in chunk.choices:
            if choice.delta.content:
                self.written += len(choice.delta.content)
                outputs.append(TextDelta(choice.delta.content))
            for part in choice.delta.tool_calls or []:
                self._tool(part)
            if choice.finish_reason:
                self.is_over = True
                outputs += self._requests()
        if chunk.usage is not None:
            outputs.append(self._usage(chunk.usage))
        return outputs

    def _tool(self, part: Any) -> None:
        tool = self.tools.setdefault(part.index, ["", "", ""])
        tool[0] = tool[0] or part.id or f"call_{part.index}"
        if part.function is not None:
            tool[1] = tool[1] or part.function.name or ""
            tool[2] += part.function.arguments or ""
            self.written += len(part.function.arguments or "")

    def _requests(self) -> list[ModelOutput]:
        requests: list[ModelOutput] = [ToolRequest(call, name, text or "{}") for call, name, text in self.tools.values()]
        self.tools.clear()
        return requests

    def _usage(self, usage: Any) -> Usage:
        details = usage.prompt_tokens_details
        cached = (details.cached_tokens or 0) if details is not None else 0
        self._bill(usage.prompt_tokens - cached, usage.completion_tokens, cached)
        return Usage(usage.prompt_tokens, usage.completion_tokens, cached)

    def _bill(self, tokens_in: int, tokens_out: int, cached: int = 0, *, is_wasted: bool = False) -> None:
        self.is_settled = True
        bill(
            Consumption(
                Stage.MIND,
                _PROVIDER,
                self.model,
                tokens_in=tokens_in,
                tokens_out=tokens_out,
                tokens_cached=cached,
                is_wasted=is_wasted,
            )
        )

    def end(self) -> list[ModelOutput]:
        """The stream is over. Raises when it was cut: no finish reason, and nothing that could pass for an answer's end."""
        if not self.is_over:
            raise ProviderUnavailable(_PROVIDER, "dropped", "the stream ended without a finish reason")
        return self._requests()

    def settle(self) -> None:
        """A server that gave no usage, or a reply that was cut off: what was written is estimated, what was read unknown."""
        if not self.is_settled and self.written:
            self._bill(0, self.written // _CHARACTERS_PER_TOKEN, is_wasted=not self.is_over)


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
