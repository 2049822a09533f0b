"""The conversation: what is said, stopped, remembered and done, and when. The pure core of a call.

One way in, `handle(event, now)`, and one way out, the actions it returns. Two small machines live beside it and are coupled
here: `Floor` (who holds the floor) and `Playout` (what was heard). Whatever can be stale carries its reply's number and
falls through when that reply is no longer the live one: a superseded reply never speaks, hangs up, transfers or writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum, auto
from typing import assert_never

from voice.actions import (
    Action,
    CallerSaid,
    ClearPlayout,
    Expect,
    FinishUtterance,
    Hangup,
    Message,
    Note,
    Play,
    RunTool,
    SetGain,
    Speak,
    StartReply,
    StopReply,
    Transfer,
)
from voice.agent import AgentDefinition, VoicemailAction
from voice.draft import Draft, FromMind, FromMouth
from voice.events import (
    CallId,
    DeadlinePassed,
    Direction,
    EarsFailed,
    Event,
    HangupRequested,
    KeyPressed,
    LegEnded,
    MarkReturned,
    MediaStarted,
    Party,
    PartyDetected,
    ReplyFailed,
    ReplyId,
    ReplyText,
    ReplyWritten,
    SegmentSpoken,
    SpeechArrived,
    SpeechFailed,
    SupervisorSays,
    ToneHeard,
    ToolCalled,
    ToolFinished,
    Transcribed,
    TransferRequested,
    VoiceEvidence,
    Whispered,
)
from voice.expectation import expectation_of
from voice.floor import (
    Agent,
    Caller,
    CallerPaused,
    CallerStarted,
    DoubtRaised,
    DoubtSettled,
    Floor,
    FloorChange,
    FloorTaken,
    TurnOver,
)
from voice.machine import is_voicemail_greeting
from voice.memory import Memory
from voice.phrases import is_backchannel, is_opt_out, trails_off
from voice.playout import Playout
from voice.policy import Policy
from voice.reply import Leave, LeaveByHangup, LeaveByTransfer, Reply
from voice.report import CallReport, Ending, Line
from voice.tools import BookAppointment, EndCall, OptOut, Remember, SaveAnswer, TransferCall, parse_arguments
from voice.turn import CallerTurn
from voice.waits import Wait, Waits

OPT_OUT_KEY = "9"  # what the openings offer; 47 CFR 64.1200(b)(3): an automated opt-out by voice or key


class Phase(Enum):
    RINGING = auto()  # no media yet
    TALKING = auto()
    MACHINE = auto()  # a machine picked up: waiting for its beep, or leaving a message
    LEAVING = auto()  # the last order (hang up, transfer) is given
    ENDED = auto()


class Conversation:
    """Feed it events with the time they happened at; carry out what it returns; wake it at `deadline`."""

    def __init__(
        self, call: CallId, agent: AgentDefinition, direction: Direction, opening: str, policy: Policy | None = None
    ) -> None:
        self.call = call
        self.agent = agent
        self.direction = direction
        self.opening = opening
        self.policy = policy or Policy()
        self.floor = Floor(self.policy.floor)
        self.playout = Playout()
        self.phase = Phase.RINGING
        self.ending: Ending | None = None
        self.party = Party.UNKNOWN
        self.memory = Memory(call)
        self._now = 0.0
        self._waits = Waits()
        self._turn = CallerTurn()
        self._answering: CallerTurn | None = None  # the turn that the live, still inaudible reply answers
        self._reply: Reply | None = None
        self._draft: Draft | None = None
        self._drafts = 0  # begun in this turn
        self._replies = 0
        self._dictated: list[str] = []  # a supervisor's words, to be said as soon as we may speak
        self._hand_to = ""  # whom a supervisor wants the caller connected to, as soon as we may speak
        self._silences = 0
        self._continuations = 0
        self._stale_until = 0.0  # a final that comes before this belongs to a turn already answered
        self._is_ducked = False
        self._is_opened = False
        self._fillers = 0
        self._speculated, self._wasted = 0, 0
        self._detail = ""
        self._transferred_to = ""

    # --- the way in and the way out -----------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When the core wants a `DeadlinePassed`; None for never."""
        return self._waits.deadline

    @property
    def waits(self) -> Mapping[Wait, float]:
        """What is waited for, and until when: what `deadline` is the earliest of."""
        return self._waits.instants

    @property
    def messages(self) -> list[Message]:
        """What the mind is told of this call so far."""
        return self.memory.messages

    @property
    def transcript(self) -> list[Line]:
        return self.memory.transcript

    @property
    def ended(self) -> bool:
        return self.phase is Phase.ENDED

    @property
    def is_hearing(self) -> bool:
        """Whether the caller is speaking, or final words of theirs are still to come."""
        return self.floor.caller is Caller.SPEAKING or self._turn.is_waiting or bool(self._turn.interim)

    def report(self) -> CallReport:
        started = self.memory.began
        return CallReport(
            call=self.call,
            ending=self.ending or Ending.CALLER_LEFT,
            detail=self._detail,
            transcript=tuple(self.transcript),
            messages=tuple(self.messages),
            party=self.party,
            transferred_to=self._transferred_to,
            duration=self._now - started if started is not None else 0.0,
            speculated=self._speculated,
            wasted=self._wasted,
        )

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take one event; return everything that must now be done, in order."""
        self._now = now
        if self.phase is Phase.ENDED:
            return []
        actions = self._happened(event)
        if self._draft is not None and (self._reply is not None or self.phase is not Phase.TALKING):
            actions += self._drop_draft("something else is said")
        return actions

    def _happened(self, event: Event) -> list[Action]:
        match event:
            case VoiceEvidence():
                return self._evidence(event)
            case MarkReturned(name):
                return self._mark_returned(name)
            case Transcribed():
                return self._transcribed(event)
            case SpeechArrived() | SegmentSpoken() | SpeechFailed():
                return self._from_mouth(event)
            case ReplyText() | ReplyWritten() | ReplyFailed() | ToolCalled():
                return self._from_mind(event)
            case ToolFinished():
                return self._tool_finished(event)
            case DeadlinePassed():
                return self._deadline_passed()
            case MediaStarted():
                return self._media_started()
            case KeyPressed(digit):
                return self._key_pressed(digit)
            case ToneHeard():
                return self._leave_message("the beep")
            case PartyDetected(party, source):
                return self._party_detected(party, source)
            case LegEnded(reason):
                return self._leg_ended(reason)
            case EarsFailed(reason):
                return self._trouble(reason) if self.phase is Phase.TALKING else []
            case HangupRequested(reason):
                return self._leave_now(Ending.STOPPED, reason)
            case SupervisorSays(text):
                return self._supervisor_says(text)
            case Whispered(text):
                return self._whispered(text)
            case TransferRequested(to):
                return self._transfer_requested(to)
            case _:
                assert_never(event)

    def _media_started(self) -> list[Action]:
        if self.phase is not Phase.RINGING:
            return []
        self.phase = Phase.TALKING
        self.memory.began = self._now
        manners = self.agent.manners
        self._waits.set(Wait.LONGEST, self._now + manners.longest_call)
        if self.direction is Direction.OUTBOUND and manners.hello_within > 0:
            self._waits.set(Wait.HELLO, self._now + manners.hello_within)
            return []
        return self._open()

    def _open(self) -> list[Action]:
        """Say who we are. 47 CFR 64.1200(a)(7)(ii): within two seconds of the end of the callee's greeting."""
        self._is_opened = True
        self._waits.drop(Wait.HELLO)
        return self._say(self.opening, is_protected=True, is_opening=True)

    # --- the floor ----------------------------------------------------------------------------------------------------

    def _evidence(self, event: VoiceEvidence) -> list[Action]:
        changes = self.floor.evidence(event)
        if self.phase is Phase.TALKING:
            return self._on_floor(changes)
        if self.phase is Phase.MACHINE and self.floor.silence >= self.policy.machine_silence:
            return self._leave_message("silence after the greeting")
        return []

    def _on_floor(self, changes: list[FloorChange]) -> list[Action]:
        actions: list[Action] = []
        for change in changes:
            match change:
                case CallerStarted():
                    actions += self._caller_started()
                case CallerPaused():
                    actions += [*self._finish_utterance(), *self._speculate()]
                case TurnOver(why):
                    actions += self._turn_over(why)
                case DoubtRaised():
                    self._is_ducked = True
                    actions.append(SetGain(self.policy.duck_gain))
                case DoubtSettled(why):
                    actions += [*self._unduck(), *self._finish_utterance()]
                    actions.append(Note("decision", f"not an interruption: {why}"))
                case FloorTaken(why, after):
                    actions += self._floor_taken(why, after)
                case _:
                    assert_never(change)
        return actions

    def _caller_started(self) -> list[Action]:
        """The caller speaks while we are silent. A reply that is not audible yet answers only half a turn: start over."""
        self._waits.drop(Wait.SILENCE, Wait.FINAL, Wait.HELLO)
        self._turn.is_over = False
        self._turn.begins(self._now)
        reply = self._reply
        if reply is None or reply.audible_at is not None or reply.is_protected:
            return []
        if self._answering is not None and self.memory.take_back(self._answering.text):
            self._turn.continues(self._answering)
        return self._stop_reply(reply)

    def _floor_taken(self, why: str, after: float) -> list[Action]:
        """Barge-in: what is queued is thrown away, the memory keeps what was heard, the caller is listened to."""
        self._waits.drop(Wait.SILENCE)
        self._turn.begins(self._now)
        actions: list[Action] = [Note("decision", f"the caller takes the floor: {why}", (("after", f"{after:.3f}"),))]
        return actions + (self._stop_reply(self._reply) if self._reply is not None else [])

    def _finish_utterance(self) -> list[Action]:
        if self._turn.is_waiting:
            return []
        self._turn.is_waiting = True
        return [FinishUtterance()]

    def _turn_over(self, why: str) -> list[Action]:
        turn = self._turn
        turn.ended_at = self._now - self.floor.silence
        turn.why = why
        if turn.is_waiting:
            turn.is_over = True
            self._waits.set(Wait.FINAL, self._now + self.policy.final_within)
            return []
        return self._close_turn()

    def _close_turn(self) -> list[Action]:
        """The caller's turn is over and its words are in: answer it."""
        self._waits.drop(Wait.FINAL)
        turn, text = self._turn, self._turn.text
        self._turn = CallerTurn()
        self._drafts = 0
        started = turn.started_at if turn.started_at is not None else turn.ended_at
        if not text and turn.ended_at - started < self.policy.shortest_turn:
            note = Note("decision", "a sound without words: nobody's turn")
            return [note, *(self._listen() if self._is_opened else self._open())]
        self._silences = 0
        self._continuations = 0
        self.memory.caller_said(text, started, turn.ended_at, turn.confidence)
        actions: list[Action] = [Note("caller", text), Note("decision", f"turn over: {turn.why}")]
        if is_opt_out(text):
            return actions + self._opt_out(text)
        if self._reply is not None and self._reply.is_protected:
            return actions  # what is being said is not given up for an answer: it is the law's text, or our last words
        if self._reply is not None:
            actions += self._stop_reply(self._reply)
        if self._has_orders:
            return actions + self._obey()
        if not self._is_opened:
            return actions + self._open()
        self._answering = turn
        if self._draft is not None and self._draft.answers(text):
            return actions + self._commit(self._draft)
        return actions + self._drop_draft("the words were others") + self._start_reply()

    def _unduck(self) -> list[Action]:
        if not self._is_ducked:
            return []
        self._is_ducked = False
        return [SetGain(1.0)]

    def _listen(self) -> list[Action]:
        """It is the caller's move: from now on silence counts."""
        if self._reply is None and self.floor.caller is Caller.QUIET and not self._turn.is_over:
            if self._has_orders:
                return self._obey()
            self._waits.set(Wait.SILENCE, self._now + self.agent.manners.silence_after)
        return []

    # --- the ears -----------------------------------------------------------------------------------------------------

    def _transcribed(self, event: Transcribed) -> list[Action]:
        if self.phase is not Phase.TALKING:
            return []
        if event.is_final and self._now < self._stale_until:
            self._stale_until = 0.0
            return []
        self._turn.hears(event, self._now)
        actions: list[Action] = []
        if event.text and not event.is_final:
            actions.append(Note("caller_interim", self._turn.text))
        if self._sounds_like_machine():
            return actions + self._party_detected(Party.MACHINE, "its greeting")
        actions += self._on_floor(self.floor.transcribed(event))
        if not event.is_final:
            return actions + self._hear_a_no()
        if self._turn.is_over:
            return actions + self._close_turn()
        if self.floor.caller is Caller.QUIET:
            return actions + (self._words_without_turn() if self._turn.text else [])
        return actions + (self._speculate() if self.floor.silence > 0 else [])

    def _hear_a_no(self) -> list[Action]:
        """A no said over words that are not to be interrupted is made sure of as soon as it has stood for a moment."""
        if self.floor.caller is Caller.QUIET and is_opt_out(self._turn.text):
            self._waits.set_once(Wait.NO, self._now + self.policy.no_stands_after)
        else:
            self._waits.drop(Wait.NO)
        return []

    def _words_without_turn(self) -> list[Action]:
        """Words that never took the floor. Said while we spoke they are kept, not answered; otherwise they are a turn."""
        turn, text = self._turn, self._turn.text
        turn.ended_at = self._now
        if self._reply is None or is_opt_out(text):
            turn.why = "words without voice"
            return self._close_turn()
        self._turn = CallerTurn()
        self.memory.line("caller", text, turn.started_at if turn.started_at is not None else self._now, self._now)
        if not is_backchannel(text):
            self.messages.append(CallerSaid(text))
        return [Note("caller", text, (("while", "agent"),))]

    def _sounds_like_machine(self) -> bool:
        is_early = self.memory.began is not None and self._now - self.memory.began < self.policy.machine_within
        return is_early and self.direction is Direction.OUTBOUND and is_voicemail_greeting(self._turn.text)

    def _key_pressed(self, digit: str) -> list[Action]:
        if self.phase is not Phase.TALKING:
            return []
        self._silences = 0
        self.memory.happened(f"key:{digit}")
        actions: list[Action] = [Note("caller", f"[key {digit}]")]
        if digit == OPT_OUT_KEY:
            return actions + self._opt_out(f"[key {digit}]")
        if self._reply is not None and self._reply.is_protected:
            return actions
        if self._reply is not None:
            actions += self._stop_reply(self._reply)
        return actions + self._start_reply()

    # --- the mind -----------------------------------------------------------------------------------------------------

    def _start_reply(self) -> list[Action]:
        reply = self._new_reply()
        self._await_mind()
        return [StartReply(reply.id, tuple(self.messages))]

    def _await_mind(self) -> None:
        self._waits.set(Wait.MODEL, self._now + self.policy.model_within)
        if self.agent.manners.fillers:
            self._waits.set(Wait.FILLER, self._now + self.policy.filler_after)

    def _new_reply(self) -> Reply:
        self._reply = self._numbered()
        self._waits.drop(Wait.SILENCE)
        return self._reply

    def _numbered(self) -> Reply:
        self._replies += 1
        return Reply(ReplyId(self._replies))

    # --- speculation --------------------------------------------------------------------------------------------------

    def _speculate(self) -> list[Action]:
        """The caller paused: begin to answer what they seem to have said. Nothing of it is heard, or done, before the turn
        is over with words that mean the same."""
        text = self._turn.text
        if not text or self._reply is not None or not self._is_opened or self._has_orders:
            return []
        if self._draft is not None and self._draft.answers(text):
            return []
        is_settled = not self._turn.interim or self._now - self._turn.changed_at >= self.policy.settled_after
        is_fit = is_settled and not trails_off(text) and not is_opt_out(text)
        if not is_fit or self._drafts >= self.policy.most_speculations:
            return []
        actions = self._drop_draft("the words changed")
        self._drafts += 1
        self._speculated += 1
        self._draft = Draft(self._numbered(), text)
        messages = (*self.messages, CallerSaid(text))
        return [*actions, StartReply(self._draft.reply.id, messages, speculative=True)]

    def _drafting(self, draft: Draft, event: FromMind | FromMouth) -> list[Action]:
        """A draft grows. Its first segment is synthesised; everything else waits for the commitment."""
        match event:
            case ReplyText(_, text):
                return self._draft_speech(draft, draft.reply.splitter.feed(text))
            case ReplyWritten():
                draft.held.append(event)
                return self._draft_speech(draft, draft.reply.splitter.flush())
            case ReplyFailed(_, reason):
                return self._drop_draft(f"failed: {reason}")
            case _:
                draft.held.append(event)
                return []

    def _draft_speech(self, draft: Draft, sentences: list[str]) -> list[Action]:
        is_first = not draft.reply.segments
        spoken = [self._speak(draft.reply, sentence) for sentence in sentences]
        return spoken[:1] if is_first else []

    def _commit(self, draft: Draft) -> list[Action]:
        """The turn ended with the words the draft answers: it becomes the reply, and what waited happens now."""
        self._draft = None
        reply = self._reply = draft.reply
        self._waits.drop(Wait.SILENCE)
        self._await_mind()
        actions: list[Action] = [
            Speak(reply.id, number, sentence, reply.is_protected)
            for number, sentence in enumerate(reply.segments)
            if number > 0
        ]
        for event in draft.held:
            actions += self._happened(event)
        return actions

    def _drop_draft(self, why: str) -> list[Action]:
        draft, self._draft = self._draft, None
        if draft is None:
            return []
        self._wasted += 1
        return [StopReply(draft.reply.id), Note("decision", f"a prepared reply is dropped: {why}")]

    def _say(
        self, text: str, *, is_protected: bool = False, is_opening: bool = False, leave: Leave | None = None
    ) -> list[Action]:
        """Say fixed words, without asking the mind."""
        actions = self._stop_reply(self._reply) if self._reply is not None else []
        reply = self._new_reply()
        reply.is_protected, reply.is_opening, reply.leave = is_protected, is_opening, leave
        for sentence in (*reply.splitter.feed(text), *reply.splitter.flush()):
            actions.append(self._speak(reply, sentence))
        return actions + self._written(reply)

    def _speak(self, reply: Reply, sentence: str) -> Action:
        reply.segments.append(sentence)
        return Speak(reply.id, len(reply.segments) - 1, sentence, reply.is_protected)

    def _live(self, reply: ReplyId) -> Reply | None:
        return self._reply if self._reply is not None and self._reply.id == reply else None

    def _from_mind(self, event: FromMind) -> list[Action]:
        if self._draft is not None and self._draft.reply.id == event.reply:
            return self._drafting(self._draft, event)
        reply = self._live(event.reply)
        if reply is None or reply.is_written:
            return []
        self._waits.set(Wait.MODEL, self._now + self.policy.model_within)
        match event:
            case ReplyText(_, text):
                return [self._speak(reply, sentence) for sentence in reply.splitter.feed(text)]
            case ToolCalled():
                return self._tool_called(reply, event)
            case ReplyWritten():
                return self._reply_written(reply)
            case ReplyFailed(_, reason):
                return self._trouble(reason)
            case _:
                assert_never(event)

    def _reply_written(self, reply: Reply) -> list[Action]:
        actions: list[Action] = [self._speak(reply, sentence) for sentence in reply.splitter.flush()]
        if not reply.has_words and reply.leave is not None:
            words = self.agent.manners.transferring if isinstance(reply.leave, LeaveByTransfer) else self.agent.goodbye
            actions.append(self._speak(reply, words))
        elif not reply.has_words and not reply.tools:
            actions.append(self._speak(reply, self.agent.manners.not_understood))
        return actions + self._written(reply)

    def _written(self, reply: Reply) -> list[Action]:
        """No more words will come. What was asked decides what to listen for, and for how long."""
        reply.is_written = True
        self._waits.drop(Wait.MODEL)
        expected = expectation_of(self.agent, reply.text)
        self.floor.set_expected(expected.kind if expected else None, expected.phrases if expected else ())
        hint: list[Action] = [Expect(expected.phrases)] if expected else []
        return hint + self._maybe_heard_out(reply)

    def _trouble(self, reason: str) -> list[Action]:
        """The mind failed for good: an apology and a promise, then the end; the report asks for a callback."""
        self._detail = reason
        self.ending = Ending.TROUBLE
        leave = LeaveByHangup(f"trouble: {reason}")
        return [
            Note("decision", f"no reply: {reason}"),
            *self._say(self.agent.manners.trouble, is_protected=True, leave=leave),
        ]

    # --- tools --------------------------------------------------------------------------------------------------------

    def _tool_called(self, reply: Reply, event: ToolCalled) -> list[Action]:
        reply.tools += 1
        arguments = parse_arguments(event.name, event.arguments)
        match arguments:
            case str():
                return self._refuse_tool(reply, event, arguments)
            case EndCall(outcome=outcome):
                reply.leave = LeaveByHangup(outcome or "done")
                return self._use_tool(event, "The call ends after these words.")
            case TransferCall(to=to):
                target = to or self.agent.transfer_to
                if not target:
                    return self._refuse_tool(reply, event, "There is nobody to transfer to.")
                reply.leave = LeaveByTransfer(event.call, target)
                return self._use_tool(event, None)
            case OptOut():
                self._protect(reply)
                reply.leave = LeaveByHangup("opted out")
                self.ending = Ending.OPTED_OUT
                return self._run_tool(event, "opt_out")
            case SaveAnswer(question=question, value=value):
                return self._run_tool(event, f"save_answer:{question}:{value}")
            case BookAppointment(when=when):
                return self._run_tool(event, f"book_appointment:{when.lower()}")
            case Remember(fact=fact):
                return self._run_tool(event, f"remember:{fact.lower()}")
            case _:
                assert_never(arguments)

    def _use_tool(self, event: ToolCalled, result: str | None, *, ok: bool = True) -> list[Action]:
        self.memory.used(event, result, ok=ok)
        return [Note("tool", event.name, (("arguments", event.arguments),))]

    def _refuse_tool(self, reply: Reply, event: ToolCalled, problem: str) -> list[Action]:
        reply.is_tool_failed = True
        self._use_tool(event, problem, ok=False)
        return [Note("tool", f"{event.name} refused", (("why", problem),))]

    def _run_tool(self, event: ToolCalled, effect: str) -> list[Action]:
        """One intended effect has one key; asked for again in this call, it is not run again."""
        key = self.memory.claim(effect)
        if key is None:
            return self._use_tool(event, "Already done.")
        return [RunTool(event.call, event.name, event.arguments, key), *self._use_tool(event, None)]

    def _protect(self, reply: Reply) -> None:
        reply.is_protected = True
        if reply.audible_at is not None:
            self.floor.set_agent(Agent.PROTECTED)

    def _opt_out(self, words: str) -> list[Action]:
        """The guard that no model can talk away: written first, said, and the call ends (47 CFR 64.1200(b)(3))."""
        self.ending = Ending.OPTED_OUT
        event = ToolCalled(ReplyId(0), f"guard-{len(self.messages)}", "opt_out", json.dumps({"words": words}))
        actions = self._run_tool(event, "opt_out")
        words_said = self.agent.manners.opted_out
        return actions + self._say(words_said, is_protected=True, leave=LeaveByHangup("opted out"))

    def _tool_finished(self, event: ToolFinished) -> list[Action]:
        used = self.memory.finished(event)
        if used is None:
            return []
        actions: list[Action] = [
            Note("tool", f"{used.name} {'done' if event.ok else 'failed'}", (("result", event.result),))
        ]
        if self.phase is Phase.LEAVING and used.name == "transfer" and not event.ok:
            self.phase = Phase.TALKING
            self._transferred_to = ""
            self._waits.drop(Wait.GONE)
            return actions + self._start_reply()
        reply = self._reply
        if reply is None:
            return actions
        reply.is_tool_failed |= not event.ok and used.name != "opt_out"
        return actions + self._maybe_heard_out(reply)

    # --- the mouth ----------------------------------------------------------------------------------------------------

    def _from_mouth(self, event: FromMouth) -> list[Action]:
        if self._draft is not None and self._draft.reply.id == event.reply:
            return self._drafting(self._draft, event)
        reply = self._live(event.reply)
        if reply is None:
            return []
        match event:
            case SpeechArrived():
                return self._play(reply, event)
            case SegmentSpoken(_, segment):
                self.playout.complete(reply.id, segment)
                reply.spoken = max(reply.spoken, segment + 1)
                return self._maybe_heard_out(reply)
            case SpeechFailed(_, _, reason):
                self._detail = reason
                return [Note("decision", f"no voice: {reason}"), *self._leave_now(Ending.TROUBLE, reason)]
            case _:
                assert_never(event)

    def _play(self, reply: Reply, event: SpeechArrived) -> list[Action]:
        actions: list[Action] = []
        if not self.playout.is_open(reply.id, event.segment):
            self.playout.open(reply.id, event.segment, reply.segments[event.segment])
        if reply.audible_at is None:
            reply.audible_at = self._now
            self._answering = None
            self._waits.drop(Wait.FILLER)
            actions += self._on_floor(self.floor.set_agent(Agent.PROTECTED if reply.is_protected else Agent.AUDIBLE))
        marks = self.playout.queue(reply.id, event.segment, len(event.audio), event.words)
        self._await_hearing(reply)
        return [*actions, *self._note_begun(), Play(event.audio, marks)]

    def _note_begun(self) -> list[Action]:
        """Show our words when they sound, not when they are made: an opening is made before anybody picks up."""
        return [Note("agent", text) for text in self.playout.begun()]

    def _mark_returned(self, name: str) -> list[Action]:
        if not self.playout.returned(name):
            return []
        notes = self._note_begun()
        if self.playout.is_playing or self._reply is None:
            return notes
        return [*notes, *self._maybe_heard_out(self._reply)]

    def _maybe_heard_out(self, reply: Reply) -> list[Action]:
        """Go on once a reply is written, spoken and heard to its end, and its tools have finished."""
        if not reply.is_spoken or self.playout.is_playing:
            self._await_hearing(reply)
            return []
        self._waits.drop(Wait.HEARD)
        if reply.leave is not None and self.memory.is_effect_running:
            self._waits.set_once(Wait.LEAVE, self._now + self.policy.leave_within)
            return []
        if self.memory.is_running and reply.needs_another:
            return []
        changes = self._retire(reply, is_cut=False)
        if reply.leave is not None:
            return self._leave(reply.leave)
        if reply.needs_another:
            return self._continue_reply()
        if reply.is_opening and not reply.text.endswith("?") and self.floor.caller is Caller.QUIET and not self._has_orders:
            return [*self._on_floor(changes), *(self._start_reply() if self._reply is None else [])]
        return [*self._on_floor(changes), *self._listen()]

    def _await_hearing(self, reply: Reply) -> None:
        """A mouth that stalls, or a carrier that returns no marks, must not hang the call."""
        if reply.is_written:
            grace = self.policy.mark_grace if reply.is_spoken else self.policy.mouth_within
            self._waits.set(Wait.HEARD, self._now + self.playout.remaining + grace)

    def _continue_reply(self) -> list[Action]:
        self._continuations += 1
        if self._continuations > self.policy.most_continuations:
            return self._trouble("tools_without_words")
        return self._start_reply()

    def _stop_reply(self, reply: Reply) -> list[Action]:
        """Stop a reply wherever it is, and remember what of it was heard."""
        actions: list[Action] = [StopReply(reply.id)]
        if self.playout.is_playing:
            actions.append(ClearPlayout())
        self.playout.cut()
        self._retire(reply, is_cut=True)
        return actions + self._unduck()

    def _retire(self, reply: Reply, *, is_cut: bool) -> list[FloorChange]:
        """The reply is history: the memory keeps what was heard of it."""
        heard = self.playout.heard_text(reply.id)
        is_cut = is_cut and heard != reply.text
        if heard:
            started = reply.audible_at if reply.audible_at is not None else self._now
            self.memory.agent_said(heard, started, self._now, is_cut=is_cut)
        if is_cut and isinstance(reply.leave, LeaveByTransfer):
            self.memory.give_up(reply.leave.call)
        self._reply = None
        self._answering = None
        self._waits.drop(Wait.MODEL, Wait.FILLER, Wait.LEAVE, Wait.HEARD)
        return self.floor.set_agent(Agent.SILENT)

    # --- a supervisor's hand --------------------------------------------------------------------------------------------

    def _supervisor_says(self, text: str) -> list[Action]:
        """Now, if that interrupts nobody but our own mind; else as soon as the caller, or the law's text, is through."""
        if self.phase is not Phase.TALKING or self.ending is not None:
            return [Note("decision", "not said for the supervisor: the call is ending")]
        self._dictated.append(text)
        note = Note("decision", "a supervisor speaks through the agent")
        is_protected = self._reply is not None and self._reply.is_protected
        if is_protected or self.floor.caller is Caller.SPEAKING or self._turn.is_over:
            return [note]
        return [note, *self._obey()]

    @property
    def _has_orders(self) -> bool:
        return bool(self._dictated or self._hand_to)

    def _obey(self) -> list[Action]:
        """Carry out what a supervisor ordered while we could not speak; a hand-over makes words needless."""
        if self._hand_to:
            return self._hand_over(self._hand_to)
        words = " ".join(self._dictated)
        self._dictated.clear()
        return self._say(words)

    def _whispered(self, text: str) -> list[Action]:
        """Kept for the mind's next reply: nothing that is being said or heard changes."""
        if self.phase is not Phase.TALKING:
            return []
        self.memory.happened(f"a supervisor tells you, unheard by the caller: {' '.join(text.split())}")
        return [Note("decision", "a supervisor whispers to the agent")]

    def _transfer_requested(self, to: str) -> list[Action]:
        """A person has decided: done whatever the mind was about to say, but not in the middle of the law's text."""
        if self.phase is not Phase.TALKING or self.ending is not None:
            return [Note("decision", "not transferred for the supervisor: the call is ending")]
        note = Note("decision", "a supervisor hands the caller over")
        if self._reply is not None and self._reply.is_protected:
            self._hand_to = to
            return [note]
        return [note, *self._hand_over(to)]

    def _hand_over(self, to: str) -> list[Action]:
        """Announced, and once that has been heard, done."""
        self._dictated.clear()
        self._hand_to = ""
        event = ToolCalled(ReplyId(0), f"supervisor-{len(self.messages)}", "transfer", json.dumps({"to": to}))
        actions = self._use_tool(event, None)
        leave = LeaveByTransfer(event.call, to)
        return [*actions, *self._say(self.agent.manners.transferring, is_protected=True, leave=leave)]

    # --- machines -----------------------------------------------------------------------------------------------------

    def _party_detected(self, party: Party, source: str) -> list[Action]:
        """Believe it while nobody has been talked with: a late mistake must not cut off a person."""
        has_talked = sum(isinstance(message, CallerSaid) and bool(message.text) for message in self.messages) > 1
        if self.phase is not Phase.TALKING or self.direction is Direction.INBOUND or has_talked:
            return []
        self.party = party
        actions: list[Action] = [Note("party", party.value, (("source", source),))]
        if party not in (Party.MACHINE, Party.FAX):
            return actions
        self.memory.happened("machine")
        if self._turn.text:
            self.memory.line("caller", self._turn.text, self._turn.started_at or self._now, self._now)
            actions.append(Note("caller", self._turn.text))
        self._turn = CallerTurn()
        if party is Party.FAX or self.agent.voicemail.action is VoicemailAction.HANG_UP:
            return actions + self._leave_now(Ending.MACHINE, source)
        if self._reply is not None:
            actions += self._stop_reply(self._reply)
        self.phase = Phase.MACHINE
        self._waits.drop(Wait.SILENCE)
        self._waits.drop(Wait.FINAL)
        self._waits.set(Wait.BEEP, self._now + self.policy.beep_within)
        return actions

    def _leave_message(self, why: str) -> list[Action]:
        if self.phase is not Phase.MACHINE or self._reply is not None:
            return []
        self._waits.drop(Wait.BEEP)
        self.ending = Ending.MACHINE
        message = self.agent.voicemail.text
        leave = LeaveByHangup("message left")
        return [Note("decision", f"leaving a message after {why}"), *self._say(message, is_protected=True, leave=leave)]

    # --- the end ------------------------------------------------------------------------------------------------------

    def _leave(self, leave: Leave) -> list[Action]:
        self.phase = Phase.LEAVING
        self._waits.drop_all()
        self._waits.set(Wait.GONE, self._now + self.policy.gone_within)
        match leave:
            case LeaveByHangup(reason):
                self.ending = self.ending or Ending.COMPLETED
                self._detail = self._detail or reason
                return [Hangup(reason)]
            case LeaveByTransfer(call, to):
                self._transferred_to = to
                self._waits.drop_all()  # the carrier takes the leg away, or says why not
                return [Transfer(call, to)]
            case _:
                assert_never(leave)

    def _leave_now(self, ending: Ending, reason: str) -> list[Action]:
        """End without another word."""
        if self.phase is Phase.LEAVING:
            return []
        actions = self._stop_reply(self._reply) if self._reply is not None else []
        self.ending = self.ending or ending
        return actions + self._leave(LeaveByHangup(reason))

    def _leg_ended(self, reason: str) -> list[Action]:
        actions: list[Action] = []
        if self._reply is not None:
            self.playout.cut()
            actions.append(StopReply(self._reply.id))
            self._retire(self._reply, is_cut=True)
        text = self._turn.text
        if text:
            started = self._turn.started_at if self._turn.started_at is not None else self._now
            self.memory.caller_said(text, started, self._now)
            if is_opt_out(text) and self.phase is Phase.TALKING:
                self.ending = Ending.OPTED_OUT
                event = ToolCalled(ReplyId(0), f"guard-{len(self.messages)}", "opt_out", json.dumps({"words": text}))
                actions += self._run_tool(event, "opt_out")
        if self.ending is None:
            self.ending = Ending.TRANSFERRED if self._transferred_to else _ending_without_us(self.phase)
        self._detail = self._detail or reason
        self._waits.drop_all()
        self.phase = Phase.ENDED
        return actions

    def _deadline_passed(self) -> list[Action]:
        actions: list[Action] = []
        for wait in self._waits.passed(self._now):
            if self._waits.take(wait):  # an earlier one of them may have made it meaningless
                actions += self._passed(wait)
        return actions

    def _passed(self, wait: Wait) -> list[Action]:
        match wait:
            case Wait.FINAL:
                self._stale_until = self._now + 1.0
                return self._close_turn()
            case Wait.HELLO:
                return self._open()
            case Wait.FILLER:
                return self._fill()
            case Wait.NO:
                return self._finish_utterance()
            case Wait.MODEL:
                return self._mind_stalled()
            case Wait.SILENCE:
                return self._silence()
            case Wait.LONGEST:
                self.ending = self.ending or Ending.TIME_UP
                return self._say(self.agent.manners.time_is_up, is_protected=True, leave=LeaveByHangup("time is up"))
            case Wait.LEAVE:
                self.memory.give_up()
                assert self._reply is not None, "the wait goes with its reply"
                return self._maybe_heard_out(self._reply)
            case Wait.HEARD:
                return self._never_heard()
            case Wait.BEEP:
                return self._leave_message("no beep")
            case Wait.GONE:
                return self._leg_ended("the carrier never confirmed the end")
            case _:
                assert_never(wait)

    def _fill(self) -> list[Action]:
        """The mind is late: a short word of ours, and the reply goes on from it. Never the same twice in a row."""
        reply, fillers = self._reply, self.agent.manners.fillers
        if reply is None or reply.segments or reply.is_written:
            return []
        words = fillers[self._fillers % len(fillers)]
        self._fillers += 1
        reply.fillers = 1
        return [Note("decision", "the reply is late: a word in between"), self._speak(reply, words)]

    def _mind_stalled(self) -> list[Action]:
        """What it has written is said as if it were all; if that is nothing, it has failed."""
        if self._reply is None or not self._reply.has_words:
            return self._trouble("model_too_slow")
        return [Note("decision", "the model stalled: going on with what it wrote"), *self._reply_written(self._reply)]

    def _never_heard(self) -> list[Action]:
        """Audio that should have come, or marks that should have returned, did not: go on without them."""
        reply = self._reply
        assert reply is not None, "the wait goes with its reply"
        what = "the carrier returned no marks" if reply.is_spoken else "the voice stalled"
        reply.spoken = len(reply.segments)
        self.playout.cut()
        return [Note("decision", f"{what}: going on"), *self._maybe_heard_out(reply)]

    def _silence(self) -> list[Action]:
        """The caller says nothing: asked once, then a polite end."""
        self._silences += 1
        self.memory.happened("silence")
        manners = self.agent.manners
        if self._silences < self.policy.most_silences:
            return self._say(manners.still_there)
        self.ending = Ending.SILENCE
        return self._say(manners.silence_goodbye, is_protected=True, leave=LeaveByHangup("silence"))


def _ending_without_us(phase: Phase) -> Ending:
    return Ending.MACHINE if phase is Phase.MACHINE else Ending.CALLER_LEFT
