import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.audio import silence
from telephony.errors import ProtocolViolation
from telephony.leg import AudioReceived, KeyReceived, LegStopped, MarkReceived
from telephony.twilio import codec
from telephony.twilio.inbox import LinkCounters, StreamInbox


def frame(chunk, *, at=None, payload=None, sid="MZ1", track="inbound"):
    """The frame a carrier would send as its `chunk`-th; its audio is its own number."""
    timestamp = 53 + 20 * chunk if at is None else at
    audio = bytes([chunk % 256]) * 160 if payload is None else payload
    return codec.Media(codec.MediaBody(audio, track, str(chunk), str(timestamp)), sid)


class Stream:
    def __init__(self):
        self.counters = LinkCounters()
        self.inbox = StreamInbox("MZ1", self.counters)
        self.events = []

    def feed(self, *messages):
        for message in messages:
            self.events += self.inbox.take(message)
        return self

    @property
    def chunks(self):
        return [event.audio[0] for event in self.events if isinstance(event, AudioReceived)]

    @property
    def is_continuous(self):
        expected = 0
        for event in self.events:
            if isinstance(event, AudioReceived):
                if event.position != expected:
                    return False
                expected += len(event.audio)
        return True


def test_frames_in_order_pass_straight_through():
    stream = Stream()
    for chunk in (1, 2, 3):
        assert stream.inbox.take(frame(chunk)) == [AudioReceived((chunk - 1) * 160, bytes([chunk]) * 160)]
    assert stream.counters.media_frames == 3


def test_the_first_timestamp_is_the_origin():
    assert Stream().feed(frame(1, at=5000)).events == [AudioReceived(0, b"\x01" * 160)]


def test_a_gap_in_the_timestamps_is_filled_with_silence():
    stream = Stream().feed(frame(1), frame(2, at=153))
    assert stream.events[1:] == [AudioReceived(160, silence(480)), AudioReceived(640, b"\x02" * 160)]
    assert stream.counters.filled == 480


def test_wandering_timestamps_are_not_gaps():
    stream = Stream().feed(frame(1, at=73), frame(2, at=100), frame(3, at=105), frame(4, at=140))
    assert stream.chunks == [1, 2, 3, 4]
    assert stream.counters.filled == 0


def test_a_frame_overtaken_by_another_is_put_back_in_its_place():
    stream = Stream().feed(frame(1), frame(3), frame(2), frame(4))
    assert stream.chunks == [1, 2, 3, 4]
    assert stream.is_continuous
    assert stream.counters.reordered == 1


def test_a_lost_frame_is_waited_for_and_then_given_up():
    stream = Stream().feed(frame(1), frame(3), frame(4), frame(5))
    assert stream.chunks == [1]
    stream.feed(frame(6), frame(7))
    assert stream.chunks == [1, 0xFF, 3, 4, 5, 6, 7]
    assert stream.is_continuous
    assert stream.counters.filled == 160


def test_a_frame_later_than_that_is_dropped_as_late():
    stream = Stream().feed(frame(1), *(frame(n) for n in range(3, 8)), frame(2), frame(2))
    assert (stream.counters.late, stream.counters.duplicates) == (1, 1)
    assert stream.chunks == [1, 0xFF, 3, 4, 5, 6, 7]


def test_doubled_frames_are_dropped():
    stream = Stream().feed(frame(1), frame(1), frame(3), frame(3), frame(2), frame(3))
    assert stream.chunks == [1, 2, 3]
    assert stream.counters.duplicates == 3


def test_a_clock_that_runs_back_or_leaps_does_not_move_the_audio():
    stream = Stream().feed(
        frame(1, at=100_000), frame(2, at=0), frame(3, at=20), frame(4, at=10**9), frame(5, at=10**9 + 20)
    )
    assert stream.chunks == [1, 2, 3, 4, 5]
    assert stream.is_continuous
    assert (stream.counters.jumps, stream.counters.filled) == (2, 0)


def test_absurd_chunk_numbers_cost_nothing():
    stream = Stream().feed(frame(1), *(frame(10**9 * n, at=73 + 20 * n) for n in range(1, 200)))
    assert stream.is_continuous
    assert len(stream.inbox._skipped) <= 256


def test_somebody_elses_stream_and_the_other_track():
    stream = Stream().feed(
        frame(1, sid="MZ2"),
        frame(1, track="outbound"),
        frame(1, payload=b""),
        codec.Mark(codec.MarkBody("m"), "MZ2"),
        codec.Dtmf(codec.DigitBody("1"), "MZ2"),
        codec.Stopped("MZ2"),
        codec.Connected(),
        codec.Unrecognised("speech"),
        codec.Dtmf(codec.DigitBody("x"), "MZ1"),
    )
    assert stream.events == []
    assert (stream.counters.foreign, stream.counters.ignored, stream.counters.unrecognised) == (4, 4, 1)
    assert not stream.inbox.ended


def test_marks_keys_and_the_end():
    stream = Stream().feed(
        codec.Mark(codec.MarkBody("m" * 5000), "MZ1"), codec.Dtmf(codec.DigitBody("#"), "MZ1"), codec.Stopped("MZ1")
    )
    assert stream.events == [MarkReceived("m" * 1024), KeyReceived("#"), LegStopped("hangup")]
    assert stream.inbox.ended


def test_the_end_brings_what_was_still_waiting():
    stream = Stream().feed(frame(1), frame(3), frame(5), codec.Stopped("MZ1"))
    assert stream.chunks == [1, 0xFF, 3, 0xFF, 5]
    assert stream.events[-1] == LegStopped("hangup")


def test_a_second_start_is_a_violation():
    with pytest.raises(ProtocolViolation, match="started_twice"):
        Stream().feed(codec.Started(codec.StartBody("CA1"), "MZ1"))


def test_numbers_that_are_none():
    with pytest.raises(ProtocolViolation, match="malformed"):
        Stream().feed(codec.Media(codec.MediaBody(b"\xff", "inbound", "one", "0"), "MZ1"))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2000), st.integers(0, 400)), max_size=60))
def test_positions_never_jump_whatever_comes(frames):
    stream = Stream().feed(*(frame(chunk, at=at, payload=bytes(size)) for chunk, at, size in frames), codec.Stopped("MZ1"))
    assert stream.is_continuous
    assert stream.events[-1] == LegStopped("hangup")


@given(st.permutations(range(2, 5)))
def test_any_order_within_the_window_comes_out_right(order):
    stream = Stream().feed(frame(1), *(frame(chunk) for chunk in order), frame(5), frame(6))
    assert stream.chunks == [1, 2, 3, 4, 5, 6]


def test_what_a_caller_said_is_not_shown_in_a_log():
    assert repr(AudioReceived(160, b"\x01" * 160)) == "AudioReceived(position=160, 160 bytes)"


# --- the way of what is usual -----------------------------------------------------------------------------------------


def told(message, inbox):
    """What the link does with a text: the short way first, the long way for what was not taken there."""
    heard = inbox.take_usual(message)
    return [heard] if heard is not None else inbox.take(codec.read_carrier(message.decode()))


def all_told(messages, ways):
    """The events of a whole stream, its end and its counters."""
    counters = LinkCounters()
    inbox, events = StreamInbox("MZ1", counters), []
    try:
        for message in messages:
            events += ways(message, inbox)
    except (ProtocolViolation, UnicodeDecodeError) as fault:
        events.append(repr(fault))
    return events, dataclasses.asdict(counters)


def the_long_way(message, inbox):
    return inbox.take(codec.read_carrier(message.decode()))


def as_twilio(chunk, *, at, audio, sequence=None, sid="MZ1"):
    writer = codec.CarrierWriter("AC1", "CA1", sid)
    writer._chunk, writer._sequence = chunk - 1, (chunk if sequence is None else sequence) - 1
    return writer.media(audio, at).encode()


def test_a_stream_as_twilio_writes_it_takes_the_short_way():
    writer, inbox = codec.CarrierWriter("AC1", "CA1", "MZ1"), StreamInbox("MZ1", LinkCounters())
    assert writer.start({})
    texts = [writer.media(bytes([n]) * 160, 53 + 20 * n).encode() for n in range(1, 4)]
    mark = writer.mark("m").encode()
    texts += [writer.media(bytes([n]) * 160, 53 + 20 * n).encode() for n in range(4, 6)]
    assert inbox.take_usual(texts[0]) is None
    assert the_long_way(texts[0], inbox) == [AudioReceived(0, b"\x01" * 160)]
    assert [inbox.take_usual(text) for text in texts[1:3]] == [
        AudioReceived(160, b"\x02" * 160),
        AudioReceived(320, b"\x03" * 160),
    ]
    assert inbox.take_usual(mark) is None
    assert the_long_way(mark, inbox) == [MarkReceived("m")]
    assert [inbox.take_usual(text) for text in texts[3:]] == [
        AudioReceived(480, b"\x04" * 160),
        AudioReceived(640, b"\x05" * 160),
    ]


ODD = st.sampled_from(
    [
        b'{"event":"mark","sequenceNumber":"7","streamSid":"MZ1","mark":{"name":"m"}}',
        b'{"event":"mark","sequenceNumber":"-7","streamSid":"MZ1","mark":{"name":"m"}}',
        b'{"event":"mark","sequenceNumber":7,"streamSid":"MZ1","mark":{"name":"m"}}',
        b'{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"99999999999999999","dtmf":{"digit":"1"}}',
        b'{"event":"media","sequenceNumber":"2","media":{"track":"outbound","chunk":"2","timestamp":"93","payload":"/w=="},'
        b'"streamSid":"MZ1"}',
        b'{"event":"media","sequenceNumber":"x","media":{"chunk":"2","timestamp":"93","payload":"/w=="},"streamSid":"MZ1"}',
        b'{"event":"media","media":{"chunk":"999999999999998","timestamp":"999999999999998","payload":"/////////w=="},'
        b'"streamSid":"MZ1"}',
        b'{"event":"speech","streamSid":"MZ1"}',
        b'{"event":"stop","streamSid":"MZ1"}',
        b"{",
        b"\xff",
    ]
)


@st.composite
def frames(draw):
    """Mostly the next frame as it should be; sometimes late, doubled, early, cut, of an odd length, or spoilt by a byte."""
    messages, chunk, at = [], 1, draw(st.sampled_from([0, 53, 10**14 - 60, 10**15 - 60]))
    sequence = 0
    for _ in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["next"] * 6 + ["skip", "again", "odd", "spoilt", "drift", "sequence"]))
        size = draw(st.sampled_from([160] * 6 + [0, 8, 12, 320]))
        if kind == "odd":
            messages.append(draw(ODD))
            continue
        chunk += {"skip": draw(st.integers(1, 5)), "again": -1}.get(kind, 0)
        at += 20 * draw(st.integers(-60, 60)) if kind == "drift" else 0
        sequence += draw(st.integers(0, 2)) if kind == "sequence" else 1
        message = as_twilio(max(chunk, 0), at=max(at, 0), audio=bytes([draw(st.integers(0, 255))]) * size, sequence=sequence)
        if kind == "spoilt":
            place = draw(st.integers(0, len(message) - 1))
            message = message[:place] + bytes([draw(st.integers(0, 255))]) + message[place + draw(st.integers(0, 2)) :]
        messages.append(message)
        chunk, at = chunk + 1, at + size // 8
    return messages


@given(frames())
def test_the_short_way_leads_where_the_long_one_does(messages):
    assert all_told(messages, told) == all_told(messages, the_long_way)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b'"MZ1"', b'"MZ2"'),
        lambda text: text.replace(b'"payload":"', b'"payload":"!'),
        lambda text: text.replace(b'"payload":"', b'"payload":"AAAA","x":"'),
        lambda text: text.replace(b'"payload":"', b'"payload":"\\u0041'),
        lambda text: text.replace(b"}", b" }"),
        lambda text: text.replace(b'"chunk":"2"', b'"chunk":"02"'),
        lambda text: text.replace(b'"chunk":"2"', b'"chunk":2'),
        lambda text: text.replace(b'"timestamp":"73"', b'"timestamp":"-1"'),
        lambda text: text.replace(b'"payload":"', b'"payload":"\xc3'),
        lambda text: text[:130] + text[-28:],
    ],
)
def test_what_only_looks_like_the_next_frame_is_read_the_long_way(spoil):
    messages = [as_twilio(n, at=33 + 20 * n, audio=bytes([n]) * 160) for n in (1, 2, 3)]
    messages[1] = spoil(messages[1])
    assert all_told(messages, told) == all_told(messages, the_long_way)
