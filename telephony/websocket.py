"""WebSocket frames (RFC 6455) as a server reads and writes them once the handshake is done. Holds no socket. Pure.

For links with many small messages a second, where what a web framework does with each of them is most of what a call costs.
"""

from __future__ import annotations

from typing import Final

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # theirs in C, where it could be built

from telephony.errors import ProtocolViolation

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL: Final = 1000  # close codes, RFC 6455, 7.4.1
PROTOCOL_ERROR: Final = 1002
NO_CODE: Final = 1005
NOT_TEXT: Final = 1007
TOO_BIG: Final = 1009

_FIN: Final = 0x80
_USUAL: Final = _FIN | TEXT  # a text in one piece
_MIDDLING: Final = bytes((_USUAL, 0x80 | 126))  # a masked one, its length in two bytes
_RESERVED: Final = 0x70
_OPCODE: Final = 0x0F
_MASKED: Final = 0x80
_LONGEST_CONTROL: Final = 125
_KNOWN: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})


class FrameReader:
    """What a client sends, message by message: fragments joined, control frames as they come between them."""

    def __init__(self, longest: int) -> None:
        self._longest = longest  # bytes of a message
        self._rest = b""
        self._opcode = CONTINUATION  # of the message whose fragments are coming; none are
        self._fragments: list[bytes] = []

    def whole(self, data: bytes) -> bytes | None:
        """The text, if these bytes are one text of 126 bytes or more and nothing else, as nearly always; if not, nothing has
        been taken: `feed` them."""
        size = len(data) - 8
        if size < 126 or not data.startswith(_MIDDLING) or size != data[2] << 8 | data[3] or size > self._longest:
            return None
        return None if self._rest or self._opcode else apply_mask(data[8:], data[4:8])

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """(opcode, payload) of every message that these bytes complete.

        Raises `ProtocolViolation`: `oversize`, `unmasked`, `reserved`, `bad_control`, `bad_fragment`.
        """
        if self._rest:
            data = self._rest + data
        messages: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        while end - at >= 2:
            first, size, begins = data[at], data[at + 1] & 0x7F, at + 6
            if size >= 126:
                begins += 2 if size == 126 else 8
                if end < begins:
                    break
                size = int.from_bytes(data[at + 2 : begins - 4], "big")
            is_usual = first == _USUAL and not self._opcode and data[at + 1] & _MASKED and size <= self._longest
            if not is_usual:
                self._check(first, data[at + 1], size)
            if end < begins + size:
                break
            payload = apply_mask(data[begins : begins + size], data[begins - 4 : begins])
            at = begins + size
            if is_usual:
                messages.append((TEXT, payload))
            else:
                messages += self._joined(first, payload)
        self._rest = data[at:]
        return messages

    def _check(self, first: int, second: int, size: int) -> None:
        """By the frame's head alone: what is forbidden is not waited for."""
        if not second & _MASKED:
            raise ProtocolViolation("unmasked", "a client masks its frames (RFC 6455, 5.1)")
        if first & _RESERVED or first & _OPCODE not in _KNOWN:
            raise ProtocolViolation("reserved", "no extension was agreed on (RFC 6455, 5.2)")
        if first & _OPCODE >= CLOSE and (size > _LONGEST_CONTROL or not first & _FIN):
            raise ProtocolViolation("bad_control", "control frames are short and whole (RFC 6455, 5.5)")
        if size + sum(map(len, self._fragments)) > self._longest:
            raise ProtocolViolation("oversize", f"a message of more than {self._longest} bytes")

    def _joined(self, first: int, payload: bytes) -> list[tuple[int, bytes]]:
        """A frame among fragments (RFC 6455, 5.4)."""
        opcode = first & _OPCODE
        if opcode >= CLOSE:
            return [(opcode, payload)]
        if (opcode == CONTINUATION) != (self._opcode != CONTINUATION):
            raise ProtocolViolation("bad_fragment", "a message ends before another begins (RFC 6455, 5.4)")
        self._opcode = self._opcode or opcode
        self._fragments.append(payload)
        if not first & _FIN:
            return []
        whole = (self._opcode, b"".join(self._fragments))
        self._opcode, self._fragments = CONTINUATION, []
        return [whole]


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole message in one frame; a server's are not masked."""
    size = len(payload)
    if size <= _LONGEST_CONTROL:
        return bytes((_FIN | opcode, size)) + payload
    if size < 1 << 16:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


def close_frame(code: int) -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big"))


def close_code(payload: bytes) -> int:
    """What a close frame gives as its reason; `NO_CODE` if nothing. A code of one byte is none."""
    return int.from_bytes(payload[:2], "big") if len(payload) >= 2 else NO_CODE
