"""`offhook call`: asks a running server to place one call, then shows its words until it ends."""

from __future__ import annotations

import asyncio
import sys
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
import typer
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from api import live_events
from api.live_events import CallEnded, LiveEvent
from api.settings import Settings, is_loopback

LOCAL: Final = "http://127.0.0.1:8080"
PLACED_WITHIN: Final = 30.0  # seconds; the gate and the carrier's answer are well within it
LEARNED_WITHIN: Final = 10.0  # seconds after the end for the summary to be there


def place_and_follow(settings: Settings, number: str, agent: str, server: str, *, follow: bool, as_json: bool) -> int:
    """Place the call and, unless told otherwise, follow it to its end. The exit status: 0 if it was placed."""
    base = (server or _local_server(settings)).rstrip("/")
    keys = settings.api_keys
    headers = {"Authorization": f"Bearer {keys[0].get_secret_value()}"} if keys else {}
    try:
        return asyncio.run(_Errand(base, headers, as_json).run(number, agent, follow=follow))
    except (httpx.ConnectError, OSError):
        return _wrong(f"no server answers at {base}; start one with `offhook serve`, or name it with --server")
    except (httpx.HTTPError, WebSocketException) as error:
        return _wrong(f"the server at {base} did not answer as it should: {type(error).__name__}")


def _local_server(settings: Settings) -> str:
    """This machine's server: the public URL where that is this machine."""
    return settings.public_url if is_loopback(urlsplit(settings.public_url).hostname or "") else LOCAL


class _Errand:
    def __init__(self, base: str, headers: dict[str, str], as_json: bool) -> None:
        self._base = base
        self._headers = headers
        self._as_json = as_json
        self._is_answered = False

    async def run(self, number: str, agent: str, *, follow: bool) -> int:
        async with httpx.AsyncClient(base_url=self._base, headers=self._headers, timeout=PLACED_WITHIN) as client:
            if not follow:
                return self._show_placed(await client.post("/v1/calls", json={"to": number, "agent": agent}))
            return await self._follow(client, number, agent)

    async def _follow(self, client: httpx.AsyncClient, number: str, agent: str) -> int:
        """Listen first, then place: a call that is over in a moment is not missed."""
        url = self._base.replace("http", "ws", 1) + "/v1/events"
        try:
            async with connect(url, additional_headers=self._headers) as events:
                placed = await client.post("/v1/calls", json={"to": number, "agent": agent})
                if placed.status_code != httpx.codes.CREATED:
                    return self._show_placed(placed)
                call_id = str(placed.json()["id"])
                self._say(f"calling, as {call_id}")
                async for message in events:
                    if self._show(call_id, message):
                        break
        except InvalidStatus as refused:
            return _wrong(f"the server refused: {refused.response.status_code}; is OFFHOOK_API_KEYS the server's?")
        return await self._show_end(client, call_id)

    def _show(self, call_id: str, message: str | bytes) -> bool:
        """Show an event of our call; True once it is over."""
        try:
            event = live_events.decode(message)
        except msgspec.MsgspecError:  # a newer server's
            return False
        if getattr(event, "call", None) != call_id:
            return False
        if isinstance(event, _ANSWERED) and not self._is_answered:
            self._is_answered = True  # their words may overtake the record of the answer
            self._say("answered")
        line = _line(event)
        if line:
            self._say(line)
        return isinstance(event, CallEnded)

    async def _show_end(self, client: httpx.AsyncClient, call_id: str) -> int:
        """The record of the call, once what came of it is written."""
        record: dict[str, object] = {}
        for _ in range(int(LEARNED_WITHIN * 2)):
            record = (await client.get(f"/v1/calls/{call_id}")).json()
            if record.get("summary"):
                break
            await asyncio.sleep(0.5)
        if self._as_json:
            typer.echo(msgspec.json.encode(record).decode())
        elif record.get("summary"):
            typer.echo(str(record["summary"]))
        return 0

    def _show_placed(self, answer: httpx.Response) -> int:
        if answer.status_code == httpx.codes.CREATED:
            typer.echo(answer.text if self._as_json else f"calling, as {answer.json()['id']}")
            return 0
        if self._as_json:
            typer.echo(answer.text)
        return _wrong(_refusal(answer))

    def _say(self, line: str) -> None:
        typer.echo(line, file=sys.stderr if self._as_json else None)


_ANSWERED: Final = (live_events.CallAnswered, live_events.Caller, live_events.Agent)


def _line(event: LiveEvent) -> str:
    match event:
        case live_events.Caller(text=text):
            return f"  caller: {text}"
        case live_events.Agent(text=text, is_cut=is_cut):
            return f"  agent:  {text}{' --' if is_cut else ''}"
        case live_events.Tool(text=text):
            return f"  [{text}]"
        case live_events.CallEnded(disposition=disposition, duration=duration):
            return f"ended: {disposition}, {duration:.0f} s"
        case _:
            return ""


def _refusal(answer: httpx.Response) -> str:
    """A problem document in a line for each rule that spoke."""
    try:
        problem = msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.MsgspecError:
        return f"the server answered {answer.status_code}"
    lines = [problem.detail or problem.code]
    lines += [f"  {finding.rule}: {finding.detail}" for finding in problem.findings]
    lines += [f"  {error.get('field', '')}: {error.get('message', '')}" for error in problem.errors]
    return "\n".join(lines)


class _Finding(msgspec.Struct):
    rule: str = ""
    detail: str = ""


class _Problem(msgspec.Struct):
    code: str = "error"
    detail: str = ""
    findings: list[_Finding] = []
    errors: list[dict[str, str]] = []


def _wrong(message: str) -> int:
    typer.echo(f"offhook: {message}", err=True)
    return 1
