import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import ProtocolViolation
from telephony.twilio import codec

# As twilio.com/docs/voice/media-streams/websocket-messages prints them.
CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
START = json.dumps(
    {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"FirstName": "Jane"},
        },
        "streamSid": "MZ1",
    }
)
MEDIA = json.dumps(
    {
        "event": "media",
        "sequenceNumber": "3",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "73", "payload": base64.b64encode(b"\x01\x02").decode()},
        "streamSid": "MZ1",
    }
)


def code_of(message, read=codec.read_carrier):
    with pytest.raises(ProtocolViolation) as caught:
        read(message)
    return caught.value.code


def test_the_documented_messages():
    assert codec.read_carrier(CONNECTED) == codec.Connected()
    started = codec.read_carrier(START)
    assert isinstance(started, codec.Started)
    assert started.start.call_sid == "CA1"
    assert started.start.custom_parameters == {"FirstName": "Jane"}
    assert started.start.media_format.sample_rate == 8000
    media = codec.read_carrier(MEDIA)
    assert isinstance(media, codec.Media)
    assert media.media.payload == b"\x01\x02"
    assert codec.number(media.media.timestamp) == 73
    dtmf = codec.read_carrier(
        '{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}'
    )
    assert isinstance(dtmf, codec.Dtmf)
    assert dtmf.dtmf.digit == "1"
    mark = codec.read_carrier('{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"m"}}')
    assert isinstance(mark, codec.Mark)
    assert isinstance(
        codec.read_carrier(
            '{"event":"stop","sequenceNumber":"5","stop":{"accountSid":"AC1","callSid":"CA1"},"streamSid":"MZ1"}'
        ),
        codec.Stopped,
    )


def test_new_fields_and_new_events_are_no_error():
    widened = MEDIA.replace('"event"', '"shiny": {"new": [1]}, "event"')
    assert isinstance(codec.read_carrier(widened), codec.Media)
    assert codec.read_carrier('{"event":"speech","streamSid":"MZ1"}') == codec.Unrecognised("speech")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b'{"event":"connected"}', "binary"),
        ("x" * (codec.LONGEST_FROM_CARRIER + 1), "oversize"),
        ("", "not_json"),
        ("hello", "not_json"),
        ('{"event":"med', "not_json"),
        ("[" * 5000, "malformed"),
        ("[]", "malformed"),
        ("null", "malformed"),
        ("{}", "malformed"),
        ('{"event":7}', "malformed"),
        ('{"event":"media"}', "malformed"),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"%%%"}}', "malformed"),
        ('{"event":"media","streamSid":7,"media":{"payload":""}}', "malformed"),
        ('{"event":"start","streamSid":"MZ1","start":{}}', "malformed"),
        ('{"event":"mark","streamSid":"MZ1","mark":{}}', "malformed"),
        ("\ud800", "not_json"),
    ],
)
def test_what_a_carrier_never_sends(message, code):
    assert code_of(message) == code


@pytest.mark.parametrize("value", ["", "-1", "1.5", "x", "9" * 16, "١", -1, 10**15])
def test_numbers_that_are_none(value):
    with pytest.raises(ProtocolViolation, match="malformed"):
        codec.number(value)


def test_numbers_may_be_numbers():
    assert codec.number(12) == codec.number("12") == 12


def test_what_an_engine_writes_is_what_a_carrier_reads():
    writer = codec.EngineWriter('MZ"1')
    media = codec.read_engine(writer.media(b"\xff\x00"))
    assert isinstance(media, codec.PlayMedia)
    assert (media.stream_sid, media.media.payload) == ('MZ"1', b"\xff\x00")
    mark = codec.read_engine(writer.mark('a"b\n'))
    assert isinstance(mark, codec.PlayMark)
    assert mark.mark.name == 'a"b\n'
    assert isinstance(codec.read_engine(writer.clear()), codec.ClearBuffer)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x00", "binary"),
        ("{", "not_json"),
        ('{"event":"clear"}', "malformed"),
        ('{"event":"clear","streamSid":"MZ1","now":true}', "malformed"),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"","track":"outbound"}}', "malformed"),
        ('{"event":"speak","streamSid":"MZ1"}', "malformed"),
        ("x" * (codec.LONGEST_FROM_ENGINE + 1), "oversize"),
    ],
)
def test_an_engine_is_read_as_strictly_as_twilio_reads_it(message, code):
    assert code_of(message, codec.read_engine) == code


def test_what_our_carrier_writes_is_what_an_engine_reads():
    writer = codec.CarrierWriter("AC1", "CA1", "MZ1")
    silent = b"\xff" * 160
    messages = [
        codec.read_carrier(text)
        for text in (
            writer.connected(),
            writer.start({"a": 'b"'}),
            writer.media(silent, 73),
            writer.media(silent, 93),
            writer.dtmf("#"),
            writer.mark("m"),
            writer.stop(),
        )
    ]
    assert [type(message).__name__ for message in messages] == [
        "Connected",
        "Started",
        "Media",
        "Media",
        "Dtmf",
        "Mark",
        "Stopped",
    ]
    numbered = messages[1:]
    assert [message.sequence_number for message in numbered] == ["1", "2", "3", "4", "5", "6"]
    assert messages[1].start.custom_parameters == {"a": 'b"'}
    assert [message.media.chunk for message in messages[2:4]] == ["1", "2"]
    assert messages[3].media == codec.MediaBody(silent, "inbound", "2", "93")


@given(st.text(max_size=200) | st.binary(max_size=50))
def test_nothing_but_a_violation_ever_escapes(message):
    for read in (codec.read_carrier, codec.read_engine):
        try:
            read(message)
        except ProtocolViolation:
            pass
