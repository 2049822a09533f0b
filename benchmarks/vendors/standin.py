"""What all stand-ins share: a port, seeded delays, faults, a log, and a control endpoint for other processes.

Control, on the same port: `GET /__control/log`, `POST /__control/faults` (a fault's fields as JSON),
`DELETE /__control/faults`, `DELETE /__control/log`, `GET /__control/state`. No vendor has a path like these.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final, Self

import msgspec

from benchmarks.vendors.faults import STATUS, Fault, Faults, Kind
from benchmarks.vendors.log import Log
from benchmarks.vendors.presets import INSTANT, Preset
from benchmarks.vendors.wire import ClientGone, Connection, Request, Socket

_CONTROL: Final = "/__control/"


class StandIn:
    """One vendor on one port. Subclasses answer in the vendor's words."""

    vendor = "nobody"

    def __init__(self, preset: Preset = INSTANT, seed: int = 0) -> None:
        self.preset = preset
        self.log = Log()
        self.faults = Faults(random.Random(f"{seed} faults"))
        self.keys: frozenset[str] = frozenset()  # the API keys it knows; none: any will do
        self.names: frozenset[str] = frozenset()  # the models or voices it has; none: any will do
        self._seed = seed
        self._requests = 0
        self._connections = 0
        self._opened: asyncio.Queue[Connection] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._acceptor: asyncio.Task[None] | None = None

    # --- its life ---

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen. Port 0 takes any free one; `url` says which."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port)
        self._acceptor = loop.create_task(self._accept())
        return self

    async def close(self) -> None:
        """Stop listening and cut every connection. Twice is allowed."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        tasks = [*self._serving, *([self._acceptor] if self._acceptor else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def port(self) -> int:
        assert self._server is not None, "not started"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, str]:
        """The settings that point offhook at this stand-in."""
        name = self.vendor.upper()
        return {f"{name}_API_KEY": "stand-in", f"{name}_URL": self.url}

    # --- for subclasses ---

    def rng(self) -> random.Random:
        """A generator of its own for the n-th request, so that one slow client does not change another's delays."""
        self._requests += 1
        return random.Random(f"{self._seed} {self.vendor} {self._requests}")

    async def answer(self, connection: Connection, request: Request) -> None:
        """Answer one HTTP request."""
        await connection.respond(*self.refusal(Fault(Kind.MISSING)))

    async def converse(self, socket: Socket, request: Request) -> None:
        """Speak on one accepted WebSocket until it is over."""

    def refusal(self, fault: Fault) -> tuple[int, object, dict[str, str]]:
        """Status, body and headers with which this vendor refuses a request."""
        return STATUS[fault.kind], {"error": fault.kind}, {}

    def is_known(self, request: Request) -> bool:
        """Whether this vendor has such a path for WebSockets."""
        return True

    def key(self, request: Request) -> str:
        """The API key a request carries."""
        return request.headers.get("authorization", "").split(" ")[-1]

    def asked_for(self, request: Request) -> str:
        """The model or voice a request names, '' if it names none."""
        return ""

    def _reason_to_refuse(self, request: Request) -> Fault | None:
        if self.keys and self.key(request) not in self.keys:
            return Fault(Kind.AUTH)
        name = self.asked_for(request)
        if (self.names and name and name not in self.names) or (request.wants_socket and not self.is_known(request)):
            return Fault(Kind.MISSING)
        return None

    # --- the loop of one connection ---

    def _connection(self) -> Connection:
        self._connections += 1
        return Connection(self._connections, self._opened)

    async def _accept(self) -> None:
        while True:
            connection = await self._opened.get()
            task = asyncio.create_task(self._serve(connection))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _serve(self, connection: Connection) -> None:
        is_counted = False
        try:
            while (request := await connection.read_request()) is not None:
                if request.path.startswith(_CONTROL):
                    await self._control(connection, request)
                    continue
                if not is_counted:
                    is_counted = True
                    self.log.add(connection.number, "connection")
                    await connection.pause(self.preset.delay("handshake").draw(self.rng()))
                if not await self._serve_one(connection, request):
                    return
        except (ClientGone, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if is_counted:
                self.log.add(connection.number, "disconnected")
            connection.close()

    async def _serve_one(self, connection: Connection, request: Request) -> bool:
        fault = self.faults.strike(request.path) or self._reason_to_refuse(request)
        self.log.add(
            connection.number, "request", method=request.method, path=request.path, fault=fault.kind if fault else ""
        )
        if fault is not None and fault.kind is Kind.REFUSED:
            connection.abort()
            return False
        if fault is not None and fault.kind in STATUS:
            connection.begin_answer(None)
            await connection.respond(*self.refusal(fault))
            return True
        if fault is not None and fault.kind is Kind.ERROR_BODY and not request.wants_socket:
            connection.begin_answer(None)
            await connection.respond(200, self.refusal(Fault(Kind.BROKEN))[1])
            return True
        connection.begin_answer(fault)
        if fault is not None and fault.kind is Kind.SLOW:
            connection.begin_answer(None)
            await connection.pause(fault.seconds)
        if not request.wants_socket:
            await self.answer(connection, request)
            return True
        connection.strike_live = lambda: self.faults.strike("live") if self.faults.has("live") else None
        socket = Socket(connection)
        socket.accept(request, {"x-request-id": f"standin-{connection.number}"})
        await self.converse(socket, request)
        return False

    async def _control(self, connection: Connection, request: Request) -> None:
        connection.begin_answer(None)
        what = request.path.removeprefix(_CONTROL)
        if request.method == "GET" and what == "log":
            rows = [{"at": e.at, "connection": e.connection, "kind": e.kind, **e.fields} for e in self.log.entries]
            await connection.respond(200, rows)
            return
        if request.method == "DELETE" and what in ("log", "faults"):
            (self.log.clear if what == "log" else self.faults.lift)()
        elif request.method == "POST" and what == "faults":
            try:
                self.faults.inject(msgspec.json.decode(request.body, type=Fault))
            except msgspec.MsgspecError as error:
                await connection.respond(400, {"error": str(error)})
                return
        elif what != "state":
            await connection.respond(404, {"error": f"no {request.method} {request.path}"})
            return
        await connection.respond(200, {"vendor": self.vendor, "preset": self.preset.name, "connections": self._connections})
