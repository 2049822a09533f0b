from __future__ import annotations

import json

import pytest

from voice.errors import ProviderRejected, ProviderUnavailable
from voice.providers.extras import load
from voice.providers.trouble import from_status, from_transport, from_words


@pytest.mark.parametrize(
    ("status", "words", "code", "retryable"),
    [
        (401, "invalid_api_key", "wrong_key", False),
        (403, "", "wrong_key", False),
        (404, "voice_not_found", "not_found", False),
        (400, "bad", "bad_request", False),
        (400, "No such model/language/tier combination found.", "not_found", False),
        (402, "", "quota", False),
        (401, "quota_exceeded: no characters left", "quota", False),
        (429, "insufficient_quota", "quota", False),
        (429, "", "rate_limited", True),
        (529, "", "overloaded", True),
        (503, "", "overloaded", True),
        (500, "", "server_error", True),
        (418, "", "server_error", True),
    ],
)
def test_a_status_is_one_of_ours(status: int, words: str, code: str, retryable: bool) -> None:
    error = from_status("vendor", status, words)
    assert (error.code, error.retryable) == (code, retryable)


def test_what_the_vendor_says_is_kept_short() -> None:
    assert len(str(from_status("vendor", 400, "x\n" * 5000))) < 250


class ReadTimeout(Exception):
    pass


class ConnectTimeout(Exception):
    pass


class RemoteProtocolError(Exception):
    pass


class ConnectionClosedError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (json.JSONDecodeError("x", "y", 0), "malformed"),
        (ReadTimeout(), "stalled"),
        (ConnectTimeout(), "timeout"),
        (TimeoutError(), "timeout"),
        (RemoteProtocolError("gone"), "dropped"),
        (ConnectionClosedError("1006"), "dropped"),
        (ConnectionRefusedError("no"), "unreachable"),
    ],
)
def test_a_transports_exception_is_one_of_ours(error: Exception, code: str) -> None:
    found = from_transport("vendor", error)
    assert isinstance(found, ProviderUnavailable)
    assert found.code == code


def test_a_missing_extra_is_named_with_the_cure() -> None:
    with pytest.raises(ProviderRejected, match=r"pip install 'offhook\[nobody\]'") as missing:
        load("a_module_that_is_not_there", "nobody")
    assert missing.value.code == "extra_missing"


def test_what_a_vendor_tells_in_its_stream_is_an_error_by_its_name_or_an_empty_purse() -> None:
    assert from_words("vendor", "system_busy", "x").code == "system_busy"
    assert from_words("vendor", "system_busy").retryable
    assert (from_words("vendor", "quota_exceeded").code, from_words("vendor", "quota_exceeded").retryable) == (
        "quota",
        False,
    )
