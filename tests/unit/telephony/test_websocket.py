"""Frames as a client writes them, whole and in pieces, and what no client may write."""

from __future__ import annotations

import contextlib
import random

import pytest
from websockets.frames import Frame, Opcode

from telephony.errors import ProtocolViolation
from telephony.websocket import (
    BINARY,
    CLOSE,
    NO_CODE,
    PING,
    TEXT,
    FrameReader,
    close_code,
    close_frame,
    frame,
)


def sent(opcode: int, payload: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(Opcode(opcode), payload, fin=fin).serialize(mask=mask)


def read(data: bytes, longest: int = 100_000, pieces: int = 0) -> list[tuple[int, bytes]]:
    reader = FrameReader(longest)
    step = pieces or max(1, len(data))
    return [message for at in range(0, len(data), step) for message in reader.feed(data[at : at + step])]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 350, 65_535, 65_536, 80_000])
@pytest.mark.parametrize("pieces", [0, 1000, 7])
def test_a_message_of_any_size_in_any_pieces(size: int, pieces: int) -> None:
    payload = random.Random(size).randbytes(size)
    assert read(sent(BINARY, payload) + sent(TEXT, b"next"), pieces=pieces) == [(BINARY, payload), (TEXT, b"next")]


@pytest.mark.parametrize("size", [126, 350, 65_535])
def test_a_text_that_comes_alone_and_whole_takes_the_short_way_to_the_same_end(size: int) -> None:
    text = sent(TEXT, b"x" * size)
    assert FrameReader(100_000).whole(text) == b"x" * size
    assert FrameReader(100_000).feed(text) == [(TEXT, b"x" * size)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81\xfe\x01",
        sent(TEXT, b"x" * 125),
        sent(TEXT, b"x" * 65_536),
        sent(BINARY, b"x" * 350),
        sent(TEXT, b"x" * 350, fin=False),
        sent(TEXT, b"x" * 350)[:-1],
        sent(TEXT, b"x" * 350) * 2,
        sent(TEXT, b"x" * 1001),
    ],
)
def test_nothing_else_takes_the_short_way_and_nothing_is_lost_by_trying(data: bytes) -> None:
    reader = FrameReader(1000)
    assert reader.whole(data) is None
    with contextlib.suppress(ProtocolViolation):  # too long
        assert reader.feed(data) == FrameReader(1000).feed(data)


def test_no_text_is_whole_while_another_message_is_half_read() -> None:
    text = sent(TEXT, b"x" * 350)
    reader = FrameReader(1000)
    assert reader.feed(sent(TEXT, b"y" * 200, fin=False)) == []
    assert reader.whole(text) is None
    with pytest.raises(ProtocolViolation, match="bad_fragment"):
        reader.feed(text)
    reader = FrameReader(1000)
    assert reader.feed(text[:-1]) == []
    assert reader.whole(text) is None
    assert reader.feed(text[-1:]) == [(TEXT, b"x" * 350)]


def test_fragments_are_joined_and_control_frames_come_between_them() -> None:
    data = sent(TEXT, b"a", fin=False) + sent(PING, b"!") + sent(0, b"b", fin=False) + sent(0, b"c") + sent(TEXT, b"d")
    for pieces in (0, 1, 5):
        assert read(data, pieces=pieces) == [(PING, b"!"), (TEXT, b"abc"), (TEXT, b"d")]


def test_a_close_says_why_or_not() -> None:
    ((opcode, payload),) = read(sent(CLOSE, b"\x03\xe9bye"))
    assert (opcode, close_code(payload)) == (CLOSE, 1001)
    assert close_code(b"") == close_code(b"\x03") == NO_CODE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (sent(TEXT, b"x", mask=False), "unmasked"),
        (b"\xc1\x80" + bytes(4), "reserved"),
        (b"\x83\x80" + bytes(4), "reserved"),
        (b"\x09\x80" + bytes(4), "bad_control"),
        (b"\x89\xfe\x00\x80" + bytes(4), "bad_control"),
        (sent(0, b"x"), "bad_fragment"),
        (sent(TEXT, b"x", fin=False) + sent(TEXT, b"y"), "bad_fragment"),
        (sent(TEXT, b"x" * 101), "oversize"),
        (b"\x81\xff" + b"\xff" * 12, "oversize"),
        (sent(TEXT, b"x" * 60, fin=False) + sent(0, b"x" * 60), "oversize"),
    ],
)
def test_what_is_forbidden_is_told_by_the_head_alone(data: bytes, code: str) -> None:
    with pytest.raises(ProtocolViolation) as found:
        read(data, longest=100)
    assert found.value.code == code


def test_garbage_is_a_message_or_a_violation_and_nothing_else() -> None:
    for seed in range(300):
        with contextlib.suppress(ProtocolViolation):
            read(random.Random(seed).randbytes(200), longest=1000, pieces=1 + seed % 50)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_what_is_written_is_what_the_reference_writes(size: int) -> None:
    assert frame(TEXT, b"x" * size) == sent(TEXT, b"x" * size, mask=False)
    assert close_frame(1002) == sent(CLOSE, b"\x03\xea", mask=False)
