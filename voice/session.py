"""The shell of one answered call: carries events to the conversation and its actions out to the world.

No rule of talking lives here. Every source (leg, ears, mind, mouth, tools, clock) only *posts* events; `_perform` starts
things and never waits for their results, which come back as events. One exception handler stands around the whole call:
an error of ours ends that call and never the process.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Protocol, TypeAlias, assert_never

import structlog

from context.briefing import Briefing
from telephony.leg import AudioReceived, KeyReceived, LegEvent, LegStopped, MarkReceived, MediaLink
from voice.actions import (
    Action,
    ClearPlayout,
    Expect,
    FinishUtterance,
    Hangup,
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
from voice.alarm import Alarm
from voice.conversation import Conversation
from voice.course import Phase
from voice.errors import ProviderError
from voice.events import (
    DeadlinePassed,
    EarsFailed,
    Event,
    HangupRequested,
    KeyPressed,
    LegEnded,
    LinkBack,
    LinkLost,
    MarkReturned,
    MediaStarted,
    ReplyFailed,
    ReplyId,
    ReplyText,
    ReplyWritten,
    SegmentSpoken,
    SpeechArrived,
    SpeechFailed,
    ToolCalled,
    ToolFinished,
)
from voice.journal import JournalWriter
from voice.outlet import Outlet
from voice.ports import (
    LanguageModel,
    Prompt,
    Speaker,
    SpokenAudio,
    TextDelta,
    Toolbox,
    ToolRequest,
    Transcriber,
    Usage,
    VoiceActivity,
)
from voice.pricing.consumption import bill_for
from voice.pricing.thrift import Thrift
from voice.report import CallReport, Ending
from voice.wheel import Wheel

LAST_WORDS: Final = 0.5  # seconds for the ears' final words after the leg has ended: an opt-out may be among them
MOST_LINKS: Final = 4  # of one call: a line that breaks every few seconds is none
_BROKEN: Final = ("dropped", "violation")  # how a link ends that nobody has ended
TOOLS_AFTER: Final = 10.0  # seconds for tools still running when the call is over

# Not a coroutine: one that is cancelled before its first step would never have been awaited.
Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

log = structlog.get_logger()


class LegControl(Protocol):
    """What can be done to the leg beside talking on it."""

    async def transfer(self, to: str) -> str:
        """Hand the leg to `to`. Empty when the carrier took it; else why not, in words."""


class Observer(Protocol):
    """Watches a call while it is live."""

    def note(self, note: Note) -> None: ...


@dataclass(frozen=True, slots=True)
class Providers:
    """The parts of one call, open."""

    ears: Transcriber
    activity: VoiceActivity
    mind: LanguageModel
    mouth: Speaker
    ready: Mapping[str, Sequence[SpokenAudio]] = field(default_factory=dict)  # words in between, spoken ahead of time


class Session:
    """Runs one call from its first frame to its report."""

    def __init__(
        self,
        conversation: Conversation,
        link: MediaLink,
        providers: Providers,
        briefing: Briefing,
        toolbox: Toolbox,
        leg: LegControl,
        wheel: Wheel,
        journal: JournalWriter,
        observer: Observer,
        clock: Callable[[], float] = time.monotonic,
        thrift: Thrift | None = None,
        *,
        may_rejoin: bool = False,
    ) -> None:
        self._may_rejoin = may_rejoin  # whether the carrier opens another link when one breaks
        self._links = 1
        self._thrift = thrift or Thrift()
        self.conversation = conversation
        self._link = link
        self._parts = providers
        self._briefing = briefing
        self._toolbox = toolbox
        self._leg = leg
        self._journal = journal
        self._observer = observer
        self._clock = clock
        self._outlet = Outlet(link, providers.activity, wheel, clock)
        self._alarm = Alarm(partial(self.post, DeadlinePassed()), clock)
        self._inbox: deque[Event] = deque()
        self._is_draining = False
        self._is_failed = False
        self._over = asyncio.Event()
        self._stopped_by = "closed"
        self._orders: asyncio.Queue[Speak] = asyncio.Queue()
        self._writing: dict[ReplyId, asyncio.Task[None]] = {}
        self._speaking: tuple[ReplyId, asyncio.Task[None]] | None = None
        self._stopped: set[ReplyId] = set()
        self._heard = asyncio.Event()
        self._effects: set[asyncio.Task[None]] = set()

    @property
    def underruns(self) -> int:
        """How often the carrier's buffer ran dry in the middle of our speech."""
        return self._outlet.pacer.underruns

    @property
    def may_rejoin(self) -> bool:
        """Whether another media link for this call would be talked on."""
        is_talking = self.conversation.phase in (Phase.TALKING, Phase.MACHINE) and not self._over.is_set()
        return self._may_rejoin and is_talking and self._links < MOST_LINKS

    async def run(self) -> CallReport:
        """Talk until the call is over. Never raises for anything that happens inside the call."""
        sources = [
            asyncio.create_task(self._guard(source)) for source in (self._read_leg, self._read_ears, self._speak_in_order)
        ]
        try:
            self.post(MediaStarted())
            self._parts.activity.begin(self.post)
            await self._over.wait()
        finally:
            await self._wind_up(sources)
        report = self.conversation.report()
        return replace(report, ending=Ending.TROUBLE, detail="internal error") if self._is_failed else report

    async def rejoin(self, link: MediaLink) -> None:
        """Talk on another media link, to its end: the carrier has opened it because the one before broke, which it may have
        known before us. Only where `may_rejoin`."""
        self._links += 1
        before, self._link = self._link, link
        self._outlet.link = link
        await before.close()
        self.post(LinkLost("replaced"))
        self.post(LinkBack())
        await self._guard(self._read_leg)

    def leg_gone(self, reason: str) -> None:
        """The carrier says that the call has ended: it will open no other link."""
        if self.conversation.is_cut_off:
            self.post(LegEnded(reason))

    def hang_up(self, reason: str) -> None:
        """A supervisor, or a shutdown, ends the call."""
        self.post(HangupRequested(reason))

    # --- one inbox, one reader ----------------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Hand an event to the core and carry out what it orders; what that causes at once waits its turn."""
        if self._is_draining or self._over.is_set():
            self._inbox.append(event)
            return
        self._is_draining = True
        try:
            self._handle(event)
            while self._inbox:
                self._handle(self._inbox.popleft())
        except Exception:
            log.exception("call_failed", call=self.conversation.call)
            self._is_failed = True
            self._over.set()
        finally:
            self._is_draining = False
        if self.conversation.ended:
            self._over.set()
        self._alarm.set(None if self._over.is_set() else self.conversation.deadline)

    def _handle(self, event: Event) -> None:
        now = self._clock()
        actions = self.conversation.handle(event, now)
        self._journal.write(now, event, actions)
        for action in actions:
            self._perform(action)

    # --- orders -------------------------------------------------------------------------------------------------------

    def _perform(self, action: Action) -> None:
        match action:
            case Play(audio, marks):
                self._outlet.say(audio, marks)
            case Speak(is_ready=True):
                self._say_ready(action)
            case Speak():
                self._orders.put_nowait(action)
            case StartReply(reply, speculative=True) if not self._thrift.may_prepare(self._clock()):
                self.post(ReplyFailed(reply, "speculation_budget"))
            case StartReply(reply):
                self._writing[reply] = self._start(partial(self._write, action))
            case StopReply(reply, wasted):
                self._thrift.waste(wasted, self._clock())
                self._stop(reply)
            case ClearPlayout():
                self._outlet.clear()
            case SetGain(gain):
                self._outlet.pacer.set_gain(gain)
            case SetLead(seconds):
                self._outlet.pacer.lead = seconds
            case FinishUtterance():
                self._parts.ears.finish_utterance()
            case Expect(phrases):
                self._parts.ears.expect(phrases)
            case RunTool():
                self._effects.add(self._start(partial(self._run_tool, action)))
            case Transfer():
                self._effects.add(self._start(partial(self._transfer, action)))
            case Hangup():
                self._effects.add(self._start(self._link.close))
            case Note():
                self._observer.note(action)
            case _:
                assert_never(action)

    def _start(self, work: Work) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guard(work))
        task.add_done_callback(self._effects.discard)
        return task

    async def _guard(self, work: Work) -> None:
        try:
            await work()
        except Exception:
            log.exception("call_failed", call=self.conversation.call)
            self.post(HangupRequested("internal error"))

    def _stop(self, reply: ReplyId) -> None:
        self._stopped.add(reply)
        writing = self._writing.pop(reply, None)
        if writing is not None:
            writing.cancel()
        if self._speaking is not None and self._speaking[0] == reply:
            self._speaking[1].cancel()

    # --- sources ------------------------------------------------------------------------------------------------------

    async def _read_leg(self) -> None:
        link = self._link
        await link.listen(self._take)
        if link is not self._link:
            return  # another has taken its place
        if self._stopped_by in _BROKEN and self.may_rejoin:
            self.post(LinkLost(self._stopped_by))
            return
        await self._last_words()
        self.post(LegEnded(self._stopped_by))

    def _take(self, event: LegEvent) -> None:
        match event:
            case AudioReceived():
                self._parts.ears.hear(event.audio)
                self._parts.activity.feed(event.audio)
            case MarkReceived(name):
                self.post(MarkReturned(name))
            case KeyReceived(digit):
                self.post(KeyPressed(digit))
            case LegStopped(reason):
                self._stopped_by = reason

    async def _last_words(self) -> None:
        """What the caller said while hanging up counts; the ears get a moment to tell it."""
        if self.conversation.ended or not self.conversation.is_hearing:
            return
        self._parts.ears.finish_utterance()
        deadline = self._clock() + LAST_WORDS
        while self.conversation.is_hearing and self._clock() < deadline:
            self._heard.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), deadline - self._clock())

    async def _read_ears(self) -> None:
        try:
            async for words in self._parts.ears.events():
                self.post(words)
                self._heard.set()
        except ProviderError as error:
            log.warning("ears_failed", call=self.conversation.call, error=str(error))
            self.post(EarsFailed(error.code))

    async def _write(self, order: StartReply) -> None:
        """Let the mind write one reply."""
        with bill_for(order.reply):
            await self._let_write(order)

    async def _let_write(self, order: StartReply) -> None:
        prompt = Prompt(self.conversation.agent, self._briefing, self.conversation.direction, order.messages)
        usage = Usage()
        try:
            async for output in self._parts.mind.reply(prompt):
                match output:
                    case TextDelta(text):
                        self.post(ReplyText(order.reply, text))
                    case ToolRequest(call, name, arguments):
                        self.post(ToolCalled(order.reply, call, name, arguments))
                    case Usage():
                        usage = output
        except ProviderError as error:
            log.warning("mind_failed", call=self.conversation.call, error=str(error))
            self.post(ReplyFailed(order.reply, error.code))
            return
        self.post(ReplyWritten(order.reply, usage.tokens_in, usage.tokens_out, usage.tokens_cached))

    async def _speak_in_order(self) -> None:
        """One mouth, one segment at a time; a stopped reply's segments are passed over."""
        while True:
            order = await self._orders.get()
            if order.reply in self._stopped:
                continue
            task = asyncio.create_task(self._guard(partial(self._speak, order)))
            self._speaking = (order.reply, task)
            await asyncio.wait([task])  # others may cancel it: that is not a cancellation of ours
            self._speaking = None

    def _say_ready(self, order: Speak) -> None:
        """A word that was spoken ahead of time, at once: what the mouth is making comes after it."""
        for piece in self._parts.ready.get(order.text, ()):
            self.post(SpeechArrived(order.reply, order.segment, piece.audio, piece.words))
        self.post(SegmentSpoken(order.reply, order.segment))

    async def _speak(self, order: Speak) -> None:
        with bill_for(order.reply):
            await self._let_speak(order)

    async def _let_speak(self, order: Speak) -> None:
        try:
            async for piece in self._parts.mouth.speak(order.text):
                self.post(SpeechArrived(order.reply, order.segment, piece.audio, piece.words))
        except ProviderError as error:
            log.warning("mouth_failed", call=self.conversation.call, error=str(error))
            self.post(SpeechFailed(order.reply, order.segment, error.code))
            return
        self.post(SegmentSpoken(order.reply, order.segment))

    async def _run_tool(self, order: RunTool) -> None:
        outcome = await self._toolbox.run(order.name, order.arguments, order.key)
        self.post(ToolFinished(order.call, outcome.ok, outcome.result))

    async def _transfer(self, order: Transfer) -> None:
        refusal = await self._leg.transfer(order.to)
        if refusal:
            self.post(ToolFinished(order.call, False, refusal))

    # --- the end ------------------------------------------------------------------------------------------------------

    async def _wind_up(self, sources: list[asyncio.Task[None]]) -> None:
        self._alarm.close()
        self._outlet.close()
        self._parts.activity.end()
        talking = [*sources, *self._writing.values(), *([self._speaking[1]] if self._speaking else [])]
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        if self._effects:
            _, late = await asyncio.wait(self._effects, timeout=TOOLS_AFTER)
            for task in late:
                log.error("tool_never_finished", call=self.conversation.call)
                task.cancel()
        await asyncio.gather(self._parts.ears.close(), self._parts.mouth.close(), self._link.close(), return_exceptions=True)
        self._journal.close()
