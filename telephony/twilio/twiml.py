"""TwiML documents: what Twilio is told to do with a call. Pure text; nothing is sent from here.

Source: twilio.com/docs/voice/twiml (verb pages). A document is at most 4000 characters when it travels as a parameter
(error 32018), names are case-sensitive (12200), and text is escaped here so that no caller's words become a verb.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from telephony.errors import TwimlError
from telephony.number import SipAddress, Target

LONGEST_PARAMETER: Final = 500  # characters, name and value together (docs/voice/twiml/stream)
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?><Response>'
# XML 1.0, 2.2: what may not stand in a document even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def connect_stream(
    url: str,
    parameters: Mapping[str, str] | None = None,
    *,
    action: str = "",
    status_callback: str = "",
    then: str = "",
) -> str:
    """Open a bidirectional media stream; when it ends, ask `then` what comes next, or hang up.

    The trailing verb matters: after the socket closes, or breaks, Twilio runs it. It is a `<Redirect>` and no `action` of
    the `<Connect>`, because for a call redirected by REST an action may be asked for too, and must not answer it twice.
    `parameters` arrive in the stream's start message only; a query in `url` would be dropped silently, so it is refused.
    Raises `TwimlError`: `bad_url`, `parameter_too_long`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("wss", "ws") or not parts.netloc or parts.query or parts.fragment:
        raise TwimlError("bad_url", "a stream needs an absolute wss:// URL without a query")
    inner = "".join(_parameter(name, value) for name, value in (parameters or {}).items())
    stream = _tag("Stream", inner, url=url, statusCallback=status_callback)
    following = _tag("Redirect", escape(_clean(then)), method="POST") if then else hangup_verb()
    return document(_tag("Connect", stream, action=action), following)


def dial(target: Target, caller_id: str, action: str, *, timeout: int = 30, time_limit: int = 0, say_first: str = "") -> str:
    """Connect the call to somebody else. `action` is asked for what comes next when that leg ends; `timeout` in seconds."""
    noun = _tag("Sip" if isinstance(target, SipAddress) else "Number", escape(str(target)))
    verb = _tag(
        "Dial",
        noun,
        callerId=caller_id,
        action=action,
        method="POST",
        timeout=str(timeout),
        answerOnBridge="true",
        timeLimit=str(time_limit) if time_limit else "",
    )
    return document(*([say_verb(say_first)] if say_first else []), verb)


def reject(reason: str = "rejected") -> str:
    """Do not answer an inbound call: `rejected` or `busy`. Must be the only verb, or the call is answered and billed."""
    if reason not in ("rejected", "busy"):
        raise TwimlError("bad_reason", "a call is rejected as 'rejected' or 'busy'")
    return document(_tag("Reject", reason=reason))


def hangup() -> str:
    return document(hangup_verb())


def say_and_hang_up(text: str, voice: str = "") -> str:
    """Words by Twilio's own voice, then the end: for when no engine is there to speak."""
    return document(say_verb(text, voice), hangup_verb())


def pause(seconds: int) -> str:
    return document(_tag("Pause", length=str(seconds)))


def empty() -> str:
    """No instructions: the answer to a callback that wants none."""
    return document()


def document(*verbs: str) -> str:
    return _HEAD + "".join(verbs) + "</Response>"


def hangup_verb() -> str:
    return "<Hangup/>"


def say_verb(text: str, voice: str = "") -> str:
    return _tag("Say", escape(_clean(text)), voice=voice)


def _parameter(name: str, value: str) -> str:
    if len(name) + len(value) >= LONGEST_PARAMETER:
        raise TwimlError("parameter_too_long", f"{name!r} and its value have {LONGEST_PARAMETER} characters or more")
    return f"<Parameter name={quoteattr(_clean(name))} value={quoteattr(_clean(value))}/>"


def _tag(tag: str, inner: str = "", **attributes: str) -> str:
    written = "".join(f" {name}={quoteattr(_clean(value))}" for name, value in attributes.items() if value)
    return f"<{tag}{written}>{inner}</{tag}>" if inner else f"<{tag}{written}/>"


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)
