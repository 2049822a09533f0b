"""A TwiML document as verbs. Pure: what Twilio would make of the text, and which of its errors it would raise.

Reads what an engine needs of a call; a verb it does not know becomes `Skipped` (Twilio warns with 12200 and goes on).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urljoin, urlsplit, urlunsplit
from xml.etree import ElementTree

LARGEST_DOCUMENT: Final = 64 * 1024  # 11750
LARGEST_PARAMETER: Final = 4000  # 32018, for TwiML in a REST parameter


@dataclass(frozen=True, slots=True)
class ConnectStream:
    url: str
    parameters: tuple[tuple[str, str], ...] = ()
    action: str = ""
    status_callback: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Dial:
    """`to` is a number or a SIP URI."""

    to: str
    caller_id: str = ""
    action: str = ""
    timeout: float = 30.0
    time_limit: float = 14400.0
    status_callback: str = ""
    status_events: tuple[str, ...] = ("completed",)


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Pause:
    length: float = 1.0


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str


@dataclass(frozen=True, slots=True)
class SaySomething:
    """`<Say>` or `<Play>`: the network has no voice of its own, so it is tolerated, noted, and takes its time in silence."""

    text: str


@dataclass(frozen=True, slots=True)
class Skipped:
    tag: str


Verb: TypeAlias = ConnectStream | Dial | Hangup | Reject | Pause | Redirect | SaySomething | Skipped


class InstructionFault(Exception):
    """A document Twilio cannot run. `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def read(document: str, base_url: str = "") -> tuple[Verb, ...]:
    """The verbs of a document, its relative URLs made absolute against where it came from.

    Raises `InstructionFault`: 11750 too large, 12100 not XML, 12200 not a <Response>, 31922 a stream that is not ws(s)://.
    """
    if len(document) > LARGEST_DOCUMENT:
        raise InstructionFault(11750, "response body too large")
    # A document type could define entities that expand without end; TwiML has none.
    if "<!DOCTYPE" in document:
        raise InstructionFault(12100, "a document type declaration")
    try:
        root = ElementTree.fromstring(document.strip())
    except ElementTree.ParseError as error:
        raise InstructionFault(12100, f"document parse failure: {error}") from error
    if root.tag != "Response":
        raise InstructionFault(12200, f"the root is <{root.tag}>, not <Response>")
    return tuple(_verb(element, base_url) for element in root)


def _verb(element: ElementTree.Element, base: str) -> Verb:
    text = (element.text or "").strip()
    match element.tag:
        case "Connect":
            return _connect(element, base)
        case "Dial":
            return _dial(element, text, base)
        case "Hangup":
            return Hangup()
        case "Reject":
            return Reject(element.get("reason", "rejected"))
        case "Pause":
            return Pause(_seconds(element, "length", 1.0))
        case "Redirect":
            return Redirect(urljoin(base, text))
        case "Say" | "Play":
            return SaySomething(text)
        case tag:
            return Skipped(tag)


def _connect(element: ElementTree.Element, base: str) -> Verb:
    stream = element.find("Stream")
    if stream is None:
        return Skipped("Connect")
    # "does not support query string parameters": seen live, Twilio connects without the query and says nothing.
    parts = urlsplit(urljoin(base, stream.get("url", "")))
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise InstructionFault(31922, f"stream URL scheme {parts.scheme!r}")
    return ConnectStream(
        url=urlunsplit(parts._replace(query="", fragment="")),
        parameters=tuple((each.get("name", ""), each.get("value", "")) for each in stream.findall("Parameter")),
        action=_url(element, "action", base),
        status_callback=_url(stream, "statusCallback", base),
        name=stream.get("name", ""),
    )


def _dial(element: ElementTree.Element, text: str, base: str) -> Verb:
    noun = next((child for child in element if child.tag in ("Number", "Sip")), None)
    to = text if noun is None else (noun.text or "").strip()
    if not to:
        return Skipped("Dial")
    return Dial(
        to=to,
        caller_id=element.get("callerId", ""),
        action=_url(element, "action", base),
        timeout=_seconds(element, "timeout", 30.0),
        time_limit=_seconds(element, "timeLimit", 14400.0),
        status_callback="" if noun is None else _url(noun, "statusCallback", base),
        status_events=tuple((noun.get("statusCallbackEvent", "completed") if noun is not None else "completed").split()),
    )


def _url(element: ElementTree.Element, attribute: str, base: str) -> str:
    value = element.get(attribute, "")
    return urljoin(base, value) if value else ""


def _seconds(element: ElementTree.Element, attribute: str, default: float) -> float:
    try:
        value = float(element.get(attribute, default))
    except ValueError:
        return default
    return value if 0 <= value <= 86400 else default
