"""What stopped us and was no wish for the floor: a noise, a "mhm", a voice that was over at once. Pure.

Somebody has to fall silent first and judge afterwards. Here it is judged, and what was being said is taken up again; words
that come late may still show that the floor was wanted after all.
"""

from __future__ import annotations

from voice.actions import Note
from voice.floor import Caller, Floor
from voice.listening import Listening
from voice.memory import Memory
from voice.outcomes import Spoken
from voice.phrases import is_backchannel
from voice.policy import Policy
from voice.speaking import Speaking
from voice.supervision import Supervision
from voice.waits import Wait, Waits

_INSTANT = 1e-6  # seconds: a wait that passes with this much left has passed


class Murmurs:
    """Judges what stopped us. Everything it is made of is the call's."""

    def __init__(
        self,
        policy: Policy,
        floor: Floor,
        listening: Listening,
        speaking: Speaking,
        supervision: Supervision,
        memory: Memory,
        waits: Waits,
    ) -> None:
        self._policy = policy
        self._floor = floor
        self._listening = listening
        self._speaking = speaking
        self._supervision = supervision
        self._memory = memory
        self._waits = waits
        self._unsure_until = 0.0

    def is_unsure(self, now: float) -> bool:
        """Whether words that come now may be those that stopped us."""
        return now < self._unsure_until

    def doubt(self, now: float) -> None:
        """It was judged without the words that go with it: they may yet come."""
        self._unsure_until = now + self._policy.hold_for

    def want_nothing(self, text: str, lasted: float) -> bool:
        """Whether what stopped us for `lasted` seconds was no wish for the floor: a noise, or a "mhm" where no question of
        ours was heard."""
        if self._supervision.is_waiting:
            return False
        if not text:
            return lasted < self._policy.wordless
        return is_backchannel(text) and not self._speaking.is_asking

    def take_up(self, text: str, started: float, now: float) -> Spoken:
        """A wrong stop: go on as if it had not been."""
        why = f'"{text}" wants nothing' if text else "nothing was said"
        notes: Spoken = [Note("decision", f"going on where we were stopped: {why}")]
        if text:
            notes.insert(0, Note("caller", text, (("while", "agent"),)))
            self._memory.line("caller", text, started, now)
        return [*notes, *self._speaking.take_up(now)]

    def pause_over(self, now: float) -> Spoken:
        """A silence of ours is no stop while it is short. By now nobody has taken the floor, or somebody whose voice is over
        already: a murmur. Had we asked them something, it might be their answer."""
        if not self._speaking.is_holding:
            return self._nobody_spoke_on(now)
        is_answer = self._speaking.is_asking or not self.want_nothing(self._listening.turn.text, 0.0)
        if is_answer or not self._floor.has_fallen or self._floor.caller is Caller.QUIET:
            return []
        self._floor.give_back()
        self.doubt(now)
        why = Note("decision", "going on where we were stopped: a voice that was over at once")
        return [why, *self._listening.finish_utterance(), *self._speaking.take_up(now, most=0)]

    def _nobody_spoke_on(self, now: float) -> Spoken:
        """The floor was not taken: a pause lasts a little longer while the voice goes on, and is over."""
        delivery = self._speaking.delivery
        longest = delivery.paused_at + self._policy.pause_for + self._policy.pause_on
        if delivery.is_paused and now < longest - _INSTANT and not self._floor.has_fallen:
            self._waits.set(Wait.PAUSED, longest)
            return []
        return [*delivery.end_pause(now)]
