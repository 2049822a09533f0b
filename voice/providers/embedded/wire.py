"""What the engine and its worker processes say to each other: typed messages, each behind its length, on two pipes.

Every message belongs to a channel: a call's ears, or one text being spoken. Channel 0 is the worker itself.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
from queue import SimpleQueue
from typing import BinaryIO, Final, TypeAlias

import msgspec

from voice.agent import AgentDefinition
from voice.events import Word

LENGTH: Final = struct.Struct("<I")
LARGEST: Final = 64 * 1024 * 1024  # bytes: beyond this a length is garbage, not a message
ITSELF: Final = 0


class OpenEars(msgspec.Struct, frozen=True, tag=True):
    """Listen for one call of this agent. Answered by `Ready`."""

    channel: int
    agent: AgentDefinition


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """Make everything that calls of this agent will need. Answered by `Ready`."""

    channel: int
    agent: AgentDefinition


class Audio(msgspec.Struct, frozen=True, tag=True):
    """Mu-law 8 kHz: the caller's to the ears, the agent's from the mouth. `words` are timed from the start of `audio`."""

    channel: int
    audio: bytes
    words: tuple[Word, ...] = ()


class Finish(msgspec.Struct, frozen=True, tag=True):
    """Answered by a final `Heard`."""

    channel: int


class Expect(msgspec.Struct, frozen=True, tag=True):
    channel: int
    phrases: tuple[str, ...]


class Heard(msgspec.Struct, frozen=True, tag=True):
    channel: int
    text: str
    is_final: bool
    confidence: float = 0.0
    words: tuple[Word, ...] = ()


class Say(msgspec.Struct, frozen=True, tag=True):
    """Answered by `Audio` messages and `Ready`, or `Failed`."""

    channel: int
    text: str
    voice: str


class Close(msgspec.Struct, frozen=True, tag=True):
    """This channel is over: stop what is under way for it, and answer nothing more."""

    channel: int


class Ready(msgspec.Struct, frozen=True, tag=True):
    """What was asked for is there (ears), or all of it has been sent (a text)."""

    channel: int


class Failed(msgspec.Struct, frozen=True, tag=True):
    channel: int
    code: str
    message: str = ""


Message: TypeAlias = OpenEars | Prepare | Audio | Finish | Expect | Heard | Say | Close | Ready | Failed

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(Message)


def pack(message: Message) -> bytes:
    """A message as it goes into the pipe."""
    body = _ENCODER.encode(message)
    return LENGTH.pack(len(body)) + body


def unpack(body: bytes) -> Message:
    """The message of a body (without its length). Raises `msgspec.MsgspecError`."""
    return _DECODER.decode(body)


class Pipes:
    """The worker's end. Its standard output is kept for messages alone: what a library prints goes to standard error.

    The worker lives as long as its standard input: when the engine is gone, however it went, there is nothing to wait for.
    """

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to handle: it will close the pipe
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        with self._lock:
            try:
                self._out.write(pack(message))
                self._out.flush()
            except BrokenPipeError:
                os._exit(0)

    def read(self) -> Message | None:
        """The next message; None when the engine has gone."""
        head = sys.stdin.buffer.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack(head)
        body = sys.stdin.buffer.read(length)
        return unpack(body) if len(body) == length else None

    def inbox(self) -> SimpleQueue[Message | None]:
        """Messages read ahead by a thread, so that a new one can change what is being done."""
        queue: SimpleQueue[Message | None] = SimpleQueue()

        def read_all() -> None:
            while (message := self.read()) is not None:
                queue.put(message)
            queue.put(None)

        threading.Thread(target=read_all, name="inbox", daemon=True).start()
        return queue
