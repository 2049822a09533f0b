"""Twilio's REST API through the official SDK: place a call, hang it up, redirect it, look it up. Decides nothing.

A request to place a call is sent once, ever. Whatever may have reached Twilio before it failed is `PlaceUnknown`: the phone
may be ringing, so the truth comes from the status callback or from `find`, never from a second try. (There is no idempotency
key for POST /Calls; twilio-python's own client, asked to retry, retries POSTs too.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import httpx
import msgspec
import structlog
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from telephony.errors import CarrierError
from telephony.number import mask
from telephony.twilio import verdicts
from telephony.twilio.verdicts import Verdict

log = structlog.get_logger()

API_URL: Final = "https://api.twilio.com"
STATUS_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
CONNECT_TIMEOUT: Final = 5.0
ANSWER_TIMEOUT: Final = 15.0  # seconds; Twilio answers POST /Calls in well under one


@dataclass(frozen=True, slots=True)
class Placed:
    """Twilio has taken the call on and will report on it under this name."""

    call_sid: str
    status: str


@dataclass(frozen=True, slots=True)
class PlaceRefused:
    """No call was made."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PlaceUnknown:
    """The request left us, and nobody can say whether a phone rings. Must not be placed again before it is settled."""

    why: str


Placement: TypeAlias = Placed | PlaceRefused | PlaceUnknown


@dataclass(frozen=True, slots=True)
class Changed:
    """The live call was changed as asked; `status` is the call's status by then."""

    status: str


@dataclass(frozen=True, slots=True)
class ChangeRefused:
    """The call was not changed, most often because it has ended."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ChangeUnknown:
    """Nobody can say whether the call was changed. Asking again is harmless."""

    why: str


Change: TypeAlias = Changed | ChangeRefused | ChangeUnknown


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call as Twilio's API shows it. `status` as in `callbacks.rank`; `duration` in seconds, None while unanswered."""

    call_sid: str
    to: str
    from_: str
    status: str
    direction: str
    answered_by: str
    created_at: datetime | None
    duration: int | None


class TwilioCarrier:
    """One Twilio account. Safe to share by all tasks of one event loop; `close` it in the end."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        api_url: str = API_URL,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        answer_timeout: float = ANSWER_TIMEOUT,
    ) -> None:
        self.account_sid = account_sid
        self._http = _BaseUrlClient(api_url, httpx.Timeout(answer_timeout, connect=connect_timeout, pool=connect_timeout))
        self._client = Client(account_sid, auth_token, http_client=self._http)
        # The SDK loads its resources when they are first named: half a second that must not fall into the first dialling.
        self._calls = self._client.calls

    async def place(
        self,
        to: str,
        from_: str,
        url: str,
        status_callback: str,
        timeout: int = 30,
        *,
        amd_callback: str | None = None,
        amd_timeout: int = 30,
        time_limit: int | None = None,
    ) -> Placement:
        """Ring `to` (E.164 or sip:), once. `timeout`: seconds it may ring; `time_limit`: seconds the call may last.

        With `amd_callback`, who picked up is detected in the background and posted there, about 4 s after the answer.
        """
        asked: dict[str, Any] = {
            "method": "POST",
            "status_callback": status_callback,
            # One parameter each: a list in one string is accepted with 201 and then no callback ever comes (21626).
            "status_callback_event": list(STATUS_EVENTS),
            "status_callback_method": "POST",
            "timeout": timeout,
        }
        if time_limit is not None:
            asked["time_limit"] = time_limit
        if amd_callback is not None:
            asked |= {
                "machine_detection": "Enable",
                "machine_detection_timeout": amd_timeout,
                "async_amd": "true",
                "async_amd_status_callback": amd_callback,
                "async_amd_status_callback_method": "POST",
            }
        try:
            call = await self._calls.create_async(to=to, from_=from_, url=url, **asked)
            return Placed(_text(call.sid), _text(call.status)) if call.sid else PlaceUnknown("answer_without_sid")
        except _FAILURES as error:
            outcome = _place_failed(error)
            log.warning("call_not_placed", to=mask(to), outcome=type(outcome).__name__, reason=_reason(outcome))
            return outcome

    async def hang_up(self, call_sid: str) -> Change:
        """End a call, in whatever state it is. A call that has ended already is `ChangeRefused` with code 21220."""
        return await self._update(call_sid, status="completed")

    async def redirect(self, call_sid: str, twiml: str) -> Change:
        """Replace what a live call is doing; ends its media stream."""
        return await self._update(call_sid, twiml=twiml)

    async def fetch(self, call_sid: str) -> CallRecord | None:
        """Look a call up; None if Twilio does not know it. Raises `CarrierError`."""
        try:
            return _record(await self._calls(call_sid).fetch_async())
        except TwilioRestException as error:
            if error.status == 404:
                return None
            raise _carrier_error(error) from error
        except _FAILURES as error:
            raise _carrier_error(error) from error

    async def find(self, to: str, since: datetime, limit: int = 50) -> list[CallRecord]:
        """The calls made to a number since then, newest first: settles what `PlaceUnknown` left open. Raises `CarrierError`.

        Judged by when the call was created: one still queued has no start time, which is all that Twilio can filter by.
        """
        try:
            found = await self._calls.list_async(to=to, limit=limit)
        except _FAILURES as error:
            raise _carrier_error(error) from error
        # Twilio's clock shows whole seconds and is not ours.
        earliest = since - timedelta(seconds=2)
        records = [_record(call) for call in found]
        return [record for record in records if record.created_at is None or record.created_at >= earliest]

    async def check(self) -> None:
        """Raises `CarrierError` unless the API is reachable and takes our credentials. Changes nothing."""
        try:
            await self._calls.list_async(limit=1)
        except _FAILURES as error:
            raise _carrier_error(error) from error

    async def close(self) -> None:
        await self._http.close()

    async def _update(self, call_sid: str, **change: str) -> Change:
        try:
            call = await self._calls(call_sid).update_async(**change)
            return Changed(_text(call.status))
        except TwilioRestException as error:
            if error.status < 500:
                return ChangeRefused(verdicts.of_error(error.code, error.status))
            return ChangeUnknown(f"http_{error.status}")
        except _FAILURES as error:
            return ChangeUnknown(_word_for(error))


class _NotSent(Exception):
    """The request never reached Twilio."""


class _Unsettled(Exception):
    """The request left us and no usable answer came back."""


class _BaseUrlClient(AsyncHttpClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's HTTP port over httpx: another base URL, our own time limits, no retry and no redirect of anything."""

    def __init__(self, api_url: str, timeout: httpx.Timeout) -> None:
        super().__init__(logger=log, is_async=True)
        self._api_url = api_url.rstrip("/")
        self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False)

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        try:
            answer = await self._client.request(
                method,
                self._api_url + uri[uri.index("/", len("https://")) :],
                params=dict(params) if params else None,
                data=dict(data) if data else None,
                headers=dict(headers or {}),
                auth=httpx.BasicAuth(*auth) if auth else None,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise _NotSent("unreachable") from error
        except httpx.TimeoutException as error:
            raise _Unsettled("timed_out") from error
        except httpx.HTTPError as error:
            raise _Unsettled("connection_lost") from error
        return Response(answer.status_code, answer.text, answer.headers)

    async def close(self) -> None:
        await self._client.aclose()


# The last four are what the SDK trips over when a 2xx carries a body that is not a call.
_FAILURES: Final = (TwilioException, _NotSent, _Unsettled, ValueError, TypeError, AttributeError, KeyError)


def _place_failed(error: Exception) -> PlaceRefused | PlaceUnknown:
    if isinstance(error, TwilioRestException) and error.status < 500 and error.status != 408:
        return PlaceRefused(verdicts.of_error(error.code, error.status))
    if isinstance(error, _NotSent):
        return PlaceRefused(verdicts.UNREACHABLE)
    return PlaceUnknown(_word_for(error))


def _reason(outcome: PlaceRefused | PlaceUnknown) -> str:
    return (
        outcome.why if isinstance(outcome, PlaceUnknown) else f"{outcome.verdict.disposition} {outcome.verdict.code or ''}"
    )


def _carrier_error(error: Exception) -> CarrierError:
    refused = _refusal_in(error)
    if refused is not None:
        code, status = refused
        verdict = verdicts.of_error(code, status)
        return CarrierError(f"twilio_{code or status}", verdict.say, retryable=verdict.may_retry)
    return CarrierError(_word_for(error), "Twilio's API gave no usable answer", retryable=True)


class _ErrorBody(msgspec.Struct):
    code: int | None = None


def _refusal_in(error: Exception) -> tuple[int | None, int] | None:
    """`(code, HTTP status)` of an error answer. Fetching a list, the SDK hides the answer in its exception's args."""
    if isinstance(error, TwilioRestException):
        return error.code, error.status
    answer = next((arg for arg in error.args if isinstance(arg, Response)), None)
    if answer is None:
        return None
    try:
        return msgspec.json.decode(answer.text, type=_ErrorBody).code, answer.status_code
    except msgspec.MsgspecError:
        return None, answer.status_code


def _word_for(error: Exception) -> str:
    match error:
        case TwilioRestException():
            return f"http_{error.status}"
        case _NotSent() | _Unsettled():
            return str(error)
        case json.JSONDecodeError():
            return "answer_not_json"
        case _:
            return "answer_unreadable"


def _record(call: Any) -> CallRecord:
    """The SDK's instance as a value of ours: the one place where its untyped attributes are read."""
    duration = _text(call.duration)
    return CallRecord(
        call_sid=_text(call.sid),
        to=_text(call.to),
        from_=_text(call._from),
        status=_text(call.status),
        direction=_text(call.direction),
        answered_by=_text(call.answered_by),
        created_at=call.date_created if isinstance(call.date_created, datetime) else None,
        duration=int(duration) if duration.isdigit() else None,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
