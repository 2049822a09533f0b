"""What a conversation needs from outside: ears, mind, mouth, a media link. Adapters fit by shape and import nothing here.

Contracts that hold for every adapter:
* all audio is mu-law, 8 kHz, mono, one byte a sample;
* no vendor exception leaves an adapter: only `ProviderError` and its children (voice/errors.py);
* nothing here blocks the event loop for more than a millisecond: inference lives in worker processes or threads;
* closing, or cancelling an iteration, stops the work at the far end too; closing twice is allowed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from context.briefing import Briefing
from voice.actions import Message
from voice.agent import AgentDefinition
from voice.events import Direction, ToneHeard, Transcribed, VoiceEvidence, Word

# --- ears -------------------------------------------------------------------------------------------------------------


class Transcriber(Protocol):
    """The ears of one call, opened while it rings."""

    def hear(self, audio: bytes) -> None:
        """Take caller audio (any length). Never blocks, never raises; what cannot be sent is buffered."""

    def finish_utterance(self) -> None:
        """Ask for the final of everything heard so far. A final `Transcribed` follows, empty if there were no words."""

    def expect(self, phrases: Sequence[str]) -> None:
        """A hint of what will be said next; adapters without hints ignore it."""

    def events(self) -> AsyncIterator[Transcribed]:
        """Interims and finals as they come, until `close`. Raises `ProviderError` when the ears fail for good."""

    async def close(self) -> None: ...


class SpeechToText(Protocol):
    name: str

    async def open(self, agent: AgentDefinition, briefing: Briefing) -> Transcriber:
        """Connect for one call. Raises `ProviderError`."""


class VoiceActivity(Protocol):
    """The detectors of one call; the models behind them are shared by all calls. They measure and decide nothing."""

    def begin(self, tell: Callable[[VoiceEvidence | ToneHeard], None]) -> None:
        """Hand what is found from now on to `tell`, in order and on the event loop: each window's (256 samples) evidence."""

    def feed(self, audio: bytes) -> None:
        """Take caller audio (any length, in order)."""

    def played(self, audio: bytes) -> None:
        """Take our own audio as it leaves for the caller's ear: what comes back of it is an echo."""

    def cleared(self) -> None:
        """What was sent and not yet heard was thrown away."""

    def end(self) -> None:
        """The call is over: nothing more is to be found out."""


# --- mind -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a reply may depend on. Built anew for every reply: the mind keeps no state of its own between turns."""

    agent: AgentDefinition
    briefing: Briefing
    direction: Direction
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """`arguments` is JSON text, complete."""

    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0


ModelOutput = TextDelta | ToolRequest | Usage


class LanguageModel(Protocol):
    name: str

    def reply(self, prompt: Prompt) -> AsyncIterator[ModelOutput]:
        """Stream one reply. `aclose()` on the iterator cancels it. Raises `ProviderError`."""


# --- mouth ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpokenAudio:
    """Some audio of a segment; `words` are timed from the start of this audio. Empty when the voice has no word times.

    `voice` is the provider's name, where one of several may have spoken it.
    """

    audio: bytes
    words: tuple[Word, ...] = ()
    voice: str = ""


class Speaker(Protocol):
    """The mouth of one call."""

    def speak(self, text: str) -> AsyncIterator[SpokenAudio]:
        """Stream one segment. `aclose()` stops the synthesis. Raises `ProviderError`."""

    async def close(self) -> None: ...


class TextToSpeech(Protocol):
    name: str

    async def open(self, agent: AgentDefinition) -> Speaker:
        """Connect for one call. Raises `ProviderError`."""


# --- the effects of tools ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    ok: bool
    result: str


class Toolbox(Protocol):
    """Runs a call's tools. The same `key` twice has one effect and the same outcome."""

    async def run(self, name: str, arguments: str, key: str) -> ToolOutcome: ...
