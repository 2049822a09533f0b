from __future__ import annotations

import pytest

from voice.providers.server_sent import LARGEST, EventTooLarge, ServerSent

STREAM = b': hello\nevent: a\ndata: {"x": 1}\n\ndata:{"y":\r\ndata: 2}\r\n\r\nid: 7\n\ndata: [DONE]\n\ndata: cut'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_whole_in_whatever_pieces_they_come(size: int) -> None:
    stream = ServerSent()
    found = [data for start in range(0, len(STREAM), size) for data in stream.feed(STREAM[start : start + size])]
    assert found == [b'{"x": 1}', b'{"y":\n2}', b"[DONE]"]


def test_an_event_that_does_not_end_is_refused() -> None:
    stream = ServerSent()
    with pytest.raises(EventTooLarge):
        stream.feed(b"data: " + b"x" * (LARGEST + 1))
    lines = ServerSent()
    with pytest.raises(EventTooLarge):
        list(map(lines.feed, [b"data: " + b"x" * 1000 + b"\n"] * (LARGEST // 1000 + 2)))


def test_nothing_comes_of_nothing() -> None:
    assert ServerSent().feed(b"") == []
    assert ServerSent().feed(b"\n\n\r\n") == []


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_body_that_is_no_stream_is_given_at_its_end(size: int) -> None:
    body = b'\n{\n  "error": {"message": "no such model"}\n}\n'
    stream = ServerSent()
    assert [data for start in range(0, len(body), size) for data in stream.feed(body[start : start + size])] == []
    assert [data.strip() for data in stream.end()] == [body.strip()]
    whole = ServerSent()
    whole.feed(STREAM)
    assert whole.end() == []
    with pytest.raises(EventTooLarge):
        ServerSent().feed(b"{" + b"x" * LARGEST)
