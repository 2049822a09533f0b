"""The carrier's webhooks: the signature first, then the fields, then the door that knows what they mean.

The URL that was signed is the public one (`OFFHOOK_PUBLIC_URL` + path + query), whatever this process listens on.
Callbacks are delivered at least once and in any order: what is answered here must not depend on either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Request, Response
from starlette.requests import HTTPConnection

from api.errors import BadRequest, Forbidden, TooLarge
from api.metrics import Metrics
from api.parts import CarrierDoor, Form
from api.settings import Settings
from telephony.errors import ProtocolViolation
from telephony.twilio.signature import HEADER, SETTINGS_HEADER, algorithm_of, is_signed

LARGEST_BODY: Final = 64 * 1024  # bytes; a real voice request has about 1 kB
MOST_FIELDS: Final = 300
FORM: Final = "application/x-www-form-urlencoded"
log = structlog.get_logger()

Answer: TypeAlias = Callable[[Form], Awaitable[str | None]]


def router(door: CarrierDoor, settings: Settings, metrics: Metrics) -> APIRouter:
    routes = APIRouter(prefix="/twilio", tags=["carrier"])
    answers: dict[str, Answer] = {
        "voice": door.on_voice,
        "dial": door.on_dial,
        "status": door.on_status,
        "amd": door.on_amd,
        "stream": door.on_stream,
    }
    for kind, answer in answers.items():
        webhook = _Webhook(kind, answer, settings, metrics)
        routes.add_api_route(f"/{kind}", webhook.handle, methods=["POST"], name=f"twilio_{kind}", response_class=Response)
    return routes


def signed_url(base: str, connection: HTTPConnection) -> str:
    """The URL the carrier used: our public base, then path and query exactly as they came."""
    raw: bytes = connection.scope.get("raw_path") or connection.url.path.encode()
    query: bytes = connection.scope.get("query_string", b"")
    path = raw.partition(b"?")[0].decode("latin-1")
    return base + path + (f"?{query.decode('latin-1')}" if query else "")


class _Webhook:
    """One webhook. `answer` gives TwiML, or None where the carrier wants none."""

    def __init__(self, kind: str, answer: Answer, settings: Settings, metrics: Metrics) -> None:
        self._kind = kind
        self._answer = answer
        self._settings = settings
        self._metrics = metrics

    async def handle(self, request: Request) -> Response:
        try:
            signed = dict(await self._signed_fields(request))
            # What we put into the URL ourselves comes back in it, signed too; a field of the carrier's own name counts more.
            twiml = await self._answered({**request.query_params, **signed})
        except (BadRequest, Forbidden, TooLarge) as refusal:
            self._metrics.webhook(self._kind, refusal.code)
            log.warning("webhook_refused", kind=self._kind, code=refusal.code)
            raise
        self._metrics.webhook(self._kind, "ok")
        return Response(status_code=204) if twiml is None else Response(twiml, media_type="text/xml")

    async def _answered(self, form: Form) -> str | None:
        try:
            return await self._answer(form)
        except ProtocolViolation as violation:  # signed, and still without what it must have
            raise BadRequest(violation.code, "The fields of this webhook are not what they must be.") from violation

    async def _signed_fields(self, request: Request) -> list[tuple[str, str]]:
        """Every field, repeated ones too. Raises unless the carrier signed them."""
        signature = request.headers.get(HEADER, "")
        if not signature:
            self._metrics.bad_signature(self._kind)
            raise Forbidden("signature_missing", "This request carries no signature.")
        fields = _fields(request.headers.get("content-type", ""), await request.body())
        token = self._settings.twilio_auth_token.get_secret_value()
        algorithm = algorithm_of(request.headers.get(SETTINGS_HEADER))
        if not is_signed(signed_url(self._settings.public_url, request), fields, signature, token, algorithm):
            self._metrics.bad_signature(self._kind)
            raise Forbidden("signature_wrong", "The signature is not the carrier's for OFFHOOK_PUBLIC_URL and these fields.")
        return fields


def _fields(content_type: str, body: bytes) -> list[tuple[str, str]]:
    if len(body) > LARGEST_BODY:
        raise TooLarge("too_large", f"A webhook has at most {LARGEST_BODY} bytes.")
    if body and content_type.partition(";")[0].strip().lower() != FORM:
        raise BadRequest("not_a_form", f"A webhook's body is {FORM}.")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise BadRequest("not_a_form", "The body cannot be read as a form.") from None
