"""A world made of numbers for one conversation: carrier, mouth, mind, ears and a caller, in virtual time.

Deterministic: the same seed and script give the same call, event by event. Used by tests, by the seeded simulation that
hunts for broken invariants, and wherever hours of talk are wanted in seconds. No audio: only lengths, words and instants.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from voice.actions import (
    Action,
    ClearPlayout,
    Expect,
    FinishUtterance,
    Hangup,
    Message,
    Note,
    Play,
    RunTool,
    SetGain,
    SetLead,
    Speak,
    StartReply,
    StopReply,
    Transfer,
)
from voice.conversation import Conversation
from voice.events import (
    SAMPLE_RATE,
    DeadlinePassed,
    Event,
    LegEnded,
    LinkBack,
    LinkLost,
    MarkReturned,
    MediaStarted,
    ReplyFailed,
    ReplyId,
    ReplyText,
    ReplyWritten,
    Samples,
    SegmentSpoken,
    SpeechArrived,
    ToolCalled,
    ToolFinished,
    Transcribed,
    VoiceEvidence,
    Word,
)

FRAME: Final = 0.02  # seconds
WINDOW: Final = 256  # samples of one piece of evidence
SECONDS_PER_WORD: Final = 0.3


@dataclass(frozen=True, slots=True)
class Utterance:
    """The caller says `text` from `start` for `length` seconds of the call. An empty text is a sound without words."""

    start: float
    length: float
    text: str = ""
    level: float = -20.0  # dBFS


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call a scripted mind makes: name and JSON arguments."""

    name: str
    arguments: str = "{}"


Mind = Callable[[Sequence[Message]], Sequence["str | Call"]]


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from asking to getting, by part."""

    mind: float = 0.2
    mouth: float = 0.05
    interim: float = 0.05
    final: float = 0.06
    tool: float = 0.1
    mark: float = 0.01  # from the carrier to us
    order: float = 0.0  # from us to the carrier: audio, marks and `clear` alike
    gone: float = 0.05  # from our hang-up to the leg's end
    evidence: float = 0.0  # from a window's end to its evidence: detectors on a machine that is too busy


@dataclass(frozen=True, slots=True)
class Sound:
    """One word of ours, or the rest of one that was cut in two, as it sounds: instants of the call."""

    reply: ReplyId
    word: str
    start: float
    end: float


@dataclass(slots=True)
class Stretch:
    """Audio of ours without a break: where it lies in all that was ever queued, and when it sounds."""

    reply: ReplyId
    first: int  # samples
    last: int
    start: float
    is_cut: bool = False  # by a `clear`
    is_taken_up: bool = False  # after a wrong stop: from the beginning of a clause, or of a word


@dataclass(slots=True)
class World:
    """Everything around one `Conversation`. Add to `heap` with `at`, look at `log` afterwards."""

    conversation: Conversation
    utterances: Sequence[Utterance] = ()
    mind: Mind = lambda messages: ("Okay.",)
    delays: Delays = field(default_factory=Delays)
    hangs_up_at: float | None = None
    sounds: tuple[float, float] = (0.0, 0.0)  # from when to when music plays at the other end
    tool_succeeds: Callable[[RunTool], bool] = lambda order: True
    voice_fault: Callable[[Speak], str] = lambda order: ""  # mute | endless | untimed | backwards
    mangle: Callable[[float, Event], Sequence[tuple[float, Event]]] = lambda instant, event: ((instant, event),)
    broken: tuple[float, float] = (0.0, 0.0)  # from when to when there is no media link
    is_faulty: bool = False  # events are mangled: only the laws that hold in spite of it apply
    now: float = 0.0
    log: list[tuple[float, Event, list[Action]]] = field(default_factory=list)
    done: list[tuple[float, Action]] = field(default_factory=list)
    played: list[Sound] = field(default_factory=list)  # the agent's words as they sound at the caller's ear
    _heap: list[tuple[float, int, Event]] = field(default_factory=list)
    _count: int = 0
    _is_begun: bool = False
    _dry_at: float = 0.0
    _frames_from: float = 0.0  # when the carrier began to play without a break
    _marks: list[tuple[float, str]] = field(default_factory=list)
    _stopped: set[ReplyId] = field(default_factory=set)
    stretches: list[Stretch] = field(default_factory=list)
    _speech: dict[int, SpeechArrived] = field(default_factory=dict)  # by the identity of its audio: it may be played later
    _sent: set[int] = field(default_factory=set)  # those whose audio has been played
    _queued: int = 0  # the end of all audio ever played
    _words: dict[tuple[int, int], tuple[ReplyId, str]] = field(default_factory=dict)  # by first and last sample queued
    _texts: dict[tuple[ReplyId, int], list[str]] = field(default_factory=dict)  # the words of every segment
    _told: int = 0  # utterances whose words the ears have given

    def at(self, instant: float, event: Event) -> None:
        """Let `event` happen at `instant`."""
        self._count += 1
        heapq.heappush(self._heap, (instant, self._count, event))

    def breaks(self, instant: float, lasts: float) -> None:
        """Let the media link break: nothing comes in from it until the carrier opens another."""
        self.broken = (instant, instant + lasts)
        self.at(instant, LinkLost("dropped"))
        self.at(instant + lasts, LinkBack())

    def _later(self, delay: float, event: Event) -> None:
        """Something the world sends us: on its way it may be lost, doubled, or late."""
        for instant, mangled in self.mangle(self.now + delay, event):
            self.at(max(instant, self.now), mangled)

    def run(self, until: float = 120.0) -> World:
        """Run the call to its end, or on to `until`."""
        if not self._is_begun:
            self._begin()
        while self._heap and not self.conversation.ended:
            instant = self._heap[0][0]
            deadline = self.conversation.deadline
            is_due = deadline is not None and deadline < instant
            if is_due:
                assert deadline is not None
                instant = max(deadline, self.now)
            if instant > until:
                break
            event = DeadlinePassed() if is_due else heapq.heappop(self._heap)[2]
            self._happen(instant, event)
        return self

    def _begin(self) -> None:
        self._is_begun = True
        self.at(0.0, MediaStarted())
        if self.hangs_up_at is not None:
            self.at(self.hangs_up_at, LegEnded("hangup"))
        self._next_window(0)

    def _happen(self, instant: float, event: Event) -> None:
        self.now = max(self.now, instant)
        if isinstance(event, SpeechArrived):
            self._speech[id(event.audio)] = event
        if isinstance(event, VoiceEvidence) and self.broken[0] <= instant < self.broken[1]:
            self._next_window(event.position // WINDOW)
            return
        actions = self.conversation.handle(event, self.now)
        self.log.append((self.now, event, actions))
        if isinstance(event, VoiceEvidence):
            self._interims(event)
            self._next_window(event.position // WINDOW)
        for action in actions:
            self.done.append((self.now, action))
            self._perform(action)

    # --- the caller ---------------------------------------------------------------------------------------------------

    def _next_window(self, index: int) -> None:
        end = (index + 1) * WINDOW / SAMPLE_RATE
        voices = [said for said in self.utterances if said.start <= end - 0.016 < said.start + said.length]
        is_voice, level = bool(voices), max((said.level for said in voices), default=0.0)
        quiet = -30.0 + index % 8 if self.sounds[0] <= end < self.sounds[1] else -80.0
        position = Samples((index + 1) * WINDOW)
        evidence = VoiceEvidence(position, 0.95 if is_voice else 0.02, level if is_voice else quiet)
        self.at(end + self.delays.evidence, evidence)

    def _interims(self, event: VoiceEvidence) -> None:
        """An interim for every word, a little behind its end."""
        for said in self.utterances:
            if not said.start <= self.now < said.start + said.length + 2 * WINDOW / SAMPLE_RATE:
                continue  # nothing can fall due; and a storm asks this of every window
            words = said.text.split()
            for number in range(1, len(words) + 1):
                instant = said.start + said.length * number / len(words)
                if instant <= self.now < instant + WINDOW / SAMPLE_RATE and self._told <= self.utterances.index(said):
                    self._later(self.delays.interim, Transcribed(" ".join(words[:number]), is_final=False))

    def _final(self) -> None:
        """The words of every utterance begun since the last final."""
        begun = [said for said in self.utterances if said.start < self.now]
        text = " ".join(said.text for said in begun[self._told :] if said.text)
        self._told = len(begun)
        self._later(self.delays.final, Transcribed(text, is_final=True, confidence=0.9))

    # --- orders -------------------------------------------------------------------------------------------------------

    def _perform(self, action: Action) -> None:
        match action:
            case Speak():
                self._speak(action)
            case StartReply():
                self._write(action)
            case Play(audio, marks):
                self._play(audio, marks)
            case ClearPlayout():
                self._clear()
            case FinishUtterance():
                self._final()
            case RunTool(call, name):
                ok = self.tool_succeeds(action)
                self._later(self.delays.tool, ToolFinished(call, ok, f"{name} {'done' if ok else 'failed'}"))
            case Transfer():
                self.at(self.now + self.delays.order + self.delays.gone, LegEnded("transferred"))
            case Hangup():
                self.at(self.now + self.delays.order + self.delays.gone, LegEnded("hangup"))
            case StopReply(reply):
                self._stopped.add(reply)
            case Expect() | SetGain() | SetLead() | Note():
                pass
            case _:
                assert_never(action)

    def _speak(self, order: Speak) -> None:
        words = order.text.split()
        length = int(len(words) * SECONDS_PER_WORD * SAMPLE_RATE)
        timed = tuple(
            Word(word, number * SECONDS_PER_WORD, (number + 1) * SECONDS_PER_WORD) for number, word in enumerate(words)
        )
        self._texts[order.reply, order.segment] = words
        noise = 0
        match self.voice_fault(order):
            case "mute":
                length = 0
            case "endless":
                noise = 10 * 60 * SAMPLE_RATE
            case "untimed":
                timed = ()
            case "backwards":
                timed = tuple(
                    replace(word, start=at.start, end=at.end) for word, at in zip(timed, reversed(timed), strict=True)
                )
        delay = 0.0 if order.is_ready else self.delays.mouth
        if length:
            self._later(delay, SpeechArrived(order.reply, order.segment, b"\x00" * length, timed))
        for _ in range(0, noise, 10 * SAMPLE_RATE):
            self._later(delay, SpeechArrived(order.reply, order.segment, b"\x01" * 10 * SAMPLE_RATE))
        self._later(delay, SegmentSpoken(order.reply, order.segment))

    def _write(self, order: StartReply) -> None:
        instant = self.now + self.delays.mind
        for number, output in enumerate(self.mind(order.messages)):
            match output:
                case Call(name, arguments):
                    self.at(instant, ToolCalled(order.reply, f"{order.reply}-{number}", name, arguments))
                case "!":
                    self.at(instant, ReplyFailed(order.reply, "unreachable"))
                    return
                case str():
                    self.at(instant, ReplyText(order.reply, output))
        self.at(instant, ReplyWritten(order.reply))

    # --- the carrier --------------------------------------------------------------------------------------------------

    def _play(self, audio: bytes, marks: tuple[tuple[int, str], ...]) -> None:
        start = max(self.now + self.delays.order, self._dry_at)
        if start > self._dry_at:
            self._frames_from = start
        self._dry_at = start + len(audio) / SAMPLE_RATE
        for offset, name in marks:
            instant = start + offset / SAMPLE_RATE
            self._marks.append((instant, name))
            self._later(instant - self.now + self.delays.mark, MarkReturned(name))
        if audio:
            self._sound(audio, marks, start)

    def _sound(self, audio: bytes, marks: tuple[tuple[int, str], ...], start: float) -> None:
        """Audio of a voice, or audio that was queued before and is sent again: its marks tell where it belongs."""
        offset, name = marks[-1]
        reply, position, *_ = (int(part) for part in name.split("/"))
        first = position - offset
        event = self._speech.get(id(audio))
        if event is not None and event.reply == reply:
            self._learn(event, first)
        elif position > self._queued:  # what came while we paused is sent together with what was cut
            for waiting in [
                each for each in self._speech.values() if each.reply == reply and id(each.audio) not in self._sent
            ]:
                self._learn(waiting, self._queued)
        self._queued = max(self._queued, position)
        is_taken_up = any(isinstance(a, Note) and a.text.startswith("going on where") for _, a in self.done[-4:])
        self.stretches.append(Stretch(ReplyId(reply), first, position, start, is_taken_up=is_taken_up))
        for (began, ended), (number, text) in self._words.items():
            if began < position and ended > first:
                sounds = start + (max(began, first) - first) / SAMPLE_RATE
                self.played.append(Sound(number, text, sounds, start + (ended - first) / SAMPLE_RATE))

    def _learn(self, event: SpeechArrived, first: int) -> None:
        """Where the words of a segment lie, whose audio is played for the first time from `first` on."""
        self._sent.add(id(event.audio))
        self._queued = max(self._queued, first + len(event.audio))
        if event.audio.startswith(b"\x01"):
            return
        for number, word in enumerate(self._texts[event.reply, event.segment]):
            begins, ends = (round(count * SECONDS_PER_WORD * SAMPLE_RATE) for count in (number, number + 1))
            self._words[first + begins, first + ends] = (event.reply, word)

    def _clear(self) -> None:
        """The trap: every pending mark comes back at once, though its audio was thrown away."""
        instant = self._frame_end(self.now + self.delays.order)
        self._dry_at = instant
        self.played = [sound for sound in self.played if sound.end <= instant + 1e-6]
        for stretch in self.stretches:
            stretch.is_cut |= stretch.start + (stretch.last - stretch.first) / SAMPLE_RATE > instant
            stretch.last = min(stretch.last, stretch.first + max(0, int((instant - stretch.start) * SAMPLE_RATE)))
        pending = [name for returns, name in self._marks if returns > instant]
        self._marks.clear()
        gone = set(pending)
        self._heap = [entry for entry in self._heap if not (isinstance(entry[2], MarkReturned) and entry[2].name in gone)]
        heapq.heapify(self._heap)
        for name in pending:
            self.at(instant + self.delays.mark, MarkReturned(name))

    def _frame_end(self, instant: float) -> float:
        """A carrier plays in frames of 20 ms, and one it has begun it ends."""
        if instant >= self._dry_at:
            return instant
        began = self._frames_from
        return began + math.ceil((instant - began) / FRAME - 1e-6) * FRAME

    # --- looking at it ------------------------------------------------------------------------------------------------

    def orders(self, kind: type[Action]) -> list[tuple[float, Action]]:
        """Every action of a kind, with when it was ordered."""
        return [(instant, action) for instant, action in self.done if isinstance(action, kind)]
