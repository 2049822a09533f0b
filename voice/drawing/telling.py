"""Tells the story of a call from its journal: runs it through the core once and hands each step to the lanes."""

from __future__ import annotations

from pathlib import Path

from voice.drawing.agent import Mouth
from voice.drawing.beliefs import Beliefs
from voice.drawing.caller import Sound, Words
from voice.drawing.decisions import decisions, difference
from voice.drawing.orders import orders
from voice.drawing.story import Decision, Difference, Facts, Story
from voice.drawing.turns import Turns
from voice.events import LegEnded, PartyDetected, Transcribed, VoiceEvidence
from voice.journal import JournalHeader, read
from voice.replay import Step, retrace


def tell(path: Path) -> Story:
    """The story of the call in this journal. Raises JournalError."""
    header, entries = read(path)
    teller = _Teller(header)
    for step in retrace(header, entries):
        teller.take(step)
    return teller.story()


class _Teller:
    def __init__(self, header: JournalHeader) -> None:
        self._header = header
        self._sound = Sound(header.policy.floor)
        self._words = Words()
        self._mouth = Mouth()
        self._beliefs = Beliefs()
        self._turns = Turns()
        self._decisions: list[Decision] = []
        self._differences: list[Difference] = []
        self._at = 0.0
        self._events = 0
        self._party = ""
        self._ending = "the journal breaks off"
        self._detail = ""

    def take(self, step: Step) -> None:
        self._at = step.at
        self._events += 1
        given = orders(step.entry.actions)
        event = step.entry.event
        match event:
            case VoiceEvidence():
                self._sound.take(step.at, event)
            case Transcribed():
                self._words.take(step.at, event)
            case PartyDetected(party):
                self._party = party.value
            case LegEnded(reason):
                self._ending = self._ending if self._detail else "the caller left"
                self._detail = self._detail or reason
        for order in given:
            if order.name in ("Hangup", "Transfer"):
                self._ending = "we hung up" if order.name == "Hangup" else "transferred"
                self._detail = order.text("reason") or "to somebody else"
        self._mouth.take(step.at, event, given)
        self._turns.take(step.at, event, given, step.belief, self._sound)
        self._beliefs.take(step.at, step.belief)
        self._beliefs.decided(step.at, given)
        self._decisions += decisions(step)
        otherwise = difference(step)
        if otherwise is not None:
            self._differences.append(otherwise)

    def story(self) -> Story:
        header, segments = self._header, self._mouth.segments()
        return Story(
            facts=Facts(
                call=header.call,
                agent=header.agent.name,
                seller=header.agent.seller,
                persona=header.agent.persona,
                direction=header.direction.value,
                at=header.at,
                ending=self._ending,
                detail=self._detail,
                party=self._party,
                duration=self._at,
                events=self._events,
            ),
            length=max([self._at, *(each.ended for each in segments if each.ended is not None)]),
            windows=self._sound.windows(),
            understood=self._words.understood(),
            segments=segments,
            receipts=tuple(self._mouth.receipts),
            spans=self._beliefs.finish(self._at),
            endings=tuple(self._beliefs.endings),
            decisions=tuple(self._decisions),
            turns=self._turns.finish(segments),
            barge_ins=tuple(self._turns.barge_ins),
            differences=tuple(self._differences),
        )
