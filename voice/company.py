"""Who is at the other end, and what is done about it: a person, a machine, a call screener, a queue, nobody for now. Pure.

`Encounters` recognises, the agent's file says what is wanted; here that becomes what the call does.
"""

from __future__ import annotations

from typing import assert_never

from voice.actions import Action, CallerSaid, Note
from voice.agent import AgentDefinition, VoicemailAction
from voice.course import Course, Phase
from voice.encounters import Await, Connect, Encounters, Leave, Sight, Sighting, Tell, is_screener
from voice.events import Direction, Party, ToneHeard, VoiceEvidence
from voice.listening import Listening
from voice.machine import is_voicemail_greeting
from voice.memory import Memory
from voice.policy import Policy
from voice.reply import LeaveByHangup
from voice.report import Ending
from voice.waits import Wait, Waits
from voice.wishes import Answer, FallSilent, HandOver, Introduce, LeaveNow, Say, Step


class Company:
    """One call's other end. `course`, `listening`, `memory` and `waits` are the call's."""

    def __init__(
        self,
        agent: AgentDefinition,
        direction: Direction,
        policy: Policy,
        course: Course,
        listening: Listening,
        memory: Memory,
        waits: Waits,
    ) -> None:
        self.party = Party.UNKNOWN
        self._agent = agent
        self._direction = direction
        self._policy = policy
        self._course = course
        self._listening = listening
        self._memory = memory
        self._waits = waits
        self._encounters = Encounters(agent)

    @property
    def is_away(self) -> bool:
        """Whether somebody has yet to come to the telephone, or back to it."""
        return self._encounters.away is not None

    @property
    def seen(self) -> tuple[str, ...]:
        """What was recognised, with its evidence, for the report."""
        return tuple(f"{sighting.what}: {sighting.evidence}" for sighting in self._encounters.seen)

    # --- what is recognised -------------------------------------------------------------------------------------------

    def sound(self, evidence: VoiceEvidence) -> None:
        """Keep in mind what the line sounds like."""
        self._encounters.sound(evidence)

    def words(self, text: str, language: str, now: float, *, is_protected: bool) -> list[Step] | None:
        """What these words say about who speaks, and what is done about it; None for a person we can talk with."""
        if self._course.ending is not None:
            return None
        sighting = self._encounters.words(text, now - self._began(now), language)
        return None if sighting is None else self._met(sighting, now, is_protected=is_protected)

    def tone(self, tone: ToneHeard, now: float, *, is_speaking: bool, is_protected: bool) -> list[Step]:
        """A fax, or the beep we wait for."""
        sighting = self._encounters.tone(tone) if self._course.is_talking else None
        if sighting is None:
            return self.leave_message("the beep", is_speaking=is_speaking)
        return self._met(sighting, now, is_protected=is_protected)

    def silence(self, now: float, *, is_protected: bool) -> list[Step] | None:
        """Nobody answers our question: None where that is all, and no music plays meanwhile."""
        return self._met(self._encounters.music(), now, is_protected=is_protected) if self._encounters.is_music else None

    def sounds_like_machine(self, text: str, now: float) -> bool:
        """Whether these first words are a voicemail's greeting."""
        if self._direction is not Direction.OUTBOUND or is_screener(text):
            return False
        is_early = self._memory.began is not None and now - self._memory.began < self._policy.machine_within
        return is_early and is_voicemail_greeting(text)

    def _began(self, now: float) -> float:
        return self._memory.began if self._memory.began is not None else now

    # --- what is done about it ----------------------------------------------------------------------------------------

    def _met(self, sighting: Sighting, now: float, *, is_protected: bool) -> list[Step]:
        """Do what the agent's file says about it."""
        self._memory.happened(f"at the other end: {sighting.what.replace('_', ' ')}")
        note = Note("party", sighting.what, (("evidence", sighting.evidence),))
        return [note, *self._carry_out(sighting, now, is_protected=is_protected)]

    def _carry_out(self, sighting: Sighting, now: float, *, is_protected: bool) -> list[Step]:
        plan = self._encounters.plan(sighting.what)
        match plan:
            case Await():
                return self._wait_for(sighting.what, plan, now, is_protected=is_protected)
            case Tell(words, leaves=False):
                return [Say(words)]
            case Tell(words):
                self._course.ends(Ending.COMPLETED)
                return [Say(words, is_protected=True, leave=LeaveByHangup(sighting.what))]
            case Connect(to):
                return [HandOver(to)]
            case Leave(is_fax=True):
                return self.detected(Party.FAX, sighting.evidence, now)
            case Leave():
                return [LeaveNow(Ending.AWAY, sighting.what)]
            case _:
                assert_never(plan)

    def _wait_for(self, why: Sight, plan: Await, now: float, *, is_protected: bool) -> list[Step]:
        """Somebody will come to the telephone, or back to it: be silent until then."""
        self._encounters.away = why
        if plan.is_new or is_protected:
            self._course.is_opened = False  # whoever comes has not heard the law's text, or not all of it
        self._waits.set(Wait.AWAY, now + self._agent.encounters.wait_for)
        self._waits.drop(Wait.SILENCE)
        return [Say(plan.words, is_protected=True) if plan.words else FallSilent()]

    def is_back(self, text: str) -> list[Step]:
        """The wait is over. Whoever has not been told who we are is told now."""
        self._encounters.away = None
        self._waits.drop(Wait.AWAY)
        self._memory.happened("somebody is at the telephone again")
        note = Note("decision", f'somebody is at the telephone: "{text}"')
        return [note, *([FallSilent(), Answer()] if self._course.is_opened else [Introduce()])]

    # --- machines -----------------------------------------------------------------------------------------------------

    def detected(self, party: Party, source: str, now: float) -> list[Step]:
        """Believe it while nobody has been talked with: a late mistake must not cut off a person."""
        said = sum(isinstance(message, CallerSaid) and bool(message.text) for message in self._memory.messages)
        if not self._course.is_talking or self._direction is Direction.INBOUND or said > 1:
            return []
        self.party = party
        steps: list[Step] = [Note("party", party.value, (("source", source),))]
        if party not in (Party.MACHINE, Party.FAX):
            return steps
        self._memory.happened("machine")
        steps += self._greeted(now)
        if party is Party.FAX or self._agent.voicemail.action is VoicemailAction.HANG_UP:
            return [*steps, LeaveNow(Ending.MACHINE, source)]
        self._course.phase = Phase.MACHINE
        self._waits.drop(Wait.SILENCE, Wait.FINAL)
        self._waits.set(Wait.BEEP, now + self._policy.beep_within)
        return [*steps, FallSilent()]

    def _greeted(self, now: float) -> list[Action]:
        """The machine's greeting stands in the transcript; it is nobody's turn."""
        turn = self._listening.take_turn()
        if not turn.text:
            return []
        self._memory.line("caller", turn.text, turn.started_at or now, now)
        return [Note("caller", turn.text)]

    def leave_message(self, why: str, *, is_speaking: bool) -> list[Step]:
        """Talk to a voicemail, once it listens."""
        if self._course.phase is not Phase.MACHINE or is_speaking:
            return []
        self._waits.drop(Wait.BEEP)
        self._course.ending = Ending.MACHINE
        note = Note("decision", f"leaving a message after {why}")
        return [note, Say(self._agent.voicemail.text, is_protected=True, leave=LeaveByHangup("message left"))]
