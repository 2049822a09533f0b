"""Our side of the talk: one reply on its way from the mind through the mouth to the ear. Pure.

Knows nothing of the caller but what they have heard. Whatever can be stale carries its reply's number and falls through when
that reply is no longer the live one: a superseded reply never speaks, hangs up, transfers or writes. What a reply's progress
means for the call as a whole is returned among the actions, as outcomes, in order, for `Conversation` to act on.
"""

from __future__ import annotations

from collections import Counter
from typing import assert_never

from voice.acknowledging import Bridge
from voice.actions import Note, Speak, StartReply, StopReply, ToolUsed
from voice.agent import AgentDefinition
from voice.delivery import Delivery
from voice.draft import Draft, FromMind, FromMouth
from voice.effects import Effects
from voice.events import (
    SAMPLE_RATE,
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
from voice.holding import Holding
from voice.memory import Memory
from voice.outcomes import Asked, Audible, HeardOut, MindFailed, MouthFailed, OptOutWritten, Silenced, Spoken
from voice.playout import CLAUSE, Playout
from voice.policy import Policy
from voice.promptness import Promptness
from voice.reply import Departure, LeaveByTransfer, Reply
from voice.waits import Wait, Waits


class Speaking:
    """At most one live reply. `waits` is the call's: those for mind, mouth and marks are set here."""

    def __init__(self, agent: AgentDefinition, policy: Policy, memory: Memory, waits: Waits, promptness: Promptness) -> None:
        self.delivery = Delivery(policy.duck_gain)
        self.reply: Reply | None = None
        self.effects = Effects(memory, agent.transfer_to)
        self._agent = agent
        self._policy = policy
        self._memory = memory
        self._waits = waits
        self._replies = 0
        self._continuations = 0
        self._bridge = Bridge(agent.manners, policy, promptness)
        self._since = 0.0  # when the caller began to wait for the live reply
        self.oddities: Counter[str] = Counter()
        self.unheard = ""  # the opening, or its rest, if it was cut off when it was last said
        self._holding = Holding(self.delivery, waits, policy.hold_for)
        self._callers: dict[str, Reply] = {}  # tool call -> the reply that asked for it, while it runs
        self._untold: set[str] = set()  # tool calls that finished when their reply was history, and that nobody spoke about

    @property
    def playout(self) -> Playout:
        """What was sent to the caller, and heard."""
        return self.delivery.playout

    def is_told(self, now: float) -> bool:
        """Whether the caller has begun to hear the live reply itself, and not only a word in between."""
        return self.reply is not None and self.delivery.is_told(self.reply.id, now)

    def is_bridging(self, now: float) -> bool:
        """Whether a word in between is all that has been heard of the live reply."""
        reply = self.reply
        return reply is not None and bool(reply.bridges) and reply.audible_at is not None and not self.is_told(now)

    @property
    def is_protected(self) -> bool:
        """Whether something is said that is not given up for anything but the end of the call."""
        return self.reply is not None and self.reply.is_protected

    def numbered(self) -> Reply:
        """A reply with a number of its own."""
        self._replies += 1
        return Reply(ReplyId(self._replies))

    def answered(self) -> None:
        """The caller said something: what we do next is no continuation of what we did."""
        self._continuations = 0

    # --- the mind -----------------------------------------------------------------------------------------------------

    def start(self, now: float) -> Spoken:
        """Let the mind write the next reply."""
        actions = self.release()
        reply = self._live_now(self.numbered())
        reply.tells = frozenset(self._untold)
        self._await_mind(now)
        return [*actions, StartReply(reply.id, tuple(self._memory.messages))]

    def adopt(self, draft: Draft, now: float) -> Spoken:
        """A draft becomes the reply: give the mouth the segments that waited. What it held happens after this."""
        actions = self.release()
        reply = self._live_now(draft.reply)
        self._await_mind(now)
        return actions + [
            Speak(reply.id, number, sentence, reply.is_protected)
            for number, sentence in enumerate(reply.segments)
            if number > 0
        ]

    def say(
        self, text: str, now: float, *, is_protected: bool = False, is_opening: bool = False, leave: Departure | None = None
    ) -> Spoken:
        """Say fixed words, without asking the mind."""
        actions = self.stop(now)
        reply = self._live_now(self.numbered())
        reply.is_protected, reply.is_opening, reply.leave = is_protected, is_opening, leave
        actions += [reply.speak(sentence) for sentence in (*reply.splitter.feed(text), *reply.splitter.flush())]
        return actions + self._written(reply, now)

    def from_mind(self, event: FromMind, now: float) -> Spoken:
        if self._holding.keeps(event):
            return []
        reply = self._live(event.reply)
        if reply is None or reply.is_written:
            return []
        self._waits.set(Wait.MODEL, now + self._policy.model_within)
        match event:
            case ReplyText(_, text):
                return [*reply.write(text)]
            case ToolCalled():
                return self._tool_called(reply, event)
            case ReplyWritten():
                return self._reply_written(reply, now)
            case ReplyFailed(_, reason):
                return [MindFailed(reason)]
            case _:
                assert_never(event)

    def bridge(self, now: float, since: float | None = None) -> Spoken:
        """Say a word in between now, if the reply will be late; else look again when it should have come. The caller has
        been waiting `since`; told once for each reply."""
        reply = self.reply
        if since is not None:
            self._since = since
        due = self._bridge.due(reply, self._since, now) if reply is not None else None
        if reply is None or due is None or self._memory.is_grave:
            return []
        if due > now:
            self._waits.set(Wait.FILLER, due)
            return []
        words = self._bridge.words(reply, self._memory.messages, now)
        return [Note("decision", "the reply is late: a word in between"), reply.bridge(words)] if words else []

    def mind_stalled(self, now: float) -> Spoken:
        """What it has written is said as if it were all; if that is nothing, it has failed."""
        if self.reply is None or not self.reply.has_words:
            return [MindFailed("model_too_slow")]
        return [Note("decision", "the model stalled: going on with what it wrote"), *self._reply_written(self.reply, now)]

    def go_on(self, now: float) -> Spoken:
        """The mind has more to say: its tools' results were not spoken about."""
        self._continuations += 1
        if self._continuations > self._policy.most_continuations:
            return [MindFailed("tools_without_words")]
        return [*self.start(now), *self.bridge(now, now + self._policy.told_before)]

    def tool_finished(self, event: ToolFinished, used: ToolUsed, now: float) -> Spoken:
        """A tool has finished. The reply that asked for it goes on, or its failure is told; if it is history, the result is
        kept to be told by another, once."""
        asker = self._callers.pop(event.call, None)
        if asker is None:
            return []
        asker.is_tool_failed |= not event.ok and used.name != "opt_out"
        if asker is self.reply:
            self._waits.drop(Wait.TOOL)
            return self.maybe_heard_out(asker, now)
        if asker is not self._holding.reply and asker.needs_another:
            self._untold.add(event.call)
        return []

    def tool_is_late(self, now: float) -> Spoken:
        """A tool takes long: say so, and then once more; after that, waiting has been explained."""
        reply, manners = self.reply, self._agent.manners
        assert reply is not None, "the wait goes with its reply"
        excuses = (manners.looking_up, manners.still_looking)
        if reply.excuses == len(excuses):
            return []
        words = excuses[reply.excuses]
        reply.excuses += 1
        reply.fillers += 1
        actions: Spoken = [Note("decision", "a tool takes long: we say so"), reply.speak(words)]
        self._await_hearing(reply, now)
        return actions

    @property
    def has_news(self) -> bool:
        """Whether a result waits to be told."""
        return bool(self._untold)

    def _live_now(self, reply: Reply) -> Reply:
        self.reply = reply
        self._waits.drop(Wait.SILENCE)
        return reply

    def _live(self, reply: ReplyId) -> Reply | None:
        return self.reply if self.reply is not None and self.reply.id == reply else None

    def _await_mind(self, now: float) -> None:
        self._waits.set(Wait.MODEL, now + self._policy.model_within)

    def _tool_called(self, reply: Reply, event: ToolCalled) -> Spoken:
        was_protected, was_opt_out = reply.is_protected, reply.is_opt_out
        actions: Spoken = [*self.effects.called(reply, event)]
        if self._memory.runs(event.call):
            self._callers[event.call] = reply
        if reply.is_protected and not was_protected and reply.audible_at is not None:
            actions.insert(0, Audible(is_protected=True))
        return [OptOutWritten(), *actions] if reply.is_opt_out and not was_opt_out else actions

    def _reply_written(self, reply: Reply, now: float) -> Spoken:
        actions: Spoken = [*reply.finish()]
        if not reply.has_words and reply.leave is not None:
            is_transfer = isinstance(reply.leave, LeaveByTransfer)
            actions.append(reply.speak(self._agent.manners.transferring if is_transfer else self._agent.goodbye))
        elif not reply.has_words and not reply.tools:
            actions.append(reply.speak(self._agent.manners.not_understood))
        return actions + self._written(reply, now)

    def _written(self, reply: Reply, now: float) -> Spoken:
        """No more words will come."""
        reply.is_written = True
        self._waits.drop(Wait.MODEL)
        return [Asked(reply.text), *self.maybe_heard_out(reply, now)]

    # --- the mouth ----------------------------------------------------------------------------------------------------

    def from_mouth(self, event: FromMouth, now: float) -> Spoken:
        if self._holding.keeps(event):
            return []
        reply = self._live(event.reply)
        if reply is None:
            return []
        match event:
            case SpeechArrived() if self._is_endless(reply, event):
                self.oddities["endless voice"] += 1
                return []
            case SpeechArrived():
                return self._play(reply, event, now)
            case SegmentSpoken(_, segment):
                self.playout.complete(reply.id, segment)
                reply.spoken = max(reply.spoken, segment + 1)
                return self.maybe_heard_out(reply, now)
            case SpeechFailed(_, _, reason):
                return [Note("decision", f"no voice: {reason}"), MouthFailed(reason)]
            case _:
                assert_never(event)

    def _is_endless(self, reply: Reply, event: SpeechArrived) -> bool:
        """Whether a segment has more audio already than its words can take: noise, or a voice that does not stop."""
        most = self._policy.longest_segment + self._policy.per_letter * len(reply.words(event.segment))
        return self.playout.made(reply.id, event.segment) + len(event.audio) / SAMPLE_RATE > most

    def _play(self, reply: Reply, event: SpeechArrived, now: float) -> Spoken:
        actions: Spoken = []
        is_bridge = event.segment < 0
        if is_bridge:
            reply.bridged_until = now + self.playout.remaining + len(event.audio) / SAMPLE_RATE
        if reply.told_at is None and not is_bridge:
            reply.told_at = now
            reply.audible_at = now if reply.audible_at is None else reply.audible_at
            self._waits.drop(Wait.FILLER)
            self._untold -= reply.tells
            actions.append(Audible(reply.is_protected))
        elif reply.audible_at is None:
            reply.audible_at = now
            actions.append(Audible(reply.is_protected))
        elif reply.is_resting:
            reply.is_resting = False
            actions.append(Audible(reply.is_protected))
        actions += self.delivery.play(reply, event, now)
        self._await_hearing(reply, now)
        return actions + (self.bridge(now) if is_bridge else [])

    # --- the ear ------------------------------------------------------------------------------------------------------

    def mark_returned(self, name: str, now: float) -> Spoken:
        if not self.delivery.returned(name, now):
            return []
        notes: Spoken = [*self.delivery.begun()]
        if self.playout.is_playing or self.reply is None:
            return notes
        return [*notes, *self.maybe_heard_out(self.reply, now)]

    def maybe_heard_out(self, reply: Reply, now: float) -> Spoken:
        """Go on once a reply is written, spoken and heard to its end, and its tools have finished."""
        if not reply.is_spoken or self.playout.is_playing:
            self._await_hearing(reply, now)
            return []
        self._waits.drop(Wait.HEARD)
        if reply.segments and reply.told_at is None:
            self.oddities["mute voice"] += 1
            return [Note("decision", "no voice: nothing that was to be said has a sound"), MouthFailed("mute")]
        if reply.leave is not None and self._memory.is_effect_running:
            self._waits.set_once(Wait.LEAVE, now + self._policy.leave_within)
            return []
        if self._memory.is_running and reply.needs_another:
            return self._rest(reply, now)
        self._retire(reply, now, is_cut=False)
        return [HeardOut(reply)]

    def _rest(self, reply: Reply, now: float) -> Spoken:
        """Everything has been heard, and a tool runs: be silent, but not for long."""
        self._waits.set_once(Wait.TOOL, now + (self._policy.tool_again if reply.excuses else self._policy.tool_after))
        if reply.audible_at is None or reply.is_resting:
            return []
        reply.is_resting = True
        return [Silenced()]

    def tools_given_up(self, now: float) -> Spoken:
        """Tools that were waited for before we leave took too long."""
        assert self.reply is not None, "the wait goes with its reply"
        self._memory.give_up()
        return self.maybe_heard_out(self.reply, now)

    def never_heard(self, now: float) -> Spoken:
        """Audio that should have come, or marks that should have returned, did not: go on without them."""
        reply = self.reply
        assert reply is not None, "the wait goes with its reply"
        if reply.is_opening and not reply.is_spoken:
            return self._opening_stalled(reply, now)
        what = "the carrier returned no marks" if reply.is_spoken else "the voice stalled"
        reply.spoken = len(reply.segments)
        self.delivery.gone(now)
        return [Note("decision", f"{what}: going on"), *self.maybe_heard_out(reply, now)]

    def _opening_stalled(self, reply: Reply, now: float) -> Spoken:
        """Nobody is talked with who has not heard the opening: what is missing of it is said again, from its sentence; and
        without a voice for it there is no call."""
        if reply.is_again:
            return [Note("decision", "the voice stalled in the opening, twice"), MouthFailed("stalled")]
        unheard = [text for number, text in enumerate(reply.segments) if not self.playout.is_heard(reply.id, number)]
        actions = self.say(" ".join(unheard), now, is_protected=True, is_opening=True)
        assert self.reply is not None, "it has just been begun"
        self.reply.is_again = True
        return [Note("decision", "the voice stalled in the opening: said again from there"), *actions]

    def _await_hearing(self, reply: Reply, now: float) -> None:
        """A mouth that stalls, or a carrier that returns no marks, must not hang the call."""
        if reply.is_written:
            grace = self._policy.mark_grace if reply.is_spoken else self._policy.mouth_within
            self._waits.set(Wait.HEARD, now + self.playout.remaining + grace)

    # --- a link that breaks -------------------------------------------------------------------------------------------

    def link_lost(self, now: float) -> Spoken:
        """What the carrier held is gone; the reply lives on."""
        return [*self.delivery.lost(now, is_protected=self.is_protected)]

    def link_back(self, now: float) -> Spoken:
        """Go on with it."""
        reply, actions = self.reply, [self.delivery.probe(now)]
        if reply is None:
            return [*actions]
        actions += self.delivery.back(now, is_protected=reply.is_protected)
        return [*actions, *self.maybe_heard_out(reply, now)]

    # --- giving way ---------------------------------------------------------------------------------------------------

    def stop(self, now: float) -> Spoken:
        """Stop the live reply, if there is one, wherever it is, and remember what of it was heard."""
        actions = self.release()
        reply = self.reply
        if reply is None:
            return actions
        actions += [StopReply(reply.id), *self.delivery.stop(now)]
        self._retire(reply, now, is_cut=True)
        return [*actions, Silenced()]

    def hang_up(self, now: float) -> Spoken:
        """The leg is gone: nothing plays any more, and nothing is left to be cleared."""
        actions = self.release()
        reply = self.reply
        if reply is None:
            return actions
        self.delivery.gone(now)
        self._retire(reply, now, is_cut=True)
        return [*actions, StopReply(reply.id)]

    def _retire(self, reply: Reply, now: float, *, is_cut: bool) -> None:
        """The reply is history: the memory keeps what was heard of it."""
        if self._remember(reply, now, is_cut=is_cut):
            self._give_up_leaving(reply)
        if reply.is_opening:
            self.unheard = "" if self.playout.heard_text(reply.id) == reply.text else reply.text
        self._leave_live()

    def _leave_live(self) -> None:
        """Nothing of a live reply is waited for any more."""
        self.reply = None
        self._waits.drop(Wait.MODEL, Wait.FILLER, Wait.LEAVE, Wait.HEARD, Wait.TOOL)

    def _remember(self, reply: Reply, now: float, *, is_cut: bool) -> bool:
        """Keep what was heard; True if that is not all."""
        heard = self.playout.heard_text(reply.id)
        is_cut = is_cut and heard != reply.text
        if heard:
            started = reply.audible_at if reply.audible_at is not None else now
            self._memory.agent_said(heard, started, now, is_cut=is_cut)
        return is_cut

    def _give_up_leaving(self, reply: Reply) -> None:
        if isinstance(reply.leave, LeaveByTransfer):
            self._memory.give_up(reply.leave.call)

    # --- stopped, and taken up again ----------------------------------------------------------------------------------

    @property
    def is_holding(self) -> bool:
        """Whether a reply was stopped that may yet be taken up again."""
        return self._holding.reply is not None

    @property
    def is_asking(self) -> bool:
        """Whether the caller has heard a question of the reply that they stopped."""
        return self._holding.is_asking

    def hold(self, now: float) -> Spoken:
        """Fall silent for the caller; what was not heard is kept until it is known whether they want the floor."""
        reply = self.reply
        if reply is None or (reply.is_spoken and not self.delivery.has_more(now)):
            return self.stop(now)
        actions: Spoken = [*self._holding.hold(reply, now), Silenced()]
        self._remember(reply, now, is_cut=True)
        self._leave_live()
        return actions

    def release(self) -> Spoken:
        """The caller did want the floor: what was held will not be said, nor done."""
        reply = self._holding.release()
        if reply is None:
            return []
        self._give_up_leaving(reply)
        return [StopReply(reply.id)]

    def pause(self, now: float) -> Spoken:
        """Somebody seems to take the floor: be silent for a moment, until it is known."""
        actions: Spoken = [*self.delivery.pause(now)]
        if actions:
            self._waits.set(Wait.PAUSED, now + self._policy.pause_for)
        return actions

    def take_up(self, now: float, most: int = CLAUSE) -> Spoken:
        """Nobody wanted the floor: go on from where we were stopped, and with what was made meanwhile; with the clause that
        was cut, if it began no more than `most` samples ago."""
        held = self._holding.take_up()
        reply = held.reply
        self._waits.drop(Wait.SILENCE)
        if self.playout.heard_text(reply.id):
            self._memory.take_back_ours()
        self.reply = reply
        if not reply.is_written:
            self._await_mind(now)
        actions: Spoken = [Audible(reply.is_protected), *self.delivery.take_up(now, most)]
        for event in held.events:
            actions += self._taken_up(event, now)
        return actions + (self.maybe_heard_out(reply, now) if self.reply is reply else [])

    def _taken_up(self, event: FromMind | FromMouth, now: float) -> Spoken:
        if isinstance(event, SpeechArrived | SegmentSpoken | SpeechFailed):
            return self.from_mouth(event, now)
        return self.from_mind(event, now)
