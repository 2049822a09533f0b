"""What every request passes on its way in: the doorkeeper, a limit on its body, a count of how it was answered.

Plain ASGI, because the framework's own middleware buffers bodies and cannot see WebSockets.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from api.auth import Doorkeeper
from api.errors import Problem, TooLarge, problem_response
from api.metrics import Metrics
from api.routes.campaigns import LARGEST_IMPORT
from api.sockets import POLICY

LARGEST_BODY: Final = 1024 * 1024  # bytes
_IMPORT_OVERHEAD: Final = 64 * 1024  # what multipart adds around a file

_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Gatehouse:
    """Wraps the whole app. Whatever is added below a guarded path is guarded, and nothing of it is read before."""

    def __init__(self, app: ASGIApp, metrics: Metrics, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._metrics = metrics
        self._doorkeeper = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, _Answer(scope, send, self._metrics).send)
        elif scope["type"] == "websocket" and self._refusal(scope) is not None:
            await WebSocket(scope, receive, send).close(POLICY)  # not accepted yet: the other side sees a 403
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        longest = longest_body(scope["path"])
        refusal = self._refusal(scope)
        if refusal is None and _declared(scope) > longest:
            refusal = TooLarge("too_large", f"A request here has at most {longest} bytes.")
        if refusal is not None:
            answer = problem_response(refusal.status, refusal.code, refusal.detail, headers=refusal.headers)
            await answer(scope, receive, send)
            return
        await self._app(scope, _Limited(receive, longest).receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        if not is_guarded(scope["path"]):
            return None
        try:
            self._doorkeeper.check(HTTPConnection(scope))
        except Problem as problem:
            return problem
        return None


def is_guarded(path: str) -> bool:
    """Whether this path is for people with a token only."""
    return path == "/v1" or path.startswith("/v1/") or path in ("/metrics", "/openapi.json")


def longest_body(path: str) -> int:
    """How many bytes a request to this path may have."""
    is_import = path.startswith("/v1/campaigns/") and path.endswith("/contacts")
    return LARGEST_IMPORT + _IMPORT_OVERHEAD if is_import else LARGEST_BODY


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


class _Limited:
    """The body as it comes, up to its limit: a chunked body declares no length."""

    def __init__(self, receive: Receive, longest: int) -> None:
        self._receive = receive
        self._left = longest

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        return message


class _Answer:
    """The answer on its way out: counted by route pattern (a path may hold a number or an id), and dressed."""

    def __init__(self, scope: Scope, send: Send, metrics: Metrics) -> None:
        self._scope = scope
        self._send = send
        self._metrics = metrics

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._metrics.request(route_of(self._scope), message["status"])
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._scope["path"].startswith("/v1"):
                headers.setdefault("cache-control", "no-store")
        await self._send(message)


def route_of(scope: Scope) -> str:
    """The pattern of the route that took this request; `none` if none did."""
    return str(getattr(scope.get("route"), "path", "none"))
