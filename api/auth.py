"""Who may ask: bearer tokens, the console's sign-in cookie, and this machine alone when no token is set.

Without tokens the server listens on loopback only, and that is not enough: a web page the operator visits can send
requests to 127.0.0.1, and a tunnel set up for the carrier makes the whole internet look like a local client. So an
unauthenticated request must come from a loopback address, to a loopback name, past no proxy, from no other site.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from api.errors import Forbidden, Problem, Unauthorised
from api.settings import Settings, SettingsError, is_loopback

COOKIE: Final = "offhook_session"
SESSION_SECONDS: Final = 12 * 3600  # a working day; the console asks again after it
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "cf-connecting-ip", "ngrok-trace-id")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def assert_bind_allowed(host: str, settings: Settings) -> None:
    """Raise `SettingsError` when listening on `host` would leave `/v1` open to others without a token."""
    if not settings.api_keys and not is_loopback(host):
        raise SettingsError(
            f"refusing to listen on {host}: OFFHOOK_API_KEYS is empty, so anybody could place calls; "
            "set OFFHOOK_API_KEYS, or listen on 127.0.0.1"
        )


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Decides whether a request may pass. `clock` gives Unix seconds."""

    keys: tuple[bytes, ...]
    clock: Callable[[], float] = time.time

    @classmethod
    def of(cls, settings: Settings) -> Doorkeeper:
        return cls(tuple(key.get_secret_value().encode() for key in settings.api_keys))

    def check(self, connection: HTTPConnection) -> None:
        """Raise `Unauthorised` or `Forbidden` unless this request (or WebSocket) may pass."""
        if not self.keys:
            _assert_local(connection)
            return
        token = _bearer(connection.headers)
        if token is not None:
            if not self.is_key(token):
                raise _unauthorised("The token is not valid.")
            return
        if not self.is_signed_in(connection.cookies.get(COOKIE, "")):
            raise _unauthorised("Send a token: Authorization: Bearer ...")
        _assert_same_site(connection)

    def is_key(self, token: str) -> bool:
        """Whether `token` is one of the keys; takes the same time whichever it is, and however much of it is right."""
        given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        matches = [hmac.compare_digest(given, hashlib.sha256(key).digest()) for key in self.keys]
        return any(matches)

    def session(self, token: str) -> str | None:
        """The cookie for somebody who signs in with `token`; None if it is no key."""
        if not self.is_key(token):
            return None
        stamp = f"{int(self.clock()) + SESSION_SECONDS}.{secrets.token_urlsafe(9)}"
        return f"{stamp}.{_seal(token.encode('utf-8', 'surrogateescape'), stamp)}"

    def is_signed_in(self, cookie: str) -> bool:
        stamp, _, seal = cookie.rpartition(".")
        until, _, _ = stamp.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) <= 12):
            return False
        matches = [hmac.compare_digest(seal.encode("utf-8", "replace"), _seal(key, stamp).encode()) for key in self.keys]
        return any(matches) and self.clock() < int(until)


def _seal(key: bytes, stamp: str) -> str:
    """Proof that `stamp` was made by somebody who knew `key`; taking the key out of the settings ends its sessions."""
    made = hmac.new(hashlib.sha256(b"offhook console" + key).digest(), stamp.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(made.digest()).decode().rstrip("=")


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _unauthorised(detail: str) -> Unauthorised:
    return Unauthorised("unauthorised", detail, headers={"WWW-Authenticate": 'Bearer realm="offhook"'})


def _assert_local(connection: HTTPConnection) -> None:
    host = _hostname(connection.headers.get("host", ""))
    client = connection.client.host if connection.client else ""
    if not (is_loopback(client) and is_loopback(host)) or _any_of(connection.headers, _FORWARDED):
        raise Forbidden("local_only", "No API key is set, so only this machine may ask. Set OFFHOOK_API_KEYS.")
    _assert_same_site(connection, even_when_safe=True)


def _assert_same_site(connection: HTTPConnection, *, even_when_safe: bool = False) -> None:
    """A browser names the site a request comes from; other sites may not use the operator's cookie or machine."""
    method = connection.scope.get("method", "WEBSOCKET")
    if method in _SAFE_METHODS and not even_when_safe:
        return
    if connection.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise _cross_site()
    origin = connection.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host", ""):
        raise _cross_site()


def _cross_site() -> Problem:
    return Forbidden("cross_site", "This request comes from another site.")


def _any_of(headers: Headers, names: Iterable[str]) -> bool:
    return any(name in headers for name in names)


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
