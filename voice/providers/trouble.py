"""Says a vendor's failure in our words: which `ProviderError` an HTTP status or a transport's exception is. Pure."""

from __future__ import annotations

import json
from typing import Final

from voice.errors import ProviderError, ProviderRejected, ProviderUnavailable

_REJECTED: Final = {
    400: "bad_request",
    401: "wrong_key",
    402: "quota",
    403: "wrong_key",
    404: "not_found",
    413: "bad_request",
    422: "bad_request",
}
_UNAVAILABLE: Final = {408: "timeout", 409: "conflict", 429: "rate_limited", 503: "overloaded", 529: "overloaded"}

# What vendors call a model or voice that does not exist, and an empty purse, whatever status they send with it (Deepgram and
# ElevenLabs 400; ElevenLabs 401, OpenAI 429).
_MISSING: Final = ("No such model", "model_not_found", "voice_not_found", "not_found_error")
_QUOTA: Final = ("quota_exceeded", "insufficient_quota", "billing_error", "PAYMENT_REQUIRED", "credit balance")


def from_status(provider: str, status: int, words: str = "") -> ProviderError:
    """The error for an HTTP answer that is not a success. `words` is what the vendor said; it is kept short."""
    words = " ".join(words.split())[:200]
    if any(mark in words for mark in _QUOTA):
        return ProviderRejected(provider, "quota", words)
    if status in _REJECTED and any(mark in words for mark in _MISSING):
        return ProviderRejected(provider, "not_found", words)
    if status in _REJECTED:
        return ProviderRejected(provider, _REJECTED[status], words)
    return ProviderUnavailable(provider, _UNAVAILABLE.get(status, "server_error"), f"HTTP {status} {words}".strip())


def from_words(provider: str, code: str, words: str = "") -> ProviderError:
    """The error for one that a vendor tells in its stream, by a name of its own."""
    if any(mark in f"{code} {words}" for mark in _QUOTA):
        return ProviderRejected(provider, "quota", words[:200])
    return ProviderUnavailable(provider, code, words[:200])


def from_transport(provider: str, error: BaseException) -> ProviderError:
    """The error for whatever a socket, an HTTP client or a parser raised.

    Told by the class's name where the class belongs to a library that need not be installed (httpx, httpx2).
    """
    name = type(error).__name__
    if isinstance(error, json.JSONDecodeError):
        return ProviderUnavailable(provider, "malformed", str(error))
    if name in ("ReadTimeout", "WriteTimeout"):
        return ProviderUnavailable(provider, "stalled")
    if isinstance(error, TimeoutError) or "Timeout" in name:
        return ProviderUnavailable(provider, "timeout")
    if name in ("RemoteProtocolError", "ReadError", "WriteError") or "ConnectionClosed" in name:
        return ProviderUnavailable(provider, "dropped", str(error)[:200])
    return ProviderUnavailable(provider, "unreachable", f"{name}: {error}"[:200])
