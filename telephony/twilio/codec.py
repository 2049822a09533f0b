"""Twilio Media Streams messages as types, both ways: text in, values out, and back. Holds no socket and does nothing.

Source of every shape here: twilio.com/docs/voice/media-streams/websocket-messages. Twilio may add fields and events without
notice, so what the carrier sends is read tolerantly; what an engine sends is read strictly, as Twilio itself does
(missing or extra fields are its warning 31951). Numbers travel as strings.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final, TypeAlias

import msgspec

from telephony.errors import ProtocolViolation

LONGEST_FROM_CARRIER: Final = 64 * 1024  # characters; a 20 ms frame has about 350, a start with full parameters under 60,000
LONGEST_FROM_ENGINE: Final = 16 * 1024 * 1024  # ten minutes of audio, Twilio's whole buffer, in base64, is 6.4 MB
LONGEST_NAME: Final = 1024

Number: TypeAlias = str | int


class _Part(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A nested object of a message; fields we do not know are skipped."""


class MediaFormat(_Part, frozen=True):
    encoding: str = "audio/x-mulaw"
    sample_rate: Number = 8000
    channels: Number = 1


class StartBody(_Part, frozen=True):
    call_sid: str
    account_sid: str = ""
    stream_sid: str = ""
    tracks: tuple[str, ...] = ("inbound",)
    media_format: MediaFormat = MediaFormat()
    custom_parameters: dict[str, str] = {}


class MediaBody(_Part, frozen=True):
    payload: bytes  # mu-law; base64 on the wire
    track: str = "inbound"
    chunk: Number = "0"  # from 1, counts frames
    timestamp: Number = "0"  # milliseconds since the stream started


class DigitBody(_Part, frozen=True):
    digit: str
    track: str = "inbound_track"


class MarkBody(_Part, frozen=True):
    name: str


class StopBody(_Part, frozen=True):
    call_sid: str = ""
    account_sid: str = ""


class _FromCarrier(msgspec.Struct, frozen=True, gc=False, rename="camel", tag_field="event"):
    """A message of Twilio's."""


class Connected(_FromCarrier, tag="connected", frozen=True):
    protocol: str = "Call"
    version: str = "1.0.0"


class Started(_FromCarrier, tag="start", frozen=True):
    start: StartBody
    stream_sid: str
    sequence_number: Number = "1"


class Media(_FromCarrier, tag="media", frozen=True):
    media: MediaBody
    stream_sid: str
    sequence_number: Number = "0"


class Dtmf(_FromCarrier, tag="dtmf", frozen=True):
    dtmf: DigitBody
    stream_sid: str
    sequence_number: Number = "0"


class Mark(_FromCarrier, tag="mark", frozen=True):
    mark: MarkBody
    stream_sid: str
    sequence_number: Number = "0"


class Stopped(_FromCarrier, tag="stop", frozen=True):
    stream_sid: str
    stop: StopBody = StopBody()
    sequence_number: Number = "0"


class Unrecognised(msgspec.Struct, frozen=True):
    """An event that did not exist when this was written."""

    event: str


FromCarrier: TypeAlias = Connected | Started | Media | Dtmf | Mark | Stopped | Unrecognised


class _Payload(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    payload: bytes


class _Name(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    name: str


class _FromEngine(msgspec.Struct, frozen=True, gc=False, rename="camel", tag_field="event", forbid_unknown_fields=True):
    """A message to Twilio."""

    stream_sid: str


class PlayMedia(_FromEngine, tag="media", frozen=True):
    media: _Payload


class PlayMark(_FromEngine, tag="mark", frozen=True):
    mark: _Name


class ClearBuffer(_FromEngine, tag="clear", frozen=True):
    pass


FromEngine: TypeAlias = PlayMedia | PlayMark | ClearBuffer


class _EventOnly(msgspec.Struct):
    event: str


_CARRIER: Final[msgspec.json.Decoder[FromCarrier]] = msgspec.json.Decoder(
    Connected | Started | Media | Dtmf | Mark | Stopped
)
_ENGINE: Final[msgspec.json.Decoder[FromEngine]] = msgspec.json.Decoder(PlayMedia | PlayMark | ClearBuffer)
_EVENT_ONLY: Final = msgspec.json.Decoder(_EventOnly)
_CARRIER_EVENTS: Final = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})


def read_carrier(message: str | bytes) -> FromCarrier:
    """A message of Twilio's.

    Raises `ProtocolViolation`: `binary`, `oversize`, `not_json`, `malformed` (not an object, no event, missing or mistyped
    fields, payload that is not base64).
    """
    text = _check(message, LONGEST_FROM_CARRIER)
    try:
        return _CARRIER.decode(text)
    except msgspec.ValidationError as error:
        event = _event_of(text, error)
        if event in _CARRIER_EVENTS:
            raise ProtocolViolation("malformed", f"{event}: {error}") from error
        return Unrecognised(event)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ProtocolViolation("not_json", str(error)) from error


def read_engine(message: str | bytes) -> FromEngine:
    """A message of an engine's, as strictly as Twilio reads it. Raises `ProtocolViolation` (see `read_carrier`)."""
    text = _check(message, LONGEST_FROM_ENGINE)
    try:
        return _ENGINE.decode(text)
    except msgspec.ValidationError as error:
        raise ProtocolViolation("malformed", str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ProtocolViolation("not_json", str(error)) from error


def number(value: Number) -> int:
    """A number that travelled as a string. Raises `ProtocolViolation` (`malformed`) if it is none, negative or absurd."""
    if isinstance(value, str):
        # Longer than any count a call can reach; also keeps int() away from its quadratic worst case.
        if not (value.isascii() and value.isdigit() and len(value) <= 15):
            raise ProtocolViolation("malformed", "a number is not a number")
        return int(value)
    if not 0 <= value < 10**15:
        raise ProtocolViolation("malformed", "a number is out of range")
    return value


def _check(message: str | bytes, longest: int) -> str:
    if not isinstance(message, str):
        raise ProtocolViolation("binary", "a binary message, where only text is spoken")
    if len(message) > longest:
        raise ProtocolViolation("oversize", f"a message of {len(message)} characters")
    return message


def _event_of(text: str, error: msgspec.ValidationError) -> str:
    try:
        return _EVENT_ONLY.decode(text).event
    except msgspec.DecodeError:
        raise ProtocolViolation("malformed", str(error)) from error


_MEDIA_AHEAD: Final = (
    b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":'
)
_AUDIO: Final = msgspec.json.Decoder(bytes)
_LAST_EXPECTED: Final = 10**14  # a tenth of what `number` takes, and no call gets there


class MediaAhead:
    """The next media message of a stream, known to the byte but for its payload, where the carrier goes on as it began.

    Fifty of them a second of every call come just so: they are compared, not parsed. What is not expected to the byte is
    nobody's fault and left to `read_carrier`.
    """

    __slots__ = ("_chunk", "_sequence", "_tail", "_timestamp")

    def __init__(self, stream_sid: str) -> None:
        self._tail = f'}},"streamSid":{_quoted(stream_sid)}}}'.encode()
        self._sequence = 0
        self._chunk = 0
        self._timestamp = -1  # nothing is expected

    def came(self, sequence: Number) -> None:
        """A message of this stream had this number: the next one has the next."""
        is_count = isinstance(sequence, str) and sequence.isascii() and sequence.isdigit() and len(sequence) <= 15
        self._sequence = int(sequence) + 1 if is_count else 0

    def expect(self, chunk: int, timestamp: int, size: int) -> None:
        """The last one had these, and so many bytes of audio: the next follows without a gap, if they are whole
        milliseconds."""
        self._chunk, self._timestamp = chunk + 1, timestamp + (size >> 3)
        if size & 7 or max(chunk, timestamp) >= _LAST_EXPECTED:
            self.forget()

    def forget(self) -> None:
        """Nothing can be expected now."""
        self._timestamp = -1

    def read(self, text: bytes) -> bytes | None:
        """The audio, if this is the message that was expected; then the one after it is."""
        timestamp = self._timestamp
        if timestamp < 0:
            return None
        tail, head = self._tail, _MEDIA_AHEAD % (self._sequence, self._chunk, timestamp)
        if not text.startswith(head) or not text.endswith(tail):
            return None
        try:
            audio = _AUDIO.decode(text[len(head) : -len(tail)])
        except msgspec.DecodeError:
            return None
        size = len(audio)
        if size:
            self._sequence += 1
            self._chunk += 1
            self._timestamp = -1 if size & 7 else timestamp + (size >> 3)
        return audio or None


class EngineWriter:
    """Writes the messages an engine sends on one stream. Everything but the payload is rendered once."""

    def __init__(self, stream_sid: str) -> None:
        sid = _quoted(stream_sid)
        self._media = f'{{"event":"media","streamSid":{sid},"media":{{"payload":"'
        self._mark = f'{{"event":"mark","streamSid":{sid},"mark":{{"name":'
        self._clear = f'{{"event":"clear","streamSid":{sid}}}'

    def media(self, audio: bytes) -> str:
        """Append mu-law audio of any length to the playout buffer."""
        return f'{self._media}{b64encode(audio).decode("ascii")}"}}}}'

    def mark(self, name: str) -> str:
        return f"{self._mark}{_quoted(name)}}}}}"

    def clear(self) -> str:
        return self._clear


class CarrierWriter:
    """Writes the messages Twilio sends on one stream, numbering them as it does: `sequenceNumber` from 1 with the start."""

    def __init__(self, account_sid: str, call_sid: str, stream_sid: str) -> None:
        self._account, self._call, self._stream = _quoted(account_sid), _quoted(call_sid), _quoted(stream_sid)
        self._sequence = 0
        self._chunk = 0
        self._last: tuple[bytes, str] = (b"", "")  # silence comes in long runs of the same frame

    @staticmethod
    def connected() -> str:
        return '{"event":"connected","protocol":"Call","version":"1.0.0"}'

    def start(self, parameters: dict[str, str]) -> str:
        custom = msgspec.json.encode(parameters).decode()
        return (
            f'{{"event":"start","sequenceNumber":"{self._next()}","start":{{"accountSid":{self._account},'
            f'"streamSid":{self._stream},"callSid":{self._call},"tracks":["inbound"],"mediaFormat":'
            f'{{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},"customParameters":{custom}}},'
            f'"streamSid":{self._stream}}}'
        )

    def media(self, audio: bytes, timestamp: int) -> str:
        """One frame of what the person says; `timestamp` in milliseconds since the stream started."""
        self._chunk += 1
        if audio is not self._last[0]:
            self._last = (audio, b64encode(audio).decode("ascii"))
        return (
            f'{{"event":"media","sequenceNumber":"{self._next()}","media":{{"track":"inbound","chunk":"{self._chunk}",'
            f'"timestamp":"{timestamp}","payload":"{self._last[1]}"}},"streamSid":{self._stream}}}'
        )

    def dtmf(self, digit: str) -> str:
        return (
            f'{{"event":"dtmf","streamSid":{self._stream},"sequenceNumber":"{self._next()}",'
            f'"dtmf":{{"track":"inbound_track","digit":{_quoted(digit)}}}}}'
        )

    def mark(self, name: str) -> str:
        return (
            f'{{"event":"mark","sequenceNumber":"{self._next()}","streamSid":{self._stream},'
            f'"mark":{{"name":{_quoted(name)}}}}}'
        )

    def stop(self) -> str:
        return (
            f'{{"event":"stop","sequenceNumber":"{self._next()}","stop":{{"accountSid":{self._account},'
            f'"callSid":{self._call}}},"streamSid":{self._stream}}}'
        )

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
