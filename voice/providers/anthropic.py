"""Claude as the mind: streaming Messages with the prompt cached by tiers, no thinking, and a connection always to hand.

Facts this rests on (platform.claude.com/docs): thinking is on by default and comes before the text; a cache mark covers
everything before it in the order tools, system, messages, and a 1 h mark must come before a 5 min one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from voice.errors import ProviderUnavailable
from voice.ports import ModelOutput, Prompt, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Consumption, Stage, bill
from voice.providers.prompting import ChatTurn, as_arguments, call_notes, chat_turns, standing_orders, tool_cards
from voice.providers.sdk_mind import CHARACTERS_PER_TOKEN, MindSettings, SdkClient, said_in_stream

DEFAULT_MODEL: Final = "claude-haiku-5-5"
_PROVIDER: Final = "anthropic"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AnthropicSettings(MindSettings):
    model: str = DEFAULT_MODEL


class AnthropicModel:
    """The mind of all calls. Make one while starting: importing the SDK takes a second or two."""

    name = _PROVIDER

    def __init__(self, settings: AnthropicSettings) -> None:
        """Raises `ProviderRejected` when the SDK is not installed."""
        self.settings = settings
        self.client = SdkClient(_PROVIDER, "AsyncAnthropic", settings)
        self._messages = self.client.api.messages  # imports its modules: here, not while a caller waits

    async def reply(self, prompt: Prompt) -> AsyncGenerator[ModelOutput, None]:
        """Stream one reply. Raises `ProviderError`."""
        reading = _Reading(self.settings.model)
        required = {"model": self.settings.model, "max_tokens": self.settings.max_tokens, "messages": ()}
        async with aclosing(self.client.outputs(self._messages, required, self._body(prompt), reading)) as outputs:
            async for output in outputs:
                yield output

    async def warm(self, prompt: Prompt) -> None:
        """While it rings: write both cached tiers and have two connections open before the first word. Never raises."""
        create = self._messages.create
        try:
            message, _ = await asyncio.gather(
                create(model=self.settings.model, max_tokens=0, messages=(), extra_body=self._body(prompt)),
                self.client.connect(),
            )
        except Exception as error:
            log.warning("warming_failed", provider=_PROVIDER, error=str(self.client.translate(error)))
            return
        bill(_consumption(self.settings.model, msgspec.convert(message.usage, _Tokens, from_attributes=True), tokens_out=0))

    async def check(self) -> None:
        """Whether key, model and credit are good, at no cost worth naming. Raises `ProviderError`."""
        try:
            await self.client.api.models.retrieve(self.settings.model)
            await self._messages.create(
                model=self.settings.model, max_tokens=1, messages=[{"role": "user", "content": "hello"}]
            )
        except Exception as error:
            raise self.client.translate(error) from error

    async def close(self) -> None:
        await self.client.close()

    def _body(self, prompt: Prompt) -> dict[str, object]:
        return {
            "thinking": {"type": "disabled"},
            "tools": _TOOLS,
            "system": [
                _marked({"type": "text", "text": standing_orders(prompt.agent)}, "1h"),
                _marked({"type": "text", "text": call_notes(prompt.briefing, prompt.direction)}, "5m"),
            ],
            "messages": as_messages(chat_turns(prompt.messages)),
        }


# --- what a stream says; unknown events and fields are passed over, as new ones come every month ---


class _Stored(msgspec.Struct):
    ephemeral_1h_input_tokens: int | None = 0


class _Tokens(msgspec.Struct):
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cache_creation_input_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0
    cache_creation: _Stored | None = None


class _Message(msgspec.Struct):
    usage: _Tokens


class _Block(msgspec.Struct):
    type: str
    id: str = ""
    name: str = ""


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    partial_json: str = ""


class _Error(msgspec.Struct):
    type: str = ""
    message: str = ""


class _Event(msgspec.Struct):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Tokens | None = None
    error: _Error | None = None


_DECODER: Final = msgspec.json.Decoder(_Event)


@dataclass(slots=True)
class _Reading:
    """Puts one streamed answer together: text at once, tools when complete, tokens at the end."""

    model: str
    written: int = 0  # characters
    tools: dict[int, tuple[str, str, list[str]]] = field(default_factory=dict)
    start: _Tokens | None = None
    has_begun: bool = False
    is_over: bool = False

    def take(self, data: bytes) -> list[ModelOutput]:
        match _DECODER.decode(data):
            case _Event(type="message_start", message=_Message(usage=usage)):
                self.start, self.has_begun = usage, True
            case _Event(type="content_block_start", index=index, content_block=_Block("tool_use", call, name)):
                self.tools[index] = (call, name, [])
            case _Event(type="content_block_delta", delta=_Delta("text_delta", text)):
                self.written += len(text)
                return [TextDelta(text)] if text else []
            case _Event(type="content_block_delta", index=index, delta=_Delta("input_json_delta", _, part)):
                self.written += len(part)
                if index in self.tools:
                    self.tools[index][2].append(part)
            case _Event(type="content_block_stop", index=index) if index in self.tools:
                call, name, parts = self.tools.pop(index)
                return [ToolRequest(call, name, "".join(parts) or "{}")]
            case _Event(type="message_delta", usage=_Tokens(output_tokens=written)):
                return self._usage(written or 0)
            case _Event(type="message_stop"):
                self.is_over = True
            case _Event(type="error", error=error):
                raise said_in_stream(_PROVIDER, error.type if error else "", error.message if error else "")
            case _:
                pass
        return []

    def end(self) -> list[ModelOutput]:
        if not self.is_over:
            raise ProviderUnavailable(_PROVIDER, "dropped", "the stream ended without message_stop")
        return []

    def _usage(self, tokens_out: int) -> list[ModelOutput]:
        if self.start is None:
            return []
        consumption = _consumption(self.model, self.start, tokens_out)
        self.start = None
        bill(consumption)
        stored = consumption.tokens_stored + consumption.tokens_stored_long
        tokens_in = consumption.tokens_in + consumption.tokens_cached + stored
        return [Usage(tokens_in, tokens_out, consumption.tokens_cached)]

    def settle(self, read: int) -> None:
        """Of an answer that was cut off, what it had read is known, or estimated if it had not begun; what it had written is
        estimated."""
        if not self.has_begun and read:
            self.start = _Tokens(input_tokens=read)
        if self.start is not None:
            bill(_consumption(self.model, self.start, self.written // CHARACTERS_PER_TOKEN, is_wasted=True))
            self.start = None


def _consumption(model: str, usage: _Tokens, tokens_out: int, *, is_wasted: bool = False) -> Consumption:
    stored = usage.cache_creation_input_tokens or 0
    long = (usage.cache_creation.ephemeral_1h_input_tokens or 0) if usage.cache_creation is not None else 0
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
