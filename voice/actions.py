"""All that a conversation can ever do to the world: orders, in the imperative, frozen.

The core returns these; `session.py` carries them out and posts what comes of them back as events. Whoever reads this page
knows everything a call can cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from voice.events import ReplyId, Word


@dataclass(frozen=True, slots=True)
class Expect:
    """Tell the ears what is likely to be said next (a hint: words and phrases), because of what was just asked."""

    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FinishUtterance:
    """Ask the ears for their final words on what they have heard so far. Answered by a final `Transcribed`."""


@dataclass(frozen=True, slots=True)
class StartReply:
    """Ask the mind for a reply. The session builds the prompt from `messages` and the briefing.

    Answered by `ReplyText`, `ToolCalled`, `ReplyWritten` or `ReplyFailed`, all carrying `reply`.
    """

    reply: ReplyId
    messages: tuple[Message, ...]
    speculative: bool = False


@dataclass(frozen=True, slots=True)
class StopReply:
    """The mind need not go on with this reply, nor the mouth. Late events of it will be ignored.

    `wasted`: it was prepared in advance, and so many tokens were read and written for it in vain (the vendor's count where
    it was finished, else four letters a token).
    """

    reply: ReplyId
    wasted: int = 0


@dataclass(frozen=True, slots=True)
class Speak:
    """Synthesise one segment. Answered by `SpeechArrived` and `SegmentSpoken`, or `SpeechFailed`.

    Segments of a reply are synthesised in order. `is_protected`: legal text, not to be interrupted away. `is_ready`: a word
    in between that was spoken ahead of time and is wanted now, whatever the mouth is making; not at all where it was not.
    """

    reply: ReplyId
    segment: int
    text: str
    is_protected: bool = False
    is_ready: bool = False


@dataclass(frozen=True, slots=True)
class Play:
    """Queue audio (mu-law 8 kHz) for the caller; each `(offset in samples, mark name)` is sent when the audio before that
    offset has been sent."""

    audio: bytes = field(repr=False)
    marks: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SetGain:
    """Play what is sent from now on at this gain (1.0 full voice, 0.3 ducked): first evidence of a barge-in. What the
    carrier holds already is, where that would be audible, cleared and sent again."""

    gain: float


@dataclass(frozen=True, slots=True)
class ClearPlayout:
    """Drop what is queued here and at the carrier: the caller has the floor, or the same is sent again in another voice."""


@dataclass(frozen=True, slots=True)
class SetLead:
    """Send audio so many seconds ahead of the ear from now on: a calm line needs less, a stalling one more."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RunTool:
    """Make something happen in the world. `key` is the same for the same intended effect, however often it is asked.

    Answered by `ToolFinished`.
    """

    call: str
    name: str
    arguments: str
    key: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the leg to somebody else (`+1...` or `sip:...`), now. Done, the leg leaves us (`LegEnded`);
    refused, `ToolFinished` says so for `call`."""

    call: str
    to: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""

    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth showing to people while the call is live (transcript line, decision and why). No effect on the call.

    `kind`: caller_interim | caller | agent | decision | tool | party.
    """

    kind: str
    text: str
    detail: tuple[tuple[str, str], ...] = ()


Action: TypeAlias = (
    Expect
    | FinishUtterance
    | StartReply
    | StopReply
    | Speak
    | Play
    | SetGain
    | SetLead
    | ClearPlayout
    | RunTool
    | Transfer
    | Hangup
    | Note
)


# --- what the mind is told: the memory of the call ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """One caller turn, in the recogniser's words (empty: there was speech but no words were understood)."""

    text: str


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """One agent turn: what the caller *heard* of it. `is_cut` if the caller took the floor before its end."""

    text: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool the model called and what came of it (`result` None while it still runs)."""

    call: str
    name: str
    arguments: str
    result: str | None
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact of the call that nobody said: the caller is silent, pressed a key, a machine picked up."""

    what: str  # silence | key:9 | machine


Message: TypeAlias = CallerSaid | AgentSaid | ToolUsed | Happened

__all__ = ["Action", "Message", "Word"]
