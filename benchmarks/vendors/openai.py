"""A stand-in for any server that speaks chat completions (OpenAI's, vLLM, llama.cpp, Ollama): streaming, with tools.

Wire: platform.openai.com/docs/api-reference/chat. `usage` comes in a last chunk without choices, and only when
`stream_options.include_usage` asks for it; tool arguments come in pieces by index.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mind import Call, Chat, Mind, pieces, scripted, tokens
from benchmarks.vendors.presets import INSTANT, Preset
from benchmarks.vendors.standin import StandIn
from benchmarks.vendors.wire import ClientGone, Connection, Request, nameless
from voice.providers.prompting import ChatTurn, ToolResult, ToolUse

_ERRORS: Final = {
    Kind.AUTH: ("invalid_api_key", "Incorrect API key provided."),
    Kind.MISSING: ("model_not_found", "The model does not exist."),
    Kind.QUOTA: ("insufficient_quota", "You exceeded your current quota."),
    Kind.RATE_LIMITED: ("rate_limit_exceeded", "Rate limit reached."),
    Kind.OVERLOADED: ("server_overloaded", "The server is overloaded."),
    Kind.BROKEN: ("server_error", "The server had an error."),
}


_MODELS: Final = ("gpt-5.4-mini", "standin")  # those it lists; it answers to any name unless `names` are set


class OpenAIStandIn(StandIn):
    """Answers with a mind of the test's choosing."""

    vendor = "openai"

    def __init__(self, preset: Preset = INSTANT, seed: int = 0, *, mind: Mind | None = None) -> None:
        super().__init__(preset, seed)
        self.mind = mind or scripted("All right.")

    def settings(self) -> dict[str, str]:
        return {"OPENAI_API_KEY": "stand-in", "OPENAI_BASE_URL": f"{self.url}/v1"}

    def asked_for(self, request: Request) -> str:
        if request.path.startswith("/v1/models/"):
            return request.path.rsplit("/", 1)[1]
        return str(request.json().get("model", "")) if request.body else ""

    def refusal(self, fault: Fault) -> tuple[int, object, dict[str, str]]:
        status, _, headers = super().refusal(fault)
        if fault.kind is Kind.QUOTA:
            status = 429  # so documented: "insufficient_quota"
        if fault.kind is Kind.OVERLOADED:
            status = 503
        if fault.kind is Kind.RATE_LIMITED:
            headers["retry-after"] = str(round(fault.seconds))
        code, message = _ERRORS[fault.kind]
        return status, {"error": {"message": message, "type": code, "param": None, "code": code}}, headers

    async def answer(self, connection: Connection, request: Request) -> None:
        if request.method == "GET":
            await connection.pause(self.preset.delay("models").draw(self.rng()))
        if request.method == "GET" and request.path.startswith("/v1/models"):
            named = self.asked_for(request)
            models = [_model(name) for name in ([named] if named else sorted(self.names) or _MODELS)]
            await connection.respond(200, models[0] if named else {"object": "list", "data": models})
        elif request.method == "POST" and request.path == "/v1/chat/completions":
            await self._complete(connection, request.json())
        else:
            await connection.respond(404, {"error": {"message": "Not found", "type": "invalid_request_error", "code": None}})

    async def _complete(self, connection: Connection, body: Mapping[str, object]) -> None:
        prompt = tokens(json.dumps([body.get("messages"), body.get("tools")]))
        self.log.add(connection.number, "asked", body=json.dumps(body), prompt_tokens=prompt)
        written = 0
        try:
            await connection.pause(self.preset.delay("openai.ttft").draw(self.rng()))
            connection.open_stream("text/event-stream")
            await self._send(connection, _chunk(body, {"role": "assistant", "content": ""}))
            calls = 0
            async for part in self.mind.answer(_chat(body)):
                if isinstance(part, Call):
                    written += await self._call(connection, body, part, calls)
                    calls += 1
                    continue
                for piece in pieces(part):
                    if not written:
                        self.log.add(connection.number, "first_token")
                    await self._send(connection, _chunk(body, {"content": piece}))
                    written += tokens(piece)
                    await connection.pause(tokens(piece) / self.preset.tokens_per_second)
            await self._send(connection, _chunk(body, {}, "tool_calls" if calls else "stop"))
            await self._usage(connection, body, prompt, written)
            await connection.chunk(nameless("[DONE]"))
            connection.end_stream()
            self.log.add(connection.number, "answered", tokens=written)
        except ClientGone:
            self.log.add(connection.number, "cancelled", tokens=written)
            raise

    async def _call(self, connection: Connection, body: Mapping[str, object], call: Call, index: int) -> int:
        self.log.add(connection.number, "tool", name=call.name, arguments=call.arguments)
        head = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": call.name, "arguments": ""}}
        await self._send(connection, _chunk(body, {"tool_calls": [head]}))
        for start in range(0, len(call.arguments), 12):
            part = {"index": index, "function": {"arguments": call.arguments[start : start + 12]}}
            await self._send(connection, _chunk(body, {"tool_calls": [part]}))
        return tokens(call.arguments)

    async def _usage(self, connection: Connection, body: Mapping[str, object], prompt: int, written: int) -> None:
        options = body.get("stream_options")
        if not (isinstance(options, dict) and options.get("include_usage")):
            return
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
            "prompt_tokens_details": {"cached_tokens": 0},
        }
        await self._send(connection, {**_chunk(body, {}), "choices": [], "usage": usage})

    async def _send(self, connection: Connection, chunk: dict[str, object]) -> None:
        if connection.is_error_due():
            await connection.chunk(nameless({"error": {"message": "overloaded", "type": "server_error", "code": None}}))
            raise ClientGone
        await connection.chunk(nameless(connection.garble(json.dumps(chunk))))


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "standin"}


def _chunk(body: Mapping[str, object], delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
    return {
        "id": "chatcmpl-standin",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": str(body.get("model")),
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _chat(body: Mapping[str, object]) -> Chat:
    messages = body.get("messages")
    assert isinstance(messages, list)
    system = "\n".join(str(message["content"]) for message in messages if message["role"] in ("system", "developer"))
    turns = tuple(_turn(message) for message in messages if message["role"] not in ("system", "developer"))
    tools = body.get("tools")
    names = tuple(str(tool["function"]["name"]) for tool in tools) if isinstance(tools, list) else ()
    return Chat(str(body.get("model")), system, turns, names)


def _turn(message: Mapping[str, object]) -> ChatTurn:
    if message["role"] == "tool":
        return ChatTurn("user", results=(ToolResult(str(message["tool_call_id"]), str(message["content"])),))
    calls = message.get("tool_calls")
    uses = tuple(
        ToolUse(str(call["id"]), str(call["function"]["name"]), str(call["function"]["arguments"]))
        for call in (calls if isinstance(calls, list) else [])
    )
    text = message.get("content")
    return ChatTurn("assistant" if message["role"] == "assistant" else "user", str(text or ""), uses)
