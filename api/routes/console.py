"""The console: static files out of the package, and the sign-in that browsers need where programs send a token."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from importlib.resources import files
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.auth import COOKIE, SESSION_SECONDS, Doorkeeper
from api.errors import Forbidden, NotFound, TooMany, Unauthorised
from api.metrics import Metrics

TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
MOST_WRONG: Final = 10  # sign-ins with a wrong token a minute, from everybody together, before the door stays shut
# Nothing from elsewhere, nothing inline: what people say on calls is shown here, and must never become markup that runs.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
_FOLDER: Final = files("api.console")


def router(doorkeeper: Doorkeeper, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    brake = _Brake(clock)

    @routes.get("/", response_class=HTMLResponse)
    async def console(request: Request) -> Response:
        try:
            doorkeeper.check(request)
        except Unauthorised:
            return RedirectResponse("/sign-in", status_code=303)
        return _page("index.html")

    @routes.get("/sign-in", response_class=HTMLResponse)
    async def sign_in_page() -> Response:
        return _page("sign-in.html")

    @routes.post("/sign-in")
    async def sign_in(request: Request, token: Annotated[str, Form(max_length=500)] = "") -> Response:
        _assert_from_our_page(request)
        brake.assert_free()
        session = doorkeeper.session(token.strip())
        if session is None:
            brake.wrong()
            metrics.fault("sign_in_wrong")
            return _page("sign-in.html", status=401)
        answer = RedirectResponse("/", status_code=303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, session, max_age=SESSION_SECONDS, httponly=True, secure=is_secure, samesite="strict")
        return answer

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        _assert_from_our_page(request)
        answer = RedirectResponse("/sign-in", status_code=303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    @routes.get("/console/{name}")
    async def asset(name: str) -> Response:
        """The page's own styles and scripts: nothing in them is secret."""
        stem, _, kind = name.rpartition(".")
        if kind not in TYPES or not stem.isidentifier() or not (file := _FOLDER / name).is_file():
            raise NotFound("not_found")
        return Response(file.read_bytes(), media_type=TYPES[kind], headers=_HEADERS)

    return routes


def _page(name: str, status: int = 200) -> Response:
    page = (_FOLDER / name).read_text(encoding="utf-8")
    if status == 401:
        page = page.replace("hidden data-wrong", "data-wrong")
    return HTMLResponse(page, status_code=status, headers=_HEADERS)


def _assert_from_our_page(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("cross_site", "This request comes from another site.")


class _Brake:
    """Slows a guesser down without locking anybody's name: there are no names."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=MOST_WRONG)

    def wrong(self) -> None:
        self._wrong.append(self._clock())

    def assert_free(self) -> None:
        if len(self._wrong) == MOST_WRONG and self._clock() - self._wrong[0] < 60:
            raise TooMany(
                "too_many_sign_ins", "Too many wrong tokens; try again in a minute.", headers={"Retry-After": "60"}
            )
