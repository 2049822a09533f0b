"""Whether a webhook or a media handshake was signed by Twilio. Pure; knows the account's token only while it is asked.

Source: twilio.com/docs/usage/webhooks/webhooks-security. The signature is an HMAC of the full URL as Twilio saw it, followed
by the POST parameters sorted by name. Behind a proxy the URL must be the public one.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha1, sha256
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

Parameters: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

HEADER: Final = "X-Twilio-Signature"
# Present when a webhook is signed with a shared key instead of the account's token: key=<id>,algorithm=HMAC_SHA256
SETTINGS_HEADER: Final = "X-Twilio-Webhooks-Signature-Settings"
LONGEST: Final = 256
_ALGORITHMS: Final = {"HMAC_SHA1": sha1, "HMAC_SHA256": sha256}
_DEFAULT_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def sign(url: str, parameters: Parameters, token: str, algorithm: str = "HMAC_SHA1") -> str:
    """The signature of a request to exactly this URL. Raises KeyError on an algorithm that does not exist."""
    return _digest(url + _joined(parameters), token, algorithm)


def sign_as_twilio(url: str, parameters: Parameters, token: str) -> str:
    """The signature in the form Twilio's voice platform uses: no user:password; no port over TLS, the port kept without."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme in ("https", "wss"):
        host = _without_port(host)
    return sign(parts._replace(netloc=host).geturl(), parameters, token)


def algorithm_of(settings: str | None) -> str:
    """The algorithm a settings header names; without one, HMAC_SHA1."""
    for item in (settings or "").split(","):
        name, _, value = item.strip().partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def is_signed(url: str, parameters: Parameters, signature: str | None, token: str, algorithm: str = "HMAC_SHA1") -> bool:
    """Was this webhook signed with `token`? `url` is the public URL with its query; `parameters` the form, as it came.

    Never trim or drop parameters before asking: Twilio adds new ones without notice and signs them all.
    """
    if not signature or not token or len(signature) > LONGEST or algorithm not in _ALGORITHMS:
        return False
    tail = _joined(parameters)
    return _any_matches((form + tail for form in _with_and_without_port(urlsplit(url))), signature, token, algorithm)


def is_handshake_signed(url: str, signature: str | None, token: str) -> bool:
    """Was this media handshake signed? `url` is the wss:// URL given in the TwiML.

    Twilio's own advice is to try with a slash appended as well; captures show the scheme wss.
    """
    if not signature or not token or len(signature) > LONGEST:
        return False
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    forms = (form for end in ("", "/") for form in _with_and_without_port(parts._replace(path=path + end)))
    return _any_matches(forms, signature, token, "HMAC_SHA1")


def _any_matches(texts: Iterable[str], signature: str, token: str, algorithm: str) -> bool:
    given = signature.encode("utf-8", "surrogateescape")
    # Every form is computed, so that the time taken does not tell which one matched.
    matches = [hmac.compare_digest(_digest(text, token, algorithm).encode(), given) for text in texts]
    return any(matches)


def _digest(text: str, token: str, algorithm: str) -> str:
    mac = hmac.new(token.encode(), text.encode("utf-8", "surrogateescape"), _ALGORITHMS[algorithm])
    return b64encode(mac.digest()).decode("ascii")


def _joined(parameters: Parameters) -> str:
    """Name and value of each parameter, sorted; of a repeated one the distinct values, sorted (as twilio-python does)."""
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
    return "".join(name + value for name, value in sorted(set(pairs)))


def _with_and_without_port(parts: SplitResult) -> Iterable[str]:
    """The port is kept over HTTP and dropped over HTTPS, but twilio-python tries both: "inconsistent" is its word."""
    host = parts.netloc.rpartition("@")[2]
    bare = _without_port(host)
    default = _DEFAULT_PORTS.get(parts.scheme, 443)
    hosts = dict.fromkeys((host, bare, f"{bare}:{default}", f"{bare}:80"))
    return [parts._replace(netloc=each).geturl() for each in hosts]


def _without_port(host: str) -> str:
    head, colon, tail = host.rpartition(":")
    return head if colon and tail.isdigit() else host
