"""What goes back when a request cannot be done: `application/problem+json` (RFC 9457) with a stable `code`.

Problem
 +-- BadRequest        400  the request itself is wrong
 +-- Unauthorised      401  no valid token or sign-in
 +-- Forbidden         403  the signature, the origin or the place it comes from is wrong
 +-- NotFound          404
 +-- Conflict          409  right in itself, but not now
 +-- TooLarge          413
 +-- Unprocessable     422  well formed, but refused by a rule
 +-- TooMany           429
 +-- Unavailable       503  the part that would do it is not configured or not there

`code` is for programs and never changes; `detail` is for people and may. Neither ever repeats a secret or what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.resources import Finding

MEDIA_TYPE: Final = "application/problem+json"
MOST_FIELDS: Final = 20  # of a validation error: a hostile body may have thousands
log = structlog.get_logger()


class Problem(Exception):
    """Something is wrong with the request, or with us; `status` says which."""

    status: ClassVar[int] = 500

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.findings = tuple(findings)


class BadRequest(Problem):
    """The request cannot be understood."""

    status = 400


class Unauthorised(Problem):
    """There is no valid token and no valid sign-in."""

    status = 401


class Forbidden(Problem):
    """Understood, and not from somebody who may."""

    status = 403


class NotFound(Problem):
    """There is no such thing."""

    status = 404


class Conflict(Problem):
    """Right in itself, but not in the state things are in."""

    status = 409


class TooLarge(Problem):
    """Larger than we are willing to read."""

    status = 413


class Unprocessable(Problem):
    """Well formed, but a rule says no."""

    status = 422


class TooMany(Problem):
    """Too often; try again later."""

    status = 429


class Unavailable(Problem):
    """The part that would do this is not configured, or does not answer."""

    status = 503


def problem_response(
    status: int,
    code: str,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
    findings: Sequence[Finding] = (),
) -> JSONResponse:
    body: dict[str, object] = {"type": f"urn:offhook:{code}", "title": _title(status), "status": status, "code": code}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = list(errors)
    if findings:
        body["findings"] = [finding.model_dump(mode="json") for finding in findings]
    return JSONResponse(body, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_crash)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error.status, error.code, error.detail, headers=error.headers, findings=error.findings)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return problem_response(400, "not_json", "The body is not valid JSON.")
    fields = [{"field": _field(item["loc"]), "message": str(item["msg"]), "code": str(item["type"])} for item in found]
    return problem_response(422, "invalid_request", "Some fields are not valid.", errors=fields[:MOST_FIELDS])


def _field(location: Sequence[int | str]) -> str:
    """`body.number`, at a bounded length: a location holds the client's own keys."""
    return ".".join(str(part)[:40] for part in location)[:200]


_HTTP_CODES: Final = {
    400: "bad_request",
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, f"http_{error.status_code}")
    return problem_response(error.status_code, code, headers=error.headers)


async def _on_crash(request: Request, error: Exception) -> Response:
    """A fault of ours: the client learns that, the log (written by the server on re-raise) learns what."""
    log.error("request_crashed", path=_route(request), method=request.method, error=type(error).__name__)
    return problem_response(500, "internal_error", "Something went wrong on our side; the log has the details.")


def _route(request: Request) -> str:
    """The route's pattern, not the path: a path may hold a phone number."""
    route = request.scope.get("route")
    return str(getattr(route, "path", "unknown"))
