"""The conversation: what is said, stopped, remembered and done, and when. The pure core of a call.

One way in, `handle(event, now)`, and one way out, the actions it returns. What a party's words or silence mean depends on
what the other is doing, so this is where the machines of both sides are coupled: `Floor` (who holds it) and `Listening` (the
caller's turn), `Speaking` (our reply, and what was heard of it) and `Speculation` (a reply nobody hears yet). What has rules
of its own stands beside it: late words, murmurs, last words, company, a supervisor's orders, a broken link.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import assert_never

from voice.actions import (
    Action,
    Expect,
    Message,
    Note,
    SetLead,
)
from voice.afterthoughts import Afterthoughts
from voice.agent import AgentDefinition
from voice.company import Company
from voice.course import Course, Phase
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
    LinkBack,
    LinkLost,
    MarkReturned,
    MediaStarted,
    Party,
    PartyDetected,
    ReplyFailed,
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
from voice.farewells import Farewells
from voice.floor import (
    Agent,
    Caller,
    CallerPaused,
    CallerStarted,
    DoubtGrown,
    DoubtRaised,
    DoubtSettled,
    Floor,
    FloorChange,
    FloorTaken,
    TurnOver,
)
from voice.lead import Lead
from voice.listening import Listening
from voice.memory import Memory
from voice.murmurs import Murmurs
from voice.outage import Outage
from voice.outcomes import Asked, Audible, HeardOut, MindFailed, MouthFailed, OptOutWritten, Outcome, Silenced
from voice.phrases import is_backchannel, is_opt_out
from voice.playout import Playout
from voice.policy import Policy
from voice.promptness import Promptness
from voice.reply import Departure, LeaveByHangup, Reply
from voice.report import CallReport, Ending, Line
from voice.speaking import Speaking
from voice.speculation import Speculation
from voice.supervision import Supervision
from voice.waits import Wait, Waits
from voice.wishes import Answer, CloseTurn, FallSilent, HandOver, Introduce, LeaveNow, Meet, Say, Step

_LATE = 0.1  # seconds by which evidence of a silence may lag behind it
OPT_OUT_KEY = "9"  # what the openings offer; 47 CFR 64.1200(b)(3): an automated opt-out by voice or key


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
        self.memory = Memory(call)
        self._now = 0.0
        self._waits = Waits()
        self._listening = Listening()
        self._promptness = Promptness((self.policy.mind_takes, self.policy.mouth_takes))
        self._speaking = Speaking(agent, self.policy, self.memory, self._waits, self._promptness)
        self._speculation = Speculation(self.policy)
        self._course = Course(self.policy, self._waits)
        self._supervision = Supervision(self._course, self.memory)
        self._farewells = Farewells(agent, self._course, self._speaking.effects)
        self._company = Company(agent, direction, self.policy, self._course, self._listening, self.memory, self._waits)
        self._murmurs = Murmurs(
            self.policy, self.floor, self._listening, self._speaking, self._supervision, self.memory, self._waits
        )
        self._afterthoughts = Afterthoughts(
            self.policy, self.floor, self._listening, self._speaking, self._murmurs, self.memory, self._waits
        )
        self._lead = Lead()
        self._outage = Outage(self._waits)
        self._silences = 0

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
    def phase(self) -> Phase:
        return self._course.phase

    @property
    def party(self) -> Party:
        """Who is believed to be at the other end."""
        return self._company.party

    @property
    def playout(self) -> Playout:
        """What was sent to the caller, and heard."""
        return self._speaking.playout

    @property
    def messages(self) -> list[Message]:
        """What the mind is told of this call so far."""
        return self.memory.messages

    @property
    def transcript(self) -> list[Line]:
        return self.memory.transcript

    @property
    def ended(self) -> bool:
        return self._course.is_over

    @property
    def is_cut_off(self) -> bool:
        """Whether the media link is broken, and another awaited."""
        return self._outage.is_on

    @property
    def is_hearing(self) -> bool:
        """Whether the caller is speaking, or final words of theirs are still to come."""
        return self.floor.caller is Caller.SPEAKING or self._listening.is_waiting

    @property
    def is_replying(self) -> bool:
        """Whether something of ours is on its way to the caller."""
        return self._speaking.reply is not None

    @property
    def _is_free(self) -> bool:
        """Whether words of ours would interrupt nobody but our own mind."""
        is_theirs = self.floor.caller is Caller.SPEAKING or self._listening.turn.is_over
        return not (is_theirs or self._speaking.is_protected)

    def report(self) -> CallReport:
        started = self.memory.began
        return CallReport(
            call=self.call,
            ending=self._course.ending or Ending.CALLER_LEFT,
            detail=self._course.detail,
            transcript=tuple(self.transcript),
            messages=tuple(self.messages),
            party=self.party,
            transferred_to=self._course.transferred_to,
            duration=self._now - started if started is not None else 0.0,
            speculated=self._speculation.begun,
            dropped=tuple(self._speculation.dropped),
            wasted_tokens=self._speculation.wasted_tokens,
            mind_took=self._promptness.mind,
            mouth_took=self._promptness.mouth,
            oddities=self._oddities,
            unheard="" if self.party in (Party.MACHINE, Party.FAX) else self._speaking.unheard,
            encounters=self._company.seen,
        )

    @property
    def _oddities(self) -> dict[str, int]:
        counts = Counter({"stray marks": self.playout.strays, "broken media links": self._outage.count})
        counted = self._listening.oddities + self._speaking.oddities + counts
        return dict(sorted(counted.items()))

    def handle(self, event: Event, now: float) -> list[Action]:
        """Take one event; return everything that must now be done, in order."""
        self._now = now = max(now, self._now)  # no decision is undone by a clock that runs backwards
        if self._course.is_over or self._outage.keeps(event):
            return []
        actions = self._happened(event)
        if self._speaking.reply is not None or not self._course.is_talking:
            actions += self._speculation.drop("something else is said")
        if actions or not isinstance(event, VoiceEvidence):
            self._promptness.saw(event, actions, now)
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
                return self._tone_heard(event)
            case PartyDetected(party, source):
                return self._do(self._company.detected(party, source, self._now))
            case LegEnded(reason):
                return self._leg_ended(reason)
            case LinkLost(reason):
                return self._link_lost(reason)
            case LinkBack():
                return self._link_back()
            case EarsFailed(reason):
                return self._do(self._farewells.trouble(reason)) if self._course.is_talking else []
            case HangupRequested(reason) if self._outage.is_on:
                self._course.ends(Ending.STOPPED, reason)
                return self._leg_ended(reason)
            case HangupRequested(reason):
                return self._leave_now(Ending.STOPPED, reason)
            case SupervisorSays(text):
                return self._do(self._supervision.says(text, is_free=self._is_free))
            case Whispered(text):
                return self._do(self._supervision.whispers(text))
            case TransferRequested(to):
                return self._do(self._supervision.transfers(to, is_free=not self._speaking.is_protected))
            case _:
                assert_never(event)

    def _act(self, spoken: Sequence[Action | Outcome]) -> list[Action]:
        """What our side orders, and in its place what follows from how far a reply has come."""
        actions: list[Action] = []
        for step in spoken:
            match step:
                case Audible(is_protected):
                    if not self._speaking.is_bridging(self._now):
                        self._listening.answering = None
                    actions += self._on_floor(self.floor.set_agent(Agent.PROTECTED if is_protected else Agent.AUDIBLE))
                case Silenced():
                    self._listening.answering = None
                    self.floor.set_agent(Agent.SILENT)
                case Asked(text):
                    actions += self._expect_an_answer(text)
                case HeardOut(reply):
                    actions += self._heard_out(reply)
                case OptOutWritten():
                    self._course.ending = Ending.OPTED_OUT
                case MindFailed(reason):
                    actions += self._do(self._farewells.trouble(reason))
                case MouthFailed(reason):
                    self._course.detail = reason
                    actions += self._leave_now(Ending.TROUBLE, reason)
                case _:
                    actions.append(step)
        return actions

    def _do(self, steps: Sequence[Step]) -> list[Action]:
        """Carry out what a part of the call wants of the whole."""
        actions: list[Action] = []
        for step in steps:
            match step:
                case Say(text, is_protected, leave):
                    actions += self._say(text, is_protected=is_protected, leave=leave)
                case FallSilent():
                    actions += self._stop_reply()
                case Introduce():
                    actions += self._open()
                case Answer():
                    actions += self._start_reply()
                case LeaveNow(ending, reason):
                    actions += self._leave_now(ending, reason)
                case HandOver(to):
                    actions += self._do(self._farewells.hand_over(to))
                case CloseTurn():
                    actions += self._close_turn()
                case Meet(text, language):
                    actions += self._meet(text, language) or []
                case _:
                    actions.append(step)
        return actions

    def _meet(self, text: str, language: str) -> list[Action] | None:
        """What follows from who speaks in these words; None for a person we can talk with."""
        met = self._company.words(text, language, self._now, is_protected=self._speaking.is_protected)
        return None if met is None else self._do(met)

    def _media_started(self) -> list[Action]:
        if self.phase is not Phase.RINGING:
            return []
        self._course.phase = Phase.TALKING
        self.memory.began = self._now
        self._waits.set(Wait.LONGEST, self._now + self.agent.manners.longest_call)
        return [self._speaking.delivery.probe(self._now), *self._begin()]

    def _begin(self) -> list[Action]:
        manners = self.agent.manners
        if self.direction is Direction.OUTBOUND and manners.hello_within > 0:
            self._waits.set(Wait.HELLO, self._now + manners.hello_within)
            return []
        return self._open()

    def _open(self) -> list[Action]:
        """Say who we are. 47 CFR 64.1200(a)(7)(ii): within two seconds of the end of the callee's greeting."""
        self._course.is_opened = True
        self._waits.drop(Wait.HELLO)
        return self._say(self.opening, is_protected=True, is_opening=True)

    def _greet_soon(self) -> None:
        """The callee's greeting may have ended: the law's two seconds run from here, however their turn ends."""
        if not self._course.is_opened and not self._company.is_away:
            self._waits.set(Wait.HELLO, self._now - self.floor.silence + self.policy.open_within)

    def _greeting_over(self) -> list[Action]:
        """They went on speaking, or it is our turn."""
        is_pausing = self.floor.caller is Caller.QUIET or self.floor.silence >= self.policy.open_within - _LATE
        return self._open() if is_pausing else []

    # --- the floor ----------------------------------------------------------------------------------------------------

    def _evidence(self, event: VoiceEvidence) -> list[Action]:
        changes = self.floor.evidence(event)
        self._company.sound(event)
        lead = self._lead.frame(event.position, self._now)
        if lead is not None:
            return [SetLead(lead), *self._on_evidence(changes)]
        return self._on_evidence(changes)

    def _on_evidence(self, changes: list[FloorChange]) -> list[Action]:
        if self._course.is_talking:
            return self._on_floor(changes) if changes else []
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
                    self._greet_soon()
                    actions += [*self._listening.finish_utterance(), *self._speculate()]
                case TurnOver(why):
                    actions += self._turn_over(why)
                case DoubtRaised():
                    actions += self._speaking.delivery.duck(self._now)
                case DoubtGrown():
                    actions += self._act(self._speaking.pause(self._now))
                case DoubtSettled(why):
                    actions += [*self._speaking.delivery.unduck(self._now), *self._listening.finish_utterance()]
                    actions.append(Note("decision", f"not an interruption: {why}"))
                case FloorTaken():
                    actions += self._floor_taken(change)
                case _:
                    assert_never(change)
        return actions

    def _caller_started(self) -> list[Action]:
        """The caller speaks while we are silent. A reply that is not audible yet answers only half a turn: start over."""
        self._waits.drop(Wait.SILENCE, Wait.FINAL, Wait.HELLO)
        turn = self._listening.turn
        turn.is_over = False
        turn.begins(self._now)
        reply = self._speaking.reply
        if reply is None or reply.audible_at is not None or reply.is_protected:
            return []
        return self._start_over()

    def _floor_taken(self, change: FloorTaken) -> list[Action]:
        """Barge-in: we fall silent at once, the memory keeps what was heard, the caller is listened to."""
        self._waits.drop(Wait.SILENCE)
        if change.is_sure:
            self._waits.drop(Wait.PAUSED)
        else:
            self._waits.set_once(Wait.PAUSED, self._now + self.policy.pause_for)
        self._listening.turn.begins(self._now)
        actions: list[Action] = [
            Note("decision", f"the caller takes the floor: {change.why}", (("after", f"{change.after:.3f}"),))
        ]
        if self._speaking.is_bridging(self._now):
            return actions + self._start_over()
        return actions + self._act(self._speaking.hold(self._now))

    def _start_over(self) -> list[Action]:
        """They went on before they heard an answer: what seemed to be their turn was the first part of it."""
        answering = self._listening.answering
        if answering is not None and self.memory.take_back(answering.text):
            self._listening.turn.continues(answering)
        return self._stop_reply()

    def _turn_over(self, why: str) -> list[Action]:
        turn = self._listening.turn
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
        turn = self._listening.take_turn()
        text = turn.text
        draft = self._speculation.turn_over(text)
        started = turn.started_at if turn.started_at is not None else turn.ended_at
        if self._speaking.is_holding and self._murmurs.want_nothing(text, turn.ended_at - started):
            return self._act(self._murmurs.take_up(text, started, self._now))
        if not text and turn.ended_at - started < self.policy.shortest_turn:
            note = Note("decision", "a sound without words: nobody's turn")
            return [note, *(self._listen() if self._course.is_opened else self._open())]
        self._silences = 0
        self._speaking.answered()
        self.memory.caller_said(text, started, turn.ended_at, turn.confidence)
        actions: list[Action] = [Note("caller", text), Note("decision", f"turn over: {turn.why}")]
        if is_opt_out(text):
            return actions + self._do(self._farewells.opted_out(text))
        if (met := self._meet(text, turn.language)) is not None:
            return actions + met
        if self._company.is_away:
            return actions + self._do(self._company.is_back(text))
        if self._speaking.is_protected:
            return actions  # what is being said is not given up for an answer: it is the law's text, or our last words
        actions += self._stop_reply()
        if self._supervision.is_waiting:
            return actions + self._do(self._supervision.obey())
        if not self._course.is_opened:
            return actions + self._open()
        self._listening.answering = turn
        if draft is not None:
            actions += self._commit(draft)
        else:
            actions += self._speculation.drop("the words were others") + self._act(self._speaking.start(self._now))
        return actions + self._act(self._speaking.bridge(self._now, turn.ended_at))

    def _listen(self) -> list[Action]:
        """It is the caller's move: from now on silence counts."""
        is_free = self._speaking.reply is None and self.floor.caller is Caller.QUIET and not self._listening.turn.is_over
        if is_free and not self._company.is_away:
            if self._supervision.is_waiting:
                return self._do(self._supervision.obey())
            if told := self._tell_news():
                return told
            self._waits.set(Wait.SILENCE, self._now + self.agent.manners.silence_after)
        return []

    # --- the ears -----------------------------------------------------------------------------------------------------

    def _transcribed(self, event: Transcribed) -> list[Action]:
        if not self._course.is_talking or not self._listening.hears(event, self._now, silent_for=self.floor.silence):
            return []
        turn = self._listening.turn
        actions: list[Action] = []
        if event.text and not event.is_final:
            actions.append(Note("caller_interim", turn.text))
        if self._company.sounds_like_machine(turn.text, self._now):
            return actions + self._do(self._company.detected(Party.MACHINE, "its greeting", self._now))
        actions += self._on_floor(self.floor.transcribed(event))
        if self._speaking.is_holding and event.text and not is_backchannel(turn.text):
            actions += self._act(self._speaking.release())
        if not event.is_final:
            self._afterthoughts.hear_a_no(self._now)
            return actions + (self._speculate() if self.floor.is_pausing else [])
        if self._listening.turn.is_outdated:
            return actions + self._listening.finish_utterance()
        if self._listening.turn.is_over:
            return actions + self._do(self._afterthoughts.last_words(self._now))
        if self.floor.caller is Caller.QUIET:
            return actions + (self._do(self._afterthoughts.without_turn(self._now)) if self._listening.turn.text else [])
        return actions + (self._speculate() if self.floor.is_pausing else [])

    def _key_pressed(self, digit: str) -> list[Action]:
        if not self._course.is_talking:
            return []
        self._silences = 0
        self.memory.happened(f"key:{digit}")
        actions: list[Action] = [Note("caller", f"[key {digit}]")]
        if digit == OPT_OUT_KEY:
            return actions + self._do(self._farewells.opted_out(f"[key {digit}]"))
        if self._speaking.is_protected:
            return actions
        return actions + self._stop_reply() + self._start_reply()

    # --- speculation --------------------------------------------------------------------------------------------------

    def _speculate(self) -> list[Action]:
        """The caller pauses: begin to answer what they seem to have said, once the words have caught up with the voice."""
        turn = self._listening.turn
        if not turn.text or self._speaking.reply is not None or not self._course.is_opened or self._supervision.is_waiting:
            return []
        if self._speaking.is_holding and self._murmurs.want_nothing(turn.text, 0.0):
            return []
        is_settled = self._speculation.has_caught_up(turn, self.floor, self._now)
        if not self._speculation.wants(turn.text, is_settled=is_settled):
            return []
        return self._speculation.begin(turn.text, self._speaking.numbered(), self.messages)

    def _commit(self, draft: Draft) -> list[Action]:
        """The turn ended with the words the draft answers: it becomes the reply, and what waited happens now."""
        actions = self._act(self._speaking.adopt(draft, self._now))
        for event in draft.held:
            actions += self._happened(event)
        return actions

    # --- our side -----------------------------------------------------------------------------------------------------

    def _from_mind(self, event: FromMind) -> list[Action]:
        if self._speculation.is_of(event.reply):
            return self._speculation.take(event)
        return self._act(self._speaking.from_mind(event, self._now))

    def _from_mouth(self, event: FromMouth) -> list[Action]:
        if self._speculation.is_of(event.reply):
            return self._speculation.take(event)
        return self._act(self._speaking.from_mouth(event, self._now))

    def _start_reply(self) -> list[Action]:
        return self._act([*self._speaking.start(self._now), *self._speaking.bridge(self._now, self._now)])

    def _mark_returned(self, name: str) -> list[Action]:
        actions = self._act(self._speaking.mark_returned(name, self._now))
        lead = self._lead.late(self._speaking.delivery.ear.jitter, self._now)
        return actions if lead is None else [SetLead(lead), *actions]

    def _stop_reply(self) -> list[Action]:
        return self._act(self._speaking.stop(self._now))

    def _say(
        self, text: str, *, is_protected: bool = False, is_opening: bool = False, leave: Departure | None = None
    ) -> list[Action]:
        """Say fixed words, without asking the mind."""
        spoken = self._speaking.say(text, self._now, is_protected=is_protected, is_opening=is_opening, leave=leave)
        return self._act(spoken)

    def _expect_an_answer(self, text: str) -> list[Action]:
        """What we ask decides what to listen for, and for how long."""
        expected = expectation_of(self.agent, text)
        self.floor.set_expected(expected.kind if expected else None, expected.phrases if expected else ())
        return [Expect(expected.phrases)] if expected else []

    def _heard_out(self, reply: Reply) -> list[Action]:
        """A reply was heard to its end: leave, go on, or listen."""
        self._listening.answering = None
        changes = self.floor.set_agent(Agent.SILENT)
        if reply.leave is not None:
            return self._course.leave(reply.leave, self._now)
        if reply.needs_another:
            return self._act(self._speaking.go_on(self._now))
        is_to_go_on = reply.is_opening and not reply.text.endswith("?") and not self._supervision.is_waiting
        if is_to_go_on and self.floor.caller is Caller.QUIET:
            return [
                *self._on_floor(changes),
                *(self._act(self._speaking.start(self._now)) if self._speaking.reply is None else []),
            ]
        return [*self._on_floor(changes), *self._listen()]

    # --- tools --------------------------------------------------------------------------------------------------------

    def _tool_finished(self, event: ToolFinished) -> list[Action]:
        finished = self._speaking.effects.finished(event)
        if finished is None:
            return []
        used, actions = finished
        if self.phase is Phase.LEAVING and used.name == "transfer" and not event.ok:
            self._course.stays()
            return actions + self._start_reply()
        actions += self._act(self._speaking.tool_finished(event, used, self._now))
        is_ours = self._course.is_talking and self.floor.caller is Caller.QUIET and not self._listening.is_waiting
        return actions + (self._tell_news() if is_ours else [])

    def _tell_news(self) -> list[Action]:
        """A tool's late result is told once nobody speaks, whatever was talked about meanwhile."""
        if not self._speaking.has_news or self._speaking.reply is not None or self._speaking.is_holding:
            return []
        is_fit = self._course.is_opened and not self._company.is_away and not self._supervision.is_waiting
        return self._act(self._speaking.go_on(self._now)) if is_fit else []

    # --- the end ------------------------------------------------------------------------------------------------------

    def _leave_now(self, ending: Ending, reason: str) -> list[Action]:
        """End without another word."""
        if self.phase is Phase.LEAVING:
            return []
        actions = self._stop_reply()
        self._course.ends(ending)
        return actions + self._course.leave(LeaveByHangup(reason), self._now)

    def _tone_heard(self, tone: ToneHeard) -> list[Action]:
        is_speaking, is_protected = self._speaking.reply is not None, self._speaking.is_protected
        return self._do(self._company.tone(tone, self._now, is_speaking=is_speaking, is_protected=is_protected))

    def _leave_message(self, why: str) -> list[Action]:
        return self._do(self._company.leave_message(why, is_speaking=self._speaking.reply is not None))

    def _link_lost(self, reason: str) -> list[Action]:
        """Nothing more is heard on either side until the carrier opens another link, or the call is over."""
        if self._outage.is_on:
            return []
        if self.phase not in (Phase.TALKING, Phase.MACHINE):
            return self._leg_ended(reason)
        note = Note("decision", f"the media link broke ({reason}): waiting for another")
        actions = [note, *self._act(self._speaking.link_lost(self._now)), *self._speculation.drop("the link broke")]
        self._outage.begin(self._now, self._now + self.policy.back_within)
        return actions

    def _link_back(self) -> list[Action]:
        """As if nothing had been: with what was cut off, then with what has happened meanwhile."""
        if not self._outage.is_on:
            return []
        lasted, events = self._outage.end(self._now)
        self.memory.happened(f"the line was broken for {max(1, round(lasted))} s")
        self._lead = Lead()  # frames that came so late say nothing of the new link
        actions = [Note("decision", "a media link again: going on"), *self._act(self._speaking.link_back(self._now))]
        for event in events:
            actions += self._happened(event)
        return actions

    def _never_back(self) -> list[Action]:
        """What was said and done before the link broke, and has only been told since, still counts."""
        actions: list[Action] = []
        for event in self._outage.end(self._now)[1]:
            match event:
                case Transcribed():
                    self._listening.hears(event, self._now, silent_for=self.floor.silence)
                case ToolFinished():
                    actions += self._tool_finished(event)
                case _:
                    pass
        return actions

    def _leg_ended(self, reason: str) -> list[Action]:
        late = self._never_back() if self._outage.is_on else []
        actions = late + self._act(self._speaking.hang_up(self._now))
        turn = self._listening.turn
        if turn.text:
            self.memory.caller_said(turn.text, turn.started_at if turn.started_at is not None else self._now, self._now)
            if is_opt_out(turn.text) and self._course.is_talking:
                self._course.ending = Ending.OPTED_OUT
                actions += self._speaking.effects.opt_out(turn.text)
        self._course.over(reason)
        return actions

    # --- the clock ----------------------------------------------------------------------------------------------------

    def _deadline_passed(self) -> list[Action]:
        actions: list[Action] = []
        for wait in self._waits.passed(self._now):
            if self._waits.take(wait):  # an earlier one of them may have made it meaningless
                actions += self._passed(wait)
        return actions

    def _passed(self, wait: Wait) -> list[Action]:
        match wait:
            case Wait.FINAL:
                return self._do(self._afterthoughts.are_late(self._now))
            case Wait.HELLO:
                return self._greeting_over()
            case Wait.TOOL:
                return self._act(self._speaking.tool_is_late(self._now))
            case Wait.FILLER:
                return self._act(self._speaking.bridge(self._now))
            case Wait.NO:
                return self._listening.finish_utterance()
            case Wait.MODEL:
                return self._act(self._speaking.mind_stalled(self._now))
            case Wait.SILENCE:
                return self._silence()
            case Wait.LONGEST:
                return self._do(self._farewells.time_is_up())
            case Wait.LEAVE:
                return self._act(self._speaking.tools_given_up(self._now))
            case Wait.PAUSED:
                return self._act(self._murmurs.pause_over(self._now))
            case Wait.HELD:
                return self._act(self._speaking.release())
            case Wait.HEARD:
                return self._act(self._speaking.never_heard(self._now))
            case Wait.AWAY:
                return self._leave_now(Ending.AWAY, "nobody came back")
            case Wait.BEEP:
                return self._leave_message("no beep")
            case Wait.BACK:
                return self._leg_ended("dropped")
            case Wait.GONE:
                return self._leg_ended("the carrier never confirmed the end")
            case _:
                assert_never(wait)

    def _silence(self) -> list[Action]:
        """The caller says nothing: asked once, then a polite end."""
        self._silences += 1
        self.memory.happened("silence")
        if self._silences < self.policy.most_silences:
            return self._say(self.agent.manners.still_there)
        if (met := self._company.silence(self._now, is_protected=self._speaking.is_protected)) is not None:
            return self._do(met)
        return self._do(self._farewells.silence())
