"""The lane of beliefs: states that held, waits that ran, doubts and drafts, as stretches of time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voice.drawing.orders import Order
from voice.drawing.story import Span
from voice.replay import Belief

_ROWS: Final = ("phase", "caller", "agent", "expected")
_NOTHING: Final = ("", "quiet", "silent")  # states that go without saying


@dataclass(slots=True)
class _Open:
    name: str
    began: float
    detail: str = ""


class Beliefs:
    """Collects what held from when to when."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.endings: list[tuple[float, float]] = []
        self._open: dict[str, _Open] = {}  # row -> what holds
        self._drafts: dict[int, _Open] = {}

    def take(self, at: float, belief: Belief) -> None:
        """What the core believes from now on."""
        for row, name in zip(_ROWS, (belief.phase, belief.caller, belief.agent, belief.expected), strict=True):
            self._set(row, name, at)
        self._waits(at, belief)
        probability = round(belief.ending, 2)
        if probability != (self.endings[-1][1] if self.endings else 0.0):
            self.endings.append((at, probability))

    def decided(self, at: float, orders: tuple[Order, ...]) -> None:
        """What was ordered then: ducking shows a doubt, and how it ends; replies prepared in advance are drafts; a lead that
        is not the usual one tells of a calm line, or of one that stalls."""
        self._held(at, orders)
        why = next((order.text("text") for order in orders if order.name == "Note" and order.text("kind") == "decision"), "")
        for order in orders:
            match order.name:
                case "SetGain" if order.number("gain") < 1.0:
                    self._set("doubt", "somebody speaks over us", at)
                case "SetGain":
                    self._end("doubt", at, why)
                case "SetLead":
                    self._set("lead", f"{order.number('seconds') * 1000:.0f} ms ahead", at)
                case "StartReply" if order.is_set("speculative"):
                    self._drafts[order.whole("reply")] = _Open("a reply prepared", at)
                case "StopReply":
                    self._end_draft(order.whole("reply"), at, f"dropped: {why.partition(': ')[2] or why}")
                case "Play":
                    for reply in {str(name).partition("/")[0] for _, name in order.pairs("marks")}:
                        self._end_draft(int(reply) if reply.isdecimal() else 0, at, "committed")

    def _held(self, at: float, orders: tuple[Order, ...]) -> None:
        """A reply that was stopped may be taken up again, until it is, or until another is begun."""
        notes = [order.text("text") for order in orders if order.name == "Note"]
        names = {order.name for order in orders}
        if any(note.startswith("the caller takes the floor") for note in notes) and "StopReply" not in names:
            self._set("held", "may be taken up again", at)
        elif any(note.startswith("going on where") for note in notes):
            self._end("held", at, "taken up again")
        elif "StopReply" in names:
            self._end("held", at, "given up")

    def finish(self, at: float) -> tuple[Span, ...]:
        """Everything, in order; what still holds is held to end now."""
        for row in list(self._open):
            self._end(row, at)
        for reply in list(self._drafts):
            self._end_draft(reply, at, "")
        return tuple(sorted(self.spans, key=lambda span: (span.began, span.row)))

    def _set(self, row: str, name: str, at: float, detail: str = "") -> None:
        held = self._open.get(row)
        if held is not None and held.name == name:
            held.detail = detail or held.detail
            return
        self._end(row, at)
        if name not in _NOTHING:
            self._open[row] = _Open(name, at, detail)

    def _end(self, row: str, at: float, detail: str = "") -> None:
        held = self._open.pop(row, None)
        if held is not None:
            self.spans.append(Span(row, held.name, held.began, at, detail or held.detail))

    def _end_draft(self, reply: int, at: float, what: str) -> None:
        held = self._drafts.pop(reply, None)
        if held is not None:
            self.spans.append(Span("draft", held.name, held.began, at, what))

    def _waits(self, at: float, belief: Belief) -> None:
        due = dict(belief.waits)
        for row in [row for row in self._open if row.startswith("wait:") and row[5:] not in due]:
            self._end(row, at)
        for name, instant in due.items():
            self._set(f"wait:{name}", name, at, f"due at {instant:.2f} s")
