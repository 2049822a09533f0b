"""Claude as the mind: streaming Messages with the prompt cached by tiers, no thinking, and a connection always to hand.

Facts this rests on (platform.claude.com/docs): thinking is on by default and comes before the text; a cache mark covers
everything before it in the order tools, system, messages, and a 1 h mark must come before a 5 min one; cancelling a stream
closes its HTTP/1.1 connection, so a second one is kept warm; the SDK's own retries wait in silence, so they are off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from voice.errors import ProviderError, ProviderUnavailable
from voice.ports import ModelOutput, Prompt, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.extras import load
from voice.providers.prompting import ChatTurn, as_arguments, call_notes, chat_turns, standing_orders, tool_cards
from voice.providers.trouble import from_status, from_transport

DEFAULT_MODEL: Final = "claude-haiku-5-5"
_PROVIDER: Final = "anthropic"
_KEEP_ALIVE: Final = 120.0  # seconds an idle connection is kept; the HTTP client's own default of 5 loses it between turns
_CHARACTERS_PER_TOKEN: Final = 4  # to estimate what a cancelled reply had written

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AnthropicSettings:
    api_key: str
    base_url: str | None = None
    model: str = DEFAULT_MODEL
    max_tokens: int = 300  # two or three spoken sentences and a tool call
    connect_timeout: float = 2.0
    read_timeout: float = 10.0  # the last line of defence; the deadlines that matter are shorter and adaptive


class AnthropicModel:
    """The mind of all calls. Make one while starting: importing the SDK takes a second or two."""

    name = _PROVIDER

    def __init__(self, settings: AnthropicSettings) -> None:
        """Raises `ProviderRejected` when the SDK is not installed."""
        sdk = load("anthropic", "anthropic")
        http = load("httpx2", "anthropic")
        self.settings = settings
        self._api_status_error: type[BaseException] = sdk.APIStatusError
        self._connection_error: type[BaseException] = sdk.APIConnectionError
        self._client: Any = sdk.AsyncAnthropic(
            api_key=settings.api_key,
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
            stream = await self._client.messages.create(**self._request(prompt), stream=True)
            try:
                async for event in stream:
                    for output in reading.take(event):
                        yield output
                reading.require_end()
            finally:
                with suppress(Exception):  # a connection that cannot even be closed is gone
                    await stream.close()
        except (GeneratorExit, asyncio.CancelledError):
            self._was_cancelled()
            raise
        except Exception as error:
            raise self._translate(error) from error
        finally:
            reading.settle()

    async def warm(self, prompt: Prompt) -> None:
        """While it rings: write both cached tiers and have two connections open before the first word. Never raises."""
        request = self._request(prompt) | {"max_tokens": 0}
        try:
            message, _ = await asyncio.gather(self._client.messages.create(**request), self._connect())
        except Exception as error:
            log.warning("warming_failed", provider=_PROVIDER, error=str(self._translate(error)))
            return
        bill(_consumption(self.settings.model, message.usage, tokens_out=0))

    async def check(self) -> None:
        """Whether key, model and credit are good, at no cost worth naming. Raises `ProviderError`."""
        try:
            await self._client.models.retrieve(self.settings.model)
            await self._client.messages.create(
                model=self.settings.model, max_tokens=0, messages=[{"role": "user", "content": "hello"}]
            )
        except Exception as error:
            raise self._translate(error) from error

    async def close(self) -> None:
        for task in self._warming:
            task.cancel()
        await asyncio.gather(*self._warming, return_exceptions=True)
        await self._client.close()

    # --- requests ---

    def _request(self, prompt: Prompt) -> dict[str, object]:
        return {
            "model": self.settings.model,
            "max_tokens": self.settings.max_tokens,
            "thinking": {"type": "disabled"},
            "tools": _TOOLS,
            "system": [
                _marked({"type": "text", "text": standing_orders(prompt.agent)}, "1h"),
                _marked({"type": "text", "text": call_notes(prompt.briefing, prompt.direction)}, "5m"),
            ],
            "messages": as_messages(chat_turns(prompt.messages)),
        }

    # --- connections ---

    def _was_cancelled(self) -> None:
        """The connection of a cancelled stream is lost: have two again by the time the caller has spoken."""
        task = asyncio.create_task(self._connect_two())
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    async def _connect_two(self) -> None:
        """Two at the same time: one request uses the connection that is left, the other must open a new one."""
        await asyncio.gather(self._connect(), self._connect())

    async def _connect(self) -> None:
        with suppress(Exception):  # only a head start: the next reply says what is wrong
            await self._client.models.list(limit=1)

    def _translate(self, error: Exception) -> ProviderError:
        if isinstance(error, ProviderError):
            return error
        if isinstance(error, self._api_status_error):
            status, kind = int(getattr(error, "status_code", 500)), str(getattr(error, "type", "") or "")
            if kind == "overloaded_error":  # in mid-stream it comes with status 200
                return ProviderUnavailable(_PROVIDER, "overloaded")
            return from_status(_PROVIDER, status if status != 200 else 500, f"{kind} {error}")
        return from_transport(_PROVIDER, (error.__cause__ or error) if isinstance(error, self._connection_error) else error)


@dataclass(slots=True)
class _Reading:
    """Puts one streamed answer together: text at once, tools when complete, tokens at the end."""

    model: str
    written: int = 0  # characters
    tools: dict[int, tuple[str, str, list[str]]] = field(default_factory=dict)
    start: Any = None
    is_over: bool = False

    def take(self, event: Any) -> list[ModelOutput]:
        match event.type:
            case "message_start":
                self.start = event.message.usage
            case "content_block_start" if event.content_block.type == "tool_use":
                self.tools[event.index] = (event.content_block.id, event.content_block.name, [])
            case "content_block_delta" if event.delta.type == "text_delta":
                self.written += len(event.delta.text)
                return [TextDelta(event.delta.text)] if event.delta.text else []
            case "content_block_delta" if event.delta.type == "input_json_delta":
                self.written += len(event.delta.partial_json)
                self.tools[event.index][2].append(event.delta.partial_json)
            case "content_block_stop" if event.index in self.tools:
                call, name, parts = self.tools.pop(event.index)
                return [ToolRequest(call, name, "".join(parts) or "{}")]
            case "message_delta":
                return [self._usage(event.usage.output_tokens)]
            case "message_stop":
                self.is_over = True
            case _:
                pass
        return []

    def require_end(self) -> None:
        """A stream that just stops has been cut, however politely."""
        if not self.is_over:
            raise ProviderUnavailable(_PROVIDER, "dropped", "the stream ended without message_stop")

    def _usage(self, tokens_out: int) -> Usage:
        consumption = _consumption(self.model, self.start, tokens_out)
        self.start = None
        bill(consumption)
        stored = consumption.tokens_stored + consumption.tokens_stored_long
        tokens_in = consumption.tokens_in + consumption.tokens_cached + stored
        return Usage(tokens_in, tokens_out, consumption.tokens_cached)

    def settle(self) -> None:
        """Account for an answer that was cut off: what it had read is known, what it had written is estimated."""
        if self.start is not None:
            bill(_consumption(self.model, self.start, self.written // _CHARACTERS_PER_TOKEN, is_wasted=True))
            self.start = None


def _consumption(model: str, usage: Any, tokens_out: int, *, is_wasted: bool = False) -> Consumption:
    stored = usage.cache_creation_input_tokens or 0
    detail = usage.cache_creation
    long = (detail.ephemeral_1h_input_tokens or 0) if detail is not None else 0
    return Consumption(
        Stage.MIND,
        _PROVIDER,
        model,
        tokens_in=usage.input_tokens or 0,
        tokens_out=tokens_out,
        tokens_cached=usage.cache_read_input_tokens or 0,
        tokens_stored=stored - long,
        tokens_stored_long=long,
        is_wasted=is_wasted,
    )


def as_messages(turns: Sequence[ChatTurn]) -> list[dict[str, object]]:
    """The call's memory in the vendor's format, with a cache mark on its last block: the next turn reads up to there."""
    messages: list[dict[str, object]] = [{"role": turn.role, "content": _blocks(turn)} for turn in turns]
    content = messages[-1]["content"]
    assert isinstance(content, list)
    content[-1] = _marked(content[-1], "5m")
    return messages


def _blocks(turn: ChatTurn) -> list[dict[str, object]]:
    blocks: list[dict[str, object]] = [
        {
            "type": "tool_result",
            "tool_use_id": result.call,
            "content": result.text,
            **({} if result.ok else {"is_error": True}),
        }
        for result in turn.results
    ]
    if turn.text:
        blocks.append({"type": "text", "text": turn.text})
    blocks += [
        {"type": "tool_use", "id": use.call, "name": use.name, "input": as_arguments(use.arguments)} for use in turn.uses
    ]
    return blocks


def _marked(block: dict[str, object], ttl: str) -> dict[str, object]:
    return {**block, "cache_control": {"type": "ephemeral", "ttl": ttl}}


# Without `eager_input_streaming` a tool's arguments arrive a whole key and value at a time (fine-grained-tool-streaming).
_TOOLS: Final[list[dict[str, object]]] = [
    {
        "name": card.name,
        "description": card.description,
        "input_schema": card.parameters,
        "eager_input_streaming": True,
    }
    for card in tool_cards()
]
