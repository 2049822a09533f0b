"""Who said what in which order: turns, the gaps between them, and the caller's barge-ins. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from voice.drawing.caller import Sound
from voice.drawing.orders import Order
from voice.drawing.story import BargeIn, Gap, Segment, Stage, Turn
from voice.events import Transcribed
from voice.replay import Belief

_TURN_OVER = "turn over: "
_TAKEN = "the caller takes the floor: "


@dataclass(frozen=True, slots=True)
class _Closed:
    """A caller turn, and when the floor was judged to be ours."""

    turn: Turn
    decided: float


class Turns:
    """Collects the caller's turns as they are closed, and the times the floor was taken from us."""

    def __init__(self) -> None:
        self.barge_ins: list[BargeIn] = []
        self._closed: list[_Closed] = []
        self._caller = "quiet"
        self._began: float | None = None
        self._decided = 0.0
        self._confidence: float | None = None
        self._silent_from: float | None = None  # when our voice was thrown away, if nothing has been sent again since

    def take(self, at: float, event: object, orders: Sequence[Order], belief: Belief, sound: Sound) -> None:
        """One event, the orders it led to then, and what was believed after it."""
        if isinstance(event, Transcribed) and event.is_final and event.confidence is not None:
            self._confidence = min(event.confidence, self._confidence if self._confidence is not None else 1.0)
        if belief.caller != self._caller:
            self._caller = belief.caller
            if belief.caller == "speaking":
                self._began = sound.began if self._began is None else self._began
            else:
                self._decided = at
        notes = [(order.text("kind"), order.text("text"), order.pairs("detail")) for order in orders if order.name == "Note"]
        why = next((text.removeprefix(_TURN_OVER) for _, text, _ in notes if text.startswith(_TURN_OVER)), "")
        for kind, text, detail in notes:
            if kind == "caller":
                self._close(at, text, why, sound, is_over_us=bool(detail))
            elif text.startswith(_TAKEN):
                paused = self._silent_from
                self.barge_ins.append(BargeIn(sound.began, at if paused is None else paused, text.removeprefix(_TAKEN)))
        for order in orders:
            if order.name in ("ClearPlayout", "Play"):
                self._silent_from = at if order.name == "ClearPlayout" else None

    def _close(self, at: float, text: str, why: str, sound: Sound, *, is_over_us: bool) -> None:
        began = self._began if self._began is not None else sound.began
        ended = min(at, max(began, sound.ended))
        turn = Turn("caller", text, began, ended, at, why, confidence=self._confidence, is_over_us=is_over_us)
        was_decided = self._caller != "speaking" and self._decided >= ended  # else the core of now has not, or long ago
        self._closed.append(_Closed(turn, self._decided if was_decided else at))
        self._began, self._confidence = None, None

    def finish(self, segments: Sequence[Segment]) -> tuple[Turn, ...]:
        """All turns, the agent's too, in order, with the gaps between them."""
        callers = _with_gaps(self._taken_back(segments), segments)
        return tuple(sorted([*callers, *_agent_turns(segments)], key=lambda turn: (turn.began, turn.ended)))

    def _taken_back(self, segments: Sequence[Segment]) -> list[_Closed]:
        """Mark the turns that went on: nothing of ours was heard before the next, and the next begins with their words."""
        marked = list(self._closed)
        for index, (one, other) in enumerate(pairwise(self._closed)):
            is_part = bool(one.turn.text) and other.turn.text.startswith(f"{one.turn.text} ")
            is_answered = any(one.turn.ended < (each.began or 0.0) < other.turn.began for each in segments)
            if is_part and not is_answered:
                marked[index] = replace(one, turn=replace(one.turn, is_taken_back=True))
        return marked


def _agent_turns(segments: Iterable[Segment]) -> Iterable[Turn]:
    for _, group in groupby(sorted(segments, key=lambda each: (each.reply, each.number)), key=lambda each: each.reply):
        parts = list(group)
        sounded = [part for part in parts if part.began is not None and part.ended is not None]
        if not sounded:
            continue
        heard = [part.text if part.cut is None else _words(part, is_heard=True) for part in sounded]
        unheard = [
            part.text if part.began is None else _words(part, is_heard=False) for part in parts if part.cut is not None
        ]
        began, ended = min(part.began or 0.0 for part in sounded), max(part.ended or 0.0 for part in sounded)
        yield Turn("agent", _joined(heard), began, ended, ended, thrown_away=_joined(unheard))


def _words(part: Segment, *, is_heard: bool) -> str:
    return _joined(word.text for word in part.words if word.is_heard is is_heard)


def _joined(texts: Iterable[str]) -> str:
    return " ".join(text for text in texts if text)


def _with_gaps(closed: Sequence[_Closed], segments: Sequence[Segment]) -> list[Turn]:
    turns = []
    for index, each in enumerate(closed):
        until = closed[index + 1].turn.closed if index + 1 < len(closed) else float("inf")
        turns.append(replace(each.turn, gap=_gap(each, segments, until)))
    return turns


def _gap(closed: _Closed, segments: Sequence[Segment], until: float) -> Gap | None:
    """From the caller's last sound to our first; none where we were speaking, or the caller went on before we did."""
    turn = closed.turn
    sounded = [(each.began, each.ended, each) for each in segments if each.began is not None and each.ended is not None]
    if turn.is_over_us or turn.is_taken_back or any(began <= turn.ended < ended for began, ended, _ in sounded):
        return None
    later = [(began, each) for began, _, each in sounded if turn.ended < began < until]
    if not later:
        return None
    began, answer = min(later, key=lambda each: each[0])
    arrived = answer.arrived if answer.arrived is not None else began
    instants = [closed.decided, turn.closed, answer.ordered, arrived, began]
    return Gap(turn.ended, began, _stages(turn.ended, instants, began))


_STAGES = ("deciding", "last words", "mind", "voice", "line")


def _stages(began: float, instants: Sequence[float], ended: float) -> tuple[Stage, ...]:
    """What was done in advance took no time of the gap."""
    stages, before = [], began
    for name, instant in zip(_STAGES, instants, strict=True):
        after = min(ended, max(before, instant))
        stages.append(Stage(name, after - before))
        before = after
    return tuple(stages)
