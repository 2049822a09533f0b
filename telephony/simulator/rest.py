"""The network's HTTP face: Twilio's Calls API for engines, and `/simulator` for whoever runs the network.

Bodies, statuses and error codes as twilio.com/docs/voice/api/call-resource and the error dictionary have them, so that the
official SDK is content.
"""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from telephony.number import NumberRefused, parse_target
from telephony.simulator.instructions import LARGEST_PARAMETER
from telephony.simulator.ledger import API_VERSION, CALLBACK_EVENTS, Detection, Json, Wanted
from telephony.simulator.live import HungUp, LiveCall, Redirected
from telephony.simulator.network import DEFAULT_RING_TIMEOUT, PhoneNetwork, PlaceRequest

PREFIX: Final = f"/{API_VERSION}/Accounts/{{account}}"
_DEFAULT_PAGE: Final = 50

Handler = Callable[[Request], Awaitable[Response]]


class RestRefused(Exception):
    """An error answer of the API: Twilio's `code`, the HTTP `status`, the message."""

    def __init__(self, code: int, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def app_of(network: PhoneNetwork) -> Starlette:
    """The web application of a network."""
    api, control = _Api(network), _Control(network)
    return Starlette(
        routes=[
            Route(f"{PREFIX}/Calls.json", api.guarded(api.create), methods=["POST"]),
            Route(f"{PREFIX}/Calls.json", api.guarded(api.list), methods=["GET"]),
            Route(f"{PREFIX}/Calls/{{sid}}.json", api.guarded(api.fetch), methods=["GET"]),
            Route(f"{PREFIX}/Calls/{{sid}}.json", api.guarded(api.update), methods=["POST"]),
            Route("/simulator/calls", control.calls, methods=["GET"]),
            Route("/simulator/calls", control.call_in, methods=["POST"]),
            Route("/simulator/calls/{sid}", control.call, methods=["GET"]),
            Route("/simulator/calls/{sid}/hangup", control.hang_up, methods=["POST"]),
            Route("/simulator/people", control.people, methods=["GET"]),
            Route("/{rest:path}", api.guarded(api.missing), methods=["GET", "POST", "DELETE"]),
        ]
    )


class _Api:
    """The Calls resource."""

    def __init__(self, network: PhoneNetwork) -> None:
        self._network = network

    def guarded(self, handler: Handler) -> Handler:
        """Check the account first; turn a refusal into Twilio's error body."""

        async def run(request: Request) -> Response:
            try:
                self._authenticate(request)
                return await handler(request)
            except RestRefused as refused:
                return _error(refused)

        return run

    def _authenticate(self, request: Request) -> None:
        setup = self._network.setup
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = b64decode(given, validate=True).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            user = password = ""
        is_known = secrets.compare_digest(user.encode(), setup.account_sid.encode())
        is_right = secrets.compare_digest(password.encode(), setup.auth_token.encode())
        named = request.path_params.get("account", setup.account_sid)
        if scheme.lower() != "basic" or not (is_known and is_right) or named != setup.account_sid:
            raise RestRefused(20003, 401, "Authenticate")

    async def create(self, request: Request) -> Response:
        wanted = self._read_create(await request.form())
        faults = self._network.faults_of(wanted.to)
        if self._network.is_invalid(wanted.to):
            raise RestRefused(21217, 400, f"Phone number does not appear to be valid: {wanted.to}")
        call = self._network.place(wanted)
        if faults.create_hang:
            # The phone rings, and the answer to the request is lost on the way.
            await asyncio.sleep(faults.create_hang)
            raise RestRefused(20503, 503, "Service unavailable")
        return _json(call.ledger.resource(), 201)

    def _read_create(self, form: FormData) -> PlaceRequest:
        to, from_ = _numbers(form, self._network.setup.own_numbers)
        return PlaceRequest(
            to=to,
            from_=from_,
            first=_first(form),
            wanted=_wanted(form),
            detection=_detection(form),
            timeout=_seconds(form, "Timeout", DEFAULT_RING_TIMEOUT, 600, 21208),
            time_limit=_seconds(form, "TimeLimit", 14400, 86400, 21208),
        )

    async def fetch(self, request: Request) -> Response:
        return _json(self._find(request).ledger.resource())

    async def update(self, request: Request) -> Response:
        call = self._find(request)
        form = await request.form()
        url, document, status = _text(form, "Url"), _text(form, "Twiml"), _text(form, "Status")
        if url and document:
            raise RestRefused(32019, 400, "Both Url and Twiml parameters were provided")
        if call.ledger.has_ended:
            raise RestRefused(21220, 400, "Call is not in-progress. Cannot redirect.")
        if status:
            if status not in ("completed", "canceled"):
                raise RestRefused(21218, 400, f"Invalid Status: {status}")
            call.post(HungUp("engine"))
        elif url or document:
            if call.ledger.status != "in-progress":
                raise RestRefused(21220, 400, "Call is not in-progress. Cannot redirect.")
            _check_document(document)
            call.post(Redirected(url, document))
        return _json(call.ledger.resource())

    async def list(self, request: Request) -> Response:
        """Newest first, one page; filters To, From, Status and StartTime (day, as the API has it)."""
        query = request.query_params
        found = [call.ledger for call in reversed(self._network.calls.values())]
        for name, field in (("To", "to"), ("From", "from_"), ("Status", "status"), ("ParentCallSid", "parent_sid")):
            if name in query:
                found = [ledger for ledger in found if getattr(ledger, field) == query[name]]
        for name, is_in in _DAY_FILTERS.items():
            if name in query:
                day = _instant(query[name])
                found = [ledger for ledger in found if is_in(ledger.created_at, day)]
        size = int(query["PageSize"]) if query.get("PageSize", "").isdigit() else _DEFAULT_PAGE
        path = request.url.path
        page: dict[str, Json] = {
            "calls": [ledger.resource() for ledger in found[:size]],
            "first_page_uri": f"{path}?PageSize={size}&Page=0",
            "next_page_uri": None,
            "previous_page_uri": None,
            "page": 0,
            "page_size": size,
            "start": 0,
            "end": max(0, min(size, len(found)) - 1),
            "uri": f"{path}?{query}",
        }
        return _json(page)

    async def missing(self, request: Request) -> Response:
        raise RestRefused(20404, 404, f"The requested resource {request.url.path} was not found")

    def _find(self, request: Request) -> LiveCall:
        call = self._network.calls.get(request.path_params["sid"])
        if call is None:
            raise RestRefused(20404, 404, f"The requested resource {request.url.path} was not found")
        return call


class _Control:
    """What the people who run the network may see and do. Meant for loopback; asks for no password."""

    def __init__(self, network: PhoneNetwork) -> None:
        self._network = network

    async def calls(self, request: Request) -> Response:
        await self._network.written()
        return _json({"calls": [call.describe() for call in self._network.calls.values()]})

    async def call(self, request: Request) -> Response:
        call = self._network.calls.get(request.path_params["sid"])
        return _json(call.describe()) if call else _json({"error": "no such call"}, 404)

    async def hang_up(self, request: Request) -> Response:
        """The person hangs up."""
        call = self._network.calls.get(request.path_params["sid"])
        if call is None or call.ledger.has_ended:
            return _json({"error": "no such live call"}, 404)
        call.post(HungUp("person"))
        return _json({"call_sid": call.ledger.sid}, 202)

    async def call_in(self, request: Request) -> Response:
        """`{"from": "+1...", "to": "+1..."}`: that person rings that number of the engine's."""
        if not self._network.setup.voice_url:
            return _json({"error": "the network was started without a voice URL: it does not know where to report"}, 409)
        try:
            wish = msgspec.json.decode(await request.body(), type=dict[str, str])
            caller, called = wish["from"], wish["to"]
        except (msgspec.MsgspecError, KeyError):
            return _json({"error": 'expected {"from": "+1...", "to": "+1..."}'}, 400)
        try:
            call = self._network.call_in(caller, called)
        except LookupError as error:
            return _json({"error": str(error)}, 404)
        return _json({"call_sid": call.ledger.sid}, 201)

    async def people(self, request: Request) -> Response:
        found: list[Json] = [
            {
                "number": person.number,
                "name": person.name,
                "voice": person.voice,
                "attempts": [outcome.value for outcome in person.attempts],
                "lines": list(person.all_texts()),
            }
            for person in self._network.people.people
        ]
        return _json({"people": found})


# --- reading a request ---------------------------------------------------------------------------------------------------


def _numbers(form: FormData, own: tuple[str, ...]) -> tuple[str, str]:
    to, from_ = _text(form, "To"), _text(form, "From")
    if not to:
        raise RestRefused(21201, 400, "No 'To' number is specified")
    if not from_:
        raise RestRefused(21213, 400, "No 'From' number is specified")
    target, caller = parse_target(to, allow_foreign=True), parse_target(from_, allow_foreign=True)
    if isinstance(target, NumberRefused) or to == from_:
        raise RestRefused(21211, 400, f"Invalid 'To' Phone Number: {to}")
    if isinstance(caller, NumberRefused):
        raise RestRefused(21212, 400, f"Invalid 'From' Phone Number: {from_}")
    if own and str(caller) not in own:
        raise RestRefused(21210, 400, f"The source phone number provided, {from_}, is not yet verified for your account.")
    return str(target), str(caller)


def _first(form: FormData) -> Redirected:
    url, document = _text(form, "Url"), _text(form, "Twiml")
    _check_document(document)
    if url:
        # "If both twiml and url are provided then twiml will be ignored"
        if not url.startswith(("http://", "https://")):
            raise RestRefused(21205, 400, f"Url is not a valid URL: {url}")
        return Redirected(url=url)
    if not document:
        raise RestRefused(21205, 400, "Url parameter is required.")
    return Redirected(document=document)


def _check_document(document: str) -> None:
    if len(document) > LARGEST_PARAMETER:
        raise RestRefused(32018, 400, f"Twiml parameter is longer than {LARGEST_PARAMETER} characters")


def _wanted(form: FormData) -> Wanted:
    events = tuple(str(event) for event in form.getlist("StatusCallbackEvent")) or ("completed",)
    # A wrong event is accepted with 201, and then no callback ever comes; only the debugger says 21626.
    return Wanted(_text(form, "StatusCallback"), events if set(events) <= set(CALLBACK_EVENTS) else ())


def _detection(form: FormData) -> Detection | None:
    if _text(form, "MachineDetection") not in ("Enable", "DetectMessageEnd") or _text(form, "SendDigits"):
        return None
    return Detection(_text(form, "AsyncAmdStatusCallback"))


def _seconds(form: FormData, name: str, default: float, most: float, code: int) -> float:
    text = _text(form, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= most):
        raise RestRefused(code, 400, f"Invalid {name}: {text[:20]}")
    return float(text)


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise RestRefused(20001, 400, f"not a date: {text[:40]}") from error


_DAY_FILTERS: Final[dict[str, Callable[[datetime, datetime], bool]]] = {
    "StartTime": lambda created, day: created.date() == day.date(),
    "StartTime<": lambda created, day: created.date() < day.date(),
    "StartTime>": lambda created, day: created.date() >= day.date(),
}


# --- writing an answer ---------------------------------------------------------------------------------------------------


def _json(body: Json, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _error(refused: RestRefused) -> Response:
    body: Json = {
        "code": refused.code,
        "message": str(refused),
        "more_info": f"https://www.twilio.com/docs/errors/{refused.code}",
        "status": refused.status,
    }
    answer = _json(body, refused.status)
    if refused.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return answer
