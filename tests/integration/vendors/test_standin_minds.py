"""The minds' stand-ins, each driven by its vendor's own SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from benchmarks.vendors.anthropic import AnthropicStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mind import Call, scripted
from benchmarks.vendors.openai import OpenAIStandIn
from benchmarks.vendors.presets import INSTANT, Delay
from voice.providers.extras import load

HELLO = [{"role": "user", "content": "hello"}]
ASK = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": HELLO, "thinking": {"type": "disabled"}}


@asynccontextmanager
async def claude(vendor: AnthropicStandIn) -> AsyncIterator[Any]:
    sdk = load("anthropic", "anthropic")
    async with sdk.AsyncAnthropic(api_key="k", base_url=vendor.url, max_retries=0) as client:
        yield client


@asynccontextmanager
async def chat(vendor: OpenAIStandIn) -> AsyncIterator[Any]:
    sdk = load("openai", "openai")
    async with sdk.AsyncOpenAI(api_key="k", base_url=f"{vendor.url}/v1", max_retries=0) as client:
        yield client


async def text_of(client: Any, **fields: object) -> str:
    async with client.messages.stream(**{**ASK, **fields}) as stream:
        return "".join([text async for text in stream.text_stream])


async def test_text_is_streamed_token_by_token_and_counted() -> None:
    vendor = AnthropicStandIn(mind=scripted("Good morning, Zelda."))
    async with vendor, claude(vendor) as client, client.messages.stream(**ASK) as stream:
        seen = [event.type async for event in stream]
        final = await stream.get_final_message()
    assert seen.count("text") == 3
    assert final.content[0].text == "Good morning, Zelda."
    assert final.usage.output_tokens == vendor.log.of("answered")[0]["tokens"]


async def test_tools_come_with_their_arguments() -> None:
    mind = scripted(["One moment.", Call("transfer", '{"reason": "asked"}')])
    async with AnthropicStandIn(mind=mind) as vendor, claude(vendor) as client, client.messages.stream(**ASK) as stream:
        final = await stream.get_final_message()
    assert (final.stop_reason, final.content[1].input) == ("tool_use", {"reason": "asked"})


async def test_it_thinks_unless_told_not_to() -> None:
    async with AnthropicStandIn() as vendor, claude(vendor) as client:
        await text_of(client)
        assert vendor.log.count("thought") == 0
        await text_of(client, thinking={"type": "adaptive"})
    assert vendor.log.count("thought") == 1


async def test_a_long_prefix_is_written_once_and_read_after() -> None:
    system = [{"type": "text", "text": "word " * 1000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    async with AnthropicStandIn() as vendor, claude(vendor) as client:
        await client.messages.create(**{**ASK, "max_tokens": 0}, system=system)
        await text_of(client, system=system)
    written, read = vendor.log.of("asked")
    assert written["cache_creation_input_tokens"] == read["cache_read_input_tokens"]
    assert int(str(read["cache_read_input_tokens"])) >= 1250


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [*HELLO, {"role": "assistant", "content": "Hi"}]},
        {"extra_body": {"temperature": 0.5}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {
            "system": [
                {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "5m"}},
                {"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            ]
        },
        {
            "messages": [
                *HELLO,
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "x", "input": {}}]},
                *HELLO,
            ]
        },
    ],
)
async def test_it_refuses_what_the_real_one_refuses(fields: dict[str, object]) -> None:
    sdk = load("anthropic", "anthropic")
    async with AnthropicStandIn() as vendor, claude(vendor) as client:
        with pytest.raises(sdk.BadRequestError):
            await text_of(client, **fields)


async def test_its_faults_arrive_as_the_sdk_has_them() -> None:
    sdk, http = load("anthropic", "anthropic"), load("httpx2", "anthropic")
    async with AnthropicStandIn(mind=scripted("a b c d e f g")) as vendor, claude(vendor) as client:
        for fault, error in (
            (Fault(Kind.AUTH, times=1), sdk.AuthenticationError),
            (Fault(Kind.MISSING, times=1), sdk.NotFoundError),
            (Fault(Kind.RATE_LIMITED, times=1), sdk.RateLimitError),
            (Fault(Kind.OVERLOADED, times=1), sdk.OverloadedError),
            (Fault(Kind.REFUSED, times=1), sdk.APIConnectionError),
            (Fault(Kind.DROP, after=900, times=1), (http.RemoteProtocolError, http.ReadError)),
            (Fault(Kind.MALFORMED, after=900, times=1), json.JSONDecodeError),
            (Fault(Kind.ERROR_EVENT, after=900, times=1), sdk.APIStatusError),
        ):
            vendor.faults.inject(fault)
            with pytest.raises(error):
                await text_of(client)


async def test_what_a_client_cancels_is_logged_and_costs_its_connection() -> None:
    slow = INSTANT.slower("anthropic.ttft", Delay(5, 5))
    async with AnthropicStandIn(slow) as vendor, claude(vendor) as client:
        task = asyncio.create_task(text_of(client))
        await vendor.log.wait_for("asked")
        task.cancel()
        assert (await vendor.log.wait_for("cancelled"))["tokens"] == 0
        vendor.preset = INSTANT
        await text_of(client)
    assert vendor.log.count("connection") == 2


async def test_chat_completions_stream_text_tools_and_usage() -> None:
    mind = scripted(["Fine.", Call("end_call", '{"outcome": "done, thanks"}')])
    async with OpenAIStandIn(mind=mind) as vendor, chat(vendor) as client:
        stream = await client.chat.completions.create(
            model="local", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    calls = [part for chunk in chunks for choice in chunk.choices for part in choice.delta.tool_calls or []]
    assert "".join(part.function.arguments for part in calls) == '{"outcome": "done, thanks"}'
    assert chunks[-1].usage.completion_tokens > 0


async def test_chat_completions_refuse_as_documented() -> None:
    sdk = load("openai", "openai")
    async with OpenAIStandIn() as vendor, chat(vendor) as client:
        vendor.names = frozenset({"llama"})
        with pytest.raises(sdk.NotFoundError):
            await client.chat.completions.create(model="gpt", messages=HELLO, stream=True)
        vendor.keys = frozenset({"other"})
        with pytest.raises(sdk.AuthenticationError):
            await client.models.list()


async def test_faults_and_the_log_are_in_reach_of_other_processes() -> None:
    import httpx

    async with OpenAIStandIn() as vendor, chat(vendor) as client, httpx.AsyncClient(base_url=vendor.url) as control:
        assert (await control.post("/__control/faults", json={"kind": "overloaded", "times": 1})).status_code == 200
        assert (await control.post("/__control/faults", json={"kind": "nonsense"})).status_code == 400
        with pytest.raises(load("openai", "openai").InternalServerError):
            await client.models.list()
        log = (await control.get("/__control/log")).json()
        assert [row["fault"] for row in log if row["kind"] == "request"] == ["overloaded"]
        await control.delete("/__control/log")
        assert (await control.get("/__control/log")).json() == []
        assert (await control.get("/__control/state")).json()["vendor"] == "openai"
        assert (await control.get("/__control/nothing")).status_code == 404
