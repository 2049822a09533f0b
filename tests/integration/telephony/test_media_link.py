"""A media link against sockets that misbehave in every way a stranger on the internet can."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import pytest

from telephony.errors import ProtocolViolation
from telephony.leg import AudioReceived, LegStopped, MarkReceived
from telephony.twilio import stream as stream_module
from telephony.twilio.codec import CarrierWriter
from telephony.twilio.stream import accept

CONNECTED = CarrierWriter.connected()


class Script:
    """A socket that says what it was told to, then waits, closes, or stays silent for ever."""

    def __init__(self, *messages, then="wait", takes=True):
        self.messages = list(messages)
        self.then = then
        self.sent = []
        self.closed_with = []
        self.takes = asyncio.Event()
        if takes:
            self.takes.set()
        self.more = asyncio.Event()

    async def receive(self):
        while not self.messages:
            if self.then == "close":
                return None
            self.more.clear()
            await self.more.wait()
        return self.messages.pop(0)

    async def read(self, take, take_usual=None):
        while (message := await self.receive()) is not None:
            take(message)

    def say(self, *messages):
        self.messages += messages
        self.more.set()

    def send(self, *texts):
        self.sent += texts

    async def drain(self):
        await self.takes.wait()

    async def close(self, code):
        self.closed_with.append(code)
        self.then = "close"
        self.more.set()


def writer():
    return CarrierWriter("AC1", "CA1", "MZ1")


def start(**fields):
    message = json.loads(writer().start({"a": "b"}))
    message["start"] |= fields
    return json.dumps(message)


async def opened(*messages, **options):
    stalled_after = options.pop("stalled_after", 30.0)
    socket = Script(CONNECTED, start(), *messages, **options)
    return socket, await accept(socket, 1.0, stalled_after)


async def collect(link):
    events = []
    await link.listen(events.append)
    return events


def media(chunk, timestamp=None, payload=b"\x01" * 160, sid="MZ1"):
    stamp = 53 + 20 * chunk if timestamp is None else timestamp
    body = {"track": "inbound", "chunk": str(chunk), "timestamp": str(stamp), "payload": b64encode(payload).decode()}
    return json.dumps({"event": "media", "sequenceNumber": "1", "media": body, "streamSid": sid})


STOP = json.dumps({"event": "stop", "sequenceNumber": "9", "stop": {"callSid": "CA1"}, "streamSid": "MZ1"})


# --- before the start ----------------------------------------------------------------------------------------------------


async def test_who_is_on_the_link():
    _, link = await opened()
    assert (link.start.stream_sid, link.start.call_sid, link.start.parameters) == ("MZ1", "CA1", {"a": "b"})
    assert link.account_sid == "AC1"
    await link.close()


@pytest.mark.parametrize(
    ("messages", "code", "close"),
    [
        (["garbage"], "not_json", 1002),
        ([b"\x00\x01"], "binary", 1003),
        (["x" * 70_000], "oversize", 1009),
        (['{"event":"start"}'], "malformed", 1002),
        ([CONNECTED, media(1)], "unexpected", 1002),
        ([CONNECTED, STOP], "unexpected", 1002),
        ([CONNECTED] * 9, "never_started", 1002),
        (['{"event":"hello"}'] * 9, "never_started", 1002),
        ([start(callSid="")], "malformed", 1002),
        ([start(mediaFormat={"encoding": "audio/opus", "sampleRate": 48000, "channels": 2})], "unsupported_media", 1002),
    ],
)
async def test_a_socket_that_does_not_start_as_it_must(messages, code, close):
    socket = Script(*messages)
    with pytest.raises(ProtocolViolation) as caught:
        await accept(socket, 1.0)
    assert caught.value.code == code
    assert socket.closed_with == [close]


async def test_a_socket_that_closes_before_it_starts():
    with pytest.raises(ProtocolViolation, match="closed_early"):
        await accept(Script(CONNECTED, then="close"), 1.0)


async def test_a_socket_that_never_starts():
    socket = Script(CONNECTED)
    with pytest.raises(ProtocolViolation, match="never_started"):
        await accept(socket, 0.01)
    assert socket.closed_with == [1002]


# --- in the middle -------------------------------------------------------------------------------------------------------


async def test_a_call_from_start_to_stop():
    socket, link = await opened(media(1), media(2), STOP)
    events = await collect(link)
    assert [type(event).__name__ for event in events] == ["AudioReceived", "AudioReceived", "LegStopped"]
    assert events[-1] == LegStopped("hangup")
    assert socket.closed_with == [1000]


@pytest.mark.parametrize(
    ("message", "code", "close"),
    [
        ("{", "not_json", 1002),
        (b"\xff" * 160, "binary", 1003),
        ("[" * 70_000, "oversize", 1009),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"!"}}', "malformed", 1002),
        (media(2, timestamp="soon"), "malformed", 1002),
        (start(), "started_twice", 1002),
    ],
)
async def test_a_violation_ends_this_link_and_says_so_once(message, code, close):
    socket, link = await opened(media(1), message, media(2))
    events = await collect(link)
    assert [type(event).__name__ for event in events] == ["AudioReceived", "LegStopped"]
    assert events[-1] == LegStopped("violation")
    assert link.violation is not None
    assert link.violation.code == code
    assert link.counters.violations == 1
    assert socket.closed_with == [close]


async def test_the_socket_drops_in_the_middle_of_a_frame():
    _, link = await opened(media(1), media(2)[:80], then="close")
    assert (await collect(link))[-1] == LegStopped("violation")
    _, link = await opened(media(1), then="close")
    assert (await collect(link))[-1] == LegStopped("dropped")


async def test_frames_out_of_order_doubled_late_and_lost():
    order = [1, 3, 2, 2, 4, 6, 7, 8, 9, 5, 10]
    _, link = await opened(*(media(n, payload=bytes([n]) * 160) for n in order), STOP)
    events = [event for event in await collect(link) if isinstance(event, AudioReceived)]
    assert [event.audio[0] for event in events] == [1, 2, 3, 4, 0xFF, 6, 7, 8, 9, 10]
    assert [event.position for event in events] == [160 * n for n in range(10)]
    counters = link.counters
    assert (counters.duplicates, counters.late, counters.reordered, counters.filled) == (1, 1, 1, 160)


async def test_strangers_and_novelties_are_ignored_and_counted():
    _, link = await opened(media(1, sid="MZ2"), '{"event":"weather","streamSid":"MZ1"}', media(1), STOP)
    assert len(await collect(link)) == 2
    assert (link.counters.foreign, link.counters.unrecognised) == (1, 1)


async def test_a_peer_that_vanishes_without_closing_is_noticed():
    socket, link = await opened(media(1), stalled_after=0.02)
    events = await collect(link)
    assert events[-1] == LegStopped("dropped")
    assert socket.closed_with == [1000]


async def test_a_flood_is_cut_off(monkeypatch):
    monkeypatch.setattr(stream_module, "LARGEST_HEAD_START", 50)
    monkeypatch.setattr(stream_module, "MOST_PER_SECOND", 0)
    _, link = await opened(*(media(n) for n in range(1, 200)))
    events = await collect(link)
    assert events[-1] == LegStopped("violation")
    assert link.violation.code == "flood"
    assert len(events) <= 53


async def test_closing_ends_the_events_and_may_be_done_twice():
    socket, link = await opened(media(1))
    events, heard = [], asyncio.Event()

    def tell(event):
        events.append(event)
        heard.set()

    listening = asyncio.create_task(link.listen(tell))
    await heard.wait()
    await link.close()
    await link.close()
    await listening
    assert [type(event) for event in events] == [AudioReceived, LegStopped]
    assert events[-1] == LegStopped("closed")
    assert socket.closed_with == [1000]
    link.send([b"\x00" * 160])
    assert socket.sent == []


async def test_whoever_stops_listening_closes_the_link():
    socket, link = await opened(media(1), media(2))
    heard = asyncio.Event()
    listening = asyncio.create_task(link.listen(lambda event: heard.set()))
    await heard.wait()
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert socket.closed_with == [1000]


async def test_a_link_that_was_closed_before_anybody_listened_says_so():
    socket, link = await opened(media(1))
    await link.close()
    assert await collect(link) == [LegStopped("closed")]
    assert socket.closed_with == [1000]


async def test_a_socket_that_cannot_close_does_not_hold_us_up(monkeypatch):
    monkeypatch.setattr(stream_module, "LONGEST_CLOSE", 0.01)
    socket, link = await opened()
    never = asyncio.Event()

    async def close(code):
        await never.wait()

    socket.close = close
    await link.close()


# --- going out -----------------------------------------------------------------------------------------------------------


def kinds(socket):
    return [json.loads(text)["event"] for text in socket.sent]


async def test_audio_marks_and_clears_go_straight_out():
    socket, link = await opened()
    link.send([b"\x01" * 20_000])
    link.send(["m"])
    link.clear()
    assert kinds(socket) == ["media", "media", "media", "mark", "clear"]
    assert all(json.loads(text)["streamSid"] == "MZ1" for text in socket.sent)
    assert (link.counters.sent_media, link.counters.sent_bytes, link.counters.sent_marks, link.counters.clears) == (
        3,
        20_000,
        1,
        1,
    )
    await link.close()


async def test_what_waits_for_a_slow_socket_keeps_its_order():
    socket, link = await opened(takes=False)
    for n in range(40):
        link.send([b"\x01" * 8000])
        link.send([str(n)])
    held = len(socket.sent)
    assert held < 80
    socket.takes.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert [name for name in (json.loads(text).get("mark", {}).get("name") for text in socket.sent) if name] == [
        str(n) for n in range(40)
    ]
    assert kinds(socket) == ["media", "mark"] * 40
    await link.close()


async def test_a_clear_overtakes_the_audio_that_still_waits_here_but_no_mark_is_lost():
    socket, link = await opened(takes=False)
    for n in range(60):
        link.send([b"\x01" * 8000])
        link.send([str(n)])
    went = kinds(socket).count("media")
    link.clear()
    socket.takes.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert kinds(socket).count("media") == went
    assert kinds(socket).count("mark") == 60
    assert kinds(socket)[-1] == "clear"
    await link.close()


async def test_a_socket_that_takes_nothing_ends_the_link(monkeypatch):
    monkeypatch.setattr(stream_module, "LARGEST_OUTBOX", 50_000)
    _, link = await opened(takes=False)
    for _ in range(60):
        link.send([b"\x01" * 8000])
    assert await collect(link) == [LegStopped("dropped")]


async def test_marks_come_back_to_us():
    names = [
        json.dumps({"event": "mark", "streamSid": "MZ1", "sequenceNumber": "2", "mark": {"name": name}}) for name in "ab"
    ]
    _, link = await opened(*names, STOP)
    assert (await collect(link))[:2] == [MarkReceived("a"), MarkReceived("b")]
