"""The minds' adapters, each through its vendor's SDK, against the stand-ins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.vendors.anthropic import AnthropicStandIn
from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mind import Call, scripted
from benchmarks.vendors.openai import OpenAIStandIn
from benchmarks.vendors.presets import INSTANT, Delay
from voice.actions import AgentSaid, CallerSaid, Happened, Message, ToolUsed
from voice.errors import ProviderRejected, ProviderUnavailable
from voice.ports import LanguageModel, ModelOutput, Prompt, TextDelta, ToolRequest, Usage
from voice.pricing.consumption import Account, bill_to
from voice.providers.anthropic import AnthropicModel, AnthropicSettings
from voice.providers.openai import OpenAIModel, OpenAISettings

MEMORY: tuple[Message, ...] = (
    AgentSaid("Hello Zelda, this is Ann."),
    CallerSaid("Hello."),
    AgentSaid("How old is your", is_cut=True),
    CallerSaid("Ten years. Book me on Friday."),
    AgentSaid("Of course."),
    ToolUsed("t1", "book_appointment", '{"when": "Friday"}', "booked"),
    AgentSaid("It is booked."),
    Happened("silence"),
)


@asynccontextmanager
async def mind_of(vendor: Any) -> AsyncIterator[Any]:
    model: Any
    if isinstance(vendor, AnthropicStandIn):
        model = AnthropicModel(AnthropicSettings("k", base_url=vendor.url))
    else:
        model = OpenAIModel(OpenAISettings("k", base_url=f"{vendor.url}/v1", model="local"))
    try:
        yield model
    finally:
        await model.close()


async def answer(model: LanguageModel, prompt: Prompt) -> list[ModelOutput]:
    async with asyncio.timeout(10):
        return [output async for output in model.reply(prompt)]


def text(outputs: list[ModelOutput]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, TextDelta))


BOTH = pytest.mark.parametrize("stand_in", [AnthropicStandIn, OpenAIStandIn])


@BOTH
async def test_a_reply_streams_text_then_tools_then_usage(stand_in: Any, prompt: Prompt) -> None:
    mind = scripted(["Goodbye, Zelda.", Call("end_call", '{"outcome": "done"}')])
    async with stand_in(mind=mind) as vendor, mind_of(vendor) as model:
        outputs = await answer(model, prompt)
    assert text(outputs) == "Goodbye, Zelda."
    assert [type(output) for output in outputs[-2:]] == [ToolRequest, Usage]
    tool, usage = outputs[-2:]
    assert isinstance(tool, ToolRequest)
    assert (tool.name, json.loads(tool.arguments)) == ("end_call", {"outcome": "done"})
    assert isinstance(usage, Usage)
    assert usage.tokens_in > 100
    assert usage.tokens_out > 0


@BOTH
async def test_the_whole_memory_of_a_call_is_accepted(stand_in: Any, prompt: Prompt) -> None:
    async with stand_in() as vendor, mind_of(vendor) as model:
        assert text(await answer(model, replace(prompt, messages=MEMORY))) == "All right."
        assert text(await answer(model, replace(prompt, messages=MEMORY[:-1]))) == "All right."
        broken = ToolUsed("t2", "save_answer", "{not json", "not valid", ok=False)
        assert text(await answer(model, replace(prompt, messages=(*MEMORY, broken)))) == "All right."
    body = json.loads(str(vendor.log.of("asked")[0]["body"]))
    assert "How old is your—" in json.dumps(body, ensure_ascii=False)
    assert "+12025550123" not in json.dumps(body)


async def test_claude_is_told_in_tiers_and_told_not_to_think(prompt: Prompt) -> None:
    async with AnthropicStandIn() as vendor, mind_of(vendor) as model:
        await answer(model, prompt)
    body = json.loads(str(vendor.log.of("asked")[0]["body"]))
    assert [block["cache_control"]["ttl"] for block in body["system"]] == ["1h", "5m"]
    assert body["thinking"] == {"type": "disabled"}
    assert all(tool["eager_input_streaming"] for tool in body["tools"])
    assert "Zelda" not in body["system"][0]["text"]
    assert "Zelda" in body["system"][1]["text"]
    assert vendor.log.count("thought") == 0


async def test_openais_own_models_are_told_not_to_reason(monkeypatch: pytest.MonkeyPatch, prompt: Prompt) -> None:
    for model, effort in (("gpt-5.4-mini", "none"), ("gpt-5", "minimal"), ("gpt-4.1", None)):
        async with OpenAIStandIn() as vendor:
            monkeypatch.setenv("OPENAI_BASE_URL", f"{vendor.url}/v1")
            mind = OpenAIModel(OpenAISettings("k", model=model))
            await answer(mind, prompt)
            await mind.close()
        body = json.loads(str(vendor.log.of("asked")[0]["body"]))
        assert body.get("reasoning_effort") == effort
        assert body["max_completion_tokens"] == 300


async def test_what_was_warmed_while_it_rang_is_read_and_not_written_again(prompt: Prompt) -> None:
    apart = INSTANT.slower("models", Delay(0.1, 0.1)).slower("anthropic.ttft", Delay(0.1, 0.1))  # so that both overlap
    with bill_to(Account()) as account:
        async with AnthropicStandIn(apart) as vendor, mind_of(vendor) as model:
            await model.warm(prompt)
            connections = vendor.log.count("connection")
            outputs = await answer(model, replace(prompt, messages=(CallerSaid("hello"),)))
            assert vendor.log.count("connection") == connections == 2
    usage = outputs[-1]
    assert isinstance(usage, Usage)
    assert usage.tokens_cached > 512
    warmed, replied = account.entries
    assert warmed.tokens_stored + warmed.tokens_stored_long > 512
    assert replied.tokens_cached == usage.tokens_cached


async def test_the_next_turn_reads_the_turns_before_it_from_the_cache(prompt: Prompt) -> None:
    async with AnthropicStandIn() as vendor, mind_of(vendor) as model:
        await answer(model, replace(prompt, messages=MEMORY[:4]))
        await answer(model, replace(prompt, messages=MEMORY))
    first, second = vendor.log.of("asked")
    total = int(str(first["input_tokens"])) + int(str(first["cache_creation_input_tokens"]))
    assert second["cache_read_input_tokens"] == total


@BOTH
async def test_a_cancelled_reply_costs_the_next_turn_no_handshake(stand_in: Any, prompt: Prompt) -> None:
    apart = INSTANT.slower("models", Delay(0.1, 0.1))  # so that two requests overlap, as they do over a network
    apart = apart.slower("anthropic.ttft", Delay(0.1, 0.1))
    slow = apart.slower("anthropic.ttft", Delay(30, 30)).slower("openai.ttft", Delay(30, 30))
    async with stand_in(apart) as vendor, mind_of(vendor) as model:
        await model.warm(prompt)
        vendor.preset = slow
        task = asyncio.create_task(answer(model, prompt))
        await vendor.log.wait_for("asked", count=2 if stand_in is AnthropicStandIn else 1)
        task.cancel()
        await vendor.log.wait_for("cancelled")
        await model.client.connected()  # the new spare one, dialled behind the caller's back
        assert vendor.log.count("connection") == 3
        vendor.preset = INSTANT
        await answer(model, prompt)
        assert vendor.log.count("connection") == 3


@BOTH
async def test_breaking_off_in_mid_reply_stops_the_far_end_and_is_billed_as_waste(stand_in: Any, prompt: Prompt) -> None:
    pace = replace(INSTANT, tokens_per_second=50.0)
    with bill_to(Account()) as account:
        async with stand_in(pace, mind=scripted("word " * 200)) as vendor, mind_of(vendor) as model:
            async with aclosing(model.reply(prompt)) as outputs:
                await anext(outputs)
            assert int(str((await vendor.log.wait_for("cancelled"))["tokens"])) < 100
    assert [entry.is_wasted for entry in account.entries] == [True]


@BOTH
async def test_one_that_is_cancelled_before_its_first_word_has_been_read_all_the_same(stand_in: Any, prompt: Prompt) -> None:
    slow = INSTANT.slower("openai.ttft", Delay(30.0, 30.0)).slower("anthropic.ttft", Delay(30.0, 30.0))
    with bill_to(Account()) as account:
        async with stand_in(slow) as vendor, mind_of(vendor) as model:
            task = asyncio.create_task(answer(model, prompt))
            await vendor.log.wait_for("asked")
            task.cancel()
            await asyncio.wait([task])
    (entry,) = account.entries
    assert (entry.is_wasted, entry.tokens_in > 100, entry.tokens_out) == (True, True, 0)


@BOTH
@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault(Kind.AUTH), ProviderRejected, "wrong_key"),
        (Fault(Kind.MISSING), ProviderRejected, "not_found"),
        (Fault(Kind.QUOTA), ProviderRejected, "quota"),
        (Fault(Kind.RATE_LIMITED, seconds=60), ProviderUnavailable, "rate_limited"),
        (Fault(Kind.OVERLOADED), ProviderUnavailable, "overloaded"),
        (Fault(Kind.BROKEN), ProviderUnavailable, "server_error"),
        (Fault(Kind.REFUSED), ProviderUnavailable, "dropped"),
        (Fault(Kind.DROP, after=900), ProviderUnavailable, "dropped"),
        (Fault(Kind.MALFORMED, after=900), ProviderUnavailable, "malformed"),
        (Fault(Kind.ERROR_BODY), ProviderUnavailable, "server_error"),
    ],
)
async def test_no_vendor_exception_leaves(
    stand_in: Any, fault: Fault, error: type[Exception], code: str, prompt: Prompt
) -> None:
    async with stand_in(mind=scripted("one two three four five six seven eight")) as vendor, mind_of(vendor) as model:
        vendor.faults.inject(fault)
        with pytest.raises(error) as failed:
            await answer(model, prompt)
    assert failed.value.code == code  # type: ignore[attr-defined]
    assert vendor.log.count("request") == 1  # no retry of the SDK's behind our back


async def test_errors_in_mid_stream_are_ours_too(prompt: Prompt) -> None:
    async with AnthropicStandIn(mind=scripted("a b c d e")) as vendor, mind_of(vendor) as model:
        vendor.faults.inject(Fault(Kind.ERROR_EVENT, after=900))
        with pytest.raises(ProviderUnavailable, match="overloaded"):
            await answer(model, prompt)
    async with OpenAIStandIn(mind=scripted("a b c d e")) as vendor, mind_of(vendor) as model:
        vendor.faults.inject(Fault(Kind.ERROR_EVENT, after=400))
        with pytest.raises(ProviderUnavailable, match="server_error"):
            await answer(model, prompt)


async def test_a_stall_ends_with_the_read_timeout(prompt: Prompt) -> None:
    async with AnthropicStandIn(mind=scripted("a b c d e")) as vendor:
        model = AnthropicModel(AnthropicSettings("k", base_url=vendor.url, read_timeout=0.1))
        vendor.faults.inject(Fault(Kind.STALL, after=900))
        with pytest.raises(ProviderUnavailable, match="stalled"):
            await answer(model, prompt)
        await model.close()


@BOTH
async def test_the_check_tells_what_is_wrong(stand_in: Any) -> None:
    async with stand_in() as vendor, mind_of(vendor) as model:
        if stand_in is AnthropicStandIn:
            await model.check()
        vendor.names = frozenset({"other"})
        with pytest.raises(ProviderRejected, match="not_found"):
            await model.check()
        vendor.keys = frozenset({"other"})
        with pytest.raises(ProviderRejected, match="wrong_key"):
            await model.check()


async def test_warming_never_raises(prompt: Prompt) -> None:
    async with AnthropicStandIn() as vendor, mind_of(vendor) as model:
        vendor.faults.inject(Fault(Kind.BROKEN))
        await model.warm(prompt)
