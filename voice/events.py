"""What can happen to a conversation: facts, in the past tense, frozen.

Every event is small enough to be written to the journal and read back, because a call's log of `(now, event)` is a test.
The clock (`now`, monotonic seconds) travels beside an event, never inside it; `position` is media time: samples at 8 kHz
of caller audio since the media link opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, TypeAlias

import msgspec

CallId = NewType("CallId", str)
ReplyId = NewType("ReplyId", int)  # numbered from 1 within a call; 0 is nobody's reply
Samples = NewType("Samples", int)  # at 8 kHz

SAMPLE_RATE = 8000  # samples per second of everything a carrier sends or takes (G.711 mu-law, one byte each)


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it sounds: `start` and `end` in seconds from the start of the audio it came with."""

    text: str
    start: float
    end: float


class Direction(StrEnum):
    OUTBOUND = "outbound"
    INBOUND = "inbound"


class Party(StrEnum):
    """Who picked up, as far as the carrier's or our own detector knows."""

    HUMAN = "human"
    MACHINE = "machine"
    FAX = "fax"
    UNKNOWN = "unknown"


# --- from the leg -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MediaStarted:
    """The media link is open: from here on the other side can hear us."""


class VoiceEvidence(msgspec.Struct, frozen=True, gc=False):
    """What the detectors made of one window (32 ms, 256 samples) of caller audio. Thirty a second of every call: a dataclass
    takes six times as long to make.

    `position` is the media time of the window's end. `speech` is a probability (Silero), `level` the window's RMS in dBFS
    (0 is full scale, silence about -90). `echo` is the probability that the window is our own voice come back; `features`
    holds further detector outputs by name (prosody, direction), each explained where it is produced.
    """

    position: Samples
    speech: float
    level: float
    echo: float = 0.0
    features: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ToneHeard:
    """A steady single tone (a voicemail's beep, a fax's calling tone), reported when it ends."""

    position: Samples
    frequency: float  # Hz
    duration: float  # seconds


@dataclass(frozen=True, slots=True)
class KeyPressed:
    digit: str  # one of 0-9 * # A-D


class MarkReturned(msgspec.Struct, frozen=True, gc=False):
    """The carrier sent a mark back: its audio was played, or it was thrown away by a `clear`. The ledger knows which."""

    name: str


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The media link broke, and the carrier may yet open another for the same call."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkBack:
    """It has: nothing of what the broken one held will be heard."""


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The other side is gone: hung up, transferred away, or the media link broke. `reason` is for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class PartyDetected:
    """The carrier's answering machine detection, or ours, has an opinion about who picked up."""

    party: Party
    source: str


# --- from the ears ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Transcribed:
    """What the recogniser has. An interim replaces the interim before it; a final closes its stretch of audio.

    `text` may be empty in a final: the recogniser found no words. `stability` says how likely an interim's words are to
    stay. `end_of_turn` is set by vendors that judge turns themselves, `language` (BCP 47) by those that tell languages
    apart.
    """

    text: str
    is_final: bool
    confidence: float | None = None
    stability: float | None = None
    words: tuple[Word, ...] = ()
    end_of_turn: float | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class EarsFailed:
    """The recogniser, and every fallback of it, is gone for good: nothing more will be understood in this call."""

    reason: str


# --- from the mind ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The model wrote some more of a reply."""

    reply: ReplyId
    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model asks for a tool. `arguments` is JSON text as the model wrote it, not yet validated."""

    reply: ReplyId
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ReplyWritten:
    """The model has finished writing this reply. The token counts are the vendor's, where it tells: of `tokens_in`, so many
    were read from its cache."""

    reply: ReplyId
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """No (further) words will come for this reply: `reason` is a `ProviderError` code."""

    reply: ReplyId
    reason: str


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool ran (or was refused). `result` is text for the model; `ok` says whether the effect happened."""

    call: str
    ok: bool
    result: str


# --- from the mouth ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechArrived:
    """Some audio of one segment: mu-law 8 kHz. `words` are timed from the start of *this* audio; may be empty."""

    reply: ReplyId
    segment: int
    audio: bytes = field(repr=False)
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentSpoken:
    """All audio of this segment has arrived."""

    reply: ReplyId
    segment: int


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    reply: ReplyId
    segment: int
    reason: str


# --- from a supervisor or the house -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HangupRequested:
    """Somebody with the right to (a supervisor, a shutdown) wants this call ended."""

    reason: str


@dataclass(frozen=True, slots=True)
class SupervisorSays:
    """A supervisor wants the agent to say these words next, instead of words of the mind's."""

    text: str


@dataclass(frozen=True, slots=True)
class Whispered:
    """A supervisor tells the mind something that the caller does not hear: a hint for its next replies."""

    text: str


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """A supervisor wants the caller connected to `to` (`+1...` or `sip:...`)."""

    to: str


# --- from the clock ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The instant the core asked to be woken at has come."""


Event: TypeAlias = (
    MediaStarted
    | LinkLost
    | LinkBack
    | VoiceEvidence
    | ToneHeard
    | KeyPressed
    | MarkReturned
    | LegEnded
    | PartyDetected
    | Transcribed
    | EarsFailed
    | ReplyText
    | ToolCalled
    | ReplyWritten
    | ReplyFailed
    | ToolFinished
    | SpeechArrived
    | SegmentSpoken
    | SpeechFailed
    | HangupRequested
    | SupervisorSays
    | Whispered
    | TransferRequested
    | DeadlinePassed
)
