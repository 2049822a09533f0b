"""A stand-in for Anthropic's Messages API: streaming and not, tools, prompt caching, and the refusals that matter.

Wire: platform.claude.com/docs api/messages, build-with-claude/streaming and prompt-caching. It refuses what the real one
refuses (a request ending with the assistant's turn, `temperature` under version 2026-10-21, a tool use without its result,
more than four cache marks, a 1 h mark after a 5 min one), so that an adapter that would fail there fails here.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Final

from benchmarks.vendors.faults import Fault, Kind
from benchmarks.vendors.mind import Call, Chat, Mind, Part, pieces, scripted, tokens
from benchmarks.vendors.presets import INSTANT, Preset
from benchmarks.vendors.standin import StandIn
from benchmarks.vendors.wire import ClientGone, Connection, Request, event
from voice.providers.prompting import ChatTurn, ToolResult, ToolUse

MIN_CACHED: Final = 512  # tokens: Haiku 5.5's shortest cacheable prefix
_LOOKBACK: Final = 20  # blocks before a mark in which an earlier entry is looked for
_TTL: Final = {"5m": 300.0, "1h": 3600.0}
_ERRORS: Final = {
    Kind.AUTH: ("authentication_error", "invalid x-api-key"),
    Kind.MISSING: ("not_found_error", "model: not found"),
    Kind.QUOTA: ("billing_error", "Your credit balance is too low."),
    Kind.RATE_LIMITED: ("rate_limit_error", "Number of requests has exceeded your rate limit."),
    Kind.OVERLOADED: ("overloaded_error", "Overloaded"),
    Kind.BROKEN: ("api_error", "Internal server error"),
}


class AnthropicStandIn(StandIn):
    """Answers with a mind of the test's choosing."""

    vendor = "anthropic"

    def __init__(self, preset: Preset = INSTANT, seed: int = 0, *, mind: Mind | None = None) -> None:
        super().__init__(preset, seed)
        self.mind = mind or scripted("All right.")
        self._cached: dict[str, float] = {}  # hash of a prefix -> until when it is readable

    def settings(self) -> dict[str, str]:
        return {"ANTHROPIC_API_KEY": "stand-in", "ANTHROPIC_BASE_URL": self.url}

    def key(self, request: Request) -> str:
        return request.headers.get("x-api-key", "") or super().key(request)

    def asked_for(self, request: Request) -> str:
        if request.path.startswith("/v1/models/"):
            return request.path.rsplit("/", 1)[1]
        return str(request.json().get("model", "")) if request.body else ""

    def refusal(self, fault: Fault) -> tuple[int, object, dict[str, str]]:
        status, _, headers = super().refusal(fault)
        if fault.kind is Kind.RATE_LIMITED:
            headers["retry-after"] = str(round(fault.seconds))
        kind, message = _ERRORS[fault.kind]
        return status, _error(kind, message), {**headers, "request-id": "req_standin"}

    async def answer(self, connection: Connection, request: Request) -> None:
        if request.method == "GET":
            await connection.pause(self.preset.delay("models").draw(self.rng()))
        if request.method == "GET" and request.path == "/v1/models":
            model = {"type": "model", "id": "standin", "display_name": "Stand-in", "created_at": "2026-01-01T00:00:00Z"}
            await connection.respond(200, {"data": [model], "has_more": False, "first_id": "standin", "last_id": "standin"})
        elif request.method == "GET" and request.path.startswith("/v1/models/"):
            name = self.asked_for(request)
            body = {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
            await connection.respond(200, body)
        elif request.method == "POST" and request.path == "/v1/messages":
            await self._messages(connection, request)
        else:
            await connection.respond(404, _error("not_found_error", "Not found"))

    async def _messages(self, connection: Connection, request: Request) -> None:
        body = request.json()
        if complaint := complaints(body, request.headers.get("anthropic-version", "")):
            self.log.add(connection.number, "invalid", complaint=complaint)
            await connection.respond(400, _error("invalid_request_error", complaint))
            return
        usage = self._usage(body)
        shape = json.dumps({name: body[name] for name in body if name not in ("messages", "system", "tools")})
        self.log.add(connection.number, "asked", shape=shape, body=json.dumps(body), **usage)
        if body.get("stream"):
            await _Stream(self, connection, body, usage).run()
            return
        message = _message(body, usage)
        if int(str(body.get("max_tokens", 0))) > 0:
            text = [part async for part in self.mind.answer(_chat(body)) if isinstance(part, str)]
            message |= {"content": [{"type": "text", "text": "".join(text)}], "stop_reason": "end_turn"}
        await connection.pause(self.preset.delay("anthropic.ttft").draw(self.rng()))
        await connection.respond(200, message)

    def _usage(self, body: Mapping[str, object]) -> dict[str, int]:
        """Token counts, with what a cache like theirs would have read and written."""
        read = written = total = 0
        digest = hashlib.sha256()
        now = time.monotonic()
        prefixes: list[tuple[str, int]] = []
        stored: dict[str, float] = {}  # readable only once this answer has begun
        for text, ttl in _blocks(body):
            digest.update(text.encode())
            total += tokens(text)
            prefixes.append((digest.hexdigest(), total))
            if ttl and total >= MIN_CACHED:
                found = [size for prefix, size in prefixes[-_LOOKBACK:] if self._cached.get(prefix, 0.0) >= now]
                read = max([read, *found])
                written = total - read
                stored[prefixes[-1][0]] = now + _TTL[ttl]
        self._cached |= stored
        return {
            "input_tokens": total - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
        }


class _Stream:
    """One streamed answer."""

    def __init__(
        self, vendor: AnthropicStandIn, connection: Connection, body: Mapping[str, object], usage: dict[str, int]
    ) -> None:
        self.vendor = vendor
        self.connection = connection
        self.body = body
        self.usage = usage
        self.rng = vendor.rng()
        self.written = 0  # tokens
        self.index = 0

    async def run(self) -> None:
        number = self.connection.number
        try:
            await self.connection.pause(self.vendor.preset.delay("anthropic.ttft").draw(self.rng))
            self.connection.open_stream("text/event-stream", {"request-id": "req_standin"})
            await self._events()
            self.connection.end_stream()
            self.vendor.log.add(number, "answered", tokens=self.written)
        except ClientGone:
            self.vendor.log.add(number, "cancelled", tokens=self.written)
            raise

    async def _events(self) -> None:
        message = {**_message(self.body, self.usage), "stop_reason": None}
        await self._send("message_start", {"type": "message_start", "message": message})
        await self._send("ping", {"type": "ping"})
        if self._thinks():
            await self._think()
        stop = "end_turn"
        is_writing = False
        async for part in self.vendor.mind.answer(_chat(self.body)):
            if isinstance(part, Call):
                if is_writing:
                    await self._stop()
                    is_writing = False
                stop = "tool_use"
                await self._call(part)
            else:
                if not is_writing:
                    await self._start({"type": "text", "text": ""})
                    is_writing = True
                await self._text(part)
        if is_writing:
            await self._stop()
        usage = {"output_tokens": max(self.written, 1), **self.usage}
        delta: dict[str, object] = {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": usage,
        }
        await self._send("message_delta", delta)
        await self._send("message_stop", {"type": "message_stop"})

    async def _text(self, text: str) -> None:
        for piece in pieces(text):
            if not self.written:
                self.vendor.log.add(self.connection.number, "first_token")
            await self._delta({"type": "text_delta", "text": piece})
            await self._pace(piece)

    async def _call(self, call: Call) -> None:
        self.vendor.log.add(self.connection.number, "tool", name=call.name, arguments=call.arguments)
        await self._start(
            {"type": "tool_use", "id": f"toolu_{self.rng.getrandbits(48):012x}", "name": call.name, "input": {}}
        )
        step = 12 if self._is_eager(call.name) else max(len(call.arguments), 1)
        await self._delta({"type": "input_json_delta", "partial_json": ""})
        for start in range(0, len(call.arguments), step):
            piece = call.arguments[start : start + step]
            await self._pace(piece)
            await self._delta({"type": "input_json_delta", "partial_json": piece})
        await self._stop()

    def _is_eager(self, name: str) -> bool:
        tools = self.body.get("tools")
        cards = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
        return any(tool.get("name") == name and tool.get("eager_input_streaming") for tool in cards)

    def _thinks(self) -> bool:
        """Haiku 5.5 thinks unless told not to."""
        thinking = self.body.get("thinking")
        return not (isinstance(thinking, dict) and thinking.get("type") == "disabled")

    async def _think(self) -> None:
        self.vendor.log.add(self.connection.number, "thought")
        await self._start({"type": "thinking", "thinking": "", "signature": ""})
        await self._delta({"type": "thinking_delta", "thinking": "Let me think."})
        await self.connection.pause(60 / self.vendor.preset.tokens_per_second)
        await self._delta({"type": "signature_delta", "signature": "standin"})
        await self._stop()

    async def _pace(self, text: str) -> None:
        count = tokens(text)
        self.written += count
        await self.connection.pause(count / self.vendor.preset.tokens_per_second)

    async def _start(self, block: dict[str, object]) -> None:
        body = {"type": "content_block_start", "index": self.index, "content_block": block}
        await self._send("content_block_start", body)

    async def _delta(self, delta: dict[str, object]) -> None:
        await self._send("content_block_delta", {"type": "content_block_delta", "index": self.index, "delta": delta})

    async def _stop(self) -> None:
        await self._send("content_block_stop", {"type": "content_block_stop", "index": self.index})
        self.index += 1

    async def _send(self, name: str, body: dict[str, object]) -> None:
        if self.connection.is_error_due():
            await self.connection.chunk(event("error", _error("overloaded_error", "Overloaded")))
            raise ClientGone
        await self.connection.chunk(event(name, self.connection.garble(json.dumps(body))))


def complaints(body: Mapping[str, object], version: str) -> str:
    """What is wrong with a request in the vendor's eyes, '' if nothing."""
    turns = body.get("messages")
    if not isinstance(turns, list) or not turns:
        return "messages: at least one message is required"
    if turns[-1].get("role") == "assistant":
        return "messages: prefilling assistant messages is not supported for this model"
    if version >= "2026-10-21" and any(name in body for name in ("temperature", "top_p", "top_k")):
        return "temperature, top_p and top_k are not supported by this version"
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") == "enabled":
        return "thinking.type: enabled is not supported for this model"
    marks = [ttl for _, ttl in _blocks(body) if ttl]
    if len(marks) > 4:
        return f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}."
    if marks != sorted(marks):  # "1h" sorts before "5m", as it must come
        return "cache_control: a ttl='1h' block must not come after a ttl='5m' block"
    return _unanswered(turns)


def _unanswered(turns: list[dict[str, object]]) -> str:
    for turn, following in zip(turns, [*turns[1:], {}], strict=True):
        uses = {str(block["id"]) for block in _content(turn) if block.get("type") == "tool_use"}
        results = {str(block["tool_use_id"]) for block in _content(following) if block.get("type") == "tool_result"}
        if uses - results:
            return (
                f"tool_use ids were found without tool_result blocks immediately after: {', '.join(sorted(uses - results))}"
            )
    return ""


def _content(turn: Mapping[str, object]) -> list[dict[str, object]]:
    content = turn.get("content", [])
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _blocks(body: Mapping[str, object]) -> list[tuple[str, str]]:
    """The request in cache order (tools, system, messages): each block's text, and the ttl of the mark on it or ''."""
    found: list[tuple[str, str]] = []
    tools, system, turns = body.get("tools"), body.get("system"), body.get("messages")
    blocks: list[object] = [*tools] if isinstance(tools, list) else []
    blocks += [{"text": system}] if isinstance(system, str) else [*system] if isinstance(system, list) else []
    for turn in turns if isinstance(turns, list) else []:
        blocks += _content(turn)
    for block in blocks:
        assert isinstance(block, dict)
        mark = block.get("cache_control")
        ttl = str(mark.get("ttl", "5m")) if isinstance(mark, dict) else ""
        rest = {name: value for name, value in block.items() if name != "cache_control"}
        found.append((json.dumps(rest, sort_keys=True), ttl))
    return found


def _chat(body: Mapping[str, object]) -> Chat:
    system = body.get("system", "")
    if isinstance(system, list):
        system = "\n".join(str(block.get("text", "")) for block in system)
    tools = body.get("tools")
    names = tuple(str(tool["name"]) for tool in tools) if isinstance(tools, list) else ()
    turns = body.get("messages")
    assert isinstance(turns, list)
    return Chat(str(body.get("model")), str(system), tuple(_turn(turn) for turn in turns), names)


def _turn(turn: Mapping[str, object]) -> ChatTurn:
    blocks = _content(turn)
    return ChatTurn(
        "assistant" if turn.get("role") == "assistant" else "user",
        "\n".join(str(block["text"]) for block in blocks if block.get("type") == "text"),
        tuple(
            ToolUse(str(block["id"]), str(block["name"]), json.dumps(block["input"]))
            for block in blocks
            if block.get("type") == "tool_use"
        ),
        tuple(
            ToolResult(str(block["tool_use_id"]), str(block.get("content", "")), ok=not block.get("is_error"))
            for block in blocks
            if block.get("type") == "tool_result"
        ),
    )


def _message(body: Mapping[str, object], usage: Mapping[str, int]) -> dict[str, object]:
    return {
        "id": "msg_standin",
        "type": "message",
        "role": "assistant",
        "model": str(body.get("model")),
        "content": [],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }


def _error(kind: str, message: str) -> dict[str, object]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_standin"}


__all__ = ["MIN_CACHED", "AnthropicStandIn", "Part", "complaints"]
