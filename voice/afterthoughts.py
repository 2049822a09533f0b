"""Words that come late: after the turn they belong to, after it was answered, or without any turn at all. Pure.

Ears are slower than the detectors of a voice, and change their mind. What their words mean then depends on whether anybody
waits for them, hears us by now, or has spoken at all.
"""

from __future__ import annotations

from voice.actions import CallerSaid, Note
from voice.floor import Caller, Floor
from voice.listening import Listening
from voice.memory import Memory
from voice.murmurs import Murmurs
from voice.phrases import is_backchannel, is_opt_out, normalise
from voice.policy import Policy
from voice.speaking import Speaking
from voice.turn import CallerTurn
from voice.waits import Wait, Waits
from voice.wishes import CloseTurn, FallSilent, Meet, Step

_NOBODYS = 1.0  # seconds after a turn was closed without its last words in which these, if they come, are nobody's


class Afterthoughts:
    """What becomes of late words. Everything it is made of is the call's."""

    def __init__(
        self,
        policy: Policy,
        floor: Floor,
        listening: Listening,
        speaking: Speaking,
        murmurs: Murmurs,
        memory: Memory,
        waits: Waits,
    ) -> None:
        self._policy = policy
        self._floor = floor
        self._listening = listening
        self._speaking = speaking
        self._murmurs = murmurs
        self._memory = memory
        self._waits = waits

    # --- the last words of a turn that is over ------------------------------------------------------------------------

    def last_words(self, now: float) -> list[Step]:
        """The turn was judged over before its last words were in: where they promise more, it is waited for after all."""
        remaining = self._floor.believed.patience - self._floor.silence
        if remaining <= 0 or not self._floor.is_promising:
            return [CloseTurn()]
        self._waits.set(Wait.FINAL, now + remaining)
        return [Note("decision", "the turn was to be over: the last words promise more")]

    def are_late(self, now: float) -> list[Step]:
        """Go on without the last words; but do not take silence of slow ears for a caller who said nothing."""
        turn = self._listening.turn
        if self._speaking.is_holding and not turn.text and not turn.is_late:
            turn.is_late = True
            self._waits.set(Wait.FINAL, now + self._policy.hold_final)
            return []
        if turn.is_late:
            self._murmurs.doubt(now)
        elif turn.is_waiting:
            self._listening.give_up_waiting(now + _NOBODYS)
        return [CloseTurn()]

    # --- words without a turn -----------------------------------------------------------------------------------------

    def hear_a_no(self, now: float) -> None:
        """A no said over words that are not to be interrupted is made sure of as soon as it has stood for a moment."""
        if self._floor.caller is Caller.QUIET and is_opt_out(self._listening.turn.text):
            self._waits.set_once(Wait.NO, now + self._policy.no_stands_after)
        else:
            self._waits.drop(Wait.NO)

    def without_turn(self, now: float) -> list[Step]:
        """Words that never took the floor. Said while we spoke they are kept, not answered; otherwise they are a turn."""
        turn = self._listening.turn
        text = turn.text
        turn.ended_at = now
        if self._listening.is_afterthought(self._floor.silence, now):
            return self._revise(text, now)
        if (earlier := self._listening.just_before(now)) and is_opt_out(f"{earlier} {text}"):
            turn.finals.insert(0, earlier)  # ears that end an utterance at a short silence within it: "don't", "call me"
            text = turn.text
        is_late_wish = self._murmurs.is_unsure(now) and not is_backchannel(text)
        if self._speaking.reply is None or is_opt_out(text) or is_late_wish:
            turn.why = "words without voice"
            self._listening.oddities["words without voice"] += 1
            return [CloseTurn()]
        self._listening.take_turn()
        return self._keep(turn, now)

    def _keep(self, turn: CallerTurn, now: float) -> list[Step]:
        """Said while we spoke, and no interruption."""
        text = turn.text
        self._memory.line("caller", text, turn.started_at if turn.started_at is not None else now, now)
        if not is_backchannel(text):
            self._memory.messages.append(CallerSaid(text))
        return [Note("caller", text, (("while", "agent"),)), Meet(text, turn.language)]

    def _revise(self, text: str, now: float) -> list[Step]:
        """The ears changed their mind about a turn that is being answered: what they add is answered while nobody hears us
        yet; what they only say again is nobody's words."""
        is_unheard = not self._speaking.is_told(now)
        answering = self._listening.answering if is_unheard else None
        is_more = answering is not None and len(normalise(text)) > len(normalise(answering.text))
        if answering is not None and is_more and self._memory.take_back(answering.text):
            self._listening.turn.started_at = answering.started_at
            self._listening.turn.ended_at = answering.ended_at
            self._listening.turn.why = f"{answering.why}, revised"
            return [FallSilent(), CloseTurn()]
        self._listening.turn = CallerTurn()
        return [Note("decision", f'the ears say again: "{text}"')]
